import StarlingCore

/// What a broadcast scenario measured. The fields are the field's; `docs/guide-simulate.md` defines them.
public struct BroadcastReport: Sendable {
  /// What ran.
  public internal(set) var scenario: BroadcastScenario
  /// Mean over messages of the share of judged peers that delivered.
  public internal(set) var reliability = 1.0
  /// The least over messages of that share.
  public internal(set) var reliabilityMinimum = 1.0
  /// Mean share that delivered within ten seconds.
  public internal(set) var coverageMean = 1.0
  /// Least share that delivered within ten seconds.
  public internal(set) var coverageMinimum = 1.0
  /// Mean relative message redundancy over all but the first tenth of the messages.
  public internal(set) var redundancy: Double?
  /// That of the first message.
  public internal(set) var redundancyFirst: Double?
  /// Mean over messages of the most hops a first copy made.
  public internal(set) var lastDeliveryHop: Double?
  /// From sending to delivery, over all deliveries: ``liveLatencies`` and ``catchUps`` together.
  public internal(set) var latencies = LatencyHistogram()
  /// From sending to delivery, at peers that were members when the message was sent.
  public internal(set) var liveLatencies = LatencyHistogram()
  /// From sending to delivery, at peers that came, or came back, after the message was sent.
  public internal(set) var catchUps = LatencyHistogram()
  /// Sizes of the live correct peers' partial views at the end, whoever is in them: adversaries and the dead too.
  public internal(set) var viewSizes: [Int] = []
  /// The arcs between live peers at the end; vertices are peers by index.
  public internal(set) var overlay = DirectedGraph(adjacency: [])
  /// For each peer, whether it is correct and lived at the end.
  public internal(set) var isLive: [Bool] = []
  /// For each peer, whether it lived at the end, correct or not.
  public internal(set) var isPresent: [Bool] = []
  /// For each of the first peers, whether it was an adversary; empty if none was.
  public internal(set) var isAdversary: [Bool] = []
  /// The arcs between live peers at the end, adversaries among them; `nil` if there were none, and ``overlay`` is
  /// all there is.
  public internal(set) var overlayWithAdversaries: DirectedGraph?
  /// When adversaries began to break the rules, and when they stopped, in virtual time; `nil` if there were none.
  public internal(set) var mischief: (begin: Instant, end: Instant)?
  /// Weak components of the graph of views over live peers.
  public internal(set) var components = 0
  /// Strong components of that graph.
  public internal(set) var strongComponents = 0
  /// Messages that each live peer sent in the message phase.
  public internal(set) var messagesPerNode: [Int] = []
  /// Bytes that each live peer sent in the message phase.
  public internal(set) var bytesPerNode: [Int] = []
  /// The way of the last message.
  public internal(set) var trace: DeliveryTrace
  /// For each peer, whether it should have delivered the last message: it was correct and a member from its sending
  /// to the end.
  public internal(set) var isJudged: [Bool] = []
  /// Eager links of the broadcast tree at the end, counted once for both directions; `nil` without a tree.
  public internal(set) var eagerLinks: Int?
  /// Messages whose sender had crashed before their time.
  public internal(set) var unsent = 0
  /// A hash over every event in order.
  public internal(set) var traceHash: UInt64 = 0
  /// Deliveries and timers.
  public internal(set) var events: UInt64 = 0
  /// Virtual time from the first join to the end.
  public internal(set) var simulated = Interval.zero

  /// When the first message left, in virtual time.
  public internal(set) var firstMessageAt = Instant.zero
  /// The faults as they happened, in the order of the scenario's.
  public internal(set) var timeline: [FaultRecord] = []
  /// What the network looked like, some 200 times; empty without faults and adversaries.
  public internal(set) var series: [NetworkSample] = []
  /// Peers that joined after the first join, and peers that churn took away.
  public internal(set) var joined = 0
  /// Peers that churn took away.
  public internal(set) var departed = 0
  /// Entries of live peers' views at the end that name a peer which does not live.
  public internal(set) var deadEntries = 0
  /// Events that were still due at the end.
  public internal(set) var waitingEvents = 0
  /// Deliveries of a message that the peer had delivered before: a broken promise.
  public internal(set) var duplicateDeliveries = 0
  /// Deliveries of what no correct peer broadcast under that name: a broken promise.
  public internal(set) var forgedDeliveries = 0

  /// Which promises the run was held to.
  public internal(set) var checkedPromises: [Violation.Promise] = []
  /// Which promises were broken, the first few of each.
  public internal(set) var violations: [Violation] = []
  /// How often correct peers accused adversaries, by what of.
  public internal(set) var accusations: [(Misbehaviour, count: Int)] = []
  /// How often correct peers accused each other, by what of.
  public internal(set) var falseAccusations: [(Misbehaviour, count: Int)] = []
  /// How often a correct peer's budget was spent at another correct one, which then shunned it.
  public internal(set) var shunnedCorrect = 0
  /// How often correct peers shunned adversaries.
  public internal(set) var shunnedAdversaries = 0
  /// How often correct peers told that a message was missed.
  public internal(set) var missed = 0
  /// How often live correct peers were asked to pass on more than they do; see `ScampRelayBudget`.
  public internal(set) var refusedRelays = 0

  /// What was seen of each message so far.
  var judged: [JudgedMessage] = []

  init(scenario: BroadcastScenario, trace: DeliveryTrace) {
    self.scenario = scenario
    self.trace = trace
  }

  /// What running the scenario took on the machine: the only figures that differ between two runs.
  public struct Cost: Sendable {
    /// Processor time, in seconds.
    public var cpuSeconds: Double
    /// Time on the wall, in seconds.
    public var wallSeconds: Double
    /// Peak resident memory of the process, in bytes.
    public var peakBytes: Int

    /// - Parameters:
    ///   - cpuSeconds: processor time, in seconds.
    ///   - wallSeconds: time on the wall, in seconds.
    ///   - peakBytes: peak resident memory of the process, in bytes.
    public init(cpuSeconds: Double, wallSeconds: Double, peakBytes: Int) {
      self.cpuSeconds = cpuSeconds
      self.wallSeconds = wallSeconds
      self.peakBytes = peakBytes
    }
  }

  /// The N of ``viewLaw``: the peers that lived at the end, adversaries among them, which are in views like any other;
  /// those that began before a run has ended.
  public var lawNodes: Int {
    isPresent.isEmpty ? scenario.nodes : max(isPresent.count { $0 }, 1)
  }

  /// The law that the mean view follows: (c + 1)·ln N, the paper's proposition 1.
  public var viewLaw: Double {
    Double(scenario.extraCopies + 1) * naturalLogarithm(Double(lawNodes))
  }

  /// The report as one object.
  ///
  /// - Parameter cost: what the run took, measured by the caller; `nil` leaves the four fields null.
  public func json(cost: Cost? = nil) -> JSONValue {
    .object(
      parameters + measurements + faultFields + [
        ("per_message", perMessage),
        ("trace_hash", .hash(traceHash)),
        ("events", .unsigned(events)),
        ("simulated_seconds", .number(simulated.inSeconds)),
        ("cpu_seconds", .optional(cost?.cpuSeconds)),
        ("wall_seconds", .optional(cost?.wallSeconds)),
        ("events_per_cpu_second", .optional(cost.map { Double(events) / max($0.cpuSeconds, 1e-9) })),
        ("peak_bytes_per_node", .optional(cost.map { Double($0.peakBytes) / Double(scenario.nodes) })),
      ])
  }

  private var parameters: [(String, JSONValue)] {
    [
      ("nodes", .integer(scenario.nodes)), ("messages", .integer(scenario.messages)),
      ("senders", .integer(scenario.senders)), ("payload", .integer(scenario.payload)),
      ("overlay", .string("scamp")), ("scamp_c", .integer(scenario.extraCopies)),
      ("broadcast", .string(scenario.broadcast.name)), ("delay", .string(scenario.delay.description)),
      ("loss", .number(scenario.loss)), ("seed", .unsigned(scenario.seed)),
    ]
  }

  private var measurements: [(String, JSONValue)] {
    [
      ("reliability", .number(reliability)), ("reliability_min", .number(reliabilityMinimum)),
      ("coverage_10s", .object([("mean", .number(coverageMean)), ("min", .number(coverageMinimum))])),
      ("rmr", .optional(redundancy)), ("rmr_first", .optional(redundancyFirst)),
      ("last_delivery_hop", .optional(lastDeliveryHop)),
      ("latency_ms", latencies.json), ("latency_live_ms", liveLatencies.json),
      ("latency_catch_up_ms", catchUps.json), ("catch_up_deliveries", .unsigned(catchUps.count)),
      ("view_size", .summary(Distribution(viewSizes), fields: ["mean", "stddev", "p1", "min", "max"])),
      ("view_law", .number(viewLaw)),
      ("components", .integer(components)), ("strong_components", .integer(strongComponents)),
      ("messages_per_node", .summary(Distribution(messagesPerNode), fields: ["mean", "p99", "max"])),
      ("bytes_per_node", .summary(Distribution(bytesPerNode), fields: ["mean", "p99", "max"])),
      ("eager_links", eagerLinks.map { .integer($0) } ?? .null), ("unsent", .integer(unsent)),
    ]
  }
}

extension BroadcastScenario.Diffusion {
  var isTree: Bool { if case .tree = self { true } else { false } }

  /// The name on the command line.
  public var name: String {
    switch self {
    case .tree: "tree"
    case .flood: "flood"
    case .gossip: "gossip"
    case .rings: "rings"
    }
  }
}

extension LatencyHistogram {
  /// Median, 99th percentile and the largest, in milliseconds.
  public var json: JSONValue {
    .object([
      ("p50", .optional(percentile(50)?.inMilliseconds)),
      ("p99", .optional(percentile(99)?.inMilliseconds)),
      ("max", count > 0 ? .number(maximum.inMilliseconds) : .null),
    ])
  }
}

extension JSONValue {
  /// A number, or null for one that was not computed.
  public static func optional(_ number: Double?) -> JSONValue { number.map { .number($0) } ?? .null }

  /// A hash over a trace: 16 hexadecimal digits.
  public static func hash(_ hash: UInt64) -> JSONValue {
    .string(hexadecimal((0..<8).map { UInt8(truncatingIfNeeded: hash >> UInt64(56 - 8 * $0)) }))
  }

  /// The named figures of a distribution; null without one.
  ///
  /// - Parameters:
  ///   - distribution: the figures; `nil` if there was nothing to summarise.
  ///   - fields: of `mean`, `stddev`, `p1`, `p50`, `p99`, `min` and `max`.
  public static func summary(_ distribution: Distribution?, fields: [String]) -> JSONValue {
    guard let distribution else { return .null }
    let figures: [(String, Double)] = [
      ("mean", distribution.mean), ("stddev", distribution.stddev), ("p1", distribution.p1),
      ("p50", distribution.p50), ("p99", distribution.p99), ("min", distribution.min),
      ("max", distribution.max),
    ]
    return .object(figures.filter { fields.contains($0.0) }.map { ($0.0, .number($0.1)) })
  }
}
