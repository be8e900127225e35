import StarlingApps
import StarlingCore
import StarlingLedger

@testable import StarlingNode

/// A node, the files that it publishes, and what it wanted done.
final class TestNode {
  struct Sink: NodeSink {
    var datagrams: [(bytes: [UInt8], target: SocketAddress)] = []
    var requests: [(index: Int, file: FileIdentifier)] = []
    var announced: [(manifest: FileManifest, publisher: PublicKey)] = []
    /// One for each chunk that came of a file which was announced.
    var arrived: [FileIdentifier] = []
    var chunks: [FileIdentifier: [Int: [UInt8]]] = [:]
    var storedCount = 0
    var completed: [FileIdentifier] = []
    var events: [NodeEvent] = []
    /// What it was given to keep.
    var stable = StableMemory()
    /// Transfers that were applied, and that were given up.
    var transfers: [SignedTransfer] = []
    var abandoned: [SignedTransfer] = []
    /// The posts that were delivered, each after its author's key.
    var posts: [(author: PublicKey, post: Post)] = []

    mutating func transmit(_ datagram: [UInt8], to address: SocketAddress) {
      datagrams.append((datagram, address))
    }
    mutating func requestChunk(_ index: Int, of file: FileIdentifier) { requests.append((index, file)) }
    mutating func announced(_ manifest: FileManifest, by publisher: PublicKey) {
      announced.append((manifest, publisher))
    }
    mutating func arrived(_ index: Int, of file: FileIdentifier, from neighbour: PublicKey) {
      if announced.contains(where: { $0.manifest.identifier == file }) { arrived.append(file) }
    }
    mutating func store(_ chunk: [UInt8], index: Int, of file: FileIdentifier) {
      chunks[file, default: [:]][index] = chunk
      storedCount += 1
    }
    mutating func completed(_ file: FileIdentifier) { completed.append(file) }
    mutating func delivered(_ posts: [Post], by author: PublicKey) {
      self.posts += posts.map { (author, $0) }
    }
    mutating func applied(_ applied: Ledger.Applied) { transfers.append(applied.transfer) }
    mutating func abandoned(_ transfer: SignedTransfer) { abandoned.append(transfer) }
    var recalls: [StableRecall] = []
    var certified: [(number: TransferNumber, outcome: Result<Certificate, CertificateFailure>)] = []
    mutating func recall(_ recall: StableRecall) { recalls.append(recall) }
    mutating func certified(_ number: TransferNumber, _ outcome: Result<Certificate, CertificateFailure>) {
      certified.append((number, outcome))
    }
    mutating func keep(_ write: StableWrite) { stable.apply(write) }
    mutating func report(_ event: NodeEvent) { events.append(event) }
  }

  let address: SocketAddress
  let key: PublicKey
  var node: Node
  var sink = Sink()
  /// The contents of the files that it publishes.
  var published: [FileIdentifier: (contents: [UInt8], chunkBytes: Int)] = [:]
  /// How many of the complete files it was told that they are kept.
  private var assembledCount = 0
  /// Whether it does nothing and hears nothing, as a process that was stopped.
  var isHanging = false
  /// What it says that it reads; `nil` for nothing, ever. A liar says something else than what is kept.
  var answer: ([StableValue]) -> [StableValue]? = { $0 }
  /// How many questions it asked for what is kept.
  var recallCount = 0
  /// Bytes of chunks that may wait at most, seen when a chunk was asked for.
  var queueAtRequest = 0

  init(
    _ n: Int, withKeyOf owner: Int? = nil, contacts: [SocketAddress], seed: UInt64, network: String = "test",
    firstSequence: UInt64 = 1, after memory: StableMemory = StableMemory(),
    configure: (inout NodeConfiguration) -> Void = { _ in }
  ) throws {
    address = try StarlingNodeTests.address(n)
    let identity = try Identity(seed: seedBytes(seed, owner ?? n))
    key = identity.publicKey
    var configuration = NodeConfiguration(network: network, listen: address, contacts: contacts)
    configure(&configuration)
    node = try Node(
      identity: identity, configuration: configuration, seed: seedBytes(seed, n + 100),
      firstSequence: firstSequence, reading: { memory.read($0) })
    sink.stable = memory
  }

  /// A received file put together; `nil` if a chunk is missing.
  func contents(of manifest: FileManifest) -> [UInt8]? {
    let chunks = sink.chunks[manifest.identifier] ?? [:]
    var contents: [UInt8] = []
    for index in 0..<manifest.chunkCount {
      guard let chunk = chunks[index] else { return nil }
      contents += chunk
    }
    return contents
  }

  /// Says of the complete files that they are kept.
  func assemble(at now: Instant) {
    while assembledCount < sink.completed.count {
      assembledCount += 1
      node.assembled(sink.completed[assembledCount - 1], at: now, into: &sink)
    }
  }

  var isAlone: Bool { node.isAlone }
  var status: NodeStatus { node.status }
}

/// Nodes over a network in virtual time.
final class NodeNetwork {
  var network: TestNetwork
  var nodes: [TestNode]
  var now = Instant.zero
  /// How many bytes, and datagrams, were sent to each address.
  var sent: [SocketAddress: (bytes: Int, datagrams: Int)] = [:]

  init(_ nodes: [TestNode], seed: UInt64, loss: Double = 0) {
    self.nodes = nodes
    network = TestNetwork(seed: seed, loss: loss)
  }

  func start(_ node: TestNode) {
    node.node.start(at: now, into: &node.sink)
    collect(from: node)
  }

  func publish(_ contents: [UInt8], name: String, from node: TestNode, chunkBytes: Int) throws -> FileManifest
  {
    let manifest = try FileManifest(name: name, topic: "t", contents: contents, chunkBytes: chunkBytes)
    node.published[manifest.identifier] = (contents, chunkBytes)
    try node.node.publish(manifest, at: now, into: &node.sink)
    collect(from: node)
    return manifest
  }

  /// Keeps the files that are complete, reads the chunks that a node asked for, and takes the datagrams that it has
  /// handed out.
  func collect(from node: TestNode) {
    node.assemble(at: now)
    while !node.sink.requests.isEmpty {
      let (index, file) = node.sink.requests.removeFirst()
      let waiting = node.node.host.longestQueueBytes(at: now, patience: .seconds(60))
      node.queueAtRequest = max(node.queueAtRequest, waiting)
      guard let (contents, chunkBytes) = node.published[file] else { continue }
      let start = index * chunkBytes
      let chunk = Array(contents[start..<min(start + chunkBytes, contents.count)])
      node.node.supply(chunk, index: index, of: file, at: now, into: &node.sink)
    }
    while !node.sink.recalls.isEmpty {
      let recall = node.sink.recalls.removeFirst()
      node.recallCount += recall.question.count
      guard let values = node.answer(recall.values { node.sink.stable.read($0) }) else { continue }
      node.node.supply(values, for: recall.token, at: now, into: &node.sink)
    }
    for (bytes, target) in node.sink.datagrams {
      let before = sent[target] ?? (0, 0)
      sent[target] = (before.bytes + bytes.count, before.datagrams + 1)
      network.send(.init(bytes: bytes, source: node.address, target: target), at: now)
    }
    node.sink.datagrams = []
  }

  /// Lets time pass, up to an interval or until a condition holds.
  func run(for interval: Interval, until isDone: () -> Bool = { false }) {
    let end = now + interval
    while !isDone() {
      let next = nodes.reduce(network.nextInstant) { $1.isHanging ? $0 : min($0, $1.node.nextDeadline) }
      guard next <= end else { break }
      now = max(now, next)
      while let datagram = network.popDue(at: now) {
        guard let node = nodes.first(where: { $0.address == datagram.target && !$0.isHanging }) else {
          continue
        }
        node.node.receive(datagram.bytes, from: datagram.source, at: now, into: &node.sink)
        collect(from: node)
      }
      for node in nodes where !node.isHanging && node.node.nextDeadline <= now {
        node.node.expire(at: now, into: &node.sink)
        collect(from: node)
      }
    }
    if !isDone() { now = end }
  }
}

/// Stable storage in memory.
struct StableMemory {
  private var storage: [[UInt8]: [UInt8]] = [:]
  /// In ascending order.
  private var keys: [[UInt8]] = []

  var values: [[UInt8]: [UInt8]] {
    get { storage }
    set {
      storage = newValue
      keys = newValue.keys.sorted { $0.lexicographicallyPrecedes($1) }
    }
  }

  /// The place of the first key that is not before this one.
  private func place(of key: [UInt8]) -> Int {
    var (low, high) = (0, keys.count)
    while low < high {
      let middle = (low + high) / 2
      if keys[middle].lexicographicallyPrecedes(key) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private func places(_ first: [UInt8], _ end: [UInt8]) -> Range<Int> {
    let low = place(of: first)
    return low..<max(low, place(of: end))
  }

  mutating func apply(_ write: StableWrite) {
    switch write {
    case .put(let key, let value):
      if storage.updateValue(value, forKey: key) == nil { keys.insert(key, at: place(of: key)) }
    case .remove(let first, let end):
      let removed = places(first, end)
      for key in keys[removed] { storage[key] = nil }
      keys.removeSubrange(removed)
    }
  }

  func read(_ query: StableQuery) -> [StableValue] {
    let found = keys[places(query.from, query.below)]
    let wanted =
      query.isDescending ? Array(found.reversed().prefix(query.limit)) : Array(found.prefix(query.limit))
    return wanted.map { StableValue(key: $0, value: storage[$0] ?? []) }
  }
}
