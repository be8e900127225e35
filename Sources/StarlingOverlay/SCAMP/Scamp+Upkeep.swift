import StarlingCore

// The views are looked after in rounds: who is silent leaves them, leases lapse and are renewed, and both views
// are kept near the size that SCAMP's law gives them.
extension Scamp {
  /// (c + 1)·ln N for the estimated N. No view can hold more than all the others.
  @inlinable
  var law: Double {
    let estimate = size.estimate
    return min(Double(configuration.extraCopies + 1) * naturalLogarithm(estimate), estimate - 1)
  }

  @inlinable
  mutating func hear(_ news: GroupSize.News, into effects: inout some Effects<Self> & ~Copyable) {
    if size.hear(news, &effects) { hasNewSize = true }
  }

  @inlinable
  mutating func waitForRound(
    count: UInt8, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    // Spread over half the wait, so that peers which joined together do not act together.
    let wait = min(
      ScampConfiguration.firstRound * (1 << min(Int(count), 16)), ScampConfiguration.longestRound)
    let jitter = Interval(nanoseconds: Int64(effects.uniform(below: Int(wait.nanoseconds / 2))))
    effects.schedule(.round(count: count), at: now + wait + jitter)
  }

  /// One round.
  @inlinable
  mutating func keepUp(count: UInt8, at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    met = PeerMap()
    donations = 0
    let most = law * ScampConfiguration.fullPartialView
    mostMembers = min(configuration.viewLimit, UInt16(clamping: Int(most) + 8))
    // The first rounds are short, for peers that join at once; they are too short to tell who is silent.
    if count >= ScampConfiguration.shortRounds {
      size.advance(&effects)
      growOlder(into: &effects)
      releaseSurplus(into: &effects)
      sendHeartbeats(into: &effects)
      probeLostNeighbour(into: &effects)
    } else {
      passSizeOn(into: &effects)
    }
    renewSubscription(isLongRound: count >= ScampConfiguration.shortRounds, at: now, into: &effects)
    askForDonations(into: &effects)
    recoverFromIsolation(at: now, into: &effects)
    waitForRound(count: count == .max ? .max : count + 1, at: now, into: &effects)
  }

  @inlinable
  mutating func passSizeOn(into effects: inout some Effects<Self> & ~Copyable) {
    guard hasNewSize, outgoing.count > 0 else { return }
    hasNewSize = false
    let parcel = effects.prepare(.size(size.news))
    for _ in 0..<ScampConfiguration.sizeFanout {
      effects.send(parcel, to: outgoing.keys[effects.uniform(below: outgoing.count)])
    }
  }

  // MARK: Heartbeats and leases

  @inlinable
  mutating func sendHeartbeats(into effects: inout some Effects<Self> & ~Copyable) {
    guard outgoing.count > 0 else { return }
    let parcel = effects.prepare(.heartbeat(size.news))
    for i in 0..<outgoing.count { effects.send(parcel, to: outgoing.keys[i]) }
  }

  /// A keeper's heartbeat. One that is in no in-view was lost on the way there, or forgotten in a silence.
  @inlinable
  mutating func receiveHeartbeat(from keeper: Peer, into effects: inout some Effects<Self> & ~Copyable) {
    addToInView(keeper, into: &effects)
    guard let position = incoming.position(of: keeper) else { return }
    incoming[position].silentRounds = 0
    effects.send(.alive(size.news), to: keeper)
  }

  /// Lets go of members that are silent or whose lease has lapsed, and of keepers that are silent.
  @inlinable
  mutating func growOlder(into effects: inout some Effects<Self> & ~Copyable) {
    var position = 0
    while position < outgoing.count {
      outgoing[position].growOlder()
      let (arc, member) = (outgoing[position], outgoing.keys[position])
      let isSilent = arc.silentRounds > ScampConfiguration.silentRounds
      guard isSilent || arc.age >= ScampConfiguration.leaseRounds else {
        position += 1
        continue
      }
      outgoing.remove(member)
      // A member that is only slow must not count on this peer any more.
      effects.send(.dropped, to: member)
      effects.indicate(.lost(member, .partialView))
      if isSilent { rememberLost(member, into: &effects) }
    }
    position = 0
    while position < incoming.count {
      incoming[position].growOlder()
      guard incoming[position].silentRounds > 2 * ScampConfiguration.silentRounds else {
        position += 1
        continue
      }
      let keeper = incoming.keys[position]
      incoming.remove(keeper)
      effects.indicate(.lost(keeper, .inView))
      rememberLost(keeper, into: &effects)
    }
  }

  // MARK: The size of the in-view

  /// Sends as many more copies of this peer's subscription as its in-view lacks arcs that will last: because
  /// leases lapse, because keepers left or crashed, and because contacts introduce newcomers to few when many
  /// join at once.
  @inlinable
  mutating func renewSubscription(
    isLongRound: Bool, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard outgoing.count > 0, !isJoining else { return }
    let law = law
    var lasting = 0
    for i in 0..<incoming.count where incoming[i].age < ScampConfiguration.renewalRounds { lasting += 1 }
    thinRounds = Double(lasting) < law / 2 ? min(thinRounds + (isLongRound ? 1 : 0), 16) : 0
    guard Double(lasting) < law * ScampConfiguration.thinInView else { return }
    // Where copies do not help, the peers around may be an island: somebody else is asked.
    guard let subscription, thinRounds % ScampConfiguration.thinRounds != ScampConfiguration.thinRounds - 1
    else { return subscribe(at: now, into: &effects) }
    let missing = Int(law * ScampConfiguration.renewedInView) - lasting
    if missing > 0 { sendCopies(of: subscription, count: missing, toAll: false, into: &effects) }
  }

  /// How many keepers the in-view takes: somewhat more than the law, and until the group's size is known more than
  /// that. Views that only ever grew would end as large as the group, and old subscriptions that are sent again and
  /// again make them grow within a minute.
  @inlinable
  var mostKeepers: Int {
    let most =
      size.isSettled
      ? law * ScampConfiguration.fullInView + 2 : law * ScampConfiguration.fullYoungInView + 4
    return min(Int(configuration.viewLimit), Int(most))
  }

  /// Asks keepers beyond the law to let go. Drawn at random: if the oldest went, a liar that offers itself as a
  /// keeper again and again would drive out all others.
  @inlinable
  mutating func releaseSurplus(into effects: inout some Effects<Self> & ~Copyable) {
    let most = mostKeepers
    while incoming.count > most, let keeper = incoming.keys.random(from: &effects) {
      release(keeper, into: &effects)
    }
  }

  /// Asks the keeper of the oldest arc to let go, if the arc is about to lapse.
  @inlinable
  mutating func releaseOldestIfDue(into effects: inout some Effects<Self> & ~Copyable) -> Bool {
    guard incoming.count > 0 else { return false }
    var oldest = 0
    for i in 1..<max(incoming.count, 1) where incoming[i].age > incoming[oldest].age { oldest = i }
    guard incoming[oldest].age >= ScampConfiguration.renewalRounds else { return false }
    release(incoming.keys[oldest], into: &effects)
    return true
  }

  @inlinable
  mutating func release(_ keeper: Peer, into effects: inout some Effects<Self> & ~Copyable) {
    incoming.remove(keeper)
    effects.send(.release(successor: nil), to: keeper)
    effects.indicate(.lost(keeper, .inView))
  }

  // MARK: Donations

  /// Sends a walk for each member that a thin partial view lacks.
  @inlinable
  mutating func askForDonations(into effects: inout some Effects<Self> & ~Copyable) {
    let possible = min(Double(configuration.minimumView), size.isSettled ? law : .infinity)
    let missing = max(0, Int(possible) - outgoing.count)
    awaitedDonations = UInt16(clamping: missing)
    guard degree > 0 else { return }
    for _ in 0..<missing {
      step(Walk(.donation, for: identity, hopsLeft: max(1, configuration.walkLength)), into: &effects)
    }
  }

  /// Gives a member of a full view away. The number of arcs stays the same: views that grew with every
  /// top-up would make every later subscription send more copies.
  @inlinable
  mutating func donate(to requester: Peer, into effects: inout some Effects<Self> & ~Copyable) {
    guard requester != identity, outgoing.count > Int(configuration.minimumView),
      donations < ScampConfiguration.donationsPerRound,
      let member = outgoing.keys.random(from: &effects), member != requester
    else { return }
    donations += 1
    outgoing.remove(member)
    if donated.count == ScampConfiguration.donationsRemembered { donated.removeFirst() }
    donated.append(member)
    effects.send(.dropped, to: member)
    effects.indicate(.lost(member, .partialView))
    effects.send(.donation(member), to: requester)
  }

  @inlinable
  mutating func receiveDonation(
    _ member: Peer, from donor: Peer, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard awaitedDonations > 0, canKeep(member), door.admits(member) else {
      return effects.send(.returned(member), to: donor)
    }
    awaitedDonations -= 1
    keep(member, into: &effects)
  }
}
