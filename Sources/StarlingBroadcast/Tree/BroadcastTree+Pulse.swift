import StarlingCore

/// When the next pulse comes.
@frozen
@usableFromInline
struct Pulse: Sendable {
  /// The number of the timer that counts.
  @usableFromInline var number: UInt16 = 0
  /// How often the time between pulses has doubled.
  @usableFromInline var doublings: UInt8 = 0
  @usableFromInline var isSet = false
  /// Whether there was anything new since the last pulse.
  @usableFromInline var hadNews = false
  /// Whether the next pulse sends a summary even if much is new.
  @usableFromInline var comparesNext = false

  @inlinable
  init() {}
}

/// What is done now and then: a sign of life to whoever pushes, a look at who has fallen silent, and a comparison
/// with a random neighbour. Often while messages flow, and ever more rarely while none do.
extension BroadcastTree {
  /// Something happened for which the next pulse must not be far.
  @inlinable
  mutating func quicken(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    pulse.hadNews = true
    if pulse.isSet, pulse.doublings == 0 { return }
    pulse.doublings = 0
    setPulse(at: now, into: &effects)
  }

  @inlinable
  mutating func setPulse(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    pulse.isSet = true
    pulse.number &+= 1
    let wait = BroadcastTreeConfiguration.pulse * (1 << Int(pulse.doublings))
    effects.schedule(.pulse(pulse.number), at: now + wait)
  }

  // Inlinable: not specialised, the pulses of idle peers took a fifth of a simulation's instructions.
  @inlinable
  mutating func beat(
    _ number: UInt16, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard pulse.isSet, number == pulse.number else { return }
    for position in 0..<storedLinks.count {
      if storedLinks[position].owesSign {
        storedLinks[position].owesSign = false
        effects.send(.alive, to: storedLinks.keys[position])
      }
      if storedLinks[position].countSilence() >= BroadcastTreeConfiguration.silentPulses {
        storedLinks[position].heard()
        storedLinks[position].isInTree = false
        count { $0.silentLinks += 1 }
      }
    }
    if pulse.comparesNext || pulse.doublings > 0, storedLinks.count > 0 {
      sendSummary(to: storedLinks.keys[effects.uniform(below: storedLinks.count)], into: &effects)
    }
    pulse.comparesNext.toggle()
    let longest = BroadcastTreeConfiguration.pulseDoublings
    pulse.doublings = pulse.hadNews ? 0 : min(pulse.doublings + 1, longest)
    pulse.hadNews = false
    pursueOverdue(at: now, into: &effects)
    fetchHoles(at: now, into: &effects)
    let arrivals = history.arrivals
    if repair.isNeeded {
      tellMissed(at: now, into: &effects)
      changeRepair {
        $0.conduct = PeerMap()
        $0.arrivalsAtPulse = arrivals
      }
    }
    setPulse(at: now, into: &effects)
  }
}
