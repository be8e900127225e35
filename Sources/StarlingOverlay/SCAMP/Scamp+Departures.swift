import StarlingCore

extension Scamp {
  /// Unsubscription: every keeper is handed a member of this peer's partial view in its place. The paper's
  /// section 3.3 leaves out c + 1 of the keepers, so that the group has fewer arcs as it shrinks; here the in-views
  /// see to that, and a keeper that knew nobody else would be left alone.
  @inlinable
  mutating func leave(into effects: inout some Effects<Self> & ~Copyable) {
    for i in 0..<incoming.count {
      let keeper = incoming.keys[i]
      let nextTwo = (0..<min(2, outgoing.count)).map { outgoing.keys[(i + $0) % outgoing.count] }
      effects.send(.release(successor: nextTwo.first { $0 != keeper }), to: keeper)
    }
    for i in 0..<outgoing.count { effects.send(.dropped, to: outgoing.keys[i]) }
    hasLeft = true
  }

  /// A member wants to be dropped, and may name another to keep in its place.
  @inlinable
  mutating func release(
    _ member: Peer, successor: Peer?, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard outgoing.remove(member) != nil else { return }
    effects.indicate(.lost(member, .partialView))
    if let successor, door.admits(successor) { keep(successor, into: &effects) }
  }

  /// Takes a peer out of both views.
  @inlinable
  mutating func forget(_ peer: Peer, into effects: inout some Effects<Self> & ~Copyable) {
    if outgoing.remove(peer) != nil { effects.indicate(.lost(peer, .partialView)) }
    if incoming.remove(peer) != nil { effects.indicate(.lost(peer, .inView)) }
  }

  /// Breaks with a peer, and tells it.
  @inlinable
  mutating func shun(_ peer: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    if outgoing.position(of: peer) != nil { effects.send(.dropped, to: peer) }
    if incoming.position(of: peer) != nil { effects.send(.release(successor: nil), to: peer) }
    forget(peer, into: &effects)
    lostNeighbours.removeAll { $0 == peer }
    donated.removeAll { $0 == peer }
    if contact == peer { contact = nil }
    recoverFromIsolation(at: now, into: &effects)
  }
}
