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
  ///   name, the name with the beginning of the digest in it.
  func run() throws(HostError) -> String {
    defer { unlink(partial) }
    if manifest.byteCount == 0 {
      close(starling_open(partial, O_WRONLY | O_CREAT, 0o600))
    }
    guard try FileAssembly.digest(of: partial, flushing: true) == manifest.digest else {
      throw HostError("The file \"\(manifest.name)\" is not what its manifest says and was thrown away.")
    }
    for name in [manifest.name, distinctName] {
      let path = "\(files)/\(name)"
      if try place(at: path) {
        // The name is on the disk before anybody is told of it.
        let folder = starling_open(files, O_RDONLY, 0)
        if folder >= 0 {
          fsync(folder)
          close(folder)
        }
        return path
      }
    }
    throw HostError(
      "The file \"\(manifest.name)\" could not be kept: other files have its names in \"\(files)\"."
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

  /// The name with 8 digits of the digest before its extension, short enough for a file system.
  private var distinctName: String {
    let mark = "-" + manifest.digest.description.prefix(8)
    let dot = manifest.name.lastIndex(of: ".").flatMap { $0 == manifest.name.startIndex ? nil : $0 }
    var stem = manifest.name[..<(dot ?? manifest.name.endIndex)]
    var ending = manifest.name[(dot ?? manifest.name.endIndex)...]
    if ending.utf8.count > 32 { (stem, ending) = (manifest.name[...], "") }
    while stem.utf8.count + mark.utf8.count + ending.utf8.count > 255 { stem = stem.dropLast() }
    return stem + mark + ending
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
