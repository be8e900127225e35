import StarlingCore

extension BroadcastTree {
  /// A new link begins eager: its first duplicate will tell whether the tree needs it.
  @inlinable
  mutating func linkUp(to peer: Peer, _ direction: LinkDirection) {
    guard peer != gate.identity else { return }
    let position = storedLinks.insert(Link(), for: peer).position
    switch direction {
    case .outgoing: storedLinks[position].isOutgoing = true
    case .incoming: storedLinks[position].isIncoming = true
    }
  }

  /// A link is gone when neither direction has an arc.
  @inlinable
  mutating func linkDown(to peer: Peer, _ direction: LinkDirection) {
    guard let position = storedLinks.position(of: peer) else { return }
    switch direction {
    case .outgoing: storedLinks[position].isOutgoing = false
    case .incoming: storedLinks[position].isIncoming = false
    }
    if !storedLinks[position].isOutgoing && !storedLinks[position].isIncoming { storedLinks.remove(peer) }
  }

  @inlinable
  mutating func receivePush(
    _ message: Broadcast<Auth>, from sender: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch gate.admit(message) {
    case .duplicate: receiveDuplicate(from: sender, into: &effects)
    case .forged: effects.indicate(.misbehaved(sender, .badSignature))
    case .new:
      settleMissing(message.identifier, at: now)
      if let position = storedLinks.position(of: sender) {
        storedLinks[position].duplicates = 0
        storedLinks[position].isInTree = true
      }
      effects.indicate(.delivered(message, from: sender))
      spread(message.passedOn, except: sender, into: &effects)
    }
  }

  /// Pushes to the eager links and announces to the others.
  @inlinable
  mutating func spread(
    _ message: Broadcast<Auth>, except sender: Peer, into effects: inout some Effects<Self> & ~Copyable
  ) {
    history.keep(
      message, messageLimit: Int(configuration.historyMessages), byteLimit: Int(configuration.historyBytes))
    let push = effects.prepare(.push(message))
    let announce = effects.prepare(.announce(message.identifier))
    for position in 0..<storedLinks.count {
      let peer = storedLinks.keys[position]
      if peer == sender { continue }
      effects.send(storedLinks[position].isInTree ? push : announce, to: peer)
    }
  }

  @inlinable
  mutating func receiveDuplicate(
    from sender: Peer, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard let position = storedLinks.position(of: sender) else {
      // No link of ours: the other end has one that we never heard of, or have forgotten.
      return effects.send(.prune, to: sender)
    }
    storedLinks[position].duplicates += 1
    guard storedLinks[position].duplicates >= configuration.pruneThreshold else { return }
    storedLinks[position].duplicates = 0
    storedLinks[position].isInTree = false
    effects.send(.prune, to: sender)
  }

  @inlinable
  mutating func receiveAnnounce(
    _ identifier: MessageIdentifier, from sender: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    if gate.hasSeen(identifier) { return }
    if let i = missing.firstIndex(where: { $0.identifier == identifier }) {
      if missing[i].announcers.count < BroadcastTreeConfiguration.announcersPerMessage,
        !missing[i].announcers.contains(sender)
      {
        missing[i].announcers.append(sender)
      }
      return
    }
    guard missing.count < Int(configuration.missingLimit), hasShare(sender) else { return }
    missing.append(Missing(identifier, announcer: sender, at: now))
    effects.schedule(identifier, at: now + lag.timeout)
  }

  /// Whether a neighbour may announce one more message that nobody else has: an eighth of the table is the most
  /// that one may fill with messages that do not exist.
  @inlinable
  func hasShare(_ announcer: Peer) -> Bool {
    let share = Int(configuration.missingLimit) / 8
    guard missing.count >= share else { return true }
    return missing.count { $0.announcers.first == announcer } < share
  }

  @inlinable
  mutating func receiveGraft(
    _ identifier: MessageIdentifier, from sender: Peer, into effects: inout some Effects<Self> & ~Copyable
  ) {
    if let position = storedLinks.position(of: sender) { storedLinks[position].isInTree = true }
    guard let message = history.message(identifier) else { return }
    effects.send(.push(message), to: sender)
  }

  /// A message came. If it was missed, learns from how long that took.
  @inlinable
  mutating func settleMissing(_ identifier: MessageIdentifier, at now: Instant) {
    guard let i = missing.firstIndex(where: { $0.identifier == identifier }) else { return }
    let entry = missing[i]
    missing.swapAt(i, missing.count - 1)
    missing.removeLast()
    if entry.attempts == 0 {
      lag.measure(now - entry.announcedAt)
    } else if entry.attempts == 1 {
      // Karn's rule: after a second graft nobody knows which one was answered.
      reply.measure(now - entry.graftedAt)
    }
  }
}
