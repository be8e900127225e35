import StarlingApps
import StarlingCore

#if canImport(Glibc)
  import Glibc
#endif

/// Writes down what file sharing wants done.
struct RecordingSink: FileSharingSink, ~Copyable {
  var broadcasts: [[UInt8]] = []
  var requests: [(index: Int, file: FileIdentifier)] = []
  var announcements: [(manifest: FileManifest, publisher: PublicKey)] = []
  var stored: [(index: Int, chunk: [UInt8], file: FileIdentifier)] = []
  var completed: [FileIdentifier] = []
  var published: [FileIdentifier] = []
  var failed: [FileIdentifier] = []
  var abandoned: [FileIdentifier] = []

  mutating func broadcast(_ payload: [UInt8]) { broadcasts.append(payload) }
  mutating func requestChunk(_ index: Int, of file: FileIdentifier) { requests.append((index, file)) }
  mutating func announced(_ manifest: FileManifest, by publisher: PublicKey) {
    announcements.append((manifest, publisher))
  }
  mutating func store(_ chunk: [UInt8], index: Int, of file: FileIdentifier) {
    stored.append((index, chunk, file))
  }
  mutating func completed(_ file: FileIdentifier) { completed.append(file) }
  mutating func published(_ file: FileIdentifier) { published.append(file) }
  mutating func publicationFailed(_ file: FileIdentifier) { failed.append(file) }
  mutating func abandoned(_ file: FileIdentifier) { abandoned.append(file) }

  /// The stored chunks put together.
  var assembled: [UInt8] { stored.sorted { $0.index < $1.index }.flatMap(\.chunk) }
}

/// The seed of randomised tests: `STARLING_TEST_SEED`, or the given one.
func testSeed(default seed: UInt64) -> UInt64 {
  let seed = getenv("STARLING_TEST_SEED").flatMap { UInt64(String(cString: $0)) } ?? seed
  print("STARLING_TEST_SEED=\(seed)")
  return seed
}

/// A key that stands for publisher number `n`.
func key(_ n: UInt8) throws -> PublicKey {
  struct NotAKey: Error {}
  guard let key = PublicKey([UInt8](repeating: n, count: 32)) else { throw NotAKey() }
  return key
}

func randomBytes(_ count: Int, _ random: inout Xoshiro256) -> [UInt8] {
  (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
}

/// Publishes a file and answers all that a broadcast would carry: the manifest, then the chunks.
func payloads(of contents: [UInt8], name: String = "file", chunkBytes: Int = 100) throws -> [[UInt8]] {
  let manifest = try FileManifest(name: name, topic: "t", contents: contents, chunkBytes: chunkBytes)
  var sharing = FileSharing()
  var sink = RecordingSink()
  try sharing.publish(manifest, at: .zero, into: &sink)
  let later = Instant.zero + .seconds(1)
  sharing.proceed(at: later, into: &sink)
  var done = 0
  while done < sink.requests.count {
    let (index, file) = sink.requests[done]
    done += 1
    let start = index * chunkBytes
    sharing.supply(
      Array(contents[start..<min(start + chunkBytes, contents.count)]), index: index, of: file, into: &sink)
    sharing.proceed(at: later, into: &sink)
  }
  return sink.broadcasts
}
