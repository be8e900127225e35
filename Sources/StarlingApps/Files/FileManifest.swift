import StarlingCore

/// Describes a shared file: its name and topic, its size, and the digest of each chunk, so that every chunk
/// can be checked by itself before it is kept.
public struct FileManifest: Hashable, Sendable {
  /// The file's name: 1 ... 255 bytes of UTF-8 without `/` or control characters, not `.` or `..`.
  public let name: String
  /// A short label by which receivers choose: 0 ... 64 bytes of UTF-8 without control characters.
  public let topic: String
  /// The file's size in bytes, 0 ... ``byteLimit``.
  public let byteCount: UInt64
  /// The size of every chunk but the last, 1 ... ``chunkByteLimit`` bytes.
  public let chunkBytes: Int
  /// The digest of the whole file. ``FileSharing`` never sees a whole file: who assembles it checks this.
  public let digest: SHA256Digest
  /// The digest of each chunk.
  public let chunkDigests: [SHA256Digest]
  /// The file's name among peers: the digest of the encoded manifest.
  public let identifier: FileIdentifier

  /// The largest chunk, in bytes: with its header it fits one broadcast.
  public static let chunkByteLimit = 48 << 10
  /// The most chunks. A manifest of that many, with the longest texts, has 57,971 bytes and so fits one
  /// broadcast of 60,000.
  public static let chunkLimit = 1_800
  /// The largest file, in bytes: 88,473,600.
  public static let byteLimit = UInt64(chunkLimit * chunkByteLimit)

  /// Puts a manifest together.
  ///
  /// - Throws: ``FileManifestError`` when a field is out of its range or the fields contradict each other.
  public init(
    name: String, topic: String, byteCount: UInt64, chunkBytes: Int, digest: SHA256Digest,
    chunkDigests: [SHA256Digest]
  ) throws(FileManifestError) {
    if let fault = FileLabel.fault(inName: name) { throw .badName(fault) }
    if let fault = FileLabel.fault(inTopic: topic) { throw .badTopic(fault) }
    guard byteCount <= FileManifest.byteLimit else {
      throw .tooLarge(byteCount: byteCount, limit: FileManifest.byteLimit)
    }
    guard (1...FileManifest.chunkByteLimit).contains(chunkBytes) else {
      throw .badChunkSize(chunkBytes)
    }
    let expected = FileManifest.chunkCount(byteCount: byteCount, chunkBytes: chunkBytes)
    guard expected <= FileManifest.chunkLimit else {
      throw .tooManyChunks(expected, limit: FileManifest.chunkLimit)
    }
    guard chunkDigests.count == expected else {
      throw .wrongChunkCount(chunkDigests.count, expected: expected)
    }
    // With more than one chunk the two levels can only be compared over the whole file.
    let onlyDigest = chunkDigests.isEmpty ? SHA256.hash([]) : chunkDigests[0]
    guard expected > 1 || onlyDigest == digest else { throw .contradictoryDigests }
    self.name = name
    self.topic = topic
    self.byteCount = byteCount
    self.chunkBytes = chunkBytes
    self.digest = digest
    self.chunkDigests = chunkDigests
    let encoded = FileManifest.encode(
      name: name, topic: topic, byteCount: byteCount, chunkBytes: chunkBytes, digest: digest,
      chunkDigests: chunkDigests)
    identifier = FileIdentifier(SHA256.hash(encoded))
  }

  /// How many chunks there are.
  public var chunkCount: Int { chunkDigests.count }

  /// The size of a chunk in bytes; 0 for an index that is none.
  public func byteCount(ofChunk index: Int) -> Int {
    guard chunkDigests.indices.contains(index) else { return 0 }
    if index < chunkCount - 1 { return chunkBytes }
    return Int(byteCount) - (chunkCount - 1) * chunkBytes
  }

  /// Whether these bytes are the chunk with this index.
  public func verifies(_ chunk: [UInt8], index: Int) -> Bool {
    chunkDigests.indices.contains(index) && chunk.count == byteCount(ofChunk: index)
      && SHA256.hash(chunk) == chunkDigests[index]
  }

  /// How many chunks a file is cut into.
  static func chunkCount(byteCount: UInt64, chunkBytes: Int) -> Int {
    let (full, rest) = byteCount.quotientAndRemainder(dividingBy: UInt64(chunkBytes))
    return Int(full) + (rest > 0 ? 1 : 0)
  }
}

/// Why a manifest is refused.
public enum FileManifestError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The name cannot be a file's; says why.
  case badName(String)
  /// The topic is out of its range; says why.
  case badTopic(String)
  /// The file is larger than a manifest can describe.
  case tooLarge(byteCount: UInt64, limit: UInt64)
  /// The chunk size is not within 1 ... 49,152 bytes.
  case badChunkSize(Int)
  /// Chunks this small would be too many.
  case tooManyChunks(Int, limit: Int)
  /// There are not as many digests as the size demands.
  case wrongChunkCount(Int, expected: Int)
  /// The digest of an only chunk, or of no bytes, is not that of the file.
  case contradictoryDigests
  /// The bytes are not an encoded manifest.
  case malformed(WireError)

  /// One sentence.
  public var description: String {
    switch self {
    case .badName(let fault), .badTopic(let fault): fault
    case .tooLarge(let byteCount, let limit):
      "the file has \(byteCount) bytes; at most \(limit) can be shared, because its manifest must fit "
        + "one message"
    case .badChunkSize(let bytes):
      "chunks of \(bytes) bytes, where 1 to \(FileManifest.chunkByteLimit) are allowed"
    case .tooManyChunks(let count, let limit): "\(count) chunks, where \(limit) are allowed"
    case .wrongChunkCount(let count, let expected):
      "\(count) chunk digests, where the file's size demands \(expected)"
    case .contradictoryDigests: "the digest of the only chunk is not that of the file"
    case .malformed(let error): "the bytes are not a manifest: \(error)"
    }
  }
}
