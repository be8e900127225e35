import StarlingCore

extension BroadcastScenario {
  /// A scenario in which everything is drawn from a seed: sizes, delays, senders, and a mixture of faults that
  /// nobody wrote by hand. They act for a minute or more; then all is quiet for long enough to recover, and the run
  /// is held to every promise.
  ///
  /// - Parameters:
  ///   - seed: decides everything.
  ///   - nodes: how many peers; `nil` draws 50 ... 120.
  public static func chaos(seed: UInt64, nodes: Int? = nil) -> BroadcastScenario {
    var dice = Xoshiro256(seed: SplitMix64.mix(seed ^ 0x6368_616F_735F_3031))
    var scenario = BroadcastScenario()
    scenario.seed = seed
    // Drawn whether or not it is used, so that the rest is the same with either.
    // The smaller of two draws: small networks show as much for less.
    let drawn = min(dice.uniform(below: 71), dice.uniform(below: 71)) + 50
    scenario.nodes = nodes ?? drawn
    scenario.extraCopies = dice.uniform(below: 2) + 1
    scenario.senders = min(dice.uniform(below: 8) + 1, scenario.nodes)
    scenario.payload = 1 << dice.uniform(below: 15)
    scenario.delay = dice.delayModel()
    scenario.loss = dice.oneIn(2) ? 0 : dice.unit() * 0.03
    scenario.joinRate = [10, 100, 1_000][dice.uniform(below: 3)]
    scenario.isSampled = false
    scenario.isChecked = true
    let length = Interval.seconds(60 + dice.uniform(below: 121))
    scenario.messages = 20 + dice.uniform(below: 21)
    // The last few leave when the faults are over.
    scenario.interval = length / (scenario.messages * 7 / 8)
    for _ in 0..<(1 + dice.uniform(below: 4)) { scenario.addFault(within: length, &dice) }
    if dice.oneIn(3) {
      scenario.byzantine = 0.02 + dice.unit() * 0.08
      scenario.adversary = Conduct.allCases[dice.uniform(below: Conduct.allCases.count)]
      scenario.adversaryRate = 4 + dice.uniform(below: 13)
      scenario.adversaryEnd = length
    }
    // Drawn last, so that such a run is like others until it goes on.
    scenario.drain = dice.oneIn(16) ? quietPhase + leaseTime : quietPhase
    return scenario
  }

  /// How long nothing goes wrong before a run is held to what it promises in the end. SCAMP notices the dead after
  /// three rounds of up to a minute, keepers that are gone after six, and asks lost neighbours in each.
  static var quietPhase: Interval { .seconds(420) }

  /// How much longer some runs go on: until the leases of the first arcs, of 36 rounds, have just lapsed. Arcs that
  /// were not replaced before are missed then, and not for long.
  static var leaseTime: Interval { .seconds(22 * 60) }

  /// Draws one fault that begins and ends within a time after the first message.
  private mutating func addFault(within length: Interval, _ dice: inout Xoshiro256) {
    let start = Interval(nanoseconds: Int64(dice.unit() * 0.7 * Double(length.nanoseconds)))
    let rest = length - start
    let end = start + Interval(nanoseconds: Int64((0.1 + 0.9 * dice.unit()) * Double(rest.nanoseconds)))
    let kind: Fault.Kind
    let share: Double
    switch dice.uniform(below: 10) {
    case 0: (kind, share) = (.crash, 0.02 + 0.38 * dice.unit())
    case 1: (kind, share) = (.restart(keepsDisk: true), 0.02 + 0.38 * dice.unit())
    case 2: (kind, share) = (.restart(keepsDisk: false), 0.02 + 0.38 * dice.unit())
    case 3: (kind, share) = (.churn, 0.01 + 0.09 * dice.unit())
    case 4: (kind, share) = (.partition, 0.02 + 0.48 * dice.unit())
    case 5: (kind, share) = (.oneWay, 0.02 + 0.48 * dice.unit())
    case 6:
      (kind, share) = (.slow(.milliseconds(500 + dice.uniform(below: 2_501))), 0.02 + 0.18 * dice.unit())
    case 7: (kind, share) = (.duplicate, 0.01 + 0.19 * dice.unit())
    case 8:
      (kind, share) = (.bursts(meanLength: .seconds(1 + dice.uniform(below: 10))), 0.01 + 0.09 * dice.unit())
    default: (kind, share) = (.fastClocks(gain: 0.01 + 0.19 * dice.unit()), 0.02 + 0.18 * dice.unit())
    }
    // Two faults of a kind of which the network has only one would end each other.
    let isAlone = faults.allSatisfy { $0.kind.name != kind.name }
    guard isAlone else { return }
    let lasts: Bool
    switch kind {
    case .crash, .fastClocks: lasts = true
    default: lasts = false
    }
    faults.append(Fault(kind, share: share, from: start, to: lasts ? nil : end))
  }
}

extension Xoshiro256 {
  fileprivate mutating func delayModel() -> DelayModel {
    switch uniform(below: 4) {
    case 0: .constant(.milliseconds(1 + uniform(below: 200)))
    case 1: .uniform(from: .milliseconds(1), to: .milliseconds(50 + uniform(below: 250)))
    case 2:
      .gaussian(mean: .milliseconds(20 + uniform(below: 130)), deviation: .milliseconds(uniform(below: 40)))
    default: .lognormal(median: .milliseconds(20 + uniform(below: 80)), sigma: 0.1 + 0.7 * unit())
    }
  }
}
