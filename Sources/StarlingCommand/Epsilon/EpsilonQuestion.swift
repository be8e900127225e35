import StarlingBroadcast
import StarlingCore

/// What `starling epsilon` was asked, checked.
struct EpsilonQuestion {
  /// The samples and thresholds of a secure broadcast.
  static let sampleOptions: [Option] = [
    Option("gossip", "G", "how many processes each passes a message on to, on average"),
    Option("echo", "E", "how many processes each asks for their echo"),
    Option("echo-threshold", "N", "how many of these echoes must agree"),
    Option("ready", "R", "how many processes each asks whether they are ready, to become ready itself"),
    Option("ready-threshold", "N", "how many of these must be ready"),
    Option("delivery", "D", "how many processes each asks whether they are ready, to deliver"),
    Option("delivery-threshold", "N", "how many of these must be ready"),
  ]

  let calculator: EpsilonCalculator
  /// f, as it was given.
  let byzantine: Double
  /// The ε that is wanted.
  let target: Double?
  /// The option that says so.
  private let targetOption: String
  /// Whether a greater one is accepted.
  private let acceptsWeak: Bool
  /// The parameters that were given; those of a layer are all there or none.
  let gossip: Int?
  let echo: (sample: Int, threshold: Int)?
  let ready: (sample: Int, threshold: Int, delivery: Int, deliveryThreshold: Int)?

  /// The question of `starling epsilon`.
  init(_ arguments: Arguments) throws(CommandError) {
    guard arguments.text("nodes") != nil else {
      throw .usage("`starling epsilon` needs --nodes N: how many processes there are.")
    }
    let nodes = try arguments.integer("nodes", in: 2...1_000_000, default: 2)
    let byzantine = try arguments.share("byzantine", default: 0.1)
    try self.init(arguments, nodes: nodes, byzantine: byzantine, targetOption: "target", standard: nil)
    guard target != nil || gossip != nil || echo != nil || ready != nil else {
      throw .usage(
        "`starling epsilon` needs --target EPSILON, or the parameters to judge, such as --gossip 20.")
    }
  }

  /// The question of a command that runs a broadcast: samples that were not given are found for `--epsilon`.
  init(
    _ arguments: Arguments, forBroadcastAmong nodes: Int, byzantine: Double
  ) throws(CommandError) {
    try self.init(
      arguments, nodes: nodes, byzantine: byzantine,
      targetOption: "epsilon",
      standard: 1e-10)
  }

  private init(
    _ arguments: Arguments, nodes: Int, byzantine: Double, targetOption: String, standard: Double?
  ) throws(CommandError) {
    self.byzantine = byzantine
    self.targetOption = targetOption
    acceptsWeak = arguments.has("accept-weak")
    guard byzantine < 1 else {
      throw .usage("--byzantine: somebody must be correct; give a share below 1.")
    }
    calculator = EpsilonCalculator(nodes: nodes, byzantine: byzantine)
    target =
      try arguments.value(targetOption) { text in
        guard let value = Double(text), value >= 1e-16, value < 1 else {
          throw QuantityError("\(quoted(text)) must be a probability from 1e-16 to below 1.")
        }
        return value
      } ?? standard
    func sample(_ name: String) throws(CommandError) -> Int? {
      guard arguments.text(name) != nil else { return nil }
      return try arguments.integer(name, in: 1...EpsilonCalculator.largestSample, default: 1)
    }
    gossip = try sample("gossip")
    func layer(_ names: [String]) throws(CommandError) -> [Int]? {
      var values: [Int] = []
      for name in names { if let value = try sample(name) { values.append(value) } }
      if values.isEmpty { return nil }
      guard values.count == names.count else {
        throw .usage(
          names.map { "--\($0)" }.joined(separator: ", ") + " go together: give all of them or none.")
      }
      for index in stride(from: 0, to: names.count, by: 2) where values[index + 1] > values[index] {
        throw .usage(
          "--\(names[index + 1]) \(values[index + 1]) is more than the sample of \(values[index]); a threshold may be"
            + " as great as its sample.")
      }
      return values
    }
    echo = try layer(["echo", "echo-threshold"]).map { ($0[0], $0[1]) }
    ready = try layer(["ready", "ready-threshold", "delivery", "delivery-threshold"]).map {
      ($0[0], $0[1], $0[2], $0[3])
    }
  }

  /// Finds what is wanted and computes what it costs and how often it fails.
  func answer() throws(CommandError) -> EpsilonAnswer {
    // No search finds anything then, and would take its time. Samples that are all given may be tried nevertheless.
    let isComplete = gossip != nil && echo != nil && ready != nil
    if target != nil, !isComplete || !acceptsWeak { try calculator.refuseTooManyLiars(byzantine) }
    var answer = EpsilonAnswer(calculator: calculator, byzantine: byzantine)
    var progress = Progress()
    defer { progress.finish() }
    func impossible(_ what: String) -> CommandError {
      .failed(
        "No \(what) of up to \(EpsilonCalculator.largestSample) processes is safe enough among \(calculator.nodes) of"
          + " which \(calculator.byzantine) may lie; allow a greater --\(targetOption) or fewer liars.")
    }
    answer.gossip = gossip
    answer.echo = echo
    answer.ready = ready
    if let target, !isComplete {
      progress.report("Looking for samples", 0, of: 3)
      if gossip == nil {
        guard let found = calculator.smallestGossip(target: target * EpsilonCalculator.gossipShare) else {
          throw impossible("gossip sample")
        }
        answer.gossip = found
      }
      progress.report("Looking for samples", 1, of: 3)
      if echo == nil {
        guard let found = calculator.smallestEcho(target: target * EpsilonCalculator.echoShare) else {
          throw impossible("echo sample")
        }
        answer.echo = found
      }
      progress.report("Looking for samples", 2, of: 3)
      if ready == nil {
        guard let found = calculator.smallestReady(target: target * EpsilonCalculator.readyShare) else {
          throw impossible("ready sample")
        }
        answer.ready = found
      }
      progress.report("Looking for samples", 3, of: 3)
    }
    answer.compute()
    if let target, let epsilon = answer.epsilon, epsilon > target, !acceptsWeak {
      throw .failed(
        "These parameters fail with a probability of up to \(EpsilonAnswer.text(epsilon)), more than"
          + " \(EpsilonAnswer.text(target)); leave out those that may be greater"
          + (targetOption == "epsilon" ? ", or accept it with --accept-weak." : "."))
    }
    return answer
  }
}

extension EpsilonCalculator {
  /// Whether a third of the processes or more may lie: then an echo threshold that correct processes can meet without
  /// the liars can be met twice with them.
  var hasTooManyLiars: Bool { !BroadcastCost.brachaIsPossible(nodes: nodes, byzantine: byzantine) }

  /// Says that a third of the processes or more may lie, if so.
  ///
  /// - Parameter share: f, as it was given.
  func refuseTooManyLiars(_ share: Double) throws(CommandError) {
    guard hasTooManyLiars else { return }
    let bearable = (nodes - 1) / 3
    let advice =
      bearable > 0
      ? "\(100 * bearable / nodes)% or less" : "--byzantine 0, or have four processes or more"
    throw .usage(
      "--byzantine: \(Readable.percent(share)) of \(nodes) processes is \(byzantine), rounded up, which is a third or"
        + " more; no sample is large enough against so many, and Bracha's broadcast withstands fewer than a third: give"
        + " \(advice).")
  }
}
