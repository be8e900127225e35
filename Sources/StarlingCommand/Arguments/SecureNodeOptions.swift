import StarlingBroadcast
import StarlingCore
import StarlingNode
import StarlingRuntime

/// How a node or a network of nodes is to broadcast: by the tree, or by a broadcast that liars cannot split.
struct SecureNodeOptions {
  /// The names of these broadcasts.
  enum Broadcast: String, CaseIterable { case tree, secure, consistent, bracha, auto }

  /// The options that say how safe a secure broadcast is to be.
  static let safety: [Option] =
    [
      Option(
        "byzantine", "F", "with a secure broadcast: the share of members that may lie (default 10%)",
        readsEnvironment: true),
      Option(
        "epsilon", "EPSILON", "with a secure broadcast: how often it may fail at most (default 1e-10)",
        readsEnvironment: true),
      .flag("accept-weak", "run a secure broadcast though it fails more often"),
    ] + EpsilonQuestion.sampleOptions

  let broadcast: Broadcast

  /// Whether a secure broadcast is asked for.
  var isSecure: Bool { broadcast != .tree }

  /// - Parameters:
  ///   - arguments: the command line.
  ///   - broadcast: what it named.
  init(_ arguments: Arguments, _ broadcast: Broadcast) throws(CommandError) {
    self.broadcast = broadcast
    guard broadcast == .tree else { return }
    for option in SecureNodeOptions.safety
    where !arguments.values(option.name).isEmpty || arguments.has(option.name) {
      throw .usage(
        "--\(option.name) goes with --broadcast secure, consistent, bracha or auto: give both or neither.")
    }
  }

  /// Chooses the broadcast and its samples for a membership.
  ///
  /// - Parameter share: of the members that may lie, unless the command line says otherwise.
  /// - Throws: ``CommandError`` when it would fail more often than it may.
  static func settings(
    _ arguments: Arguments, _ broadcast: Broadcast, among nodes: Int, byzantine share: Double = 0.1
  ) throws(CommandError) -> (broadcast: SecureConfiguration.Broadcast, epsilon: Double, why: String) {
    guard nodes >= 2 else {
      throw .failed("A secure broadcast needs two members or more: add the others to the list.")
    }
    let byzantine = try arguments.share("byzantine", default: share)
    guard byzantine < 1 else {
      throw .usage("--byzantine: somebody must be correct; give a share below 1.")
    }
    let calculator = EpsilonCalculator(nodes: nodes, byzantine: byzantine)
    let liars = calculator.byzantine
    let people = "\(liars) of \(Quantity.count(nodes, "member")) may lie"
    var chosen = broadcast
    var answer: EpsilonAnswer?
    if broadcast == .bracha {
      try arguments.refuseSamples()
    } else {
      answer = try EpsilonQuestion(arguments, forBroadcastAmong: nodes, byzantine: byzantine).answer()
    }
    if broadcast == .auto { chosen = answer?.isBrachaBetter == true ? .bracha : .secure }
    let reason = broadcast == .auto ? answer.map { "; it was chosen \($0.reason)" } ?? "" : ""
    if chosen == .bracha {
      try calculator.refuseTooManyLiars(byzantine)
      return (.bracha(byzantine: liars), 0, "Bracha's broadcast never fails while at most \(people)\(reason)")
    }
    guard let answer, let parameters = answer.parameters, let epsilon = answer.epsilon else {
      throw .usage(
        "--epsilon or all samples and thresholds are needed for --broadcast \(broadcast.rawValue).")
    }
    let text = EpsilonAnswer.text(epsilon)
    if chosen == .consistent {
      return (
        .consistent(parameters), epsilon,
        "Echo Broadcast fails with a probability of \(text) at most, if \(people)"
      )
    }
    return (
      .secure(parameters), epsilon,
      "Ready Broadcast fails with a probability of \(text) at most, if \(people)\(reason)"
    )
  }
}
