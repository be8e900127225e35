import StarlingCore

/// The broadcast tree of the project's proposal: begin by forwarding to every neighbour; a duplicate prunes
/// the link it came over; what is left is a tree. Pruned links carry announcements, and a peer that hears of
/// a message which stays away grafts the announcing link back (lazy push: Leitão, Pereira and Rodrigues,
/// "Epidemic broadcast trees", SRDS 2007). What was missed for longer is found by comparing digests with a
/// neighbour (anti-entropy: Demers et al., "Epidemic algorithms for replicated database maintenance", PODC
/// 1987).
///
/// One tree serves all senders: a link is pruned and grafted at both ends, so the tree has no direction. The
/// folder's README explains what happens when prunes cross.
@frozen
public struct BroadcastTree<Auth: Authenticator>: BroadcastProcess {
  /// What the tree waits for.
  @frozen
  public enum Timer: Hashable, Sendable {
    /// A message that others have and that has not come.
    case missing(MessageIdentifier)
    /// The next pulse. One with another number than the last that was set is of no interest any more.
    case pulse(UInt16)
    /// Messages known from digests that did not come by themselves.
    case recovery
    /// Recovered messages that the neighbours do not know of yet.
    case news
  }

  @usableFromInline var gate: MessageGate<Auth>
  /// The parameters that it follows.
  public let configuration: BroadcastTreeConfiguration
  @usableFromInline var storedLinks = PeerMap<Link>()
  @usableFromInline var history = MessageHistory<Auth>()
  @usableFromInline var missing: [MissingMessage] = []
  /// From a message's first announcement to the message, when it comes by itself.
  @usableFromInline var lag = TimeoutEstimator()
  /// From a graft to the message.
  @usableFromInline var reply = TimeoutEstimator()
  @usableFromInline var pulse = Pulse()
  @usableFromInline var duplicates: UInt32 = 0
  @usableFromInline var repair = OnDemand<TreeRepair>()

  /// - Parameters:
  ///   - identity: the peer's own handle.
  ///   - auth: signs this peer's messages and checks the others'.
  ///   - configuration: the parameters of the tree.
  ///   - firstSequence: the number of its first message, above all it used before.
  ///   - seen: what it had before it was restarted; see ``seen``.
  @inlinable
  public init(
    identity: Peer, auth: Auth, configuration: BroadcastTreeConfiguration = .init(),
    firstSequence: UInt64 = 0, seen: SeenMessages = SeenMessages()
  ) {
    gate = MessageGate(identity: identity, auth: auth, firstSequence: firstSequence, seen: seen)
    self.configuration = configuration
  }

  /// Broadcasts, or keeps the links.
  @inlinable
  public mutating func handle(
    _ request: BroadcastRequest<Auth.Payload>, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch request {
    case .broadcast(let payload):
      guard payload.byteCount <= Auth.Payload.byteLimit else { return count { $0.oversized += 1 } }
      spread(gate.originate(payload), except: gate.identity, at: now, into: &effects)
    case .linkUp(let peer, let direction): linkUp(to: peer, direction, into: &effects)
    case .linkDown(let peer, let direction): linkDown(to: peer, direction)
    // Announcements and digests find what was lost.
    case .linkDoubtful, .ring: break
    }
  }

  /// Handles one message.
  @inlinable
  public mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    // Most messages announce what is here already. They are no sign of life, so the link is not looked up.
    if case .announce(let identifier) = message {
      return receiveAnnounce(identifier, from: sender, at: now, into: &effects)
    }
    let position = storedLinks.position(of: sender)
    if let position { storedLinks[position].heard() }
    switch message {
    case .push(let broadcast): receivePush(broadcast, from: sender, over: position, at: now, into: &effects)
    case .graft(let identifier):
      if let position { storedLinks[position].isInTree = true }
      if let message = keptMessage(identifier, for: sender, into: &effects) {
        effects.send(.push(message), to: sender)
      }
    case .prune:
      if let position { storedLinks[position].isInTree = false }
    case .fetch(let identifier):
      if let message = keptMessage(identifier, for: sender, into: &effects) {
        effects.send(.supply(message), to: sender)
      }
    case .supply(let broadcast): receiveSupply(broadcast, from: sender, at: now, into: &effects)
    case .gone(let identifier): receiveGone(identifier, from: sender, at: now, into: &effects)
    case .alive, .announce: break
    case .summary(let summary): receiveSummary(summary, from: sender, at: now, into: &effects)
    case .digest(let digest): receiveDigest(digest, from: sender, at: now, into: &effects)
    }
  }

  /// Does what has become due.
  @inlinable
  public mutating func expire(
    _ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch timer {
    case .missing(let identifier): pursue(identifier, at: now, into: &effects)
    case .pulse(let number): beat(number, at: now, into: &effects)
    case .recovery:
      changeRepair { $0.isRecoveryDue = false }
      recover(at: now, into: &effects)
    case .news: tellRecovered(at: now, into: &effects)
    }
  }

  /// All but those of missing messages, which others can make many.
  @inlinable
  public static func isEssential(_ timer: Timer) -> Bool {
    if case .missing = timer { return false }
    return true
  }

  /// Forgets a neighbour whose link is lost.
  @inlinable
  public mutating func disconnect(
    from peer: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    storedLinks.remove(peer)
    forgetOffers(of: peer, isGone: true)
  }
}
