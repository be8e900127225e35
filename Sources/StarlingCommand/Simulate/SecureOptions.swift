import StarlingBroadcast
import StarlingCore
import StarlingSimulator

/// What `starling simulate` was asked for where the broadcast is one that liars cannot split.
struct SecureOptions {
  /// The names of these broadcasts.
  enum Broadcast: String, CaseIterable { case secure, consistent, bracha, auto }

  let scenario: SecureScenario
  /// The samples, and how often they fail; `nil` for Bracha's, which needs none.
  let answer: EpsilonAnswer?
  /// Why the software took this broadcast, in half a sentence; `nil` where it was named.
  let reason: String?
  let json: Bool

  static let options: [Option] =
    [
      Option("epsilon", "EPSILON", "how often a secure broadcast may fail at most (default 1e-10)"),
      .flag("accept-weak", "run a secure broadcast though it fails more often"),
    ] + EpsilonQuestion.sampleOptions

  /// What `simulate` takes, where spam runs beside other broadcasts.
  static let spamOption = Option(
    "spam-rate", "N", "messages a second of each Byzantine process under --adversary spam (default 100)")

  private static let allowed =
    options.map(\.name) + [
      "nodes", "messages", "senders", "payload", "broadcast", "delay", "geography", "interval", "drain",
      "byzantine",
      "adversary", "spam-rate", "seed", "json", "out",
    ]

  /// Whether a secure broadcast is asked for.
  static func isMeant(_ arguments: Arguments) -> Bool {
    arguments.text("broadcast").map { Broadcast(rawValue: $0) != nil } ?? false
  }

  /// Refuses what only a secure broadcast can be asked for.
  static func refuse(in arguments: Arguments) throws(CommandError) {
    for option in options where !arguments.values(option.name).isEmpty || arguments.has(option.name) {
      throw .usage("--\(option.name) goes with --broadcast secure, consistent or auto: give both or neither.")
    }
    if arguments.text(spamOption.name) != nil {
      throw .usage(
        "--\(spamOption.name) goes with --broadcast secure, consistent or bracha: give both or neither.")
    }
  }

  /// - Parameters:
  ///   - arguments: the command line.
  ///   - standard: the broadcast if none is named.
  ///   - own: options that the verb looks at itself.
  init(
    _ arguments: Arguments, standard: Broadcast = .auto, own: [String] = []
  ) throws(CommandError) {
    let broadcast = try arguments.choice("broadcast", default: standard)
    for option in arguments.verb.options where !(SecureOptions.allowed + own).contains(option.name) {
      guard arguments.values(option.name).isEmpty, !arguments.has(option.name) else {
        throw .usage(
          "--\(option.name) is not for --broadcast \(broadcast.rawValue), which runs among a known membership"
            + " without an overlay: leave it out.")
      }
    }
    var scenario = SecureScenario()
    scenario.nodes = try arguments.integer("nodes", in: 2...1_000_000, default: 1_000)
    scenario.byzantine = try arguments.share("byzantine", default: 0)
    // An attack is one broadcast.
    if arguments.verb.option(named: "messages") != nil {
      scenario.messages = try arguments.integer("messages", in: 0...10_000_000, default: 100)
      scenario.senders = try arguments.integer("senders", in: 1...1_000_000, default: 1)
      scenario.payload = try SimulateOptions.payload(arguments)
      scenario.delay = try arguments.delayModel() ?? scenario.delay
      let anyTime = Interval.zero...Interval.seconds(366 * 24 * 3_600)
      scenario.interval = try arguments.duration("interval", in: anyTime) ?? scenario.interval
      scenario.drain = try arguments.duration("drain", in: anyTime) ?? scenario.drain
    }
    scenario.adversary = try arguments.choice("adversary", default: .mute)
    if arguments.verb.option(named: "spam-rate") != nil, arguments.text("spam-rate") != nil {
      guard scenario.adversary == .spam else {
        throw .usage("--spam-rate goes with --adversary spam: give both or neither.")
      }
      scenario.spamRate = try arguments.integer("spam-rate", in: 1...1_000_000, default: scenario.spamRate)
    }
    try arguments.refuseIdleAdversary(liars: scenario.liars)
    scenario.seed = try arguments.seed()
    let choice = try BroadcastChoice(
      arguments, broadcast, nodes: scenario.nodes, byzantine: scenario.byzantine, liars: scenario.liars)
    scenario.broadcast = choice.broadcast
    if arguments.verb.option(named: "messages") != nil {
      try MemoryEstimate(choice.broadcast, nodes: scenario.nodes).check()
    }
    self.scenario = scenario
    answer = choice.answer
    reason = choice.reason
    json = arguments.has("json")
  }
}

extension Arguments {
  /// Refuses an adversary that nobody plays.
  func refuseIdleAdversary(liars: Int) throws(CommandError) {
    guard text("adversary") == nil || liars > 0 else {
      throw .usage("--adversary needs liars: give --byzantine, as in 15%.")
    }
  }

  /// Refuses what is said of samples where Bracha's broadcast was named.
  func refuseSamples() throws(CommandError) {
    for name in ["epsilon"] + EpsilonQuestion.sampleOptions.map(\.name) where text(name) != nil {
      throw .usage(
        "--\(name) is about samples, and --broadcast bracha asks everybody and never fails: leave it out, or name"
          + " another broadcast.")
    }
  }
}

/// Which secure broadcast runs, with which samples.
struct BroadcastChoice {
  let broadcast: SecureScenario.Broadcast
  /// The samples, and how often they fail; `nil` for Bracha's, which needs none.
  let answer: EpsilonAnswer?
  /// Why it was taken, in half a sentence; `nil` where it was named.
  let reason: String?

  /// - Parameters:
  ///   - arguments: ε, or sizes and thresholds.
  ///   - named: the broadcast that was asked for.
  ///   - nodes: N.
  ///   - byzantine: f.
  ///   - liars: how many processes that is.
  init(
    _ arguments: Arguments, _ named: SecureOptions.Broadcast, nodes: Int, byzantine: Double, liars: Int
  ) throws(CommandError) {
    guard liars < nodes else {
      throw .usage("--byzantine leaves nobody correct: give a smaller share.")
    }
    var answer: EpsilonAnswer?
    if named == .bracha {
      try arguments.refuseSamples()
    } else {
      answer = try EpsilonQuestion(arguments, forBroadcastAmong: nodes, byzantine: byzantine).answer()
    }
    var chosen = named
    if named == .auto { chosen = answer?.isBrachaBetter == true ? .bracha : .secure }
    reason = named == .auto ? answer?.reason : nil
    switch chosen {
    case .bracha:
      try EpsilonCalculator(nodes: nodes, byzantine: byzantine).refuseTooManyLiars(byzantine)
      broadcast = .bracha
      self.answer = nil
    case .secure, .auto, .consistent:
      guard let answer, let parameters = answer.parameters else {
        throw .usage("--epsilon or all samples and thresholds are needed for --broadcast \(chosen.rawValue).")
      }
      broadcast = chosen == .consistent ? .consistent(parameters) : .secure(parameters)
      self.answer = answer
    }
  }
}
