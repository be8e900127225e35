import StarlingCore

/// How a peer finds its ring, and how a ring takes it in.
extension Rings {
  /// How many hops a search takes at most: up and down more levels than there are.
  static let hopLimit: UInt8 = 64

  /// Looks for a ring of a level, through somebody in it or in another ring.
  mutating func seek(_ level: Int, at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    let attempts = seeking[UInt8(level)]?.attempts ?? 0
    seeking[UInt8(level)] = (now, attempts + 1)
    var found = randomGuide(attempt: attempts, into: &effects)
    if level > 0, attempts % 2 == 0, let above = guides[level - 1].randomElement(from: &effects) {
      found = above
    }
    guard let guide = found, guide != identity else { return }
    effects.send(.seek(seat(in: level), level: UInt8(level), isGoingUp: true, hops: 0), to: guide)
  }

  /// Whom to ask for the way: the contact first, and then anybody.
  private func randomGuide(attempt: Int, into effects: inout some Effects<Self> & ~Copyable) -> Peer? {
    if attempt % 4 == 0, let contact { return contact }
    var known = distant
    // Whoever looks for an upper ring knows those of its own.
    if let leaf = rings.first {
      known += leaf.seats.map(\.peer).filter { $0 != identity }
    }
    return known.randomElement(from: &effects) ?? contact
  }

  /// Sends a search on: up to the top ring, and then down to the nearest.
  mutating func direct(
    _ seat: RingSeat, to level: UInt8, isGoingUp: Bool, hops: UInt8,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard seat.peer != identity, hops < Rings.hopLimit, let top = rings.last else { return }
    guard seeking[0] == nil else {
      // Whoever is not in yet cannot take others in, and knows somebody who perhaps can.
      guard let contact, contact != seat.peer else { return }
      return effects.send(.seek(seat, level: level, isGoingUp: true, hops: hops + 1), to: contact)
    }
    if isGoingUp, top.parent.identifier != 0 {
      guard let next = nextUpwards(into: &effects), next != seat.peer else { return }
      return effects.send(.seek(seat, level: level, isGoingUp: true, hops: hops + 1), to: next)
    }
    // On its way down, whoever sent it here meant this peer's branch.
    var here = isGoingUp ? rings.count - 1 : min(rings.count - 1, Int(level))
    guard here >= Int(level) else {
      // What is looked for does not exist: the top ring gets one above it.
      if here + 1 == Int(level) { raise(seat, into: &effects) }
      return
    }
    while here > Int(level) {
      guard let nearest = rings[here].nearestBranch(to: seat.position) else { return }
      if nearest.identifier == rings[here - 1].identifier {
        here -= 1
        continue
      }
      guard let next = nearest.contacts.randomElement(from: &effects) else { return }
      return effects.send(
        .seek(seat, level: level, isGoingUp: false, hops: hops + 1), to: next)
    }
    admit(seat, to: here, into: &effects)
  }

  /// Whom to ask for the top ring: a contact of the uppermost ring that this peer is in; and if it is one itself and has no seat
  /// above yet, somebody who is said to be there, or anybody elsewhere.
  func nextUpwards(into effects: inout some Effects<Self> & ~Copyable) -> Peer? {
    let top = rings.count - 1
    guard isContact(of: top) else {
      return rings[top].contacts(configuration.contacts).map(\.peer).randomElement(from: &effects)
    }
    let others = effects.oneIn(2) ? guides[top].filter { $0 != identity } : []
    return others.randomElement(from: &effects) ?? distant.randomElement(from: &effects)
  }

  /// Takes a seat into the ring of a level, and tells its owner and all members.
  mutating func admit(
    _ seat: RingSeat, to level: Int, into effects: inout some Effects<Self> & ~Copyable
  ) {
    var seat = seat
    seat.since = rings[level].epoch
    tellChange(of: level, taken: [seat], into: &effects)
    effects.send(
      .adopt(from: 0, rings[level], guides: guidesToTell(of: level)), to: seat.peer)
  }

  /// Who is in the ring above, as far as this peer knows.
  func guidesToTell(of level: Int) -> [Peer] {
    guard level + 1 < rings.count else { return guides[level] }
    return Array(rings[level + 1].seats.map(\.peer).prefix(8))
  }

  /// Takes a seat that it was given, in a ring that is new to it or takes the place of one.
  mutating func adopt(
    _ state: RingState, insteadOf before: UInt64, guides: [Peer], from sender: Peer,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    let level = Int(state.level)
    guard level <= rings.count, state.count <= 4 * configuration.size.upperBound else { return }
    if level < rings.count, rings[level].identifier == state.identifier {
      if rings[level].merge(state) { noteChange(of: level) }
    } else if level < rings.count {
      let own = rings[level]
      // It was sought, or those who were with it in its ring have moved.
      guard seeking[UInt8(level)] != nil || before == own.identifier else { return }
      if before != own.identifier {
        // Whoever is there need not wait for its silence to be noticed.
        let parcel = effects.prepare(
          .change(ring: own.identifier, taken: [], left: [LeftSeat(peer: identity, stamp: stamp)]))
        for seat in own.seats where seat.peer != identity { effects.send(parcel, to: seat.peer) }
      }
      rings[level] = state
      noteChange(of: level)
    } else {
      // Above the own rings only a contact has a seat.
      guard level == 0 || seeking[UInt8(level)] != nil || isContact(of: level - 1) else { return }
      rings.append(state)
      self.guides.append([])
      noteChange(of: level)
    }
    self.guides[level] = Array(guides.prefix(8))
    seeking[UInt8(level)] = nil
    if !rings[level].contains(identity) {
      let own = seat(in: level)
      rings[level].add(own)
      noteChange(of: level)
      effects.send(.enter(ring: state.identifier, own), to: sender)
    }
    if level > 0, rings[level - 1].parent.identifier != state.identifier {
      rings[level - 1].parent = (state.identifier, rings[level - 1].parent.stamp + 1)
      noteChange(of: level - 1)
    }
  }

  /// A ring above the top one: its contacts, and whoever looks for it.
  private mutating func raise(
    _ seat: RingSeat, into effects: inout some Effects<Self> & ~Copyable
  ) {
    let top = rings.count - 1
    guard isFirstContact(of: top) else {
      guard let first = rings[top].contacts(1).first?.peer else { return }
      return effects.send(
        .seek(seat, level: UInt8(top + 1), isGoingUp: true, hops: Rings.hopLimit - 4), to: first)
    }
    crown([rings[top]], and: [seat], into: &effects)
  }

  /// Makes a ring above some that have none.
  mutating func crown(
    _ below: [RingState], and seats: [RingSeat] = [], into effects: inout some Effects<Self> & ~Copyable
  ) {
    let identifier = effects.next() | 1
    let level = Int(below[0].level)
    var all = seats
    for ring in below {
      for contact in ring.contacts(configuration.contacts) {
        var seat = contact
        (seat.branch, seat.position, seat.since) = (ring.identifier, ring.centre, 0)
        all.append(seat)
      }
    }
    let crown = RingState(identifier: identifier, level: UInt8(level + 1), seats: all)
    for seat in all where seat.peer != identity {
      effects.send(.adopt(from: 0, crown, guides: []), to: seat.peer)
    }
    rings[level].parent = (identifier, rings[level].parent.stamp + 1)
    noteChange(of: level)
    if crown.contains(identity), rings.count == level + 1 {
      rings.append(crown)
      guides.append([])
      noteChange(of: level + 1)
    } else {
      guides[level] = Array(all.map(\.peer).prefix(8))
    }
  }
}
