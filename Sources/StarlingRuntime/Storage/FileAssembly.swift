import CStarlingShims
import Glibc
import StarlingApps
import StarlingCore

/// The last steps for a file that is all there: hash it, flush it, and give it its name. Slow enough to be
/// done on a thread that nobody waits for.
struct FileAssembly: Sendable {
  let manifest: FileManifest
  /// Where the bytes are.
  let partial: String
  /// The directory where the file is to appear.
  let files: String

  /// Does the last steps; the partial file is gone afterwards, whatever happens.
  ///
  /// - Returns: the path under which the file is now to be found: its name, or, where another file has that
  ///   name, the name with the beginning of the digest in it, or with all of it.
  func run() throws(HostError) -> String {
    defer { unlink(partial) }
    if manifest.byteCount == 0 {
      close(starling_open(partial, O_WRONLY | O_CREAT, 0o600))
    }
    guard try FileAssembly.digest(of: partial, flushing: true) == manifest.digest else {
      throw HostError("The file \"\(manifest.name)\" is not what its manifest says and was thrown away.")
    }
    for name in names {
      let path = "\(files)/\(name)"
      if try place(at: path) {
        // The name is on the disk before anybody is told of it.
        DataDirectory.syncFolder(holding: path)
        return path
      }
    }
    throw HostError(
      "The file \"\(manifest.name)\" could not be kept: other files have its names in \"\(files)\"; move them away."
    )
  }

  /// Whether the file is now at `path`: put there, or there already. False if another file is.
  private func place(at path: String) throws(HostError) -> Bool {
    if link(partial, path) == 0 { return true }
    let code = errno
    if code == EEXIST {
      return (try? FileAssembly.digest(of: path, flushing: false)) == manifest.digest
    }
    // Some file systems have no hard links.
    guard code == EPERM || code == EOPNOTSUPP, access(path, F_OK) != 0, rename(partial, path) == 0 else {
      throw HostError(FileStore.cannotKeep(manifest), errno: code)
    }
    return true
  }

  /// The names that the file may get, the first that is free. The last is free whatever other members publish: a name
  /// with a whole digest in it is given to no other file.
  private var names: [String] {
    let digest = manifest.digest.description
    let distinct = [name(marked: "-" + digest.prefix(8)), name(marked: "-" + digest)]
    return (bearsForeignDigest ? [] : [manifest.name]) + distinct
  }

  /// Whether the name looks like the last name of another file.
  private var bearsForeignDigest: Bool {
    let digest = manifest.digest.description
    let mark = parts.stem.suffix(digest.count + 1)
    return mark.count == digest.count + 1 && mark.first == "-" && mark.dropFirst() != digest
      && mark.dropFirst().allSatisfy { $0.isASCII && ($0.isNumber || ("a"..."f").contains($0)) }
  }

  /// The name with a mark before its extension, short enough for a file system.
  private func name(marked mark: String) -> String {
    var (stem, ending) = parts
    while stem.utf8.count + mark.utf8.count + ending.utf8.count > 255 { stem = stem.dropLast() }
    return stem + mark + ending
  }

  /// The name without its extension, and the extension.
  private var parts: (stem: Substring, ending: Substring) {
    let name = manifest.name
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex, name[dot...].utf8.count <= 32 else {
      return (name[...], "")
    }
    return (name[..<dot], name[dot...])
  }

  private static func digest(of path: String, flushing: Bool) throws(HostError) -> SHA256Digest {
    let what = "The file \"\(path)\" could not be read"
    let file = try FileDescriptor(starling_open(path, O_RDONLY | O_NONBLOCK, 0), orThrow: what)
    if flushing, fsync(file.number) != 0 { throw HostError("The file could not be flushed", errno: errno) }
    var hash = SHA256()
    var buffer = [UInt8](repeating: 0, count: 256 << 10)
    while true {
      let count = read(file.number, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw HostError(what, errno: errno) }
      if count == 0 { return hash.finish() }
      hash.update(buffer[..<count])
    }
  }
}
