import StarlingCore

/// Some peers elsewhere, through whom a ring that is cut off finds the others: each second the one that is known longest is given a
/// few of the others, and gives some in return (S. Voulgaris, D. Gavidia, M. van Steen, "CYCLON: Inexpensive Membership
/// Management for Unstructured P2P Overlays", 2005).
extension Rings {
  /// How many are exchanged at once.
  static let shuffled = 4

  /// Exchanges some with the one that is known longest. One that did not answer the last time is not known any more.
  mutating func shuffle(into effects: inout some Effects<Self> & ~Copyable) {
    if let silent = shuffledWith {
      shuffledWith = nil
      distant.removeAll { $0 == silent }
      tellsLinks = true
    }
    guard let next = distant.first else {
      // Those of its ring know others.
      guard let leaf = rings.first, leaf.count > 1 else { return }
      let peer = leaf.seats[effects.uniform(below: leaf.count)].peer
      if peer != identity { effects.send(.shuffle([identity]), to: peer) }
      return
    }
    distant.removeFirst()
    distant.append(next)
    shuffledWith = next
    effects.send(.shuffle([identity] + some(but: next, Rings.shuffled - 1, into: &effects)), to: next)
  }

  mutating func answerShuffle(
    _ peers: [Peer], from sender: Peer, into effects: inout some Effects<Self> & ~Copyable
  ) {
    var given = some(but: sender, Rings.shuffled, into: &effects)
    if given.count < Rings.shuffled, let leaf = rings.first {
      given.append(leaf.seats[effects.uniform(below: leaf.count)].peer)
    }
    effects.send(.shuffled(given), to: sender)
    take(peers)
  }

  private func some(
    but peer: Peer, _ count: Int, into effects: inout some Effects<Self> & ~Copyable
  ) -> [Peer] {
    var others = distant.filter { $0 != peer }
    for i in 0..<min(count, others.count) {
      others.swapAt(i, i + effects.uniform(below: others.count - i))
    }
    return Array(others.prefix(count))
  }

  /// Remembers some more, in the places of those that were exchanged.
  mutating func take(_ peers: [Peer]) { for peer in peers.prefix(2 * Rings.shuffled) { remember(peer) } }

  /// Remembers a peer, if it is elsewhere.
  mutating func remember(_ peer: Peer) {
    guard peer != identity, !distant.contains(peer), rings.first?.contains(peer) != true else { return }
    distant.append(peer)
    // The one that was last exchanged is with somebody else now.
    if distant.count > configuration.distant { distant.remove(at: distant.count - 2) }
    tellsLinks = true
  }
}
