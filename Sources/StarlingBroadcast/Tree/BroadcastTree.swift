import StarlingCore

/// The broadcast tree of the project's proposal: begin by forwarding to every neighbour; a duplicate prunes
/// the link it came over; what is left is a tree. Pruned links carry announcements, and a peer that hears of
/// a message which stays away grafts the announcing link back (lazy push: Leitão, Pereira and Rodrigues,
/// "Epidemic broadcast trees", SRDS 2007).
///
/// One tree serves all senders: a link is pruned and grafted at both ends, so the tree has no direction. The
/// folder's README explains what happens when prunes cross.
@frozen
public struct BroadcastTree<Auth: Authenticator>: BroadcastProcess {
  /// What the tree waits for: a message that was announced and has not come.
  public typealias Timer = MessageIdentifier

  /// What is known of a link to a neighbour.
  @frozen
  public struct Link: Sendable {
    /// Whether the neighbour is in our partial view, or we in its.
    @usableFromInline var isOutgoing = false
    @usableFromInline var isIncoming = false
    /// Whether the link belongs to the tree: we push to the neighbour; otherwise we announce.
    @usableFromInline var isInTree = true
    /// Duplicates in a row since the neighbour's last first copy.
    @usableFromInline var duplicates: UInt8 = 0

    /// Whether the link belongs to the tree as far as this end knows: messages are pushed over it at once
    /// (eager push), not announced (lazy push).
    @inlinable
    public var isEager: Bool { isInTree }

    @inlinable
    init() {}
  }

  /// A message that was announced and has not come.
  @usableFromInline
  struct Missing: Sendable {
    @usableFromInline let identifier: MessageIdentifier
    @usableFromInline var announcers: [Peer]
    @usableFromInline let announcedAt: Instant
    @usableFromInline var graftedAt: Instant
    @usableFromInline var attempts: UInt8

    @inlinable
    init(_ identifier: MessageIdentifier, announcer: Peer, at now: Instant) {
      self.identifier = identifier
      announcers = [announcer]
      announcedAt = now
      graftedAt = now
      attempts = 0
    }
  }

  @usableFromInline var gate: MessageGate<Auth>
  /// The parameters that it follows.
  public let configuration: BroadcastTreeConfiguration
  @usableFromInline var storedLinks = PeerMap<Link>()
  @usableFromInline var history = MessageHistory<Auth>()
  @usableFromInline var missing: [Missing] = []
  /// From a message's first announcement to the message, when it comes by itself.
  @usableFromInline var lag = TimeoutEstimator()
  /// From a graft to the message.
  @usableFromInline var reply = TimeoutEstimator()

  /// - Parameters:
  ///   - identity: the peer's own handle.
  ///   - auth: signs this peer's messages and checks the others'.
  ///   - configuration: the parameters of the tree.
  ///   - firstSequence: the number of its first message, above all it used before.
  @inlinable
  public init(
    identity: Peer, auth: Auth, configuration: BroadcastTreeConfiguration = .init(),
    firstSequence: UInt64 = 0
  ) {
    gate = MessageGate(identity: identity, auth: auth, firstSequence: firstSequence)
    self.configuration = configuration
  }

  /// The links to the neighbours, in the order in which they appeared.
  @inlinable
  public var links: PeerMap<Link> { _read { yield storedLinks } }

  /// Broadcasts, or keeps the links.
  @inlinable
  public mutating func handle(
    _ request: BroadcastRequest<Auth.Payload>, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch request {
    case .broadcast(let payload):
      spread(gate.originate(payload), except: gate.identity, into: &effects)
    case .linkUp(let peer, let direction): linkUp(to: peer, direction)
    case .linkDown(let peer, let direction): linkDown(to: peer, direction)
    }
  }

  /// Handles one message.
  @inlinable
  public mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch message {
    case .push(let broadcast): receivePush(broadcast, from: sender, at: now, into: &effects)
    case .announce(let identifier): receiveAnnounce(identifier, from: sender, at: now, into: &effects)
    case .graft(let identifier): receiveGraft(identifier, from: sender, into: &effects)
    case .prune:
      if let position = storedLinks.position(of: sender) { storedLinks[position].isInTree = false }
    }
  }

  /// Grafts: asks the next peer that announced a missing message for it.
  @inlinable
  public mutating func expire(
    _ timer: MessageIdentifier, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard let i = missing.firstIndex(where: { $0.identifier == timer }) else { return }
    guard missing[i].attempts < BroadcastTreeConfiguration.graftAttempts else {
      missing.remove(at: i)
      return
    }
    let announcers = missing[i].announcers
    let announcer = announcers[Int(missing[i].attempts) % announcers.count]
    missing[i].attempts += 1
    missing[i].graftedAt = now
    if let position = storedLinks.position(of: announcer) { storedLinks[position].isInTree = true }
    effects.send(.graft(timer), to: announcer)
    effects.schedule(timer, at: now + reply.timeout)
  }

  /// Forgets a neighbour whose link is lost.
  @inlinable
  public mutating func disconnect(
    from peer: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    storedLinks.remove(peer)
  }
}

extension BroadcastTree.Message: WireMessage
where Auth.Payload == [UInt8], Auth.Signature: WireSignature {
  /// Appends a kind byte and the kind's fields.
  public func encode(into writer: inout WireWriter, peers: borrowing some PeerDirectory) {
    switch self {
    case .push(let broadcast):
      writer.write(UInt8(0))
      broadcast.encode(into: &writer, peers: peers)
    case .announce(let identifier):
      writer.write(UInt8(1))
      identifier.encode(into: &writer, peers: peers)
    case .graft(let identifier):
      writer.write(UInt8(2))
      identifier.encode(into: &writer, peers: peers)
    case .prune: writer.write(UInt8(3))
    }
  }

  /// Takes a message apart.
  public static func decode(
    from reader: inout WireReader, peers: inout some PeerDirectory
  ) throws(WireError) -> Self {
    switch try reader.readByte() {
    case 0: .push(try Broadcast.decode(from: &reader, peers: &peers))
    case 1: .announce(try MessageIdentifier.decode(from: &reader, peers: &peers))
    case 2: .graft(try MessageIdentifier.decode(from: &reader, peers: &peers))
    case 3: .prune
    case let kind: throw .invalid("a tree message of unknown kind \(kind)")
    }
  }
}
