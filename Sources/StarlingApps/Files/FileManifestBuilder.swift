import StarlingCore

/// Makes a manifest of a file that is read once, chunk by chunk, so that it never has to be in memory.
public struct FileManifestBuilder {
  /// The size of every chunk but the last, in bytes.
  public let chunkBytes: Int
  private let name: String
  private let topic: String
  private var byteCount: UInt64 = 0
  private var whole = SHA256()
  private var chunkDigests: [SHA256Digest] = []
  private var lastChunkByteCount: Int?

  /// - Parameters:
  ///   - name: the file's name; see ``FileManifest/name``.
  ///   - topic: a short label; see ``FileManifest/topic``.
  ///   - chunkBytes: the size of a chunk, 1 ... ``FileManifest/chunkByteLimit``.
  /// - Throws: ``FileManifestError`` when one of them is out of its range, before a byte is read.
  public init(
    name: String, topic: String, chunkBytes: Int = FileManifest.chunkByteLimit
  ) throws(FileManifestError) {
    if let fault = FileLabel.fault(inName: name) { throw .badName(fault) }
    if let fault = FileLabel.fault(inTopic: topic) { throw .badTopic(fault) }
    guard (1...FileManifest.chunkByteLimit).contains(chunkBytes) else {
      throw .badChunkSize(chunkBytes)
    }
    self.name = name
    self.topic = topic
    self.chunkBytes = chunkBytes
  }

  /// Takes the next chunk in: exactly ``chunkBytes`` bytes, fewer only for the last. An empty one is
  /// ignored.
  ///
  /// - Throws: ``FileManifestError`` when the file gets too large, or a short chunk was not the last.
  public mutating func append(_ chunk: [UInt8]) throws(FileManifestError) {
    guard !chunk.isEmpty else { return }
    guard chunk.count <= chunkBytes, lastChunkByteCount ?? chunkBytes == chunkBytes else {
      throw .badChunkSize(chunk.count)
    }
    guard chunkDigests.count < FileManifest.chunkLimit else {
      throw .tooLarge(
        byteCount: byteCount + UInt64(chunk.count), limit: UInt64(FileManifest.chunkLimit * chunkBytes))
    }
    byteCount += UInt64(chunk.count)
    lastChunkByteCount = chunk.count
    whole.update(chunk)
    chunkDigests.append(SHA256.hash(chunk))
  }

  /// The manifest of what was taken in.
  public consuming func finish() throws(FileManifestError) -> FileManifest {
    try FileManifest(
      name: name, topic: topic, byteCount: byteCount, chunkBytes: chunkBytes, digest: whole.finish(),
      chunkDigests: chunkDigests)
  }
}

extension FileManifest {
  /// The manifest of a file that is in memory.
  ///
  /// - Parameters:
  ///   - name: the file's name.
  ///   - topic: a short label.
  ///   - contents: the file's bytes.
  ///   - chunkBytes: the size of a chunk, 1 ... ``chunkByteLimit``.
  /// - Throws: ``FileManifestError`` when a value is out of its range.
  public init(
    name: String, topic: String, contents: [UInt8], chunkBytes: Int = FileManifest.chunkByteLimit
  ) throws(FileManifestError) {
    var builder = try FileManifestBuilder(name: name, topic: topic, chunkBytes: chunkBytes)
    var start = 0
    while start < contents.count {
      let end = min(start + chunkBytes, contents.count)
      try builder.append(Array(contents[start..<end]))
      start = end
    }
    self = try builder.finish()
  }
}
