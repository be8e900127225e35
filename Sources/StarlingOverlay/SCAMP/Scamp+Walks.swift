import StarlingCore

extension Scamp {
  /// Arcs at this peer, in both directions.
  @inlinable
  var degree: Int { outgoing.count + incoming.count }

  /// One stop of a random walk: accepts or refuses the step that led here, then ends or goes on.
  ///
  /// - Parameter sender: whose step led here; `nil` for a walk that begins here, for one who asked and was counted.
  @inlinable
  mutating func advance(
    _ walk: Walk, from sender: Peer?, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard relay.spend(1, at: now) else { return }
    var walk = walk
    walk.hopsLeft = min(walk.hopsLeft, configuration.walkLength)
    let degree = degree
    // A peer that knows nobody yet is no contact; the one it asked itself may know better, unless that one asks
    // back. Each counts as a step, or several such peers would pass a walk on for ever.
    if degree == 0, isJoining, let contact, walk.requester != contact {
      guard walk.hopsLeft > 0 else { return }
      walk.hopsLeft -= 1
      return effects.send(.walk(walk), to: contact)
    }
    // A step towards a busier peer is accepted with probability degree(u) / degree(v).
    // The last step too, and the way back is no step of its own: otherwise the walk would end where degrees
    // are great, or where refusals are rare.
    if let sender, !walk.isReturned, degree > Int(walk.degree), walk.degree > 0,
      effects.uniform(below: degree) >= Int(walk.degree)
    {
      walk.isReturned = true
      effects.send(.walk(walk), to: sender)
      return
    }
    if walk.hopsLeft > 0, degree > 0 {
      step(walk, into: &effects)
    } else {
      finish(walk, from: sender, at: now, into: &effects)
    }
  }

  @inlinable
  mutating func step(_ walk: Walk, into effects: inout some Effects<Self> & ~Copyable) {
    var walk = walk
    let i = effects.uniform(below: degree)
    let next = i < outgoing.count ? outgoing.keys[i] : incoming.keys[i - outgoing.count]
    walk.isReturned = false
    walk.hopsLeft -= 1
    walk.degree = UInt16(clamping: degree)
    effects.send(.walk(walk), to: next)
  }

  @inlinable
  mutating func finish(
    _ walk: Walk, from sender: Peer?, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch walk.purpose {
    case .contact(let number, let signature):
      introduce(walk.requester, number, signature, from: sender, at: now, into: &effects)
    case .donation: donate(to: walk.requester, into: &effects)
    }
  }
}
