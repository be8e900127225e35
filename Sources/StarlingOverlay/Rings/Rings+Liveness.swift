import StarlingCore

/// Who is alive: every member of a ring shows its two neighbours that it is there; one that falls silent is dead when another
/// neighbour of it says so too, or nobody says otherwise (HGFRR's double check).
extension Rings {
  /// Shows the neighbours in the ring of a level that this peer is there, and looks whether they are.
  mutating func beat(
    _ level: Int, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    let ring = rings[level]
    guard ring.count > 1, let own = ring.position(of: identity) else { return }
    let parcel = effects.prepare(.beat(ring: ring.identifier, fingerprint: ring.fingerprint))
    var asked: Peer?
    for step in [1, ring.count - 1] {
      let neighbour = ring.seats[(own + step) % ring.count].peer
      if neighbour == asked { continue }
      asked = neighbour
      effects.send(parcel, to: neighbour)
      watch(neighbour, in: ring, at: now, into: &effects)
    }
    if Int(beats) % (heard.count + 16) == 0 { forgetStrangers() }
  }

  private mutating func watch(
    _ neighbour: Peer, in ring: RingState, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    let (position, isNew) = heard.insert(now, for: neighbour)
    if isNew { return }
    let last = max(heard[position], vouchedFor[neighbour] ?? .zero)
    guard now - last >= configuration.suspicion,
      !doubts.contains(where: { $0.peer == neighbour && $0.ring == ring.identifier })
    else { return }
    doubts.append(
      Doubt(ring: ring.identifier, peer: neighbour, deadline: now + configuration.doubt))
    // Those on either side of the suspect that are not suspects themselves.
    guard let place = ring.position(of: neighbour) else { return }
    for direction in [1, ring.count - 1] {
      var next = (place + direction) % ring.count
      while next != place, ring.seats[next].peer == identity || isDoubted(ring.seats[next].peer) {
        next = (next + direction) % ring.count
      }
      if next != place {
        effects.send(.doubt(ring: ring.identifier, neighbour), to: ring.seats[next].peer)
      }
    }
  }

  private func isDoubted(_ peer: Peer) -> Bool { doubts.contains { $0.peer == peer } }

  /// Those who are no neighbours any more are not listened for.
  private mutating func forgetStrangers() {
    var known = PeerSet()
    for ring in rings {
      guard let own = ring.position(of: identity) else { continue }
      known.insert(ring.seats[(own + 1) % ring.count].peer)
      known.insert(ring.seats[(own + ring.count - 1) % ring.count].peer)
    }
    for peer in heard.keys.members where !known.contains(peer) { heard.remove(peer) }
    for peer in vouchedFor.keys.members where !known.contains(peer) { vouchedFor.remove(peer) }
  }

  /// Says whether this peer has heard somebody lately that another one suspects.
  mutating func answerDoubt(
    of suspect: Peer, _ ring: UInt64, from sender: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard level(of: ring) != nil else { return effects.send(.absent(ring: ring), to: sender) }
    // Whoever is no neighbour of the suspect cannot say; to say nothing is not to deny.
    let isHeard =
      suspect == identity || heard[suspect].map { now - $0 < configuration.suspicion } ?? false
    if isHeard { effects.send(.vouch(ring: ring, suspect), to: sender) }
  }

  /// Takes those for dead that nobody has vouched for.
  mutating func settleDoubts(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    let settled = doubts.filter { $0.deadline <= now }
    if settled.isEmpty { return }
    doubts.removeAll { $0.deadline <= now }
    for doubt in settled {
      if let last = heard[doubt.peer], now - last < configuration.suspicion { continue }
      vouchedFor.remove(doubt.peer)
      distant.removeAll { $0 == doubt.peer }
      tellsLinks = true
      // Whoever is dead is so in all rings.
      for level in rings.indices {
        guard let i = rings[level].position(of: doubt.peer) else { continue }
        let gone = LeftSeat(peer: doubt.peer, stamp: rings[level].seats[i].stamp)
        tellChange(of: level, left: [gone], into: &effects)
      }
      heard.remove(doubt.peer)
    }
  }

  /// Compares what a neighbour knows of a ring with what this peer knows.
  mutating func answerBeat(
    of ring: UInt64, _ fingerprint: UInt64, from sender: Peer,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard let level = level(of: ring) else { return effects.send(.absent(ring: ring), to: sender) }
    guard fingerprint != rings[level].fingerprint else { return }
    effects.send(.state(rings[level]), to: sender)
  }

  /// Takes what a neighbour knows of a ring; if this peer knows more, the neighbour is told in return.
  mutating func learn(
    _ state: RingState, at level: Int, from sender: Peer,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard state.count <= 4 * configuration.size.upperBound else { return }
    if rings[level].merge(state) { noteChange(of: level) }
    if rings[level].generation > state.generation || rings[level].fingerprint != state.fingerprint {
      effects.send(.state(rings[level]), to: sender)
    }
    // Others took this peer for dead, or parted the ring without it.
    guard !rings[level].contains(identity) else { return }
    tellChange(of: level, taken: [seat(in: level)], into: &effects)
  }
}
