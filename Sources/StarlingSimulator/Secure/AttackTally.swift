import StarlingBroadcast
import StarlingCore

/// How often attacks achieved what they wanted.
public struct AttackTally: Hashable, Sendable {
  /// Attacks that are over.
  public private(set) var attacks = 0
  /// Of these how many made two correct processes deliver different batches.
  public private(set) var inconsistent = 0
  /// How many made some correct processes deliver and others not.
  public private(set) var divided = 0
  /// How many kept a correct sender's batch from some correct process.
  public private(set) var invalid = 0

  /// Nothing yet.
  public init() {}

  /// Counts one more.
  public mutating func add(_ outcome: AttackOutcome) {
    attacks += 1
    inconsistent += outcome.isInconsistent ? 1 : 0
    divided += outcome.isDivided ? 1 : 0
    invalid += outcome.isInvalid ? 1 : 0
  }

  /// Counts those of another.
  public mutating func add(_ other: AttackTally) {
    attacks += other.attacks
    inconsistent += other.inconsistent
    divided += other.divided
    invalid += other.invalid
  }
}

extension SecureScenario {
  /// Runs one attack, or one broadcast of a correct sender, message by message, with samples drawn for it alone.
  ///
  /// - Parameter number: which of many it is; each draws anew from the scenario's seed.
  public func attack(number: Int) -> AttackOutcome {
    var scenario = self
    scenario.messages = 1
    scenario.senders = 1
    scenario.seed = SplitMix64.mix(seed &+ UInt64(number) &* 0x9E37_79B9_7F4A_7C15)
    let report = scenario.run()
    var outcome = AttackOutcome()
    outcome.isInconsistent = report.inconsistentInstances > 0
    outcome.isDivided = report.totalityViolations > 0
    outcome.isInvalid = report.validityViolations > 0
    return outcome
  }

  /// What judges its attacks without messages; `nil` for Bracha's broadcast, which has no samples, and for
  /// gossip, whose attacks cost next to nothing.
  public var estimator: SampleEstimator? {
    switch broadcast {
    case .secure(let parameters):
      SampleEstimator(
        nodes: nodes, byzantine: liars, parameters: parameters, isSecure: true, adversary: adversary)
    case .consistent(let parameters):
      SampleEstimator(
        nodes: nodes, byzantine: liars, parameters: parameters, isSecure: false, adversary: adversary)
    case .gossip, .bracha: nil
    }
  }
}
