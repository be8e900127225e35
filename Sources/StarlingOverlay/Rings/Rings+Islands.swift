import StarlingCore

/// How parts of a network that have grown apart, each with a top ring of its own, become one again: now and then the first contact
/// of a top ring has a distant peer ask upwards whether there is another. The smaller then gets a place under the greater.
extension Rings {
  /// How many heartbeats lie between two questions (a guess).
  static let probeInterval: UInt32 = 4
  /// What stands for a parent that is yet to be found. No ring has this name: all are odd and greater.
  static let unknownParent: UInt64 = 1

  /// Asks whether the own top ring is the only one.
  mutating func probe(into effects: inout some Effects<Self> & ~Copyable) {
    guard beats % Rings.probeInterval == 0, seeking[0] == nil, let top = rings.last,
      top.parent.identifier == 0, isFirstContact(of: rings.count - 1),
      let peer = distant.randomElement(from: &effects)
    else { return }
    let probe = Message.probe(
      top: top.identifier, level: top.level, count: UInt16(clamping: top.count), by: identity, hops: 0)
    effects.send(probe, to: peer)
  }

  mutating func answerProbe(
    of other: UInt64, _ level: UInt8, _ count: UInt16, by prober: Peer, hops: UInt8,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard hops < Rings.hopLimit, seeking[0] == nil, let top = rings.last else { return }
    guard top.parent.identifier == 0 else {
      guard let next = nextUpwards(into: &effects) else { return }
      let probe = Message.probe(top: other, level: level, count: count, by: prober, hops: hops + 1)
      return effects.send(probe, to: next)
    }
    let isGreater =
      (top.level, UInt16(clamping: top.count), top.identifier) > (level, count, other)
    if top.identifier == other { return }
    if isGreater {
      effects.send(.island(top: other), to: prober)
    } else {
      attach(top.identifier, through: prober)
    }
  }

  /// The own top ring gets a parent, which its contacts look for through somebody who is in another part.
  mutating func attach(_ top: UInt64, through peer: Peer) {
    guard let last = rings.last, last.identifier == top, last.parent.identifier == 0 else { return }
    let level = rings.count - 1
    guides[level] = [peer]
    rings[level].parent = (Rings.unknownParent, last.parent.stamp + 1)
    noteChange(of: level)
  }
}

extension Array {
  /// One of them, drawn uniformly.
  func randomElement(from random: inout some RandomSource & ~Copyable) -> Element? {
    isEmpty ? nil : self[random.uniform(below: count)]
  }
}
