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
  var recalled: [(file: FileIdentifier, publisher: PublicKey)] = []
  var abandoned: [FileIdentifier] = []
  var crowdedOut: [FileIdentifier] = []

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
  mutating func recall(_ file: FileIdentifier, from publisher: PublicKey) {
    recalled.append((file, publisher))
  }
  mutating func abandoned(_ file: FileIdentifier) { abandoned.append(file) }
  mutating func crowdedOut(_ file: FileIdentifier) { crowdedOut.append(file) }

  /// The stored chunks put together.
  var assembled: [UInt8] { stored.sorted { $0.index < $1.index }.flatMap(\.chunk) }
}

/// File sharing over a broadcast that keeps its newest messages, as the tree does, and an owner that puts files together
/// one after the other, as a disk does.
struct Receiver: ~Copyable {
  var sharing: FileSharing
  var sink = RecordingSink()
  private var history: [(payload: [UInt8], origin: PublicKey)] = []
  /// How many messages the broadcast keeps.
  let historyLimit: Int
  /// How long it takes to put a file together.
  let assemblyTime: Interval
  private var assembledCount = 0
  private var nextAssembled = Instant.distantFuture
  /// How many files waited to be put together at most.
  private(set) var longestAssemblyQueue = 0

  init(
    _ configuration: FileSharingConfiguration = FileSharingConfiguration(), historyLimit: Int = 4_096,
    assemblyTime: Interval = .zero
  ) {
    sharing = FileSharing(configuration: configuration)
    self.historyLimit = historyLimit
    self.assemblyTime = assemblyTime
  }

  /// Delivers a message, at its time, after whatever is due before it.
  mutating func receive(_ payload: [UInt8], from origin: PublicKey, at now: Instant) {
    expire(until: now)
    if history.count >= historyLimit { history.removeFirst() }
    history.append((payload, origin))
    sharing.receive(payload, from: origin, at: now, into: &sink)
    settle(at: now)
    while nextAssembled <= now { assembleNext() }
  }

  /// Lets time pass.
  mutating func expire(until now: Instant) {
    while min(sharing.nextExpiry, nextAssembled) <= now {
      let due = sharing.nextExpiry
      guard due < nextAssembled else {
        assembleNext()
        continue
      }
      sharing.expire(at: due, into: &sink)
      settle(at: due)
    }
  }

  private mutating func assembleNext() {
    let now = nextAssembled
    nextAssembled = .distantFuture
    assembledCount += 1
    sharing.assembled(sink.completed[assembledCount - 1], at: now, into: &sink)
    settle(at: now)
  }

  private mutating func settle(at now: Instant) {
    recall(at: now)
    let queue = sink.completed.count - assembledCount
    longestAssemblyQueue = max(longestAssemblyQueue, queue)
    if queue > 0, nextAssembled == .distantFuture { nextAssembled = now + assemblyTime }
  }

  private mutating func recall(at now: Instant) {
    while !sink.recalled.isEmpty {
      let (file, publisher) = sink.recalled.removeFirst()
      for (payload, origin) in history where origin == publisher {
        guard FileMessage.chunkPosition(in: payload)?.file == file else { continue }
        sharing.receive(payload, from: origin, at: now, into: &sink)
      }
    }
  }

  /// The names of the files that are complete, in their order.
  var completed: [String] {
    sink.completed.compactMap { file in
      sink.announcements.first { $0.manifest.identifier == file }?.manifest.name
    }
  }

  var arriving: [String] { sharing.filesInProgress.map(\.manifest.name) }
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

/// A key out of many.
func mintedKey(_ n: Int) throws -> PublicKey {
  struct NotAKey: Error {}
  guard let key = PublicKey((0..<32).map { $0 < 8 ? UInt8(truncatingIfNeeded: n >> ($0 * 8)) : 0xA5 }) else {
    throw NotAKey()
  }
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
