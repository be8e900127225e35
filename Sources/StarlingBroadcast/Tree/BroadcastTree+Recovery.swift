import StarlingCore

/// Recovery of what announcements do not bring back: two neighbours tell each other what they have, and each
/// fetches what it lacks, a few messages at a time.
extension BroadcastTree {
  /// Tells a neighbour in short what this peer has; one that has just the same says nothing.
  @inlinable
  mutating func sendSummary(to peer: Peer, into effects: inout some Effects<Self> & ~Copyable) {
    guard history.count > 0 else { return }
    effects.send(.summary(history.summary), to: peer)
  }

  @inlinable
  mutating func receiveSummary(
    _ summary: Summary, from sender: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard noteDigest(of: sender, isQuestion: true, at: now, into: &effects), summary != history.summary else {
      return
    }
    sendDigests(to: sender, wantingAnswer: summary.count > 0, into: &effects)
  }

  @inlinable
  mutating func receiveDigest(
    _ digest: Digest, from sender: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard noteDigest(of: sender, isQuestion: digest.wantsAnswer, at: now, into: &effects) else { return }
    guard digest.isOrdered else { return effects.indicate(.misbehaved(sender, .unsolicited)) }
    if storedLinks.position(of: sender) == nil {
      // As with announcements: strangers are as many as somebody likes. They are answered, and not believed.
      count { $0.strangersIgnored += 1 }
    } else if digest.origin != gate.identity, !deniesTooMuch(sender) {
      for i in 0..<digest.count { consider(digest.storage[i], of: digest.origin, heldBy: sender, at: now) }
    }
    if digest.wantsAnswer { sendDigests(to: sender, wantingAnswer: false, into: &effects) }
    recover(at: now, into: &effects)
  }

  /// Notes what a neighbour has and this peer lacks.
  @usableFromInline
  mutating func consider(
    _ range: SequenceRange, of origin: Peer, heldBy neighbour: Peer, at now: Instant
  ) {
    guard let lower = firstMissing(of: origin, in: range) else { return }
    let lacking = SequenceRange(lower, range.upper)
    for i in missing.indices
    where missing[i].identifier.origin == origin && lacking.contains(missing[i].identifier.sequence) {
      if !isDenied(missing[i].identifier, by: neighbour, at: now) { missing[i].add(neighbour) }
    }
    let readyAt = now + (configuration.isLazy ? BroadcastTreeConfiguration.spread : lag.timeout)
    for offer in repair.ifNeeded?.offers ?? []
    where offer.neighbour == neighbour && offer.origin == origin && offer.range.lower <= lower
      && offer.range.upper >= range.upper
    {
      return
    }
    let hasRoom = makeRoomForOffer(of: neighbour)
    changeRepair { repair in
      guard hasRoom else { return repair.counters.offersRefused += 1 }
      repair.offers.append(.init(neighbour: neighbour, origin: origin, range: lacking, readyAt: readyAt))
    }
  }

  /// Sees to it that there is room for one more offer, by the rule of ``makeRoom(for:)``.
  private mutating func makeRoomForOffer(of neighbour: Peer) -> Bool {
    let offers = repair.ifNeeded?.offers ?? []
    var shares = Shares()
    for offer in offers { shares.add(offer.neighbour) }
    let own = shares.share(of: neighbour)
    let limits = BroadcastTreeConfiguration.offers
    guard own < limits.perNeighbour else { return false }
    guard offers.count >= limits.total else { return true }
    guard let greatest = shares.greatest, greatest.share > own + 1,
      let last = offers.lastIndex(where: { $0.neighbour == greatest.peer })
    else { return false }
    changeRepair { repair in
      repair.offers.remove(at: last)
      repair.counters.offersRefused += 1
    }
    return true
  }

  /// The lowest number of a range that this peer lacks and wants.
  private func firstMissing(of origin: Peer, in range: SequenceRange) -> UInt64? {
    guard let position = gate.seen.origins.position(of: origin) else {
      return configuration.catchUp ? range.lower : nil
    }
    return gate.seen.origins[position].firstMissing(in: range)
  }

  /// Fetches as many of the messages that are lacking as may be asked for at once, of the neighbours in turn.
  @inlinable
  mutating func recover(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    guard repair.isNeeded, repair.storage[0].offers.count > 0 else { return }
    var asked = Shares()
    var (inTime, all) = (0, 0)
    for entry in missing where entry.isRecovery {
      if let neighbour = entry.asked { asked.add(neighbour) }
      all += 1
      // Who was asked and did not answer in time uses up its own share, and holds nobody else up.
      if entry.attempts <= 1 { inTime += 1 }
    }
    var room = min(
      BroadcastTreeConfiguration.fetchesAtOnce.total - inTime, Int(configuration.fetchLimit) - all)
    while room > 0, let neighbour = fetchNext(at: now, asked: asked, into: &effects) {
      asked.add(neighbour)
      room -= 1
    }
    guard !repair.storage[0].isRecoveryDue,
      let next = repair.storage[0].offers.map(\.readyAt).filter({ $0 > now }).min()
    else { return }
    changeRepair { $0.isRecoveryDue = true }
    effects.schedule(.recovery, at: next)
  }

  /// Fetches a message of the first neighbour that may be asked; its other offers then come after everybody else's.
  ///
  /// - Parameter asked: how many messages are being fetched of whom.
  /// - Returns: who was asked; `nil` if there is nothing to ask, or nobody.
  @usableFromInline
  mutating func fetchNext(
    at now: Instant, asked: Shares, into effects: inout some Effects<Self> & ~Copyable
  ) -> Peer? {
    let limit = BroadcastTreeConfiguration.fetchesAtOnce.perNeighbour
    var i = 0
    while i < repair.storage[0].offers.count {
      let offer = repair.storage[0].offers[i]
      guard offer.readyAt <= now, asked.share(of: offer.neighbour) < limit else {
        i += 1
        continue
      }
      guard let number = nextUnasked(of: offer, at: now) else {
        repair.storage[0].offers.remove(at: i)
        continue
      }
      if number < offer.range.upper {
        repair.storage[0].offers[i].range.lower = number + 1
      } else {
        repair.storage[0].offers.remove(at: i)
      }
      repair.storage[0].endTurn(of: offer.neighbour)
      let identifier = MessageIdentifier(origin: offer.origin, sequence: number)
      missing.append(
        MissingMessage(
          identifier, announcer: offer.neighbour, at: now, deadline: now,
          isRecovery: true))
      addOtherHolders(of: identifier, toEntry: missing.count - 1, at: now)
      ask(for: missing.count - 1, at: now, into: &effects)
      return offer.neighbour
    }
    return nil
  }

  /// Fetches what has been missing between other messages of its origin since the last pulse, of some neighbours in turn:
  /// those who told of it may have done so in vain, and among thousands of origins a digest of just this one may be long
  /// in coming. The origin with the most messages comes first and then the others in turn, so that keys made for a few
  /// messages hold nobody up for long; and one whose holes nobody can fill comes ever more rarely.
  @usableFromInline
  mutating func fetchHoles(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    var due = originsWithHolesDue()
    guard !due.isEmpty else { return }
    if let first = due.indices.max(by: { due[$0].record < due[$1].record }) { due.swapAt(0, first) }
    let limits = BroadcastTreeConfiguration.holes
    let neighbours = storedLinks.keys.members
    var room = min(limits.atOnce, Int(configuration.fetchLimit) - missing.count { $0.isRecovery })
    for (position, _) in due where room > 0 && !neighbours.isEmpty {
      let origin = gate.seen.origins.keys[position]
      var holes = gate.seen.origins[position].holes.filter { hole in
        !missing.contains { $0.identifier == MessageIdentifier(origin: origin, sequence: hole) }
      }
      gate.seen.origins[position].askedForHoles()
      for _ in 0..<min(holes.count, limits.perOrigin, room) {
        // At random: some may be gone for good.
        let hole = holes.remove(at: effects.uniform(below: holes.count))
        fetchHole(MessageIdentifier(origin: origin, sequence: hole), of: neighbours, at: now, into: &effects)
        room -= 1
      }
      changeRepair { $0.holeHand = position + 1 }
    }
  }

  /// The origins whose holes are to be asked for, beginning with the one whose turn it is, and how many messages of each
  /// were seen.
  private mutating func originsWithHolesDue() -> [(position: Int, record: Int)] {
    var due: [(position: Int, record: Int)] = []
    let count = gate.seen.origins.count
    let start = repair.isNeeded ? repair.storage[0].holeHand : 0
    for i in 0..<count {
      let position = (start + i) % count
      if gate.seen.origins[position].areHolesDue() {
        due.append((position, gate.seen.origins[position].record))
      }
    }
    return due
  }

  private mutating func fetchHole(
    _ identifier: MessageIdentifier, of neighbours: [Peer], at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    let first = effects.uniform(below: neighbours.count)
    var entry = MissingMessage(
      identifier, announcer: neighbours[first], at: now, deadline: now, isRecovery: true)
    entry.isHole = true
    let others = (neighbours[first...] + neighbours[..<first]).prefix(
      BroadcastTreeConfiguration.holes.neighbours)
    for other in others { entry.add(other) }
    missing.append(entry)
    ask(for: missing.count - 1, at: now, into: &effects)
  }

  /// What was fetched may have been a hole.
  private mutating func noteFilled(_ identifier: MessageIdentifier) {
    guard let position = gate.seen.origins.position(of: identifier.origin),
      gate.seen.origins[position].holeWait > 0
    else { return }
    gate.seen.origins[position].filledHole()
  }

  private func nextUnasked(of offer: TreeRepair.Offer, at now: Instant) -> UInt64? {
    var rest = offer.range
    while let number = firstMissing(of: offer.origin, in: rest) {
      let identifier = MessageIdentifier(origin: offer.origin, sequence: number)
      if !missing.contains(where: { $0.identifier == identifier }),
        !isDenied(identifier, by: offer.neighbour, at: now)
      {
        return number
      }
      guard number < rest.upper else { return nil }
      rest.lower = number + 1
    }
    return nil
  }

  private mutating func addOtherHolders(
    of identifier: MessageIdentifier, toEntry i: Int, at now: Instant
  ) {
    for offer in repair.storage[0].offers
    where offer.origin == identifier.origin && offer.range.contains(identifier.sequence)
      && !isDenied(identifier, by: offer.neighbour, at: now)
    {
      missing[i].add(offer.neighbour)
    }
  }

  /// Forgets what a neighbour offered, and what it denied if it is no neighbour any more.
  @usableFromInline
  mutating func forgetOffers(of neighbour: Peer, isGone: Bool = false) {
    guard repair.isNeeded else { return }
    changeRepair { repair in
      repair.offers.removeAll { $0.neighbour == neighbour }
      if isGone { repair.denied.forget(neighbour) }
    }
  }

  /// A message that was fetched. It leaves the tree as it is, and the neighbours are not pushed it but told of
  /// it: most of them have it, or are about to fetch it too.
  @usableFromInline
  mutating func receiveSupply(
    _ message: Broadcast<Auth>, from sender: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch gate.admit(message, catchingUp: configuration.catchUp) {
    case .duplicate:
      duplicates &+= 1
      noteReplay(of: message.identifier, by: sender, at: now, into: &effects)
    case .unwelcome: return
    case .forged: refuseForgery(from: sender, into: &effects)
    case .new:
      settleMissing(message.identifier, from: sender, at: now)
      noteFilled(message.identifier)
      keep(message.passedOn)
      quicken(at: now, into: &effects)
      effects.indicate(.delivered(message, from: sender))
      let isFirst = changeRepair {
        $0.counters.recovered += 1
        // What finds no room is told of by a later digest.
        guard $0.recovered.count < BroadcastTreeConfiguration.recoveredLimit else { return false }
        $0.recovered.append(message.identifier)
        return $0.recovered.count == 1
      }
      if isFirst { effects.schedule(.news, at: now + BroadcastTreeConfiguration.gathering) }
      recover(at: now, into: &effects)
    }
  }
}
