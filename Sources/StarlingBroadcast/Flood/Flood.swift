import StarlingCore

/// Flooding: whoever gets a message for the first time passes it to its whole partial view. The baseline
/// that every broadcast is compared with: it reaches everybody fast, and many times over.
@frozen
public struct Flood<Auth: Authenticator>: BroadcastProcess {
  /// A copy of the broadcast.
  public typealias Message = Broadcast<Auth>
  /// Flooding waits for nothing.
  public typealias Timer = Never

  @usableFromInline var gate: MessageGate<Auth>
  @usableFromInline var neighbours = PeerSet()

  /// - Parameters:
  ///   - identity: the peer's own handle.
  ///   - auth: signs this peer's messages and checks the others'.
  ///   - firstSequence: the number of its first message, above all it used before.
  @inlinable
  public init(identity: Peer, auth: Auth, firstSequence: UInt64 = 0) {
    gate = MessageGate(identity: identity, auth: auth, firstSequence: firstSequence)
  }

  /// Broadcasts, or keeps the links.
  @inlinable
  public mutating func handle(
    _ request: BroadcastRequest<Auth.Payload>, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch request {
    case .broadcast(let payload):
      let parcel = effects.prepare(gate.originate(payload))
      for i in 0..<neighbours.count { effects.send(parcel, to: neighbours[i]) }
    case .linkUp(let peer, .outgoing): neighbours.insert(peer)
    case .linkDown(let peer, .outgoing): neighbours.remove(peer)
    case .linkUp, .linkDown, .linkDoubtful, .ring: break
    }
  }

  /// Delivers a new message and passes it on.
  @inlinable
  public mutating func receive(
    _ message: Broadcast<Auth>, from sender: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch gate.admit(message) {
    case .duplicate: break
    case .unwelcome: return
    case .forged: effects.indicate(.misbehaved(sender, .badSignature))
    case .new:
      effects.indicate(.delivered(message, from: sender))
      let parcel = effects.prepare(message.passedOn)
      for i in 0..<neighbours.count where neighbours[i] != sender {
        effects.send(parcel, to: neighbours[i])
      }
    }
  }

  /// Never called: flooding sets no timers.
  @inlinable
  public mutating func expire(
    _ timer: Never, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {}
}
