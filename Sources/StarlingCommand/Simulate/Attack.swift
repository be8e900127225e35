import Glibc
import StarlingBroadcast
import StarlingCore
import StarlingSimulator
import Synchronization

/// What `starling simulate attack` was asked for.
struct AttackOptions {
  let secure: SecureOptions
  /// How many attacks.
  let runs: Int
  /// Whether they are judged by what samples come to, and not message by message.
  let isEstimate: Bool
  /// How many run at once.
  let jobs: Int
  let json: Bool

  /// What may be done in an attack on one broadcast, in words.
  static let adversaries = FaultOptions.inWords(
    SecureConduct.allCases.filter { $0 != .spam }.map { $0 == .mute ? "mute (default)" : $0.rawValue })

  init(_ arguments: Arguments) throws(CommandError) {
    if arguments.text("adversary") == SecureConduct.spam.rawValue {
      throw .usage("--adversary spam is no attack on one broadcast: give it to starling simulate.")
    }
    _ = try arguments.choice("adversary", default: SecureConduct.mute, except: [.spam])
    isEstimate = arguments.has("estimate")
    runs = try arguments.integer("runs", in: 1...1_000_000_000, default: 100)
    jobs = try arguments.integer("jobs", in: 1...1_024, default: max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    json = arguments.has("json")
    secure = try SecureOptions(arguments, standard: .secure, own: ["runs", "estimate", "jobs"])
    guard !isEstimate || secure.scenario.estimator != nil else {
      throw .usage("--estimate judges samples, and Bracha's broadcast has none: leave it out.")
    }
    if !isEstimate {
      let scenario = secure.scenario
      try MemoryEstimate(scenario.broadcast, nodes: scenario.nodes, runs: min(jobs, runs)).check()
    }
  }
}

/// Attacks again and again, and says how often that succeeded.
func attack(_ options: AttackOptions, output: Output) throws(CommandError) {
  let start = ContinuousClock().now
  let attacks = Attacks(options)
  Threads.run(min(options.jobs, options.runs)) { attacks.runAll() }
  let result = AttackResult(options: options, tally: attacks.end(), cost: .init(since: start))
  try output.write(result.json, json: options.json, text: result.text)
}

/// The attacks that threads share out among themselves, and what came of them.
private final class Attacks: Sendable {
  private struct State {
    var tally = AttackTally()
    var bar = Progress()
  }

  private let options: AttackOptions
  private let state = Mutex(State())
  private let next = Atomic<Int>(0)

  init(_ options: AttackOptions) { self.options = options }

  func runAll() {
    let scenario = options.secure.scenario
    let estimator = options.isEstimate ? scenario.estimator : nil
    // An estimate is over in a moment: threads count a few at a time.
    let batch = estimator == nil ? 1 : 64
    while true {
      let first = next.add(batch, ordering: .relaxed).oldValue
      guard first < options.runs else { return }
      var tally = AttackTally()
      for number in first..<min(first + batch, options.runs) {
        if let estimator {
          var random = Xoshiro256(seed: SplitMix64.mix(scenario.seed) ^ SplitMix64.mix(UInt64(number)))
          tally.add(estimator.attack(&random))
        } else {
          tally.add(scenario.attack(number: number))
        }
      }
      state.withLock { state in
        state.tally.add(tally)
        state.bar.report("attacks", state.tally.attacks, of: options.runs)
      }
    }
  }

  func end() -> AttackTally {
    state.withLock { state in
      state.bar.finish()
      return state.tally
    }
  }
}

/// How often attacks succeeded.
private struct AttackResult {
  let options: AttackOptions
  let tally: AttackTally
  let cost: BroadcastReport.Cost

  private struct Property {
    let name: String
    let frequency: FailureFrequency
    /// At most how probably one attack succeeds; `nil` where no bound says so.
    let bound: Double?
  }

  private var properties: [Property] {
    let scenario = options.secure.scenario
    let failures = options.secure.answer?.failures
    var bounds: (consistency: Double?, totality: Double?, validity: Double?)
    switch scenario.broadcast {
    case .secure: bounds = (failures?.readyConsistency, failures?.readyTotality, failures?.readyValidity)
    case .consistent: bounds = (failures?.echoConsistency, nil, failures?.echoTotalValidity)
    case .gossip: bounds = (nil, failures?.gossipTotality, failures?.gossipTotality)
    case .bracha: bounds = (0, 0, 0)
    }
    func property(_ name: String, _ count: Int, _ bound: Double?) -> Property {
      Property(name: name, frequency: FailureFrequency(failures: count, trials: tally.attacks), bound: bound)
    }
    var properties = [
      property("consistency", tally.inconsistent, bounds.consistency),
      property("totality", tally.divided, bounds.totality),
    ]
    let isCorrectSender = scenario.adversary == .mute || scenario.liars == 0
    if isCorrectSender { properties.append(property("validity", tally.invalid, bounds.validity)) }
    return properties
  }

  var json: JSONValue {
    let scenario = options.secure.scenario
    let rows = properties.map { property -> (String, JSONValue) in
      let interval = property.frequency.interval
      return (
        property.name,
        .object([
          ("failures", .integer(property.frequency.failures)),
          ("frequency", .number(property.frequency.frequency)),
          ("interval", .array([.number(interval.lowerBound), .number(interval.upperBound)])),
          ("bound", property.bound.map { .number($0) } ?? .null),
        ])
      )
    }
    return .object(
      [
        ("nodes", .integer(scenario.nodes)), ("byzantine", .number(scenario.byzantine)),
        ("byzantine_processes", .integer(scenario.liars)),
        ("broadcast", .string(scenario.broadcast.name)),
        ("adversary", scenario.liars > 0 ? .string(scenario.adversary.rawValue) : .null),
        ("seed", .unsigned(scenario.seed)), ("attacks", .integer(tally.attacks)),
        ("estimate", .bool(options.isEstimate)),
        ("parameters", options.secure.answer?.parameterFields ?? .null),
        ("epsilon", options.secure.answer?.epsilon.map { .number($0) } ?? .null),
      ] + rows + [
        ("cpu_seconds", .number(cost.cpuSeconds)), ("wall_seconds", .number(cost.wallSeconds)),
      ])
  }

  var text: String {
    let scenario = options.secure.scenario
    var people = Quantity.count(scenario.nodes, "process", "processes")
    if scenario.liars > 0 {
      people += ", \(Quantity.grouped(scenario.liars)) of them Byzantine (\(scenario.adversary.rawValue))"
    }
    let rows = properties.map { property in
      let interval = property.frequency.interval
      return [
        property.name, Quantity.grouped(property.frequency.failures),
        EpsilonAnswer.text(property.frequency.frequency),
        "\(EpsilonAnswer.text(interval.lowerBound)) to \(EpsilonAnswer.text(interval.upperBound))",
        property.bound.map { EpsilonAnswer.text($0) } ?? "-",
      ]
    }
    return
      ([
        "\(people), \(Quantity.count(tally.attacks, "attack")) on \(scenario.broadcast.title)"
          + (options.isEstimate ? ", judged by samples" : ", message by message") + ", seed \(scenario.seed)",
        "",
      ] + Readable.table(["property", "broken", "frequency", "95% interval", "bound"], rows) + [
        "", "\(Readable.decimal(cost.cpuSeconds, 1)) s of processor time",
      ]).joined(separator: "\n")
  }
}
