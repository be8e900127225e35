import StarlingCore
import StarlingOverlay

/// A membership that a scenario can run.
protocol SimulatedOverlay: Membership where Message: SizedMessage {
  /// How often it was asked to pass on more than it does.
  var refusedRelays: Int { get }

  /// A peer's, as the scenario has it.
  static func make(for peer: Peer, in scenario: BroadcastScenario) -> Self
}

extension Scamp: SimulatedOverlay where Door == IdealAdmission {
  static func make(for peer: Peer, in scenario: BroadcastScenario) -> Self {
    var configuration = ScampConfiguration(extraCopies: scenario.extraCopies)
    configuration.minimumView = min(configuration.minimumView, UInt16(clamping: scenario.nodes - 1))
    return Scamp(identity: peer, door: IdealAdmission(owner: peer), configuration: configuration)
  }
}

extension Rings: SimulatedOverlay {
  /// Rings relay for nobody without a bound.
  var refusedRelays: Int { 0 }

  static func make(for peer: Peer, in scenario: BroadcastScenario) -> Self {
    var random = Xoshiro256(seed: SplitMix64.mix(scenario.seed ^ UInt64(peer.index) << 20))
    let tag = random.next()
    func coordinate() -> Float { Float(random.uniform(below: 1 << 20)) / Float(1 << 19) - 1 }
    let place = RingPosition(coordinate(), coordinate(), coordinate())
    return Rings(identity: peer, tag: tag, place: place, configuration: scenario.rings)
  }
}
