import CStarlingShims
import Glibc

/// A node's directory: `files/` with what was received and published, `incoming/` with what is not complete,
/// `identity.key` and `state.sqlite`. One node at a time uses it.
final class DataDirectory: Sendable {
  /// The directory's path, without a slash at the end.
  let path: String
  /// Whether it was made for this run only and goes with it.
  let isTemporary: Bool
  private let lock: FileDescriptor

  /// Where complete files are.
  var files: String { path + "/files" }
  /// Where the node's state is.
  var state: String { path + "/state.sqlite" }
  /// Where the node's identity is, unless its user keeps it elsewhere.
  var identity: String { path + "/identity.key" }
  /// Where incomplete files are.
  var incoming: String { path + "/incoming" }

  /// Opens a directory, making it if need be.
  ///
  /// - Parameter path: where; `nil` makes a temporary directory that ``remove()`` takes away.
  /// - Throws: ``HostError`` when it cannot be made or written, or another node uses it.
  init(_ path: String?) throws(HostError) {
    isTemporary = path == nil
    if let path {
      var trimmed = path[...]
      while trimmed.count > 1, trimmed.last == "/" { trimmed = trimmed.dropLast() }
      self.path = String(trimmed)
    } else {
      TemporaryFolder.removeStale(prefix: "starling-node-")
      self.path = try DataDirectory.makeTemporary(prefix: "starling-node-")
    }
    for directory in [self.path, self.path + "/files", self.path + "/incoming"] {
      if mkdir(directory, 0o700) == 0 {
        // The two in it are made anew if they are lost.
        if directory == self.path { DataDirectory.syncFolder(holding: directory) }
      } else if errno != EEXIST {
        throw HostError("The data directory \"\(directory)\" could not be made", errno: errno)
      }
      var status = stat()
      guard stat(directory, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
        throw HostError("\"\(directory)\" is no directory: move it away, or choose another data directory.")
      }
    }
    try DataDirectory.checkThatOthersCannotWrite(self.path)
    let fd = starling_open(self.path + "/lock", O_RDWR | O_CREAT, 0o600)
    lock = try FileDescriptor(fd, orThrow: "The data directory \"\(self.path)\" could not be opened")
    guard flock(lock.number, LOCK_EX | LOCK_NB) == 0 else {
      throw HostError("The data directory \"\(self.path)\" is in use by another node; choose another one.")
    }
    clearIncoming()
  }

  /// Whoever can write the directory can put another key, state or file in the place of the node's.
  private static func checkThatOthersCannotWrite(_ path: String) throws(HostError) {
    for directory in [path, path + "/files", path + "/incoming"] {
      var status = stat()
      guard stat(directory, &status) == 0, status.st_mode & S_IWOTH != 0 else { continue }
      throw HostError(
        "The data directory \"\(directory)\" can be written by every user of the machine; protect it with: "
          + "chmod o-w \(directory)")
    }
  }

  /// Opens a file in the directory; makes the folders in it anew if somebody has taken them away.
  ///
  /// - Returns: a descriptor, or −`errno`.
  func open(_ path: String, _ flags: Int32) -> Int32 {
    let descriptor = starling_open(path, flags, 0o600)
    guard descriptor == -ENOENT, flags & O_CREAT != 0 else { return descriptor }
    for folder in [files, incoming] { mkdir(folder, 0o700) }
    return starling_open(path, flags, 0o600)
  }

  /// Takes a temporary directory away with all it holds; does nothing to a user's.
  func remove() {
    if isTemporary { DataDirectory.removeTree(path) }
  }

  /// What an earlier run left incomplete: which chunks are there is not recorded, so it starts again.
  private func clearIncoming() {
    for name in DataDirectory.names(in: incoming) where name.hasSuffix(".part") {
      unlink(incoming + "/" + name)
    }
  }

  /// Has a name that was just made outlast a power cut: what is in a file may be on the disk, and its name not.
  static func syncFolder(holding path: String) {
    var folder = "."
    if let slash = path.lastIndex(of: "/") {
      folder = slash == path.startIndex ? "/" : String(path[..<slash])
    }
    let descriptor = starling_open(folder, O_RDONLY, 0)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }

  /// Where temporary directories are made.
  static var temporaryParent: String { getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp" }

  /// A new directory under TMPDIR, for its owner only.
  static func makeTemporary(prefix: String) throws(HostError) -> String {
    let parent = temporaryParent
    var template = Array("\(parent)/\(prefix)XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw HostError("A temporary directory could not be made in \"\(parent)\"", errno: errno)
    }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Removes a directory made by ``makeTemporary(prefix:)`` with all it holds. Symbolic links are removed,
  /// not followed.
  static func removeTree(_ path: String) {
    for name in names(in: path) {
      let child = path + "/" + name
      var status = stat()
      guard lstat(child, &status) == 0 else { continue }
      if status.st_mode & S_IFMT == S_IFDIR { removeTree(child) } else { unlink(child) }
    }
    rmdir(path)
  }

  static func names(in path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }
}
