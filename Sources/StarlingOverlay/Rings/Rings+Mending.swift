import StarlingCore

/// How rings keep their sizes, and contacts their seats above.
extension Rings {
  /// How long an answer may take before something is asked for again (a guess).
  static let patience = Interval.seconds(3)
  /// How often a seat above is looked for before the ring is taken for the top one (a guess).
  static let attempts = 8
  /// For how long something has to be so before a ring is merged or dropped (a guess: what is on its way has come).
  static let calm = Interval.seconds(4)

  /// Does what this peer's places in its rings ask of it.
  mutating func mend(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    rejoinIfAlone(at: now, into: &effects)
    dropEmptyTop()
    probe(into: &effects)
    var level = 0
    while level < rings.count {
      keepSeatAbove(level, at: now, into: &effects)
      if isFirstContact(of: level) { keepSize(of: level, at: now, into: &effects) }
      level += 1
    }
  }

  /// A peer that has nobody in its leaf ring joins again, if it knows of anybody.
  private mutating func rejoinIfAlone(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    if let (since, _) = seeking[0] {
      if now - since >= Rings.patience { seek(0, at: now, into: &effects) }
    } else if rings[0].count == 1, !distant.isEmpty || contact != nil {
      seek(0, at: now, into: &effects)
    }
  }

  /// A top ring whose members are all contacts of one ring is not needed.
  private mutating func dropEmptyTop() {
    guard let top = rings.last, top.level > 0, top.parent.identifier == 0,
      top.seats.allSatisfy({ $0.branch == top.seats[0].branch })
    else {
      emptyBeats = 0
      return
    }
    // Not at once: others may be on their way.
    emptyBeats += 1
    guard emptyBeats > 8 else { return }
    emptyBeats = 0
    let below = rings.count - 2
    drop(below + 1)
    rings[below].parent = (0, rings[below].parent.stamp + 1)
    noteChange(of: below)
  }

  /// A contact has a seat in the ring above, and nobody else.
  private mutating func keepSeatAbove(
    _ level: Int, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    let parent = rings[level].parent.identifier
    let isAbove = level + 1 < rings.count
    guard isContact(of: level), parent != 0 else {
      if isAbove { resign(from: level + 1, into: &effects) }
      return
    }
    if isAbove, rings[level + 1].identifier != parent {
      resign(from: level + 1, into: &effects)
    } else if isAbove {
      return renewSeat(in: level + 1, into: &effects)
    }
    let key = UInt8(level + 1)
    if let (since, attempts) = seeking[key] {
      guard now - since >= Rings.patience else { return }
      // There is no ring above any more.
      if attempts >= Rings.attempts {
        seeking[key] = nil
        rings[level].parent = (0, rings[level].parent.stamp + 1)
        return noteChange(of: level)
      }
      // Nobody that is said to be in the ring above answers.
      if attempts >= 2 { return seek(level + 1, at: now, into: &effects) }
    }
    seeking[key] = (now, (seeking[key]?.attempts ?? 0) + 1)
    var known = guides[level]
    known += rings[level].contacts(configuration.contacts).map(\.peer).filter { !known.contains($0) }
    let own = seat(in: level + 1)
    for peer in known where peer != identity {
      effects.send(.enter(ring: parent, own), to: peer)
    }
  }

  /// What a seat says of the ring below is kept true.
  private mutating func renewSeat(in level: Int, into effects: inout some Effects<Self> & ~Copyable) {
    guard let i = rings[level].position(of: identity) else {
      return tellChange(of: level, taken: [seat(in: level)], into: &effects)
    }
    let own = rings[level].seats[i]
    let hasMoved = Int(beats) % 16 == 0 && own.position != rings[level - 1].centre
    guard own.branch != rings[level - 1].identifier || hasMoved else { return }
    var seat = seat(in: level)
    seat.since = own.since
    tellChange(of: level, taken: [seat], into: &effects)
  }

  /// What the first contact of a ring does: splits it, merges it, has contacts drawn, and tells who is above.
  private mutating func keepSize(
    of level: Int, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    let ring = rings[level]
    if ring.count > configuration.size.upperBound {
      return split(level, into: &effects)
    }
    if ring.count < configuration.size.lowerBound, ring.parent.identifier != 0 {
      merge(level, at: now, into: &effects)
    }
    let drawn = drawnAt[ring.identifier] ?? now
    drawnAt[ring.identifier] = drawn
    if now - drawn >= configuration.electionInterval {
      drawnAt[ring.identifier] = now
      rings[level].epoch += 1
      noteChange(of: level)
    }
    let isLookingUp = ring.parent.identifier == Rings.unknownParent
    if Int(beats) % 8 == 0 || isLookingUp, level + 1 < rings.count || isLookingUp {
      let parcel = effects.prepare(.guides(ring: ring.identifier, guidesToTell(of: level)))
      for seat in ring.seats where seat.peer != identity { effects.send(parcel, to: seat.peer) }
    }
  }

  private mutating func split(
    _ level: Int, into effects: inout some Effects<Self> & ~Copyable
  ) {
    let before = rings[level].identifier
    guard let halves = rings[level].split(naming: effects.next() | 1) else { return }
    let guides = guidesToTell(of: level)
    for half in [halves.0, halves.1] {
      let parcel = effects.prepare(.adopt(from: before, half, guides: guides))
      for seat in half.seats where seat.peer != identity { effects.send(parcel, to: seat.peer) }
    }
    let isTop = rings[level].parent.identifier == 0
    rings[level] = halves.0.contains(identity) ? halves.0 : halves.1
    self.guides[level] = guides
    noteChange(of: level)
    if isTop { crown([halves.0, halves.1], into: &effects) }
  }

  /// Has the nearest ring with the same parent take all of this one in.
  private mutating func merge(
    _ level: Int, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard now >= mergesUntil, level + 1 < rings.count else { return }
    let ring = rings[level]
    guard let nearest = rings[level + 1].nearestBranch(to: ring.centre, besides: ring.identifier),
      let host = nearest.contacts.randomElement(from: &effects)
    else { return }
    mergesUntil = now + Rings.calm
    effects.send(
      .absorb(ring: ring.identifier, level: ring.level, into: nearest.identifier, ring.seats), to: host)
  }

  /// Takes the members of a ring in that has too few.
  mutating func absorb(
    _ seats: [RingSeat], of ring: UInt64, level: Int, into own: UInt64,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard level < rings.count, rings[level].identifier == own, ring != own,
      seats.count <= configuration.size.upperBound
    else { return }
    // Of two that would take each other in the one with the greater name stays.
    if rings[level].count < configuration.size.lowerBound, own < ring { return }
    var taken = seats
    for i in taken.indices { taken[i].since = rings[level].epoch }
    tellChange(of: level, taken: taken, into: &effects)
    let parcel = effects.prepare(.adopt(from: ring, rings[level], guides: guidesToTell(of: level)))
    for seat in seats where seat.peer != identity { effects.send(parcel, to: seat.peer) }
  }
}
