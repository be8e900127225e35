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
/// A subscription is a lease: it lapses where it is kept unless the subscriber, by then, is kept elsewhere.
/// What differs from the paper, so that views keep their size for as long as the group lives, is in the
/// folder's README.
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
    /// For the next round of upkeep; counts the rounds.
    case round(count: UInt8)
  }

  /// The peer itself.
  public let identity: Peer
  /// The parameters that it follows.
  public let configuration: ScampConfiguration
  @usableFromInline var door: Door
  @usableFromInline var outgoing = PeerMap<ScampArc>()
  @usableFromInline var incoming = PeerMap<ScampArc>()
  /// The peer that was asked for a contact, and is asked again if this one finds itself alone.
  @usableFromInline var contact: Peer?
  @usableFromInline var size = GroupSize()
  /// This peer's subscription with both signatures, once a contact has introduced it.
  @usableFromInline var subscription: Subscription<Door.Signature>?
  /// The number of the subscription that waits for a contact.
  @usableFromInline var requestNumber: UInt64 = 0
  /// Neighbours that fell silent: through one of them the group is found again after a partition.
  @usableFromInline var lostNeighbours: [Peer] = []
  /// Members that were given away last: only these may be returned.
  @usableFromInline var donated: [Peer] = []
  /// How often subscribers were met in this round.
  @usableFromInline var met = PeerMap<ScampMeetings>()
  /// What this peer may still send because of others.
  @usableFromInline var relay = ScampRelayBudget()
  /// How many members the partial view takes before it passes every subscription on.
  @usableFromInline var mostMembers: UInt16
  /// Donations that were asked for: one that was not is returned.
  @usableFromInline var awaitedDonations: UInt16 = 0
  /// Members given away in this round.
  @usableFromInline var donations: UInt8 = 0
  /// Rounds in a row in which the in-view had less than half of what it should.
  @usableFromInline var thinRounds: UInt8 = 0
  /// Attempts to subscribe that were made since it was last begun; the timer of another attempt is stale.
  @usableFromInline var attempt: UInt8 = 0
  /// Whether this peer waits for its subscription to be answered.
  @usableFromInline var isJoining = false
  /// Whether `size` has changed since it was last passed on.
  @usableFromInline var hasNewSize = true
  /// Whether the contact was probed and has not answered.
  @usableFromInline var awaitsContact = false
  /// Whether this peer has left for good.
  @usableFromInline var hasLeft = false

  /// A peer that knows nobody yet, or only those that it met before a restart.
  ///
  /// - Parameters:
  ///   - identity: the peer's own handle.
  ///   - door: says who may join.
  ///   - configuration: the parameters of SCAMP.
  ///   - acquaintances: peers to join through if there is no contact; see ``acquaintances``.
  @inlinable
  public init(
    identity: Peer, door: Door, configuration: ScampConfiguration = ScampConfiguration(),
    acquaintances: [Peer] = []
  ) {
    self.identity = identity
    self.door = door
    self.configuration = configuration
    mostMembers = configuration.viewLimit
    let remembered = acquaintances.filter { $0 != identity }
    lostNeighbours = Array(remembered.prefix(ScampConfiguration.lostNeighboursRemembered))
  }

  /// The peers that this one sends to.
  @inlinable
  public var partialView: PeerSet { _read { yield outgoing.keys } }
  /// The peers that have this one in their partial view.
  @inlinable
  public var inView: PeerSet { _read { yield incoming.keys } }
  /// The neighbours, of both views, then those that fell silent.
  public var acquaintances: [Peer] {
    let neighbours = outgoing.keys.members + incoming.keys.members.filter { !outgoing.keys.contains($0) }
    return neighbours + lostNeighbours
  }
  /// Whether a peer may belong to the group at all.
  public func admits(_ peer: Peer) -> Bool { door.admits(peer) }
  /// How many peers there seem to be.
  public var estimatedSize: Double { size.estimate }
  /// How often others asked for more than this peer passes on in a time; see ``ScampRelayBudget``.
  public var refusedRelays: Int { Int(relay.refusals) }

  /// Draws this peer's part of the size estimate, and joins through an acquaintance if there is one.
  @inlinable
  public mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    size.start(&effects)
    waitForRound(count: 0, at: now, into: &effects)
    if !lostNeighbours.isEmpty { subscribe(at: now, into: &effects) }
  }

  /// Joins through a contact, leaves, or breaks with a peer.
  @inlinable
  public mutating func handle(
    _ request: Request, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard !hasLeft else { return }
    switch request {
    case .join(let contact):
      guard contact != identity else { return }
      self.contact = contact
      subscribe(at: now, into: &effects)
    case .leave: leave(into: &effects)
    case .shun(let peer): shun(peer, at: now, into: &effects)
    }
  }

  /// Handles one message.
  @inlinable
  public mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard !hasLeft else { return }
    switch message {
    case .subscribe(let number, let signature):
      receiveSubscribe(number, signature, from: sender, at: now, into: &effects)
    case .walk(let walk): advance(walk, from: sender, at: now, into: &effects)
    case .subscription(let subscription, let hopsLeft, let news):
      hear(news, into: &effects)
      receive(subscription, hopsLeft: hopsLeft, from: sender, at: now, into: &effects)
    case .welcome(let number, let countersignature, let news):
      hear(news, into: &effects)
      receiveWelcome(number, countersignature, from: sender, into: &effects)
    case .refused(let number):
      if isJoining, number == requestNumber { effects.indicate(.refused(by: sender)) }
    case .kept(let news):
      hear(news, into: &effects)
      addToInView(sender, into: &effects)
    case .dropped:
      if incoming.remove(sender) != nil { effects.indicate(.lost(sender, .inView)) }
      recoverFromIsolation(at: now, into: &effects)
    case .release(let successor):
      release(sender, successor: successor, into: &effects)
      recoverFromIsolation(at: now, into: &effects)
    case .heartbeat(let news):
      hear(news, into: &effects)
      receiveHeartbeat(from: sender, into: &effects)
    case .alive(let news):
      hear(news, into: &effects)
      if let position = outgoing.position(of: sender) { outgoing[position].silentRounds = 0 }
    case .probe: effects.send(.present(size.news), to: sender)
    case .present(let news): receivePresent(news, from: sender, into: &effects)
    case .donation(let member): receiveDonation(member, from: sender, into: &effects)
    case .returned(let member):
      guard let position = donated.firstIndex(of: member) else { return }
      donated.remove(at: position)
      keep(member, into: &effects)
    case .size(let news): hear(news, into: &effects)
    }
  }

  /// Asks again, or looks after the views.
  @inlinable
  public mutating func expire(
    _ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard !hasLeft else { return }
    switch timer {
    case .subscription(let attempt):
      guard isJoining, attempt == self.attempt else { return }
      self.attempt = attempt == .max ? 128 : attempt + 1
      askForContact(at: now, into: &effects)
    case .round(let count): keepUp(count: count, at: now, into: &effects)
    }
  }

  /// The next round, without which nothing is looked after any more, and the next attempt to join.
  @inlinable
  public static func isEssential(_ timer: Timer) -> Bool { true }

  /// Forgets a neighbour whose link is lost, but not that it was one.
  @inlinable
  public mutating func disconnect(
    from peer: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard !hasLeft, outgoing.position(of: peer) != nil || incoming.position(of: peer) != nil else { return }
    forget(peer, into: &effects)
    rememberLost(peer, into: &effects)
    recoverFromIsolation(at: now, into: &effects)
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

/// What is remembered of an arc, at either end.
@frozen
public struct ScampArc: Sendable {
  /// Rounds since the other end was last heard of on it.
  @usableFromInline var silentRounds: UInt8 = 0
  /// Rounds since the arc came to be, up to 255.
  @usableFromInline var age: UInt8

  @inlinable
  init(age: UInt8 = 0) { self.age = age }

  @inlinable
  mutating func growOlder() {
    silentRounds = silentRounds == .max ? .max : silentRounds + 1
    age = age == .max ? .max : age + 1
  }
}

/// How often a subscriber was met in a round.
@frozen
public struct ScampMeetings: Sendable {
  /// The number of its subscription that this peer introduced last, cut to 32 bits: only the subscriber itself could
  /// make two of its own look alike.
  @usableFromInline var introduced: UInt32?
  /// Requests for a contact that it sent itself.
  @usableFromInline var requests: UInt8 = 0
  /// What others passed on of it: walks for a contact, and copies of its subscription.
  @usableFromInline var relayed: UInt8 = 0

  @inlinable
  init() {}

  /// How often it was met.
  @inlinable
  var count: Int { Int(requests) + Int(relayed) }
}
