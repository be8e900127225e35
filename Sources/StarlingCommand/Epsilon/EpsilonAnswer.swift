import StarlingBroadcast
import StarlingCore

/// What `starling epsilon` found.
struct EpsilonAnswer {
  let calculator: EpsilonCalculator
  /// f, as it was given.
  let byzantine: Double
  var gossip: Int?
  var echo: (sample: Int, threshold: Int)?
  var ready: (sample: Int, threshold: Int, delivery: Int, deliveryThreshold: Int)?
  private var gossipTotality: Double?
  private var echoTotalValidity: Double?
  private var echoConsistency: Double?
  /// Every ε, when all parameters are known.
  private(set) var failures: SecureBroadcastFailures?
  private var cost: Double?

  init(calculator: EpsilonCalculator, byzantine: Double) {
    self.calculator = calculator
    self.byzantine = byzantine
  }

  /// All the parameters, when all are known.
  var parameters: SecureBroadcastParameters? {
    guard let gossip, let echo, let ready else { return nil }
    return SecureBroadcastParameters(
      gossip: gossip, echo: echo.sample, echoThreshold: echo.threshold, ready: ready.sample,
      readyThreshold: ready.threshold, delivery: ready.delivery, deliveryThreshold: ready.deliveryThreshold)
  }

  /// The largest that the whole broadcast can fail with, when all parameters are known.
  var epsilon: Double? { failures?.epsilon }

  /// Computes what follows from the parameters.
  mutating func compute() {
    if let parameters {
      let failures = calculator.failures(parameters)
      self.failures = failures
      (gossipTotality, echoTotalValidity) = (failures.gossipTotality, failures.echoTotalValidity)
      echoConsistency = failures.echoConsistency
      cost = BroadcastCost.secure(nodes: calculator.nodes, parameters)
      return
    }
    gossipTotality = gossip.map { calculator.gossipTotality($0) }
    guard let echo else { return }
    echoTotalValidity = calculator.echoTotalValidity(
      echo.sample, threshold: echo.threshold, gossip: gossipTotality ?? 0)
    echoConsistency = calculator.echoConsistency(echo.sample, threshold: echo.threshold)
  }

  /// What Ready Broadcast adds, when only its parameters are known.
  private var added: EpsilonCalculator.ReadyFailure? {
    guard failures == nil, let ready else { return nil }
    return calculator.readyFailure(
      SecureBroadcastParameters(
        gossip: 1, echo: 1, echoThreshold: 1, ready: ready.sample, readyThreshold: ready.threshold,
        delivery: ready.delivery, deliveryThreshold: ready.deliveryThreshold))
  }

  private var bracha: Double? {
    BroadcastCost.brachaIsPossible(nodes: calculator.nodes, byzantine: calculator.byzantine)
      ? BroadcastCost.bracha(nodes: calculator.nodes) : nil
  }

  /// Whether Bracha's broadcast is possible and not far dearer than samples that are safe.
  var isBrachaBetter: Bool { recommended == "bracha" }

  /// What fails once in a hundred times is not worth having.
  private static let worthless = 0.01

  /// Why `--broadcast auto` takes what it takes, with what both cost: half a sentence.
  var reason: String {
    let secure = Readable.decimal(cost ?? 0, 0)
    guard let bracha else {
      return
        "because Bracha's broadcast is not possible where a third or more may lie; it sends some \(secure) messages"
        + " a process and broadcast"
    }
    let costs = "\(Readable.decimal(bracha, 0)) against \(secure) a process and broadcast"
    guard isBrachaBetter else {
      return "because Bracha's broadcast would send more than twice as many messages: \(costs)"
    }
    if let epsilon, epsilon >= EpsilonAnswer.worthless {
      return "because it never fails, and Ready Broadcast with these samples may with a probability of"
        + " \(EpsilonAnswer.text(epsilon)); messages: \(costs)"
    }
    return "because it never fails and sends at most twice as many messages as Ready Broadcast: \(costs)"
  }

  /// Bracha's, unless it is impossible or far dearer; nothing where neither is safe.
  private var recommended: String? {
    guard let cost, let epsilon else { return nil }
    guard epsilon < EpsilonAnswer.worthless else { return bracha == nil ? nil : "bracha" }
    guard let bracha else { return "secure" }
    return bracha <= BroadcastCost.worthOfCertainty * cost ? "bracha" : "secure"
  }

  /// The samples and thresholds.
  var parameterFields: JSONValue {
    func integer(_ value: Int?) -> JSONValue { value.map { .integer($0) } ?? .null }
    return .object([
      ("gossip", integer(gossip)), ("echo", integer(echo?.sample)),
      ("echo_threshold", integer(echo?.threshold)),
      ("ready", integer(ready?.sample)), ("ready_threshold", integer(ready?.threshold)),
      ("delivery", integer(ready?.delivery)), ("delivery_threshold", integer(ready?.deliveryThreshold)),
    ])
  }

  /// The fields that scripts rely on.
  var json: JSONValue {
    func number(_ value: Double?) -> JSONValue { value.map { .number($0) } ?? .null }
    let added = added
    return .object([
      ("nodes", .integer(calculator.nodes)),
      ("byzantine", .number(byzantine)),
      ("byzantine_processes", .integer(calculator.byzantine)),
      ("exact", .bool(calculator.isExact)),
      ("parameters", parameterFields),
      ("gossip_totality", number(gossipTotality)),
      ("echo_total_validity", number(echoTotalValidity)),
      ("echo_consistency", number(echoConsistency)),
      ("ready_validity", number(failures?.readyValidity ?? added?.validity)),
      ("ready_consistency", number(failures?.readyConsistency ?? added?.consistency)),
      ("ready_totality", number(failures?.readyTotality ?? added.map { $0.consistency + $0.division })),
      ("epsilon", number(epsilon)),
      ("messages_per_process", number(cost)),
      ("bracha_messages_per_process", number(bracha)),
      ("recommended", recommended.map { .string($0) } ?? .null),
    ])
  }

  /// The same for people.
  var text: String {
    let nodes = calculator.nodes
    var rows: [[String]] = []
    func add(_ property: String, _ value: Double?) {
      if let value { rows.append([property, Self.text(value)]) }
    }
    let added = added
    add("gossip: totality", gossipTotality)
    add("echo: total validity", echoTotalValidity)
    add("echo: consistency", echoConsistency)
    add(
      failures == nil ? "ready alone: validity" : "ready: validity",
      failures?.readyValidity ?? added?.validity)
    add(
      failures == nil ? "ready alone: consistency" : "ready: consistency",
      failures?.readyConsistency ?? added?.consistency)
    add(
      failures == nil ? "ready alone: totality" : "ready: totality",
      failures?.readyTotality ?? added.map { $0.consistency + $0.division })
    add("the whole broadcast (epsilon)", epsilon)
    var lines = ["\(nodes) processes, of which \(calculator.byzantine) may lie"]
    if let gossip { lines.append("gossip sample G = \(gossip)") }
    if let echo { lines.append("echo sample E = \(echo.sample), threshold \(echo.threshold)") }
    if let ready {
      lines.append("ready sample R = \(ready.sample), threshold \(ready.threshold)")
      lines.append("delivery sample D = \(ready.delivery), threshold \(ready.deliveryThreshold)")
    }
    if let note = replacementNote { lines.append(note) }
    lines.append("")
    lines += Readable.table(
      ["property", calculator.isExact ? "fails with at most" : "fails with at most (upper bounds)"], rows)
    if let cost {
      lines.append("")
      lines.append("messages a process sends for each broadcast: \(Readable.decimal(cost, 0))")
      if let bracha {
        lines.append("Bracha's broadcast, which never fails, would send \(Readable.decimal(bracha, 0))")
      } else {
        lines.append("Bracha's broadcast is not possible: a third of the processes or more may lie")
      }
      switch recommended {
      case "bracha": lines.append("recommended: bracha, which never fails")
      case "secure": lines.append("recommended: secure")
      case _ where calculator.hasTooManyLiars:
        lines.append("neither can be recommended: no sample is large enough against so many; see --byzantine")
      default: lines.append("neither can be recommended: give a --target to find larger samples")
      }
    } else if calculator.hasTooManyLiars, echo != nil || ready != nil {
      lines += ["", "a third of the processes or more may lie: no sample is large enough against so many"]
    }
    return lines.joined(separator: "\n")
  }

  /// How a sample can be larger than the network; `nil` if none is.
  private var replacementNote: String? {
    let samples = [
      ("E", echo?.sample), ("R", ready?.sample), ("D", ready?.delivery),
    ].compactMap { name, sample in sample.flatMap { $0 > calculator.nodes ? (name, $0) : nil } }
    guard let (name, sample) = samples.max(by: { $0.1 < $1.1 }) else { return nil }
    return
      "samples are drawn with replacement: among the \(name) = \(sample) are the \(calculator.nodes) processes, most of"
      + " them many times"
  }

  /// A probability as people read it: two digits and a power of ten.
  static func text(_ probability: Double) -> String {
    guard probability > 0 else { return "0" }
    if probability >= 0.001 { return Readable.decimal(probability, 4) }
    var exponent = 0
    var mantissa = probability
    while mantissa < 1 {
      mantissa *= 10
      exponent -= 1
    }
    let digits = Readable.decimal(mantissa, 1)
    return digits == "10.0" ? "1.0e\(exponent + 1)" : "\(digits)e\(exponent)"
  }
}
