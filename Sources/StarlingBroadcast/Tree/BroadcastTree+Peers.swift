import StarlingCore

extension BroadcastTree {
  /// Calls `body` with every peer that this one remembers, some of them more than once: the handles that a
  /// driver must not give to others.
  public func forEachPeer(_ body: (Peer) -> Void) {
    storedLinks.keys.members.forEach(body)
    gate.seen.windows.keys.members.forEach(body)
    for message in history.ring { body(message.identifier.origin) }
    for entry in missing {
      body(entry.identifier.origin)
      entry.announcers.forEach(body)
    }
  }
}
