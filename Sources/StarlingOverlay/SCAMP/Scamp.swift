import StarlingCore

/// SCAMP: membership whose views grow by themselves to the size that gossip needs, though no peer knows how
/// many there are.
///
/// Ganesh, Kermarrec and Massoulié, "SCAMP: Peer-to-peer lightweight membership service for large-scale
/// group communication", NGC 2001; "Peer-to-peer membership management for gossip-based protocols", IEEE
/// Transactions on Computers 52(2), 2003. A new peer's contact sends its subscription to each of its own
/// neighbours, and c more copies; whoever holds a copy keeps the subscriber with probability
/// 1/(1 + |view|) or passes the copy on. The mean view becomes (c + 1)·ln N.
@frozen
public struct Scamp: Membership {
  /// What this membership can be asked for.
  public typealias Request = MembershipRequest
  /// What this membership tells the layer above.
  public typealias Indication = MembershipIndication

  /// What SCAMP waits for.
  @frozen
  public enum Timer: Sendable, Hashable {
    /// For an answer to a subscription; counts the attempts.
    case subscription(attempt: UInt8)
    /// To look whether the partial view is thin; counts the looks.
    case examination(count: UInt8)
  }

  /// The peer itself.
  public let identity: Peer
  /// The parameters that it follows.
  public let configuration: ScampConfiguration
  @usableFromInline var outgoing = PeerSet()
  @usableFromInline var incoming = PeerSet()
  /// The peer that was asked for a contact, and is asked again if this one finds itself alone.
  @usableFromInline var contact: Peer?
  /// Walks whose end may still offer itself: an offer that nobody asked for is ignored.
  @usableFromInline var awaitedOffers: UInt16 = 0
  @usableFromInline var isExamining = false

  /// A peer that knows nobody yet.
  ///
  /// - Parameters:
  ///   - identity: the peer's own handle.
  ///   - configuration: the parameters of SCAMP.
  @inlinable
  public init(identity: Peer, configuration: ScampConfiguration = ScampConfiguration()) {
    self.identity = identity
    self.configuration = configuration
  }

  /// The peers that this one sends to.
  @inlinable
  public var partialView: PeerSet { _read { yield outgoing } }
  /// The peers that have this one in their partial view.
  @inlinable
  public var inView: PeerSet { _read { yield incoming } }

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
      examineLater(count: 0, at: now, into: &effects)
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
      var walk = Walk(.contact, for: sender, hopsLeft: configuration.walkLength)
      walk.isReturned = true
      advance(walk, from: sender, at: now, into: &effects)
    case .walk(let walk):
      advance(walk, from: sender, at: now, into: &effects)
    case .subscription(let subscriber, let hopsLeft):
      keepOrPassOn(subscriber, hopsLeft: min(hopsLeft, configuration.hopLimit), into: &effects)
    case .offer:
      guard awaitedOffers > 0 else { return }
      awaitedOffers -= 1
      keep(sender, into: &effects)
    case .kept:
      guard sender != identity, incoming.count < Int(configuration.viewLimit), incoming.insert(sender)
      else { return }
      effects.indicate(.gained(sender, .inView))
    }
  }

  /// Asks again, or tops the view up.
  @inlinable
  public mutating func expire(
    _ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch timer {
    case .subscription(let attempt):
      if outgoing.isEmpty && incoming.isEmpty {
        subscribe(attempt: attempt &+ 1, at: now, into: &effects)
      }
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
    if outgoing.isEmpty && incoming.isEmpty { subscribe(attempt: 0, at: now, into: &effects) }
    if !isExamining { examineLater(count: 0, at: now, into: &effects) }
  }
}

// MARK: - Subscription

extension Scamp {
  @inlinable
  mutating func subscribe(
    attempt: UInt8, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard let contact else { return }
    awaitedOffers = 1
    effects.send(.subscribe, to: contact)
    let wait = Scamp.backedOff(ScampConfiguration.subscriptionRetry, count: attempt)
    effects.schedule(.subscription(attempt: attempt), at: now + wait)
  }

  /// The work of a subscription's contact.
  @inlinable
  mutating func introduce(_ subscriber: Peer, into effects: inout some Effects<Self> & ~Copyable) {
    guard subscriber != identity else { return }
    if outgoing.isEmpty {
      keep(subscriber, into: &effects)
    } else {
      let parcel = effects.prepare(
        .subscription(subscriber: subscriber, hopsLeft: configuration.hopLimit))
      for i in 0..<outgoing.count { effects.send(parcel, to: outgoing[i]) }
      for _ in 0..<configuration.extraCopies {
        effects.send(parcel, to: outgoing[effects.uniform(below: outgoing.count)])
      }
    }
    effects.send(.offer, to: subscriber)
  }

  @inlinable
  mutating func keepOrPassOn(
    _ subscriber: Peer, hopsLeft: UInt16, into effects: inout some Effects<Self> & ~Copyable
  ) {
    // p = 1 / (1 + |view|), the paper's section 3.1.
    if canKeep(subscriber), hopsLeft == 0 || effects.oneIn(1 + outgoing.count) {
      keep(subscriber, into: &effects)
    } else if hopsLeft > 0, let next = outgoing.random(from: &effects) {
      effects.send(.subscription(subscriber: subscriber, hopsLeft: hopsLeft - 1), to: next)
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
    effects.send(.kept, to: peer)
    effects.indicate(.gained(peer, .partialView))
  }

  /// A wait doubled `count` times, up to the longest.
  @inlinable
  static func backedOff(_ wait: Interval, count: UInt8) -> Interval {
    min(wait * (1 << min(Int(count), 16)), ScampConfiguration.longestWait)
  }
}

// MARK: - Random walks

extension Scamp {
  /// Arcs at this peer, in both directions.
  @inlinable
  var degree: Int { outgoing.count + incoming.count }

  @inlinable
  mutating func advance(
    _ walk: Walk, from sender: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    var walk = walk
    walk.hopsLeft = min(walk.hopsLeft, configuration.walkLength)
    let degree = degree
    // A step towards a busier peer is accepted with probability degree(u) / degree(v).
    if !walk.isReturned, degree > Int(walk.degree), walk.degree > 0, walk.hopsLeft > 0,
      effects.uniform(below: degree) >= Int(walk.degree)
    {
      walk.isReturned = true
      walk.hopsLeft -= 1
      effects.send(.walk(walk), to: sender)
      return
    }
    guard walk.hopsLeft > 0, degree > 0 else { return finish(walk, into: &effects) }
    step(walk, into: &effects)
  }

  @inlinable
  mutating func step(_ walk: Walk, into effects: inout some Effects<Self> & ~Copyable) {
    var walk = walk
    let i = effects.uniform(below: degree)
    let next = i < outgoing.count ? outgoing[i] : incoming[i - outgoing.count]
    walk.isReturned = false
    walk.hopsLeft -= 1
    walk.degree = UInt16(clamping: degree)
    effects.send(.walk(walk), to: next)
  }

  @inlinable
  mutating func finish(_ walk: Walk, into effects: inout some Effects<Self> & ~Copyable) {
    switch walk.purpose {
    case .contact: introduce(walk.requester, into: &effects)
    case .topUp: if walk.requester != identity { effects.send(.offer, to: walk.requester) }
    }
  }

  @inlinable
  mutating func examineLater(
    count: UInt8, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    isExamining = true
    // Spread over the second half of the wait, so that peers which joined together do not walk together.
    let wait = Scamp.backedOff(ScampConfiguration.examinationInterval, count: count)
    let jitter = effects.uniform(below: Int(wait.nanoseconds / 2))
    effects.schedule(
      .examination(count: count), at: now + wait + Interval(nanoseconds: Int64(jitter)))
  }

  /// Sends a walk for each member that a thin view lacks. Not in the paper, whose views have a thin tail:
  /// the peers that joined last are known by many and know few.
  @inlinable
  mutating func examine(
    count: UInt8, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    let missing = Int(configuration.minimumView) - outgoing.count
    guard missing > 0 else {
      isExamining = false
      awaitedOffers = 0
      return
    }
    if degree > 0 {
      awaitedOffers = UInt16(missing)
      for _ in 0..<missing {
        step(Walk(.topUp, for: identity, hopsLeft: max(1, configuration.walkLength)), into: &effects)
      }
    }
    examineLater(count: count &+ 1, at: now, into: &effects)
  }
}
