import Glibc
import StarlingCore
import StarlingSimulator
import Synchronization

/// What `starling simulate --chaos` was asked for.
struct ChaosOptions {
  /// How many peers; `nil` lets the seed decide.
  let nodes: Int?
  /// The first seed.
  let seed: UInt64
  /// How many seeds, one after another.
  let runs: Int
  /// How many run at once.
  let jobs: Int
  let json: Bool
  let report: String?

  static let options: [Option] = [
    .flag("chaos", "draw the scenario and what goes wrong from the seed, and hold the run to its promises"),
    Option("runs", "N", "with --chaos: so many seeds from --seed on (default 1)"),
    Option("jobs", "N", "with --chaos: so many runs at once (default: one a core)"),
  ]

  private static let allowed = ["chaos", "runs", "jobs", "nodes", "seed", "json", "out", "report"]

  init(_ arguments: Arguments) throws(CommandError) {
    guard !arguments.has("check") else {
      throw .usage("--chaos holds every run to its promises, as --check does: leave --check out.")
    }
    guard arguments.text("graph") == nil else {
      throw .usage("--chaos writes no graph: leave --graph out, or take --report for a drawing of one run.")
    }
    for option in arguments.verb.options where !ChaosOptions.allowed.contains(option.name) {
      guard arguments.values(option.name).isEmpty, !arguments.has(option.name) else {
        throw .usage("--\(option.name) and --chaos exclude each other: chaos draws it from the seed.")
      }
    }
    let any = 0
    let nodes = try arguments.integer("nodes", in: 10...100_000, default: any)
    self.nodes = nodes == any ? nil : nodes
    seed = try arguments.seed()
    runs = try arguments.integer("runs", in: 1...1_000_000_000, default: 1)
    jobs = try arguments.integer("jobs", in: 1...1_024, default: max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    json = arguments.has("json")
    report = arguments.text("report")
    guard report == nil || runs == 1 else {
      throw .usage("--report shows one run: leave out --runs \(runs).")
    }
  }

  /// The command that replays one seed.
  func command(seed: UInt64) -> String {
    "starling simulate --chaos --seed \(seed)" + (nodes.map { " --nodes \($0)" } ?? "")
  }
}

/// Runs the scenarios of many seeds, and says which broke a promise.
func chaos(_ options: ChaosOptions, output: Output) throws(CommandError) {
  var page: Output?
  if let path = options.report { page = try Output(path: path) }
  let start = ContinuousClock().now
  let seeds = ChaosSeeds(options)
  Threads.run(min(options.jobs, options.runs)) { seeds.runAll() }
  let tally = seeds.tally()
  let cost = BroadcastReport.Cost(since: start)
  try output.write(
    tally.json(options, cost), json: options.json, text: tally.text(options, cost))
  if let page, let report = tally.last {
    try page.write(Array(report.page(commandLine: options.command(seed: options.seed)).html().utf8))
  }
  if let first = tally.failures.first {
    throw .failed(
      "\(tally.failures.count == 1 ? "A run" : "\(tally.failures.count) runs") broke a promise; replay with:"
        + " \(options.command(seed: first.scenario.seed))")
  }
}

/// The seeds that threads share out among themselves, and what came of them.
private final class ChaosSeeds: Sendable {
  private let options: ChaosOptions
  private let results = Mutex(ChaosTally())
  private let next = Atomic<Int>(0)

  init(_ options: ChaosOptions) { self.options = options }

  func runAll() {
    while true {
      let i = next.add(1, ordering: .relaxed).oldValue
      guard i < options.runs, results.withLock({ !$0.isFull }) else { return }
      var scenario = BroadcastScenario.chaos(seed: options.seed &+ UInt64(i), nodes: options.nodes)
      scenario.isSampled = options.report != nil
      // Of many runs the number of those that are over says enough; a single one tells how far it is.
      var bar = Progress()
      let report = scenario.run { if options.runs == 1 { bar.report($0) } }
      bar.finish()
      results.withLock { $0.add(report, of: options.runs) }
    }
  }

  func tally() -> ChaosTally {
    results.withLock { tally in
      tally.bar.finish()
      return tally
    }
  }
}

/// What many runs came to.
struct ChaosTally: Sendable {
  /// More failures than these tell nothing new.
  private static let failureLimit = 20

  var bar = Progress()
  private(set) var scenarios = 0
  private(set) var simulated = Interval.zero
  private(set) var events: UInt64 = 0
  /// In the order of their seeds.
  private(set) var failures: [BroadcastReport] = []
  private(set) var last: BroadcastReport?
  /// How many scenarios had each kind of fault.
  private(set) var faults: [(name: String, count: Int)] = []
  /// The same for the same seeds, in whatever order they ran.
  private(set) var traceHash: UInt64 = 0

  var isFull: Bool { failures.count >= ChaosTally.failureLimit }

  mutating func add(_ report: BroadcastReport, of runs: Int) {
    scenarios += 1
    simulated = simulated + report.simulated
    events += report.events
    traceHash ^= SplitMix64.mix(report.traceHash ^ report.scenario.seed)
    last = report
    if !report.violations.isEmpty {
      failures.append(report)
      failures.sort { $0.scenario.seed < $1.scenario.seed }
    }
    let scenario = report.scenario
    for fault in scenario.faults { count(fault.kind.name) }
    if scenario.byzantine > 0 { count(scenario.adversary.rawValue) }
    if runs > 1 { bar.report("chaos, scenarios", scenarios, of: runs) }
  }

  private mutating func count(_ name: String) {
    if let i = faults.firstIndex(where: { $0.name == name }) {
      faults[i].count += 1
    } else {
      faults.append((name, 1))
      faults.sort { $0.name < $1.name }
    }
  }

  func json(_ options: ChaosOptions, _ cost: BroadcastReport.Cost) -> JSONValue {
    .object([
      ("scenarios", .integer(scenarios)), ("seed", .unsigned(options.seed)),
      ("nodes", options.nodes.map { .integer($0) } ?? .null), ("violations", .integer(failures.count)),
      (
        "violating",
        .array(
          failures.map { report in
            .object([
              ("seed", .unsigned(report.scenario.seed)),
              ("broken", .array(report.violations.map { .string($0.description) })),
              ("command", .string(options.command(seed: report.scenario.seed))),
            ])
          })
      ),
      ("faults", .object(faults.map { ($0.name, .integer($0.count)) })),
      ("simulated_hours", .number(simulated.inSeconds / 3_600)), ("events", .unsigned(events)),
      ("trace_hash", .string(String(traceHash, radix: 16))),
      ("scenario", options.runs == 1 ? last.map { $0.json() } ?? .null : .null),
      ("cpu_seconds", .number(cost.cpuSeconds)), ("cpu_hours", .number(cost.cpuSeconds / 3_600)),
      ("wall_seconds", .number(cost.wallSeconds)),
      ("cpu_ms_per_scenario", .number(cost.cpuSeconds * 1_000 / Double(max(scenarios, 1)))),
    ])
  }

  func text(_ options: ChaosOptions, _ cost: BroadcastReport.Cost) -> String {
    var lines: [String] = []
    if options.runs == 1, let last { lines += [last.scenario.story, last.text(cost: cost)] }
    for report in failures {
      lines.append("seed \(report.scenario.seed): \(report.scenario.story)")
      lines += report.violations.prefix(3).map { "  broken: \($0.description)" }
      if report.violations.count > 3 { lines.append("  broken: and \(report.violations.count - 3) more") }
      lines.append("  replay: \(options.command(seed: report.scenario.seed))")
    }
    lines.append(
      "\(Quantity.count(scenarios, "scenario")), \(failures.isEmpty ? "none" : Quantity.grouped(failures.count)) with a"
        + " broken promise; \(Readable.decimal(simulated.inSeconds / 3_600, 1)) simulated hours,"
        + " \(Quantity.count(Int(clamping: events), "event")),"
        + " \(Readable.decimal(cost.cpuSeconds / 3_600, 4)) CPU-hours"
        + " (\(Readable.decimal(cost.cpuSeconds * 1_000 / Double(max(scenarios, 1)), 1)) ms a scenario),"
        + " \(Readable.decimal(cost.wallSeconds, 1)) s")
    if options.runs > 1, !faults.isEmpty {
      lines.append("scenarios with " + faults.map { "\($0.name) \($0.count)" }.joined(separator: ", "))
    }
    return lines.joined(separator: "\n")
  }
}

extension BroadcastScenario {
  /// What goes wrong, in one line.
  var story: String {
    var parts = [
      "\(Quantity.count(nodes, "peer")) (c = \(extraCopies)), \(Quantity.count(messages, "message")) by"
        + " \(Quantity.count(senders, "sender")), \(delay.description),"
        + " loss \(Readable.decimal(loss * 100, 1))%"
    ]
    for fault in faults {
      let start = fault.start.map { Readable.decimal($0.inSeconds, 1) } ?? "the beginning"
      let end = fault.end.map { Readable.decimal($0.inSeconds, 1) + " s" } ?? "the end"
      parts.append("\(fault.kind.name) \(Readable.decimal(fault.share * 100, 1))% from \(start) to \(end)")
    }
    if byzantine > 0 { parts.append("\(Readable.decimal(byzantine * 100, 1))% \(adversary.rawValue)") }
    return parts.joined(separator: "; ")
  }
}
