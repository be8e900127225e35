import StarlingCore

// A crash cannot be told from a partition. Neighbours that fell silent are remembered and asked now and then
// whether they are there: after a partition that is what makes one group of two.
extension Scamp {
  @inlinable
  mutating func rememberLost(_ peer: Peer, into effects: inout some Effects<Self> & ~Copyable) {
    guard outgoing.position(of: peer) == nil, incoming.position(of: peer) == nil,
      !lostNeighbours.contains(peer)
    else { return }
    if lostNeighbours.count < ScampConfiguration.lostNeighboursRemembered {
      lostNeighbours.appendTightly(peer)
    } else {
      // At random, so that a long partition with many crashes leaves some of either kind.
      lostNeighbours[effects.uniform(below: lostNeighbours.count)] = peer
    }
  }

  @inlinable
  mutating func probeLostNeighbour(into effects: inout some Effects<Self> & ~Copyable) {
    if let contact {
      let scale = Int(min(size.estimate, 1e9) / ScampConfiguration.peersPerContactProbe)
      if effects.oneIn(ScampConfiguration.contactProbeRounds + scale) {
        awaitsContact = true
        effects.send(.probe, to: contact)
      }
    }
    guard !lostNeighbours.isEmpty else { return }
    effects.send(.probe, to: lostNeighbours[effects.uniform(below: lostNeighbours.count)])
  }

  /// A neighbour that was lost is there, or the contact.
  @inlinable
  mutating func receivePresent(
    _ news: GroupSize.News, from peer: Peer, into effects: inout some Effects<Self> & ~Copyable
  ) {
    if let position = lostNeighbours.firstIndex(of: peer) {
      lostNeighbours.remove(at: position)
      reconnect(to: peer, into: &effects)
    } else if awaitsContact, peer == contact {
      awaitsContact = false
      if size.isForeign(news) { reconnect(to: peer, into: &effects) }
    }
  }

  /// Keeps a peer, and has itself made known around it.
  @inlinable
  mutating func reconnect(to peer: Peer, into effects: inout some Effects<Self> & ~Copyable) {
    guard door.admits(peer) else { return }
    keep(peer, into: &effects)
    guard let subscription else { return }
    effects.send(.subscription(subscription, hopsLeft: hopsOfCopy, size.news), to: peer)
  }

  /// A peer without neighbours subscribes again.
  @inlinable
  mutating func recoverFromIsolation(
    at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    if degree == 0, !isJoining { subscribe(at: now, into: &effects) }
  }
}
