import StarlingCore

extension Scamp {
  /// Calls `body` with every peer that this one remembers, some of them more than once: the handles that a
  /// driver must not give to others.
  public func forEachPeer(_ body: (Peer) -> Void) {
    outgoing.keys.members.forEach(body)
    incoming.keys.members.forEach(body)
    lostNeighbours.forEach(body)
    met.keys.members.forEach(body)
    donated.forEach(body)
    if let contact { body(contact) }
    if let subscription { body(subscription.contact) }
  }
}
