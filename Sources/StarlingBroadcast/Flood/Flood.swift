import StarlingCore

/// Flooding: whoever gets a message for the first time passes it to its whole partial view. The baseline
/// that every broadcast is compared with: it reaches everybody fast, and many times over.
@frozen
public struct Flood<Auth: Authenticator>: BroadcastProcess {
  /// A copy of the broadcast.
  public typealias Message = Broadcast<Auth>
  /// Flooding waits for nothing.
  public typealias Timer = Never

  @usableFromInline let identity: Peer
  @usableFromInline let auth: Auth
  @usableFromInline var neighbours = PeerSet()
  @usableFromInline var seen = SeenMessages()
  @usableFromInline var nextSequence: UInt64

  /// - Parameters:
  ///   - identity: the peer's own handle.
  ///   - auth: signs this peer's messages and checks the others'.
  ///   - firstSequence: the number of its first message, above all it used before.
  @inlinable
  public init(identity: Peer, auth: Auth, firstSequence: UInt64 = 0) {
    self.identity = identity
    self.auth = auth
    nextSequence = firstSequence
  }

  /// Broadcasts, or keeps the links.
  @inlinable
  public mutating func handle(
    _ request: BroadcastRequest<Auth.Payload>, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch request {
    case .broadcast(let payload):
      let identifier = MessageIdentifier(origin: identity, sequence: nextSequence)
      nextSequence += 1
      _ = seen.insert(identifier)
      let parcel = effects.prepare(
        Broadcast(
          identifier: identifier, hops: 1, payload: payload,
          signature: auth.sign(payload, as: identifier)))
      for i in 0..<neighbours.count { effects.send(parcel, to: neighbours[i]) }
    case .linkUp(let peer, .outgoing): neighbours.insert(peer)
    case .linkDown(let peer, .outgoing): neighbours.remove(peer)
    case .linkUp, .linkDown: break
    }
  }

  /// Delivers a new message and passes it on.
  @inlinable
  public mutating func receive(
    _ message: Broadcast<Auth>, from sender: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    if seen.contains(message.identifier) { return }
    guard message.isAuthentic(to: auth) else { return effects.indicate(.refused(from: sender)) }
    _ = seen.insert(message.identifier)
    effects.indicate(.delivered(message, from: sender))
    let parcel = effects.prepare(message.passedOn)
    for i in 0..<neighbours.count where neighbours[i] != sender {
      effects.send(parcel, to: neighbours[i])
    }
  }

  /// Never called: flooding sets no timers.
  @inlinable
  public mutating func expire(
    _ timer: Never, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {}
}
