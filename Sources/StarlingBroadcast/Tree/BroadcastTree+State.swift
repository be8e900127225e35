import StarlingCore

/// What others may know of a tree, and where its parts are changed.
extension BroadcastTree {
  /// The links to the neighbours, in the order in which they appeared.
  @inlinable
  public var links: PeerMap<Link> { _read { yield storedLinks } }

  /// What the peer has had: with ``nextSequence`` all that must outlive a restart, so that nothing is delivered
  /// twice.
  @inlinable
  public var seen: SeenMessages { gate.seen }

  /// The number of the peer's next own message.
  @inlinable
  public var nextSequence: UInt64 { gate.nextSequence }

  /// How many messages are kept for others, and waited for.
  @inlinable
  public var sizes: (history: Int, missing: Int) { (history.count, missing.count) }

  /// Looks at every message that is kept for others, the oldest first.
  @inlinable
  public func forEachKeptMessage(_ body: (Broadcast<Auth>) -> Void) {
    for message in history.ring[Int(history.start)...] { body(message) }
    for message in history.ring[..<Int(history.start)] { body(message) }
  }

  /// What happened so far.
  public var counters: BroadcastTreeCounters {
    var counters = repair.ifNeeded?.counters ?? BroadcastTreeCounters()
    counters.duplicates = UInt64(duplicates)
    counters.gapsGivenUp = UInt64(gate.seen.lostGaps)
    return counters
  }

  /// Throws if a payload is too large to be broadcast; a request for it would be refused and counted.
  ///
  /// - Parameter payload: what is to be broadcast.
  /// - Throws: ``OversizedPayload``.
  public static func check(_ payload: Auth.Payload) throws(OversizedPayload) {
    let (byteCount, limit) = (payload.byteCount, Auth.Payload.byteLimit)
    guard byteCount <= limit else { throw OversizedPayload(byteCount: byteCount, limit: limit) }
  }

  @inlinable
  mutating func changeRepair<Result>(_ body: (inout TreeRepair) -> Result) -> Result {
    repair.change(from: TreeRepair(arrivals: history.arrivals), body)
  }

  @inlinable
  mutating func count(_ body: (inout BroadcastTreeCounters) -> Void) { changeRepair { body(&$0.counters) } }

  /// Calls `body` with every peer that this one remembers, some of them more than once: the handles that a
  /// driver must not give to others.
  public func forEachPeer(_ body: (Peer) -> Void) {
    storedLinks.keys.members.forEach(body)
    gate.seen.origins.keys.members.forEach(body)
    for message in history.ring { body(message.identifier.origin) }
    for entry in missing {
      body(entry.identifier.origin)
      for announcer in entry.announcers { body(announcer.peer) }
      if let asked = entry.asked { body(asked) }
    }
    guard let repair = repair.ifNeeded else { return }
    for offer in repair.offers {
      body(offer.neighbour)
      body(offer.origin)
    }
    for identifier in repair.recovered { body(identifier.origin) }
    repair.denied.forEachPeer(body)
    repair.missed.forEachPeer(body)
    for position in 0..<repair.conduct.count {
      body(repair.conduct.keys[position])
      if let replayed = repair.conduct[position].replayed { body(replayed.origin) }
    }
  }
}
