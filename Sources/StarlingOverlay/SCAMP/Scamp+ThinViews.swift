import StarlingCore

// Not in the paper, whose views have a thin tail and whose law supposes that joins do not overlap.
extension Scamp {
  @inlinable
  mutating func hear(_ heard: SizeSketch) {
    let before = size
    size.merge(heard)
    if size != before { hasNewSize = true }
  }

  @inlinable
  mutating func examineLater(
    count: UInt8, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    // Spread over half the wait, so that peers which joined together do not walk together.
    let wait = Scamp.backedOff(ScampConfiguration.examinationInterval, count: count)
    let jitter = Interval(nanoseconds: Int64(effects.uniform(below: Int(wait.nanoseconds / 2))))
    effects.schedule(.examination(count: count), at: now + wait + jitter)
  }

  /// Looks after both views, and passes on what was heard of the group's size.
  @inlinable
  mutating func examine(
    count: UInt8, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    if !outgoing.isEmpty {
      passSizeOn(into: &effects)
      renewSubscription(into: &effects)
    }
    askForDonations(into: &effects)
    examineLater(count: count &+ 1, at: now, into: &effects)
  }

  @inlinable
  mutating func passSizeOn(into effects: inout some Effects<Self> & ~Copyable) {
    guard hasNewSize else { return }
    hasNewSize = false
    let parcel = effects.prepare(.size(size))
    for _ in 0..<ScampConfiguration.sizeFanout {
      effects.send(parcel, to: outgoing[effects.uniform(below: outgoing.count)])
    }
  }

  /// Sends as many more copies of this peer's subscription as its in-view lacks: when many join at once,
  /// contacts know few and introduce newcomers to few.
  @inlinable
  mutating func renewSubscription(into effects: inout some Effects<Self> & ~Copyable) {
    let estimate = size.estimate
    // No view can hold more than all the others.
    let law = min(Double(configuration.extraCopies + 1) * naturalLogarithm(estimate), estimate - 1)
    guard Double(incoming.count) < law * ScampConfiguration.thinInView else { return }
    let missing = Int(law * ScampConfiguration.renewedInView) - incoming.count
    guard missing > 0 else { return }
    sendCopies(of: identity, count: missing, toAll: false, into: &effects)
  }

  /// Sends a walk for each member that a thin partial view lacks.
  @inlinable
  mutating func askForDonations(into effects: inout some Effects<Self> & ~Copyable) {
    let missing = max(0, Int(configuration.minimumView) - outgoing.count)
    awaitedDonations = UInt16(missing)
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
      let member = outgoing.random(from: &effects), member != requester
    else { return }
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
    guard awaitedDonations > 0, canKeep(member) else {
      return effects.send(.returned(member), to: donor)
    }
    awaitedDonations -= 1
    keep(member, into: &effects)
  }
}
