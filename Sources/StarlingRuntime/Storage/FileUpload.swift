import CStarlingShims
import Glibc
import StarlingApps
import StarlingCore

/// A file that a user hands in piece by piece: written beside the others and hashed on the way, so that it
/// is never in memory as a whole.
final class FileUpload {
  private let directory: DataDirectory
  private let path: String
  private let file: FileDescriptor
  private var builder: FileManifestBuilder
  private var pending: [UInt8] = []

  /// An upload of nothing yet.
  ///
  /// - Throws: ``HostError`` when the name or the topic cannot be one, or the disk refuses.
  init(name: String, topic: String, into directory: DataDirectory) throws(HostError) {
    self.directory = directory
    do {
      builder = try FileManifestBuilder(name: name, topic: topic)
    } catch {
      throw HostError("The file cannot be published: \(error).")
    }
    path = "\(directory.incoming)/upload-\(hexadecimal(try SystemEntropy.bytes(8))).part"
    file = try FileDescriptor(
      directory.open(path, O_WRONLY | O_CREAT | O_EXCL), orThrow: "The file could not be taken in")
  }

  /// Takes the next piece, of any length.
  func write(_ bytes: UnsafeRawBufferPointer) throws(HostError) {
    pending.append(contentsOf: bytes)
    while pending.count >= builder.chunkBytes {
      try append(Array(pending[..<builder.chunkBytes]))
      pending.removeFirst(builder.chunkBytes)
    }
  }

  /// Ends the file and gives it its place among the others.
  ///
  /// - Returns: what describes the file, and where it is.
  func finish() throws(HostError) -> (manifest: FileManifest, path: String) {
    let manifest: FileManifest
    do throws(HostError) {
      if !pending.isEmpty { try append(pending) }
      manifest = try finishManifest()
    } catch {
      cancel()
      throw error
    }
    let assembly = FileAssembly(manifest: manifest, partial: path, files: directory.files)
    return (manifest, try assembly.run())
  }

  /// Throws away what was taken in.
  func cancel() { unlink(path) }

  private func finishManifest() throws(HostError) -> FileManifest {
    do {
      return try builder.finish()
    } catch {
      throw HostError("The file cannot be published: \(error).")
    }
  }

  private func append(_ chunk: [UInt8]) throws(HostError) {
    do {
      try builder.append(chunk)
    } catch {
      throw HostError("The file cannot be published: \(error).")
    }
    var done = 0
    while done < chunk.count {
      let wrote = chunk.withUnsafeBytes {
        Glibc.write(file.number, $0.baseAddress?.advanced(by: done), chunk.count - done)
      }
      if wrote < 0, errno == EINTR { continue }
      guard wrote > 0 else {
        throw HostError("The file could not be taken in", errno: wrote < 0 ? errno : ENOSPC)
      }
      done += wrote
    }
  }
}
