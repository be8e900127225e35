import Glibc
import StarlingCore
import StarlingRuntime
import StarlingSimulator
import Synchronization

/// What was measured when posts were broadcast in batches of one size.
struct PostMeasurement {
  /// How many posts travelled together.
  let batch: Int
  /// How many posts there were.
  let posts: Int
  /// From the first request until every node that lives had delivered all, in seconds.
  let seconds: Double
  /// From the request of a batch in an idle network until the last node had delivered it, in milliseconds.
  let latencies: [Double]
  /// How many nodes delivered all posts.
  let nodes: Int
  /// How many of these delivered the same posts as the first of them.
  let agreeing: Int
  /// The processor time that all nodes took together, in seconds.
  let cpuSeconds: Double

  /// Posts a second.
  var rate: Double { Double(posts) / max(seconds, 1e-9) }

  /// As `--json` prints it.
  var json: JSONValue {
    let spread = Distribution(latencies)
    return .object([
      ("batch", .integer(batch)), ("posts", .integer(posts)), ("seconds", .number(seconds)),
      ("posts_per_second", .number(rate)), ("cpu_seconds", .number(cpuSeconds)),
      (
        "latency_ms",
        .object([
          ("p50", spread.map { .number($0.p50) } ?? .null), ("max", spread.map { .number($0.max) } ?? .null),
        ])
      ), ("nodes", .integer(nodes)), ("agreeing", .integer(agreeing)),
    ])
  }

  /// For people.
  var line: String {
    let spread = Distribution(latencies)
    return
      "\(Quantity.count(posts, "post")) in batches of \(batch): \(Quantity.grouped(Int(rate.rounded()))) a second,"
      + " one batch alone after \(spread.map { Readable.decimal($0.p50, 1) } ?? "-") ms (median);"
      + " \(agreeing) of \(Quantity.count(nodes, "node")) delivered the same"
  }
}

/// Broadcasts posts over a network of nodes, and measures.
struct PostStream {
  private let network: LocalNetwork
  private let options: UpOptions
  private var injector: FaultInjector
  private let start = ContinuousClock.now
  private var random: Xoshiro256
  /// How many posts of each node every node should have delivered. What guests post is left out.
  private var expected: [String: UInt64] = [:]

  /// How many batches are timed one by one.
  private static let timedBatches = 10
  /// How often nodes are looked at until they agree, a quarter of a second apart.
  private static let agreementRounds = 40
  /// How many bytes a post has.
  private static let postBytes = 64

  init(_ network: LocalNetwork, _ options: UpOptions) throws(CommandError) {
    self.network = network
    self.options = options
    random = Xoshiro256(seed: options.seed &+ 0xB0)
    // With files the faults have happened already.
    let faults = options.files.isEmpty ? options.faults : []
    injector = try FaultInjector(faults, nodes: options.nodes, seed: options.seed)
  }

  /// One measurement after the other; the faults happen during the first.
  mutating func run(_ progress: inout Progress) throws(CommandError) -> [PostMeasurement] {
    var measurements: [PostMeasurement] = []
    for batch in options.batches {
      let before = Dictionary(
        network.nodes.map { ($0.index, ProcessUsage.processorSeconds(of: $0.process)) }, uniquingKeysWith: max
      )
      let seconds = try stream(batch: batch, &progress)
      let cpu = network.nodes.reduce(0) { sum, node in
        sum + ProcessUsage.processorSeconds(of: node.process) - (before[node.index] ?? 0)
      }
      let latencies = try time(batch: batch, &progress)
      let digests = try agreed(&progress)
      measurements.append(
        PostMeasurement(
          batch: batch, posts: options.posts, seconds: seconds, latencies: latencies, nodes: digests.count,
          agreeing: digests.count { $0 == digests.first }, cpuSeconds: cpu))
    }
    return measurements
  }

  /// Where posts are handed in: nodes that nothing befalls.
  private var publishers: [NodeProcess] { network.nodes.filter { injector.untouched.contains($0.index) } }

  private var elapsed: Interval {
    Interval(nanoseconds: Int64(Readable.milliseconds(ContinuousClock.now - start) * 1_000_000))
  }

  private mutating func harm() throws(CommandError) {
    try Interruption.check()
    if let time = injector.nextTime, time <= elapsed { _ = try injector.proceed(network, at: elapsed) }
    if let ending = network.takeEnded().first { throw .failed("\(ending).") }
  }

  /// Hands posts in as fast as they are taken, at all nodes in turn.
  ///
  /// - Returns: the seconds until all have delivered all.
  private mutating func stream(batch: Int, _ progress: inout Progress) throws(CommandError) -> Double {
    let begin = ContinuousClock.now
    let publishers = publishers
    var (left, turn) = (options.posts, 0)
    // So many batches at once keep a sender's window full.
    let share = min(batch * 64, max(batch, options.posts / publishers.count))
    while left > 0 {
      try harm()
      let count = min(left, share)
      do throws(HostError) {
        _ = try publishers[turn % publishers.count].client.post(text(count), batch: batch)
        left -= count
        expected[publishers[turn % publishers.count].key, default: 0] += UInt64(count)
      } catch {
        // No room: others have some, or time makes some.
        usleep(5_000)
      }
      turn += 1
      progress.report("posting", options.posts - left, of: options.posts)
    }
    let deadline = begin + .nanoseconds(options.timeout.nanoseconds)
    while true {
      try harm()
      let least = try network.nodes.map { node throws(CommandError) in try delivered(by: node) }.min() ?? 0
      progress.report("delivering posts", least, of: total)
      if least >= total, !injector.isPending { break }
      guard ContinuousClock.now < deadline else {
        throw .failed(
          "After \(Quantity.text(of: options.timeout)) some node had delivered only \(least) of \(total) posts: allow"
            + " more with --timeout.")
      }
      usleep(10_000)
    }
    return Readable.milliseconds(ContinuousClock.now - begin) / 1_000
  }

  /// Times single batches in an idle network.
  private mutating func time(batch: Int, _ progress: inout Progress) throws(CommandError) -> [Double] {
    let watch = PostWatch(network.nodes)
    let deadline = ContinuousClock.now + .seconds(30)
    while watch.opened < network.nodes.count, ContinuousClock.now < deadline { usleep(5_000) }
    var latencies: [Double] = []
    for round in 0..<PostStream.timedBatches {
      try harm()
      progress.report("timing batches", round + 1, of: PostStream.timedBatches)
      let publisher = publishers[random.uniform(below: publishers.count)]
      let begin = ContinuousClock.now
      let posting = try explaining { try publisher.client.post(text(batch), batch: batch) }
      expected[publisher.key, default: 0] += UInt64(batch)
      let last = PostWatch.Identifier(author: publisher.key, number: posting.first + UInt64(batch) - 1)
      let deadline = begin + .nanoseconds(options.timeout.nanoseconds)
      while watch.deliveries(of: last).count < network.nodes.count {
        guard ContinuousClock.now < deadline else { throw .failed("A batch was not delivered in time.") }
        usleep(200)
      }
      let end = watch.deliveries(of: last).values.max() ?? begin
      latencies.append(Readable.milliseconds(end - begin))
    }
    return latencies
  }

  private var total: Int { Int(expected.values.reduce(0, +)) }

  /// How many of the expected posts a node has delivered.
  private func delivered(by node: NodeProcess) throws(CommandError) -> Int {
    let members = try explaining { try node.client.members() }
    return members.reduce(0) { $0 + Int(min($1.postsDelivered, expected[$1.key] ?? 0)) }
  }

  /// What each node delivered, as a digest. Guests may be at work still, so that nodes differ for a moment: whoever
  /// differs for longer has delivered something else.
  private func agreed(_ progress: inout Progress) throws(CommandError) -> [String] {
    var digests: [String] = []
    for round in 0..<PostStream.agreementRounds {
      digests = []
      for node in network.nodes {
        let status: ControlStatus = try explaining { try node.client.status() }
        digests.append(status.postsDigest)
      }
      if Set(digests).count == 1 { break }
      progress.report("waiting for nodes to agree", round + 1, of: PostStream.agreementRounds)
      usleep(250_000)
    }
    return digests
  }

  private mutating func text(_ count: Int) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(count * (PostStream.postBytes + 1))
    for _ in 0..<count {
      for _ in 0..<PostStream.postBytes { text.append(UInt8(ascii: "a") + UInt8(random.uniform(below: 26))) }
      text.append(UInt8(ascii: "\n"))
    }
    return text
  }
}

/// Listens to the posts of all nodes.
private final class PostWatch: Sendable {
  struct Identifier: Hashable {
    let author: String
    let number: UInt64
  }

  private struct State {
    var opened = 0
    var deliveries: [Identifier: [Int: ContinuousClock.Instant]] = [:]
  }

  private let state = Mutex(State())

  /// Starts to listen, each node in a thread of its own, which ends when the node stops or the watch is gone.
  init(_ nodes: [NodeProcess]) {
    for node in nodes {
      BackgroundThread.start { [weak self] in
        try? node.client.posts {
          self?.state.withLock { $0.opened += 1 }
        } each: { post in
          let now = ContinuousClock.now
          guard let self else { return false }
          self.state.withLock {
            $0.deliveries[Identifier(author: post.author, number: post.number), default: [:]][node.index] =
              now
          }
          return true
        }
      }
    }
  }

  var opened: Int { state.withLock { $0.opened } }

  func deliveries(of post: Identifier) -> [Int: ContinuousClock.Instant] {
    state.withLock { $0.deliveries[post] ?? [:] }
  }
}
