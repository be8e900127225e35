import StarlingBroadcast
import StarlingCore
import StarlingSimulator

/// What `starling simulate ledger` was asked for.
struct LedgerOptions {
  let scenario: LedgerScenario
  /// The samples, and how often they fail; `nil` for Bracha's, which needs none.
  let answer: EpsilonAnswer?
  /// Why the software took this broadcast, in half a sentence; `nil` where it was named.
  let reason: String?
  let json: Bool

  /// The adversaries, in words.
  static let adversaries = FaultOptions.inWords(
    LedgerConduct.allCases.map { $0 == .mute ? "mute (default)" : $0.rawValue })

  init(_ arguments: Arguments) throws(CommandError) {
    let broadcast = try arguments.choice("broadcast", default: SecureOptions.Broadcast.auto)
    guard broadcast != .consistent else {
      throw .usage(
        "--broadcast consistent delivers to some and not to others, which no ledger can stand: give secure or bracha."
      )
    }
    var scenario = LedgerScenario()
    scenario.nodes = try arguments.integer("nodes", in: 2...10_000, default: 4)
    scenario.accounts = try arguments.integer("accounts", in: 2...1_000_000, default: 1_000)
    scenario.transfers = try arguments.integer("transfers", in: 1...100_000_000, default: 10_000)
    scenario.rate = try arguments.integer("rate", in: 1...10_000_000, default: 1_000)
    scenario.byzantine = try arguments.share("byzantine", default: 0)
    scenario.adversary = try arguments.choice("adversary", default: .mute)
    try arguments.refuseIdleAdversary(liars: scenario.liars)
    scenario.delay = try arguments.delayModel() ?? scenario.delay
    scenario.drain =
      try arguments.duration("drain", in: Interval.zero...Interval.seconds(366 * 24 * 3_600))
      ?? scenario.drain
    scenario.seed = try arguments.seed()
    try scenario.takeFailuresAndMachine(from: arguments)
    json = arguments.has("json")
    if scenario.order == .leader {
      try LedgerOptions.refuseBroadcast(in: arguments)
      (self.scenario, answer, reason) = (scenario, nil, nil)
      return
    }
    let choice = try BroadcastChoice(
      arguments, broadcast, nodes: scenario.nodes, byzantine: scenario.tolerated ?? scenario.byzantine,
      liars: scenario.toleratedLiars)
    scenario.broadcast = choice.broadcast
    try MemoryEstimate(choice.broadcast, nodes: scenario.nodes).check()
    self.scenario = scenario
    answer = choice.answer
    reason = choice.reason
  }

  /// Refuses what is about a broadcast, where a leader orders transfers.
  private static func refuseBroadcast(in arguments: Arguments) throws(CommandError) {
    let names = ["broadcast"] + SecureOptions.options.map(\.name)
    for name in names where arguments.text(name) != nil || arguments.has(name) {
      throw .usage("--\(name) is about broadcasts, and --order leader runs without one: give one of the two.")
    }
  }
}

extension LedgerScenario {
  /// Takes who orders transfers, what fails, and what bounds a node.
  fileprivate mutating func takeFailuresAndMachine(from arguments: Arguments) throws(CommandError) {
    order = try arguments.choice("order", default: .none)
    tolerated = try arguments.value("tolerate") { try Quantity.share($0) }
    let calculator = EpsilonCalculator(nodes: nodes, byzantine: tolerated ?? byzantine)
    if order == .leader { try calculator.refuseTooManyLiars(tolerated ?? byzantine) }
    guard toleratedLiars >= liars else {
      throw .usage("--tolerate allows for fewer liars than there are by --byzantine: give a larger share.")
    }
    crash = try arguments.duration("crash", in: Interval.zero...Interval.seconds(366 * 24 * 3_600))
    if crash != nil, nodes - liars < 2 {
      throw .usage("--crash leaves no node that is correct: give a smaller --byzantine or more --nodes.")
    }
    machine.bandwidth = try arguments.value("bandwidth") { text in
      let bytes = try Quantity.size(text)
      guard bytes >= 1_000 else {
        throw QuantityError("The bandwidth \"\(text)\" is out of range; it may be 1kB or more, a second.")
      }
      return bytes
    }
    let times = Interval.zero...Interval.seconds(1)
    machine.checkTime = try arguments.duration("check-time", in: times) ?? .zero
    machine.messageTime = try arguments.duration("message-time", in: times) ?? .zero
  }
}

/// Pays among simulated accounts and writes the report.
func simulateLedger(_ options: LedgerOptions, output: Output) throws(CommandError) {
  var bar = Progress()
  let start = ContinuousClock().now
  let transfers = options.scenario.transfers
  let report = options.scenario.run { bar.report("paying", $0, of: transfers) }
  bar.finish()
  let cost = BroadcastReport.Cost(since: start)
  try output.write(report.json(options, cost), json: options.json, text: report.text(options, cost))
}

extension LedgerReport {
  fileprivate func json(_ options: LedgerOptions, _ cost: BroadcastReport.Cost) -> JSONValue {
    return .object([
      ("nodes", .integer(scenario.nodes)), ("accounts", .integer(scenario.accounts)),
      ("byzantine", .number(scenario.byzantine)), ("byzantine_processes", .integer(scenario.liars)),
      ("adversary", scenario.liars > 0 ? .string(scenario.adversary.rawValue) : .null),
      ("order", .string(scenario.order.rawValue)),
      ("broadcast", scenario.order == .leader ? .null : .string(scenario.broadcast.name)),
      ("chosen", .bool(options.reason != nil)), ("tolerated_processes", .integer(scenario.toleratedLiars)),
      ("epsilon", .optional(options.answer?.epsilon)),
      ("parameters", options.answer?.parameterFields ?? .null),
      ("delay", .string(scenario.delay.description)), ("seed", .unsigned(scenario.seed)),
      ("crash_seconds", .optional(scenario.crash?.inSeconds)),
      ("bandwidth", scenario.machine.bandwidth.map { .integer($0) } ?? .null),
      ("check_seconds", .number(scenario.machine.checkTime.inSeconds)),
      ("message_seconds", .number(scenario.machine.messageTime.inSeconds)),
      ("transfers", .integer(transfers)), ("transfers_final", .integer(final)),
      ("transfers_refused", .integer(refused)), ("transfers_unfinished", .integer(unfinished)),
      ("frauds", .integer(frauds)), ("accounts_blocked", .integer(accountsBlocked)),
      ("consistency_violations", .integer(consistencyViolations)),
      ("totality_violations", .integer(totalityViolations)), ("overdrafts", .integer(overdrafts)),
      ("supply_violations", .integer(supplyViolations)), ("supply_looks", .unsigned(supplyLooks)),
      ("state_hash", stateHash.map { .string($0.description) } ?? .null),
      ("divergent_nodes", .integer(divergent)),
      ("accusations", .integer(accusations)), ("latency_ms", latencies.json),
      ("transfers_per_second", .number(transfersPerSecond)),
      ("stall_ms", .number(longestStall.inMilliseconds)),
      ("messages_per_transfer", .number(messagesPerTransfer)),
      ("bytes_per_transfer", .number(bytesPerTransfer)),
      ("signature_checks_per_transfer", .number(checksPerTransfer)),
      (
        "busiest_node",
        .object([
          ("messages_per_transfer", .number(busiestMessagesPerTransfer)),
          ("bytes_per_transfer", .number(busiestBytesPerTransfer)),
          ("signature_checks_per_transfer", .number(busiestChecksPerTransfer)),
        ])
      ),
      ("trace_hash", .hash(traceHash)),
      ("events", .unsigned(events)), ("simulated_seconds", .number(simulated.inSeconds)),
      ("cpu_seconds", .number(cost.cpuSeconds)), ("wall_seconds", .number(cost.wallSeconds)),
    ])
  }

  fileprivate func text(_ options: LedgerOptions, _ cost: BroadcastReport.Cost) -> String {
    func milliseconds(_ percent: UInt64) -> String {
      latencies.percentile(percent).map { Readable.decimal($0.inMilliseconds, 1) } ?? "-"
    }
    var people = Quantity.count(scenario.nodes, "node")
    if scenario.liars > 0 {
      people += ", \(Quantity.grouped(scenario.liars)) of them Byzantine (\(scenario.adversary.rawValue))"
    }
    return [
      "\(people), \(Quantity.count(scenario.accounts, "account")), by "
        + (scenario.order == .leader ? "a leader's order" : scenario.broadcast.title)
        + ", seed \(scenario.seed)"
        + (options.reason.map { "\nchosen         \($0)" } ?? ""),
      "transfers      \(Quantity.grouped(transfers)) of honest owners, \(Quantity.grouped(unfinished)) of them unfinished;"
        + " \(Quantity.grouped(final)) final in all, \(Quantity.grouped(refused)) refused",
      "violations     \(consistencyViolations) of consistency, \(totalityViolations) of totality,"
        + " \(supplyViolations) of the supply; \(Quantity.count(overdrafts, "overdraft"));"
        + " \(Quantity.count(divergent, "node")) ended differently",
      "frauds         \(Quantity.grouped(frauds)); \(Quantity.count(accountsBlocked, "account")) of cheats blocked by them",
      "latency        p50 \(milliseconds(50)) ms, p99 \(milliseconds(99)) ms",
      "throughput     \(Readable.decimal(transfersPerSecond, 0)) transfers a second,"
        + " at most \(Readable.decimal(longestStall.inMilliseconds, 0)) ms without one",
      "sent           \(Readable.decimal(messagesPerTransfer, 1)) messages a final transfer,"
        + " \(Readable.decimal(bytesPerTransfer, 0)) bytes, \(Readable.decimal(busiestBytesPerTransfer, 0)) of them"
        + " by the node that sent most; \(Readable.decimal(checksPerTransfer, 1)) signatures checked",
      "\(Quantity.count(Int(clamping: events), "event")) in \(Readable.decimal(cost.cpuSeconds, 1)) s of processor time",
    ].joined(separator: "\n")
  }
}
