import StarlingCore

/// The fractal rings of HGFRR (Qiu and Ji, "Augmenting Blockchain System Efficiency and Security From Peer-to-Peer Network
/// Layer", 2019): peers that are near each other form a ring, the contacts of rings that are near each other form a ring above,
/// and so on to one ring at the top. The folder's README says what is ours.
///
/// Every member of a ring knows all of it. What changes is told to all its members, and neighbours compare what they know with
/// every heartbeat; states merge in any order, so nobody has to lead. Only what must not be done twice (to split a ring, to
/// merge it with another) is for its first contact.
public struct Rings: Membership {
  /// What this membership can be asked for.
  public typealias Request = MembershipRequest
  /// What this membership tells the layer above.
  public typealias Indication = MembershipIndication
  /// What peers send each other.
  public typealias Message = RingsMessage

  /// What it waits for.
  public enum Timer: Sendable, Hashable {
    /// The next heartbeat.
    case beat
  }

  /// Somebody whose silence is being looked into.
  struct Doubt: Sendable {
    let ring: UInt64
    let peer: Peer
    /// When it counts as dead, unless somebody has heard it.
    let deadline: Instant
  }

  /// The peer itself.
  public let identity: Peer
  /// The parameters.
  public let configuration: RingsConfiguration
  let tag: UInt64
  /// Where this peer is.
  public let place: RingPosition
  var stamp: UInt32 = 0
  /// The rings that it is in, by their levels.
  public internal(set) var rings: [RingState] = []
  /// Of each level, some who are in the ring above.
  var guides: [[Peer]] = []
  /// When neighbours in rings were heard last.
  var heard = PeerMap<Instant>()
  /// When somebody else said last that it had heard them: that is not passed on, or two would confirm each other for ever.
  var vouchedFor = PeerMap<Instant>()
  var doubts: [Doubt] = []
  /// Whom it knows elsewhere, the one that was met longest ago first.
  var distant: [Peer] = []
  /// Who was asked to exchange distant peers and has not answered.
  var shuffledWith: Peer?
  /// Through whom it joins; `nil` for the first peer of a group.
  var contact: Peer?
  /// Since when it seeks, or stands alone in, a ring of a level.
  var seeking: [UInt8: (since: Instant, attempts: Int)] = [:]
  /// Until when a merge that was asked for is waited for.
  var mergesUntil = Instant.zero
  /// When contacts of each ring were drawn last, as far as this peer saw.
  var drawnAt: [UInt64: Instant] = [:]
  var links = PeerSet()
  /// The levels whose rings are to be told of above.
  var changed: Set<Int> = []
  var tellsLinks = false
  var hasLeft = false
  var beats: UInt32 = 0
  /// For how many heartbeats the top ring has had one branch only.
  var emptyBeats = 0

  /// A peer that is in no ring yet.
  ///
  /// - Parameters:
  ///   - identity: the peer's own handle.
  ///   - tag: what orders rings: drawn at random, and kept.
  ///   - place: where the peer is.
  ///   - configuration: the parameters.
  ///   - acquaintances: peers to join through if there is no contact.
  public init(
    identity: Peer, tag: UInt64, place: RingPosition, configuration: RingsConfiguration = .init(),
    acquaintances: [Peer] = []
  ) {
    self.identity = identity
    self.tag = tag
    self.place = place
    self.configuration = configuration
    distant = Array(acquaintances.prefix(configuration.distant))
  }

  /// All that share a ring with this peer, and the distant ones that it knows.
  public var partialView: PeerSet { links }
  /// The same: rings are the same to both ends.
  public var inView: PeerSet { links }
  /// Distant peers, and those of the leaf ring.
  public var acquaintances: [Peer] {
    distant + (rings.first?.seats.map(\.peer).filter { $0 != identity && !distant.contains($0) } ?? [])
  }

  /// Begins as a ring of its own.
  public mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    rings = [RingState(identifier: effects.next() | 1, level: 0, seats: [seat(in: 0)])]
    guides = [[]]
    changed.insert(0)
    effects.schedule(.beat, at: now + .microseconds(effects.uniform(below: 1_000_000)))
    if !distant.isEmpty { seek(0, at: now, into: &effects) }
    publish(into: &effects)
  }

  /// Joins, leaves, or shuns.
  public mutating func handle(
    _ request: MembershipRequest, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch request {
    case .join(let contact):
      self.contact = contact
      remember(contact)
      seek(0, at: now, into: &effects)
    case .leave:
      hasLeft = true
      for level in rings.indices.reversed() { resign(from: level, into: &effects) }
    case .shun(let peer):
      distant.removeAll { $0 == peer }
      tellsLinks = true
    }
    publish(into: &effects)
  }

  /// Handles one message.
  public mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    if hasLeft { return }
    if let position = heard.position(of: sender) { heard[position] = now }
    switch message {
    case .seek(let seat, let level, let isGoingUp, let hops):
      direct(seat, to: level, isGoingUp: isGoingUp, hops: hops, into: &effects)
    case .enter(let ring, let seat):
      if let level = level(of: ring) { admit(seat, to: level, into: &effects) }
    case .adopt(let before, let state, let guides):
      adopt(state, insteadOf: before, guides: guides, from: sender, into: &effects)
    case .change(let ring, let taken, let left):
      if let level = level(of: ring) { change(level, taken: taken, left: left) }
    case .beat(let ring, let fingerprint):
      answerBeat(of: ring, fingerprint, from: sender, into: &effects)
    case .state(let state):
      if let level = level(of: state.identifier) { learn(state, at: level, from: sender, into: &effects) }
    case .absent(let ring):
      if let level = level(of: ring), let i = rings[level].position(of: sender) {
        let gone = LeftSeat(peer: sender, stamp: rings[level].seats[i].stamp)
        tellChange(of: level, left: [gone], into: &effects)
      }
    case .doubt(let ring, let suspect): answerDoubt(of: suspect, ring, from: sender, at: now, into: &effects)
    case .vouch(let ring, let suspect):
      doubts.removeAll { $0.ring == ring && $0.peer == suspect }
      let (position, _) = vouchedFor.insert(now, for: suspect)
      vouchedFor[position] = now
    case .absorb(let ring, let level, let own, let seats):
      absorb(seats, of: ring, level: Int(level), into: own, into: &effects)
    case .guides(let ring, let peers):
      if let level = level(of: ring) { guides[level] = Array(peers.prefix(8)) }
    case .probe(let top, let level, let count, let prober, let hops):
      answerProbe(of: top, level, count, by: prober, hops: hops, into: &effects)
    case .island(let top): attach(top, through: sender)
    case .shuffle(let peers): answerShuffle(peers, from: sender, into: &effects)
    case .shuffled(let peers):
      if shuffledWith == sender { shuffledWith = nil }
      take(peers)
      remember(sender)
    }
    publish(into: &effects)
  }

  /// Does what is due.
  public mutating func expire(
    _ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    if hasLeft { return }
    effects.schedule(.beat, at: now + configuration.heartbeat)
    beats &+= 1
    for level in rings.indices { beat(level, at: now, into: &effects) }
    settleDoubts(at: now, into: &effects)
    mend(at: now, into: &effects)
    shuffle(into: &effects)
    publish(into: &effects)
  }

  /// A link is lost: whether the peer is dead is for heartbeats to find out.
  public mutating func disconnect(
    from peer: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {}

  // MARK: - Parts

  /// The level of a ring that this peer is in.
  func level(of ring: UInt64) -> Int? { rings.firstIndex { $0.identifier == ring } }

  /// Whether this peer is a contact of its ring of a level.
  func isContact(of level: Int) -> Bool {
    rings[level].contacts(configuration.contacts).contains { $0.peer == identity }
  }

  /// Whether it is the first.
  func isFirstContact(of level: Int) -> Bool {
    rings[level].contacts(1).first?.peer == identity
  }

  /// An own seat in the ring of a level, newer than all before.
  mutating func seat(in level: Int) -> RingSeat {
    stamp += 1
    let below = level > 0 ? rings[level - 1] : nil
    return RingSeat(
      peer: identity, tag: tag, stamp: stamp, since: level < rings.count ? rings[level].epoch : 0,
      position: below?.centre ?? place, branch: below?.identifier ?? 0)
  }

  mutating func change(_ level: Int, taken: [RingSeat], left: [LeftSeat]) {
    var isChanged = false
    for seat in taken where rings[level].add(seat) { isChanged = true }
    for gone in left where rings[level].remove(gone) { isChanged = true }
    if isChanged { noteChange(of: level) }
  }

  mutating func noteChange(of level: Int) {
    changed.insert(level)
    tellsLinks = true
  }

  /// Changes a ring here, and tells all its members.
  mutating func tellChange(
    of level: Int, taken: [RingSeat] = [], left: [LeftSeat] = [],
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    let before = rings[level].seats.map(\.peer)
    change(level, taken: taken, left: left)
    let parcel = effects.prepare(.change(ring: rings[level].identifier, taken: taken, left: left))
    for peer in before where peer != identity { effects.send(parcel, to: peer) }
    for seat in taken where seat.peer != identity && !before.contains(seat.peer) {
      effects.send(parcel, to: seat.peer)
    }
  }

  /// Gives the seat in the ring of a level up, and those in rings above.
  mutating func resign(from level: Int, into effects: inout some Effects<Self> & ~Copyable) {
    while rings.count > level {
      let top = rings.count - 1
      tellChange(of: top, left: [LeftSeat(peer: identity, stamp: stamp)], into: &effects)
      drop(top)
    }
  }

  /// Forgets the rings from a level on.
  mutating func drop(_ level: Int) {
    while rings.count > level {
      changed.insert(rings.count - 1)
      rings.removeLast()
      guides.removeLast()
    }
    tellsLinks = true
  }

  /// Tells the layer above what changed.
  mutating func publish(into effects: inout some Effects<Self> & ~Copyable) {
    if !changed.isEmpty {
      for level in changed.sorted() {
        effects.indicate(.ring(level: level, level < rings.count ? view(of: level) : nil))
      }
      changed = []
    }
    guard tellsLinks else { return }
    tellsLinks = false
    var wanted = PeerSet()
    for ring in rings { for seat in ring.seats where seat.peer != identity { wanted.insert(seat.peer) } }
    for peer in distant { wanted.insert(peer) }
    for peer in links.members where !wanted.contains(peer) { effects.indicate(.lost(peer, .partialView)) }
    for peer in wanted.members where !links.contains(peer) { effects.indicate(.gained(peer, .partialView)) }
    links = wanted
  }

  private func view(of level: Int) -> RingView {
    let ring = rings[level]
    let contacts = ring.contacts(configuration.contacts).map(\.peer)
    return RingView(
      identifier: ring.identifier, fingerprint: ring.fingerprint,
      places: ring.seats.map {
        .init(peer: $0.peer, branch: $0.branch, isContact: contacts.contains($0.peer))
      })
  }
}
