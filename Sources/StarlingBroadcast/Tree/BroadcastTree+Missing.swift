import StarlingCore

/// Messages that others have told of and that stay away: they are asked for until they come, or until nobody
/// is left to ask. What nobody can give stays wanted: it is asked for again when somebody else tells of it, or the
/// same peer after a while.
extension BroadcastTree {
  @inlinable
  mutating func receiveAnnounce(
    _ identifier: MessageIdentifier, from sender: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    if gate.hasSeen(identifier) || isDenied(identifier, by: sender, at: now) { return }
    // Whoever makes keys is as many strangers as it likes. What they know, the neighbours know or will.
    guard storedLinks.position(of: sender) != nil else { return count { $0.strangersIgnored += 1 } }
    if let i = missing.firstIndex(where: { $0.identifier == identifier }) {
      return noteAnnouncer(sender, ofEntry: i)
    }
    guard hasShare(sender) else { return noteRefusal(of: sender, at: now, into: &effects) }
    guard makeRoom(for: sender) else { return noteWantOfRoom(at: now, into: &effects) }
    let deadline = now + lag.timeout
    missing.append(
      MissingMessage(
        identifier, announcer: sender, at: now, deadline: deadline, isRecovery: false))
    effects.schedule(.missing(identifier), at: deadline)
  }

  // MARK: Shares of the table

  /// Messages that were announced and have not come, and that count against one neighbour.
  @inlinable
  func share(of neighbour: Peer) -> Int { missing.count { !$0.isRecovery && $0.account == neighbour } }

  /// What one neighbour may fill of the table: an eighth.
  @inlinable
  var mostOfTable: Int { Int(configuration.missingLimit) / 8 }

  @inlinable
  func hasShare(_ neighbour: Peer) -> Bool {
    missing.count < mostOfTable || share(of: neighbour) < mostOfTable
  }

  /// Remembers one more who told of a missing message. The message counts against whoever has told of the least:
  /// what a liar announced first does not fall with what else the liar announced.
  @inlinable
  mutating func noteAnnouncer(_ announcer: Peer, ofEntry i: Int) {
    missing[i].add(announcer)
    guard missing.count >= mostOfTable, !missing[i].isRecovery else { return }
    if share(of: announcer) + 1 < share(of: missing[i].account) { missing[i].account = announcer }
  }

  /// Sees to it that there is room for one more announcement: in a full table the neighbour with the most gives up its
  /// latest, if it has more than the announcer would have. However many liars fill the table, everybody has its fair
  /// part of it.
  @usableFromInline
  mutating func makeRoom(for neighbour: Peer) -> Bool {
    guard missing.count >= Int(configuration.missingLimit) else { return true }
    var shares = Shares()
    for entry in missing where !entry.isRecovery { shares.add(entry.account) }
    guard let greatest = shares.greatest, greatest.share > shares.share(of: neighbour) + 1,
      let i = missing.lastIndex(where: { !$0.isRecovery && $0.account == greatest.peer })
    else { return false }
    removeMissing(at: i)
    count { $0.missingTableFull += 1 }
    return true
  }

  /// The time for a missing message to come has passed.
  @usableFromInline
  mutating func pursue(
    _ identifier: MessageIdentifier, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard let i = missing.firstIndex(where: { $0.identifier == identifier }) else { return }
    guard now >= missing[i].deadline else { return }
    if let silent = missing[i].asked { watch(silent) { $0.unanswered += 1 } }
    ask(for: i, at: now, into: &effects)
    recover(at: now, into: &effects)
  }

  /// Looks after the missing messages whose timer was not taken: a driver whose timers are all in use refuses them.
  @usableFromInline
  mutating func pursueOverdue(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    for identifier in missing.filter({ $0.deadline < now }).map(\.identifier) {
      pursue(identifier, at: now, into: &effects)
    }
  }

  /// Asks the next peer that told of a missing message for it: by a graft, or by a fetch if it was a digest that
  /// told of it.
  @usableFromInline
  mutating func ask(for i: Int, at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    let entry = missing[i]
    guard !entry.announcers.isEmpty else { return giveUp(at: i, at: now, into: &effects) }
    let limit =
      entry.isRecovery ? BroadcastTreeConfiguration.fetchAttempts : BroadcastTreeConfiguration.graftAttempts
    // Those who say nothing do not use up the attempts of those who were never asked.
    guard entry.attempts < limit || entry.announcers.contains(where: { $0.requests == 0 }) else {
      return abandon(at: i)
    }
    let conduct = repair.isNeeded ? repair.storage[0].conduct : PeerMap()
    let (announcer, before) = missing[i].nextToAsk(at: now) { conduct[$0]?.unanswered ?? 0 }
    // Whoever is asked again is waited for twice as long as the last time, so that one who is slow is heard.
    missing[i].deadline = now + reply.timeout * (1 << min(3, before))
    effects.schedule(.missing(entry.identifier), at: missing[i].deadline)
    if entry.isRecovery || configuration.isLazy {
      count { $0.fetchesSent += 1 }
      effects.send(.fetch(entry.identifier), to: announcer)
    } else {
      if let position = storedLinks.position(of: announcer) { storedLinks[position].isInTree = true }
      count { $0.graftsSent += 1 }
      effects.send(.graft(entry.identifier), to: announcer)
    }
  }

  /// The message that a neighbour asked for, or the honest answer that it is no longer here.
  @inlinable
  mutating func keptMessage(
    _ identifier: MessageIdentifier, for asker: Peer, into effects: inout some Effects<Self> & ~Copyable
  ) -> Broadcast<Auth>? {
    let message = history.message(identifier)
    count { if message == nil { $0.goneSent += 1 } else { $0.answered += 1 } }
    if message == nil { effects.send(.gone(identifier), to: asker) }
    return message
  }

  /// Whoever told of a message does not have it any more: the next is asked at once.
  @usableFromInline
  mutating func receiveGone(
    _ identifier: MessageIdentifier, from sender: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    count { $0.goneReceived += 1 }
    guard let i = missing.firstIndex(where: { $0.identifier == identifier }),
      let position = missing[i].announcers.firstIndex(where: { $0.peer == sender })
    else { return }
    if !missing[i].isHole {
      noteDenial(by: sender)
      changeRepair { $0.denied.note(identifier, by: sender, at: now) }
    }
    missing[i].announcers.remove(at: position)
    if missing[i].announcers.isEmpty, missing[i].isHole {
      removeMissing(at: i)
    } else if missing[i].announcers.isEmpty {
      giveUp(at: i, at: now, into: &effects)
    } else if missing[i].asked == sender {
      ask(for: i, at: now, into: &effects)
    }
    recover(at: now, into: &effects)
  }

  /// Whether a peer said that it no longer has a message, so lately that it is not asked again.
  @inlinable
  func isDenied(_ identifier: MessageIdentifier, by peer: Peer, at now: Instant) -> Bool {
    guard repair.isNeeded, !repair.storage[0].denied.denials.isEmpty else { return false }
    return repair.storage[0].denied.contains(identifier, by: peer, at: now)
  }

  /// Everybody who told of a message has said that it is gone. Nobody waits for it any more, but nothing is
  /// refused on liars' word: whoever brings it brings it. The layer above is told when others have had the time to
  /// tell of it too, and only if a later message of its origin proves that there was such a number.
  @usableFromInline
  mutating func giveUp(at i: Int, at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    let identifier = missing[i].identifier
    guard gate.seen.isPast(identifier) else { return abandon(at: i) }
    let heardAt = missing[i].announcedAt
    removeMissing(at: i)
    changeRepair { $0.denied.giveUp(identifier, heardAt: heardAt) }
    // No timer for each: whoever announces and denies without end would have no room left for those that matter.
    quicken(at: now, into: &effects)
  }

  /// Tells the layer above of what was given up some time ago and has not come since.
  @usableFromInline
  mutating func tellMissed(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    for identifier in changeRepair({ $0.denied.takeGivenUp(at: now) }) {
      tellMissed(identifier, at: now, into: &effects)
    }
  }

  /// Tells the layer above, once, of a message that was given up and has not come since.
  @usableFromInline
  mutating func tellMissed(
    _ identifier: MessageIdentifier, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard !gate.hasSeen(identifier) else { return }
    let isFirst = changeRepair { $0.missed.insert(identifier) }
    guard isFirst else { return }
    count { $0.missed += 1 }
    effects.indicate(.missed(identifier))
  }

  @usableFromInline
  mutating func abandon(at i: Int) {
    let identifier = missing[i].identifier
    removeMissing(at: i)
    changeRepair {
      $0.denied.keepHoping(for: identifier)
      $0.counters.abandoned += 1
    }
  }

  @inlinable
  mutating func removeMissing(at i: Int) {
    missing.swapAt(i, missing.count - 1)
    missing.removeLast()
  }

  /// A message came. If it was missed, learns from how long that took.
  @inlinable
  mutating func settleMissing(_ identifier: MessageIdentifier, from sender: Peer, at now: Instant) {
    guard let i = missing.firstIndex(where: { $0.identifier == identifier }) else { return }
    let entry = missing[i]
    removeMissing(at: i)
    let announcer = entry.announcers.first { $0.peer == sender }
    switch announcer?.requests ?? 0 {
    case 0: if !entry.isRecovery { lag.measure(now - entry.announcedAt) }
    case 1: if let announcer { reply.measure(now - announcer.askedAt) }
    // Karn's rule: nobody knows which of several requests was answered.
    default: break
    }
  }
}
