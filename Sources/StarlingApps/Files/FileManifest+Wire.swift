import StarlingCore

extension FileManifest {
  /// The encoded form: topic, name, size, chunk size, digest, and the counted chunk digests.
  public var encoded: [UInt8] {
    FileManifest.encode(
      name: name, topic: topic, byteCount: byteCount, chunkBytes: chunkBytes, digest: digest,
      chunkDigests: chunkDigests)
  }

  /// Takes an encoded manifest apart.
  ///
  /// - Parameter bytes: the encoded form and nothing else.
  /// - Throws: ``FileManifestError`` when the bytes are no manifest or describe an impossible file.
  public init(encoded bytes: [UInt8]) throws(FileManifestError) {
    let fields: Fields
    do {
      fields = try Fields(decoding: bytes)
    } catch {
      throw .malformed(error)
    }
    try self.init(
      name: fields.name, topic: fields.topic, byteCount: fields.byteCount, chunkBytes: fields.chunkBytes,
      digest: fields.digest, chunkDigests: fields.chunkDigests)
  }

  static func encode(
    name: String, topic: String, byteCount: UInt64, chunkBytes: Int, digest: SHA256Digest,
    chunkDigests: [SHA256Digest]
  ) -> [UInt8] {
    var writer = WireWriter(capacity: 64 + name.utf8.count + topic.utf8.count + 32 * chunkDigests.count)
    writer.write(text: topic)
    writer.write(text: name)
    writer.write(integer: byteCount)
    writer.write(integer: UInt32(chunkBytes))
    writer.write(raw: digest.bytes)
    writer.write(integer: UInt32(chunkDigests.count))
    for digest in chunkDigests { writer.write(raw: digest.bytes) }
    return writer.bytes
  }

  /// The fields as they came, not yet checked against each other.
  private struct Fields {
    var topic: String
    var name: String
    var byteCount: UInt64
    var chunkBytes: Int
    var digest: SHA256Digest
    var chunkDigests: [SHA256Digest] = []

    init(decoding bytes: [UInt8]) throws(WireError) {
      var reader = WireReader(bytes)
      topic = try reader.readText(limit: FileLabel.topicByteLimit)
      name = try reader.readText(limit: FileLabel.nameByteLimit)
      byteCount = try reader.read()
      chunkBytes = Int(try reader.read(UInt32.self))
      digest = try reader.read(SHA256Digest.self)
      let count = Int(try reader.read(UInt32.self))
      guard count <= FileManifest.chunkLimit else {
        throw .invalid("\(count) chunks, where \(FileManifest.chunkLimit) are allowed")
      }
      guard reader.remaining == count * 32 else { throw .invalid("a list of chunks of the wrong length") }
      chunkDigests.reserveCapacity(count)
      for _ in 0..<count { chunkDigests.append(try reader.read(SHA256Digest.self)) }
      try reader.finish()
    }
  }
}
