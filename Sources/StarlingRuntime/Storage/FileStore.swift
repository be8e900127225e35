import CStarlingShims
import Glibc
import StarlingApps
import StarlingCore

/// A node's files on disk: the chunks of files that arrive, and the files whose chunks are published.
///
/// Chunks are written where they belong in a sparse file under `incoming/`. When all are there, the whole is
/// hashed once more and only then appears under `files/`, by a link that never replaces anything.
final class FileStore {
  let directory: DataDirectory
  /// Where the published files are.
  private var published: [FileIdentifier: (path: String, manifest: FileManifest)] = [:]
  /// The arriving files that could not be written: one error each is enough.
  private var failed: Set<FileIdentifier> = []

  /// An empty store over a directory.
  init(_ directory: DataDirectory) { self.directory = directory }

  /// Keeps a chunk of an arriving file.
  ///
  /// - Throws: ``HostError`` once per file when the disk refuses; later chunks are dropped silently.
  func store(_ chunk: [UInt8], index: Int, of manifest: FileManifest) throws(HostError) {
    guard !failed.contains(manifest.identifier) else { return }
    let path = partialPath(of: manifest)
    do {
      let fd = directory.open(path, O_WRONLY | O_CREAT | O_NOFOLLOW)
      let file = try FileDescriptor(fd, orThrow: FileStore.cannotKeep(manifest))
      try FileStore.write(chunk, at: index * manifest.chunkBytes, to: file, of: manifest)
    } catch {
      failed.insert(manifest.identifier)
      unlink(path)
      throw error
    }
  }

  /// Forgets an arriving file.
  func abandon(_ manifest: FileManifest) {
    failed.remove(manifest.identifier)
    unlink(partialPath(of: manifest))
  }

  /// The last steps for a file whose chunks are all there; `nil` if some could not be written.
  func assembly(of manifest: FileManifest) -> FileAssembly? {
    guard failed.remove(manifest.identifier) == nil else { return nil }
    return FileAssembly(manifest: manifest, partial: partialPath(of: manifest), files: directory.files)
  }

  /// Remembers where a published file is.
  func publish(_ manifest: FileManifest, at path: String) {
    published[manifest.identifier] = (path, manifest)
  }

  /// Forgets a file that is no longer being published.
  func finishPublishing(_ file: FileIdentifier) { published[file] = nil }

  /// Reads a chunk of a published file.
  ///
  /// - Throws: ``HostError`` when the file is gone or shorter than it was.
  func chunk(_ index: Int, of file: FileIdentifier) throws(HostError) -> [UInt8] {
    guard let (path, manifest) = published[file] else {
      throw HostError("A chunk of a file that is not published was asked for.")
    }
    let what = "The published file \"\(manifest.name)\" could not be read"
    let descriptor = try FileDescriptor(starling_open(path, O_RDONLY, 0), orThrow: what)
    let count = manifest.byteCount(ofChunk: index)
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let offset = index * manifest.chunkBytes + filled
      let got = bytes.withUnsafeMutableBytes {
        pread(descriptor.number, $0.baseAddress?.advanced(by: filled), count - filled, offset)
      }
      if got < 0, errno == EINTR { continue }
      guard got >= 0 else { throw HostError(what, errno: errno) }
      guard got > 0 else { throw HostError("\(what): it was cut short since it was published.") }
      filled += got
    }
    return bytes
  }

  private func partialPath(of manifest: FileManifest) -> String {
    "\(directory.incoming)/\(manifest.identifier).part"
  }

  static func cannotKeep(_ manifest: FileManifest) -> String {
    "The file \"\(manifest.name)\" could not be kept"
  }

  private static func write(
    _ bytes: [UInt8], at offset: Int, to file: borrowing FileDescriptor, of manifest: FileManifest
  ) throws(HostError) {
    var done = 0
    while done < bytes.count {
      let wrote = bytes.withUnsafeBytes {
        pwrite(file.number, $0.baseAddress?.advanced(by: done), bytes.count - done, offset + done)
      }
      if wrote < 0, errno == EINTR { continue }
      guard wrote > 0 else { throw HostError(cannotKeep(manifest), errno: wrote < 0 ? errno : ENOSPC) }
      done += wrote
    }
  }
}
