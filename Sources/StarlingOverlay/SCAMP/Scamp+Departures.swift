import StarlingCore

extension Scamp {
  /// Unsubscription (the paper's section 3.3): all but c + 1 of the keepers are handed a member of this peer's
  /// partial view in its place, so that the group keeps its (c + 1)·ln N arcs a peer as it shrinks.
  @inlinable
  mutating func leave(into effects: inout some Effects<Self> & ~Copyable) {
    let replaced = max(0, incoming.count - Int(configuration.extraCopies) - 1)
    for i in 0..<incoming.count {
      let successor = i < replaced && outgoing.count > 0 ? outgoing.keys[i % outgoing.count] : nil
      effects.send(.release(successor: successor), to: incoming.keys[i])
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
