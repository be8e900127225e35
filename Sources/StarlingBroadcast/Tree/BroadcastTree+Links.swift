import StarlingCore

/// The tree itself: pushing, pruning, and what is announced beside it.
extension BroadcastTree {
  /// A new link begins eager: its first duplicate will tell whether the tree needs it. Its ends compare what
  /// they have.
  @inlinable
  mutating func linkUp(
    to peer: Peer, _ direction: LinkDirection, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard peer != gate.identity else { return }
    let (position, isNew) = storedLinks.insert(Link(), for: peer)
    if configuration.isLazy { storedLinks[position].isInTree = false }
    switch direction {
    case .outgoing: storedLinks[position].isOutgoing = true
    case .incoming: storedLinks[position].isIncoming = true
    }
    if isNew { sendSummary(to: peer, into: &effects) }
  }

  /// A link is gone when neither direction has an arc.
  @inlinable
  mutating func linkDown(to peer: Peer, _ direction: LinkDirection) {
    guard let position = storedLinks.position(of: peer) else { return }
    switch direction {
    case .outgoing: storedLinks[position].isOutgoing = false
    case .incoming: storedLinks[position].isIncoming = false
    }
    guard !storedLinks[position].isOutgoing, !storedLinks[position].isIncoming else { return }
    storedLinks.remove(peer)
    forgetOffers(of: peer, isGone: true)
  }

  @inlinable
  mutating func receivePush(
    _ message: Broadcast<Auth>, from sender: Peer, over position: Int?, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    if let position { storedLinks[position].owesSign = true }
    switch gate.admit(message, catchingUp: configuration.catchUp) {
    case .duplicate:
      receiveDuplicate(message.identifier, from: sender, over: position, at: now, into: &effects)
    case .unwelcome: return
    case .forged: refuseForgery(from: sender, into: &effects)
    case .new:
      settleMissing(message.identifier, from: sender, at: now)
      if let position {
        storedLinks[position].brought(message.identifier)
      } else {
        // No link of ours: the other end has one, and would take our silence for our end.
        effects.send(.alive, to: sender)
      }
      effects.indicate(.delivered(message, from: sender))
      spread(message.passedOn, except: sender, at: now, into: &effects)
    }
  }

  @usableFromInline
  mutating func refuseForgery(from sender: Peer, into effects: inout some Effects<Self> & ~Copyable) {
    count { $0.forged += 1 }
    effects.indicate(.misbehaved(sender, .badSignature))
  }

  /// Pushes to the eager links and announces to the others.
  @inlinable
  mutating func spread(
    _ message: Broadcast<Auth>, except sender: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    keep(message)
    quicken(at: now, into: &effects)
    let push = effects.prepare(.push(message))
    let announce = effects.prepare(.announce(message.identifier))
    for position in 0..<storedLinks.count {
      let peer = storedLinks.keys[position]
      if peer == sender { continue }
      if storedLinks[position].isInTree {
        storedLinks[position].isPushed = true
        effects.send(push, to: peer)
      } else {
        effects.send(announce, to: peer)
      }
    }
  }

  /// Keeps a message for neighbours that may have missed it.
  @inlinable
  mutating func keep(_ message: Broadcast<Auth>) {
    guard configuration.historyMessages > 0 else { return gate.seen.dropped(message.identifier) }
    gate.seen.keeps(message.identifier)
    if let evicted = history.keep(message, messageLimit: Int(configuration.historyMessages)) {
      noteEviction(of: evicted)
    }
    while let evicted = history.trim(byteLimit: Int(configuration.historyBytes)) {
      noteEviction(of: evicted)
    }
  }

  @usableFromInline
  mutating func noteEviction(of identifier: MessageIdentifier) {
    gate.seen.dropped(identifier)
    count { $0.historyEvictions += 1 }
  }

  /// A link that brings what is there already is not needed: pruned at this end, and the other is told.
  @inlinable
  mutating func receiveDuplicate(
    _ identifier: MessageIdentifier, from sender: Peer, over position: Int?, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    duplicates &+= 1
    if let position {
      // The network may double messages; that says nothing about the link.
      if storedLinks[position].broughtLately(identifier) {
        return noteReplay(of: identifier, by: sender, at: now, into: &effects)
      }
      if storedLinks[position].isInTree {
        storedLinks[position].duplicates += 1
        guard storedLinks[position].duplicates >= configuration.pruneThreshold else { return }
        storedLinks[position].duplicates = 0
        storedLinks[position].isInTree = false
      } else {
        noteReplay(of: identifier, by: sender, at: now, into: &effects)
      }
    } else {
      noteReplay(of: identifier, by: sender, at: now, into: &effects)
    }
    effects.send(.prune, to: sender)
  }
}
