import StarlingCore
import Testing

@testable import StarlingApps

@Suite struct FileManifestTests {
  private func encoded(
    name: String = "a", topic: String = "", byteCount: UInt64, chunkBytes: Int, chunks: Int
  ) -> [UInt8] {
    FileManifest.encode(
      name: name, topic: topic, byteCount: byteCount, chunkBytes: chunkBytes, digest: SHA256.hash([]),
      chunkDigests: [SHA256Digest](repeating: SHA256.hash([]), count: chunks))
  }

  private func fault(_ bytes: [UInt8]) -> FileManifestError? {
    do throws(FileManifestError) {
      _ = try FileManifest(encoded: bytes)
      return nil
    } catch {
      return error
    }
  }

  @Test(
    "a manifest comes back from its encoded form, with the same identifier",
    arguments: [0, 1, 99, 100, 101, 250])
  func roundTrip(size: Int) throws {
    let contents = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
    let manifest = try FileManifest(name: "naïve.txt", topic: "thèmes", contents: contents, chunkBytes: 100)
    let back = try FileManifest(encoded: manifest.encoded)
    #expect(back == manifest)
    #expect(back.identifier == FileIdentifier(SHA256.hash(manifest.encoded)))
    #expect(back.chunkCount == (size + 99) / 100)
    #expect((0..<back.chunkCount).map(back.byteCount(ofChunk:)).reduce(0, +) == size)
  }

  @Test("the largest manifest fits a broadcast of 60,000 bytes, and so does the largest chunk")
  func largestFits() throws {
    let digests = [SHA256Digest](repeating: SHA256.hash([]), count: FileManifest.chunkLimit)
    let manifest = try FileManifest(
      name: String(repeating: "n", count: 255), topic: String(repeating: "t", count: 64),
      byteCount: FileManifest.byteLimit, chunkBytes: FileManifest.chunkByteLimit, digest: SHA256.hash([]),
      chunkDigests: digests)
    #expect(FileMessage.manifest(manifest).encoded.count <= 60_000)
    let chunk = [UInt8](repeating: 0, count: FileManifest.chunkByteLimit)
    #expect(
      FileMessage.chunk(file: manifest.identifier, index: 1_799, bytes: chunk).encoded.count <= 60_000)
  }

  @Test("a file above the limit is refused with a sentence that says the limit")
  func tooLarge() {
    let error = fault(
      encoded(byteCount: FileManifest.byteLimit + 1, chunkBytes: FileManifest.chunkByteLimit, chunks: 1_800))
    #expect(error?.description.contains("88473600") == true)
  }

  @Test("names that could leave their directory or upset a terminal are refused")
  func badNames() {
    for name in ["", ".", "..", "../x", "a/b", "/etc/passwd", "a\0b", "a\nb", "\u{1B}[2J", "\u{9B}2J"]
      + reordering
    {
      if case .badName = fault(encoded(name: name, byteCount: 0, chunkBytes: 1, chunks: 0)) { continue }
      Issue.record("the name \(name.debugDescription) passed")
    }
    let long = String(repeating: "n", count: 256)
    #expect(fault(encoded(name: long, byteCount: 0, chunkBytes: 1, chunks: 0)) != nil)
    #expect(fault(encoded(name: String(long.dropLast()), byteCount: 0, chunkBytes: 1, chunks: 0)) == nil)
    #expect(fault(encoded(name: "...", byteCount: 0, chunkBytes: 1, chunks: 0)) == nil)
  }

  /// Names that a terminal or a page shows otherwise than they are.
  private let reordering = ["\u{202E}gpj.exe", "a\u{2066}b\u{2069}", "a\u{200F}b", "\u{FEFF}a", "a\u{2028}b"]

  @Test("topics beyond 64 bytes or with control characters are refused, the empty one is not")
  func badTopics() {
    let long = String(repeating: "é", count: 32)
    #expect(fault(encoded(topic: long, byteCount: 0, chunkBytes: 1, chunks: 0)) == nil)
    #expect(fault(encoded(topic: long + "e", byteCount: 0, chunkBytes: 1, chunks: 0)) != nil)
    #expect(
      fault(encoded(topic: "\u{7F}", byteCount: 0, chunkBytes: 1, chunks: 0))
        == .badTopic("the topic contains control characters"))
  }

  @Test("a count of chunks that the size does not demand is refused")
  func wrongCounts() {
    #expect(fault(encoded(byteCount: 1, chunkBytes: 1, chunks: 0)) == .wrongChunkCount(0, expected: 1))
    #expect(fault(encoded(byteCount: 0, chunkBytes: 1, chunks: 1)) == .wrongChunkCount(1, expected: 0))
    #expect(fault(encoded(byteCount: 200, chunkBytes: 100, chunks: 3)) == .wrongChunkCount(3, expected: 2))
    #expect(fault(encoded(byteCount: 201, chunkBytes: 100, chunks: 2)) == .wrongChunkCount(2, expected: 3))
    #expect(fault(encoded(byteCount: 201, chunkBytes: 100, chunks: 3)) == nil)
  }

  @Test("absurd chunk sizes and counts are refused before anything is allocated for them")
  func absurdSizes() {
    #expect(fault(encoded(byteCount: 0, chunkBytes: 0, chunks: 0)) == .badChunkSize(0))
    #expect(fault(encoded(byteCount: 0, chunkBytes: 49_153, chunks: 0)) == .badChunkSize(49_153))
    #expect(fault(encoded(byteCount: 1_801, chunkBytes: 1, chunks: 0)) == .tooManyChunks(1_801, limit: 1_800))
    #expect(fault(encoded(byteCount: .max, chunkBytes: 1, chunks: 0)) != nil)
    var bytes = encoded(byteCount: 0, chunkBytes: 1, chunks: 0)
    bytes.replaceSubrange((bytes.count - 4)..., with: [0xFF, 0xFF, 0xFF, 0xFF])
    #expect(fault(bytes) != nil)
  }

  @Test("the digest of a file of one chunk or none must be that of its contents")
  func contradiction() throws {
    let digest = SHA256.hash([1])
    #expect(throws: FileManifestError.contradictoryDigests) {
      _ = try FileManifest(
        name: "a", topic: "", byteCount: 0, chunkBytes: 1, digest: digest, chunkDigests: [])
    }
    #expect(throws: FileManifestError.contradictoryDigests) {
      _ = try FileManifest(
        name: "a", topic: "", byteCount: 1, chunkBytes: 1, digest: digest, chunkDigests: [SHA256.hash([2])])
    }
  }

  @Test("no truncation or extension of a manifest is a manifest, and no flipped bit traps")
  func mutations() throws {
    let bytes = try FileManifest(
      name: "a.txt", topic: "t", contents: [UInt8](repeating: 7, count: 250), chunkBytes: 100
    ).encoded
    for count in 0..<bytes.count { #expect(fault(Array(bytes[..<count])) != nil) }
    #expect(fault(bytes + [0]) != nil)
    for bit in 0..<(bytes.count * 8) {
      var flipped = bytes
      flipped[bit / 8] ^= 1 << UInt8(bit % 8)
      if let manifest = try? FileManifest(encoded: flipped) { #expect(manifest.encoded == flipped) }
    }
  }

  @Test("a builder refuses a short chunk that was not the last, and a file that gets too large")
  func builder() throws {
    var builder = try FileManifestBuilder(name: "a", topic: "", chunkBytes: 4)
    try builder.append([1, 2, 3, 4])
    try builder.append([5])
    #expect(throws: FileManifestError.badChunkSize(4)) { try builder.append([6, 7, 8, 9]) }
    var endless = try FileManifestBuilder(name: "a", topic: "", chunkBytes: 1)
    for _ in 0..<FileManifest.chunkLimit { try endless.append([0]) }
    #expect(throws: FileManifestError.tooLarge(byteCount: 1_801, limit: 1_800)) { try endless.append([0]) }
  }
}
