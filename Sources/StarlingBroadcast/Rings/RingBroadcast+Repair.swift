import StarlingCore

/// What a broadcast over rings has of the broadcast tree: who had what, and how the rest is fetched.
extension BroadcastTree {
  /// Makes this peer's next message; `nil` if it is too large.
  mutating func originate(_ payload: Auth.Payload) -> Broadcast<Auth>? {
    guard payload.byteCount <= Auth.Payload.byteLimit else {
      count { $0.oversized += 1 }
      return nil
    }
    return gate.originate(payload)
  }

  /// Judges a message that came another way than over this tree's links.
  mutating func takeIn(
    _ message: Broadcast<Auth>, from sender: Peer, at now: Instant
  ) -> MessageGate<Auth>.Verdict {
    let verdict = gate.admit(message, catchingUp: configuration.catchUp)
    switch verdict {
    case .new: settleMissing(message.identifier, from: sender, at: now)
    case .duplicate: duplicates &+= 1
    case .forged: count { $0.forged += 1 }
    case .unwelcome: break
    }
    return verdict
  }

  /// Whether a message was had before.
  func hasSeen(_ identifier: MessageIdentifier) -> Bool { gate.hasSeen(identifier) }

  /// Keeps a message for others.
  mutating func store(
    _ message: Broadcast<Auth>, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    keep(message)
    quicken(at: now, into: &effects)
  }

  /// Takes a link to a stranger, in one direction.
  mutating func listen(to peer: Peer) {
    let (position, _) = storedLinks.insert(Link(), for: peer)
    storedLinks[position].isInTree = false
    storedLinks[position].isIncoming = true
  }

  /// Lets go of a stranger that has not become a neighbour.
  mutating func forget(_ peer: Peer) { linkDown(to: peer, .incoming) }

  /// Takes that a neighbour has a message.
  ///
  /// - Parameter isLate: whether it should have come by now, and is asked for at once.
  mutating func hear(
    of identifier: MessageIdentifier, from sender: Peer, isLate: Bool, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    receiveAnnounce(identifier, from: sender, at: now, into: &effects)
    guard isLate, let i = missing.firstIndex(where: { $0.identifier == identifier }), missing[i].asked == nil
    else { return }
    ask(for: i, at: now, into: &effects)
  }
}
