import StarlingCore

/// SCAMP: membership whose views grow by themselves to the size that gossip needs, though no peer is told how
/// many there are.
///
/// Ganesh, Kermarrec and Massoulié, "SCAMP: Peer-to-peer lightweight membership service for large-scale
/// group communication", NGC 2001; "Peer-to-peer membership management for gossip-based protocols", IEEE
/// Transactions on Computers 52(2), 2003. A new peer's contact sends its subscription to each of its own
/// neighbours, and c more copies; whoever holds a copy keeps the subscriber with probability
/// 1/(1 + |view|) or passes the copy on. The mean view becomes (c + 1)·ln N.
///
/// Two repairs, which the folder's README explains: a peer whose subscription left it with too few keepers
/// sends more copies, and one whose own view is thin is given members by peers that have many.
@frozen
public struct Scamp<Door: Admission>: Membership {
  /// What this membership can be asked for.
  public typealias Request = MembershipRequest
  /// What this membership tells the layer above.
  public typealias Indication = MembershipIndication

  /// What SCAMP waits for.
  @frozen
  public enum Timer: Sendable, Hashable {
    /// For an answer to a subscription; counts the attempts.
    case subscription(attempt: UInt8)
    /// To look whether the views are thin; counts the looks.
    case examination(count: UInt8)
  }

  /// The peer itself.
  public let identity: Peer
  /// The parameters that it follows.
  public let configuration: ScampConfiguration
  @usableFromInline var door: Door
  @usableFromInline var outgoing = PeerSet()
  @usableFromInline var incoming = PeerSet()
  /// The peer that was asked for a contact, and is asked again if this one finds itself alone.
  @usableFromInline var contact: Peer?
  @usableFromInline var size = SizeSketch()
  /// Members that were given away last: only these may be returned.
  @usableFromInline var donated: [Peer] = []
  /// Donations that were asked for: one that was not is returned.
  @usableFromInline var awaitedDonations: UInt16 = 0
  /// Whether this peer waits for its subscription to be answered.
  @usableFromInline var isJoining = false
  /// Whether `size` has changed since it was last passed on.
  @usableFromInline var hasNewSize = true

  /// A peer that knows nobody yet.
  ///
  /// - Parameters:
  ///   - identity: the peer's own handle.
  ///   - door: says who may join.
  ///   - configuration: the parameters of SCAMP.
  @inlinable
  public init(identity: Peer, door: Door, configuration: ScampConfiguration = ScampConfiguration()) {
    self.identity = identity
    self.door = door
    self.configuration = configuration
  }

  /// The peers that this one sends to.
  @inlinable
  public var partialView: PeerSet { _read { yield outgoing } }
  /// The peers that have this one in their partial view.
  @inlinable
  public var inView: PeerSet { _read { yield incoming } }
  /// The neighbours, of both views.
  public var acquaintances: [Peer] { outgoing.members + incoming.members.filter { !outgoing.contains($0) } }
  /// How many peers there seem to be.
  public var estimatedSize: Double { size.estimate }

  /// Draws this peer's part of the size estimate.
  @inlinable
  public mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    size.merge(SizeSketch(drawnFrom: &effects))
    examineLater(count: 0, at: now, into: &effects)
  }

  /// Joins through a contact.
  @inlinable
  public mutating func handle(
    _ request: Request, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch request {
    case .join(let contact):
      guard contact != identity else { return }
      self.contact = contact
      subscribe(attempt: 0, at: now, into: &effects)
    case .leave: break
    case .shun(let peer): disconnect(from: peer, at: now, into: &effects)
    }
  }

  /// Handles one message.
  @inlinable
  public mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch message {
    case .subscribe:
      receiveSubscribe(from: sender, into: &effects)
    case .walk(let walk):
      advance(walk, from: sender, into: &effects)
    case .subscription(let subscriber, let hopsLeft, let heard):
      hear(heard)
      keepOrPassOn(subscriber, hopsLeft: min(hopsLeft, configuration.hopLimit), into: &effects)
    case .welcome(let heard):
      hear(heard)
      receiveWelcome(from: sender, into: &effects)
    case .kept(let heard):
      hear(heard)
      addToInView(sender, into: &effects)
    case .dropped:
      if incoming.remove(sender) != nil { effects.indicate(.lost(sender, .inView)) }
    case .donation(let member):
      receiveDonation(member, from: sender, into: &effects)
    case .returned(let member):
      guard let position = donated.firstIndex(of: member) else { return }
      donated.remove(at: position)
      keep(member, into: &effects)
    case .size(let heard):
      hear(heard)
    }
  }

  /// Asks again, or looks after thin views.
  @inlinable
  public mutating func expire(
    _ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch timer {
    case .subscription(let attempt):
      if isJoining { subscribe(attempt: attempt &+ 1, at: now, into: &effects) }
    case .examination(let count):
      examine(count: count, at: now, into: &effects)
    }
  }

  /// Forgets a peer whose link is lost, and makes sure that this peer is not left thin or alone.
  @inlinable
  public mutating func disconnect(
    from peer: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    if outgoing.remove(peer) != nil { effects.indicate(.lost(peer, .partialView)) }
    if incoming.remove(peer) != nil { effects.indicate(.lost(peer, .inView)) }
    if outgoing.isEmpty && incoming.isEmpty && !isJoining {
      subscribe(attempt: 0, at: now, into: &effects)
    }
  }
}

// MARK: - Subscription

extension Scamp {
  @inlinable
  mutating func subscribe(
    attempt: UInt8, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard let contact else { return }
    isJoining = true
    effects.send(.subscribe, to: contact)
    // Patient at first, because a walk loses its way on a lossy network; then ever slower.
    let doublings = attempt < 16 ? 0 : attempt - 16
    let wait = Scamp.backedOff(ScampConfiguration.subscriptionRetry, count: doublings)
    effects.schedule(.subscription(attempt: attempt), at: now + wait)
  }

  @inlinable
  mutating func receiveSubscribe(
    from subscriber: Peer, into effects: inout some Effects<Self> & ~Copyable
  ) {
    var walk = Walk(.contact, for: subscriber, hopsLeft: configuration.walkLength)
    walk.isReturned = true
    advance(walk, from: subscriber, into: &effects)
  }

  @inlinable
  mutating func receiveWelcome(from contact: Peer, into effects: inout some Effects<Self> & ~Copyable) {
    guard isJoining else { return }
    isJoining = false
    keep(contact, into: &effects)
  }

  /// The work of a subscription's contact.
  @inlinable
  mutating func introduce(_ subscriber: Peer, into effects: inout some Effects<Self> & ~Copyable) {
    guard subscriber != identity else { return }
    if outgoing.isEmpty {
      keep(subscriber, into: &effects)
    } else {
      sendCopies(of: subscriber, count: Int(configuration.extraCopies), toAll: true, into: &effects)
    }
    effects.send(.welcome(size), to: subscriber)
  }

  /// Sends copies of a subscription to random neighbours, and if asked to, one more to each.
  @inlinable
  mutating func sendCopies(
    of subscriber: Peer, count: Int, toAll: Bool, into effects: inout some Effects<Self> & ~Copyable
  ) {
    // A copy makes about one hop for each member of a view; where nobody can keep it, it must not go on long.
    let hops = min(configuration.hopLimit, UInt16(clamping: 16 * (1 + outgoing.count)))
    let parcel = effects.prepare(.subscription(subscriber: subscriber, hopsLeft: hops, size))
    if toAll {
      for i in 0..<outgoing.count { effects.send(parcel, to: outgoing[i]) }
    }
    for _ in 0..<count { effects.send(parcel, to: outgoing[effects.uniform(below: outgoing.count)]) }
  }

  @inlinable
  mutating func keepOrPassOn(
    _ subscriber: Peer, hopsLeft: UInt16, into effects: inout some Effects<Self> & ~Copyable
  ) {
    // p = 1 / (1 + |view|), the paper's section 3.1.
    if canKeep(subscriber), hopsLeft == 0 || effects.oneIn(1 + outgoing.count) {
      keep(subscriber, into: &effects)
    } else if hopsLeft > 0, let next = outgoing.random(from: &effects) {
      effects.send(.subscription(subscriber: subscriber, hopsLeft: hopsLeft - 1, size), to: next)
    }
  }

  @inlinable
  func canKeep(_ peer: Peer) -> Bool {
    peer != identity && outgoing.count < Int(configuration.viewLimit) && !outgoing.contains(peer)
  }

  @inlinable
  mutating func keep(_ peer: Peer, into effects: inout some Effects<Self> & ~Copyable) {
    guard canKeep(peer) else { return }
    outgoing.insert(peer)
    effects.send(.kept(size), to: peer)
    effects.indicate(.gained(peer, .partialView))
  }

  @inlinable
  mutating func addToInView(_ peer: Peer, into effects: inout some Effects<Self> & ~Copyable) {
    guard peer != identity, incoming.count < Int(configuration.viewLimit), incoming.insert(peer)
    else { return }
    effects.indicate(.gained(peer, .inView))
  }

  /// A wait doubled `count` times, up to the longest.
  @inlinable
  static func backedOff(_ wait: Interval, count: UInt8) -> Interval {
    min(wait * (1 << min(Int(count), 16)), ScampConfiguration.longestWait)
  }
}

extension Scamp where Door == OpenDoor {
  /// A peer that knows nobody yet, of a group that everybody may join.
  ///
  /// - Parameters:
  ///   - identity: the peer's own handle.
  ///   - configuration: the parameters of SCAMP.
  @inlinable
  public init(identity: Peer, configuration: ScampConfiguration = ScampConfiguration()) {
    self.init(identity: identity, door: OpenDoor(), configuration: configuration)
  }
}
