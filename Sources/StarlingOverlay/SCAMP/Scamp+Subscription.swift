import StarlingCore

extension Scamp {
  /// Begins to look for a contact.
  @inlinable
  mutating func subscribe(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    isJoining = true
    attempt = 0
    requestNumber = effects.next()
    askForContact(at: now, into: &effects)
  }

  @inlinable
  mutating func askForContact(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    guard let asked = peerToAsk(into: &effects) else {
      isJoining = false
      return
    }
    let request = SubscriptionStatement(subscriber: identity, number: requestNumber, contact: nil)
    let signature = door.sign(request)
    if attempt < ScampConfiguration.walksFirst || attempt % 4 == 0 {
      effects.send(.subscribe(number: requestNumber, signature), to: asked)
    } else {
      // Walks lose their way on a lossy network: let a neighbour of the peer be the contact. Never the peer itself,
      // which may be mute and would have this one to itself, or know nobody either. Not always, for a neighbour may know
      // as little.
      let short = Walk(.contact(number: requestNumber, signature), for: identity, hopsLeft: 1)
      effects.send(.walk(short), to: asked)
    }
    // Patient at first, because a walk loses its way on a lossy network; then ever slower.
    let doublings = attempt < 32 ? 0 : attempt - 32
    let wait = min(
      ScampConfiguration.subscriptionRetry * (1 << min(Int(doublings), 16)), ScampConfiguration.longestRetry)
    effects.schedule(.subscription(attempt: attempt), at: now + wait)
  }

  /// Whom to ask for a contact, by turns: the peer that was given, those that were lost, a neighbour. Strangers
  /// first, because a few peers that know only each other would never get out of their island.
  @inlinable
  func peerToAsk(into effects: inout some Effects<Self> & ~Copyable) -> Peer? {
    let ofContact = contact == nil ? 0 : 2
    let turns = ofContact + lostNeighbours.count + (outgoing.count > 0 ? 1 : 0)
    guard turns > 0 else { return nil }
    let turn = Int(attempt) % turns
    if turn < ofContact { return contact }
    if turn < ofContact + lostNeighbours.count { return lostNeighbours[turn - ofContact] }
    return outgoing.keys.random(from: &effects)
  }

  @inlinable
  mutating func receiveSubscribe(
    _ number: UInt64, _ signature: Door.Signature, from subscriber: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard mayMeet(subscriber, itself: true) else {
      return effects.indicate(.misbehaved(subscriber, .subscriptionFlood))
    }
    let position = countMeeting(subscriber, itself: true, into: &effects)
    let request = SubscriptionStatement(subscriber: subscriber, number: number, contact: nil)
    guard door.verifies(signature, of: request, by: subscriber) else {
      return effects.indicate(.misbehaved(subscriber, .badSignature))
    }
    guard door.admits(subscriber) else {
      effects.indicate(.misbehaved(subscriber, .inadmissible))
      return effects.send(.refused(number: number), to: subscriber)
    }
    var walk = Walk(
      .contact(number: number, signature), for: subscriber, hopsLeft: configuration.walkLength)
    walk.isReturned = true
    // What this peer introduced it only welcomes again.
    if met[position].introduced == UInt32(truncatingIfNeeded: number) { walk.hopsLeft = 0 }
    advance(walk, from: nil, at: now, into: &effects)
  }

  /// The work of a subscription's contact.
  ///
  /// - Parameter sender: who sent the last step of the walk; `nil` if the subscriber itself asked this peer, which
  ///   has counted it.
  @inlinable
  mutating func introduce(
    _ subscriber: Peer, _ number: UInt64, _ signature: Door.Signature, from sender: Peer?, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard subscriber != identity, sender == nil || mayMeet(subscriber, itself: false) else { return }
    let request = SubscriptionStatement(subscriber: subscriber, number: number, contact: nil)
    guard door.verifies(signature, of: request, by: subscriber) else {
      // Who passes a walk on checks nothing, so it is not to blame, not even if the walk bears its own name: somebody
      // else may have made it up and sent it through the peer that it names. Nor does it count against that one.
      return
    }
    guard
      let position = sender == nil
        ? met.position(of: subscriber) : countMeeting(subscriber, itself: false, into: &effects)
    else { return }
    let introduction = SubscriptionStatement(subscriber: subscriber, number: number, contact: identity)
    // Who asks again for what was done has lost the answer, or somebody else repeats its request.
    let tag = UInt32(truncatingIfNeeded: number)
    if met[position].introduced == tag {
      return effects.send(.welcome(number: number, door.sign(introduction), size.news), to: subscriber)
    }
    if let offence = door.judge(subscriber: subscriber, contact: identity, at: now) {
      // A relay cannot know this peer's limits, nor can the subscriber know how many this peer has introduced.
      if sender == nil, offence == .inadmissible {
        effects.indicate(.misbehaved(subscriber, offence))
      }
      return effects.send(.refused(number: number), to: subscriber)
    }
    guard relay.spend(1 + Int(configuration.extraCopies), at: now) else { return }
    met[position].introduced = tag
    effects.indicate(.admitted(subscriber: subscriber, contact: identity))
    let countersignature = door.sign(introduction)
    if outgoing.count == 0 {
      keep(subscriber, into: &effects)
    } else {
      let subscription = Subscription(
        subscriber: subscriber, contact: identity, number: number, signature: signature,
        countersignature: countersignature)
      sendCopies(of: subscription, count: Int(configuration.extraCopies), toAll: true, into: &effects)
    }
    effects.send(.welcome(number: number, countersignature, size.news), to: subscriber)
  }

  @inlinable
  mutating func receiveWelcome(
    _ number: UInt64, _ countersignature: Door.Signature, from contact: Peer,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard isJoining, number == requestNumber, contact != identity else { return }
    let request = SubscriptionStatement(subscriber: identity, number: number, contact: nil)
    let subscription = Subscription(
      subscriber: identity, contact: contact, number: number, signature: door.sign(request),
      countersignature: countersignature)
    guard subscription.isAuthentic(to: door) else {
      return effects.indicate(.misbehaved(contact, .badSignature))
    }
    self.subscription = subscription
    isJoining = false
    keep(contact, into: &effects)
  }

  /// How many hops a new copy may make. It makes about one for each member of a view; where nobody can keep it, it
  /// must not go on long.
  @inlinable
  var hopsOfCopy: UInt16 { min(configuration.hopLimit, UInt16(clamping: 16 * (1 + outgoing.count))) }

  /// Sends copies of a subscription to random neighbours, and if asked to, one more to each.
  @inlinable
  mutating func sendCopies(
    of subscription: Subscription<Door.Signature>, count: Int, toAll: Bool,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    let parcel = effects.prepare(.subscription(subscription, hopsLeft: hopsOfCopy, size.news))
    let neighbours = outgoing.count
    if toAll {
      for i in 0..<neighbours { effects.send(parcel, to: outgoing.keys[i]) }
    }
    for _ in 0..<count { effects.send(parcel, to: outgoing.keys[effects.uniform(below: neighbours)]) }
  }

  /// Checks a copy of a subscription, and keeps the subscriber or passes the copy on.
  @inlinable
  mutating func receive(
    _ subscription: Subscription<Door.Signature>, hopsLeft: UInt16, from sender: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    // A copy that comes back to its subscriber from the only one it knows would go to and fro.
    guard subscription.subscriber != identity || hopsLeft > 0 && outgoing.count > 1 else { return }
    // Nobody is to blame for too many: in a small group copies meet the same peers again and again.
    guard mayMeet(subscription.subscriber, itself: false) else { return }
    guard subscription.isAuthentic(to: door) else {
      return effects.indicate(.misbehaved(sender, .badSignature))
    }
    countMeeting(subscription.subscriber, itself: false, into: &effects)
    if let offence = door.judge(
      subscriber: subscription.subscriber, contact: subscription.contact, at: now)
    {
      // Nobody is to blame for too many introductions: the contact's signature proves that it made them, not when,
      // so anybody may have kept lawful ones to send them all at once; and a relay cannot know what others have seen.
      if offence != .subscriptionFlood { effects.indicate(.misbehaved(sender, offence)) }
      return
    }
    keepOrPassOn(subscription, hopsLeft: min(hopsLeft, configuration.hopLimit), at: now, into: &effects)
  }

  @inlinable
  mutating func keepOrPassOn(
    _ subscription: Subscription<Door.Signature>, hopsLeft: UInt16, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    // p = 1 / (1 + |view|), the paper's section 3.1.
    if canKeep(subscription.subscriber), hopsLeft == 0 || effects.oneIn(1 + outgoing.count) {
      effects.indicate(.admitted(subscriber: subscription.subscriber, contact: subscription.contact))
      keep(subscription.subscriber, into: &effects)
    } else if hopsLeft > 0, let next = outgoing.keys.random(from: &effects), relay.spend(1, at: now) {
      effects.send(.subscription(subscription, hopsLeft: hopsLeft - 1, size.news), to: next)
    }
  }

  /// Whether a subscriber may be met once more in this round, by its own request or by what others pass on of it.
  @inlinable
  func mayMeet(_ subscriber: Peer, itself: Bool) -> Bool {
    guard let position = met.position(of: subscriber) else { return true }
    return itself
      ? met[position].requests < ScampConfiguration.requestsPerRound
      : met[position].relayed < ScampConfiguration.relayedPerRound
  }

  /// Counts a request of a subscriber, or what others passed on of it: only what it signed, or anybody could use
  /// up its limit.
  ///
  /// - Returns: its position in `met`.
  @inlinable @discardableResult
  mutating func countMeeting(
    _ subscriber: Peer, itself: Bool, into effects: inout some Effects<Self> & ~Copyable
  ) -> Int {
    if met.count >= ScampConfiguration.metLimit, met.position(of: subscriber) == nil {
      forgetLeastMet(into: &effects)
    }
    let position = met.insert(ScampMeetings(), for: subscriber).position
    if itself { met[position].requests += 1 } else { met[position].relayed += 1 }
    return position
  }

  /// Makes room for another subscriber: the frequent ones keep their places, as in Metwally, Agrawal and El Abbadi,
  /// "Efficient computation of frequent and top-k elements in data streams", ICDT 2005. Theirs has the newcomer
  /// inherit the count; here it begins with none, because nobody is to be blamed for others' requests. One of the
  /// least is drawn, so that a newcomer is not always the next to go.
  @inlinable
  mutating func forgetLeastMet(into effects: inout some Effects<Self> & ~Copyable) {
    let start = effects.uniform(below: met.count)
    var least = start
    for i in 1..<met.count {
      let position = (start + i) % met.count
      if met[position].count < met[least].count { least = position }
    }
    met.remove(met.keys[least])
  }

  @inlinable
  func canKeep(_ peer: Peer) -> Bool {
    peer != identity && outgoing.count < Int(mostMembers) && !outgoing.keys.contains(peer)
  }

  @inlinable
  mutating func keep(_ peer: Peer, into effects: inout some Effects<Self> & ~Copyable) {
    guard canKeep(peer) else { return }
    outgoing.insert(ScampArc(), for: peer)
    effects.send(.kept(size.news), to: peer)
    effects.indicate(.gained(peer, .partialView))
  }

  /// Takes a keeper into the in-view, in the place of the oldest if that is about to lapse, or asks it to let go
  /// where the in-view is full.
  @inlinable
  mutating func addToInView(_ peer: Peer, into effects: inout some Effects<Self> & ~Copyable) {
    guard peer != identity, incoming.position(of: peer) == nil else { return }
    guard door.admits(peer), incoming.count < mostKeepers || releaseOldestIfDue(into: &effects) else {
      return effects.send(.release(successor: nil), to: peer)
    }
    // Leases that were given out together do not all have to be renewed together.
    let age = UInt8(truncatingIfNeeded: effects.uniform(below: Int(ScampConfiguration.renewalSpread)))
    incoming.insert(ScampArc(age: age), for: peer)
    effects.indicate(.gained(peer, .inView))
    if size.isSettled, Double(incoming.count) > law { _ = releaseOldestIfDue(into: &effects) }
  }
}
