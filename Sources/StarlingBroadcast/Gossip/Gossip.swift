import StarlingCore

/// Infect-and-die gossip: whoever gets a message for the first time passes it to a few random members of its
/// partial view, once. With fanout log N + k it reaches everybody with probability e^(−e^(−k)) (Kermarrec,
/// Massoulié and Ganesh, "Probabilistic reliable dissemination in large-scale systems", IEEE TPDS 14(3),
/// 2003). A baseline.
@frozen
public struct Gossip<Auth: Authenticator>: BroadcastProcess {
  /// A copy of the broadcast.
  public typealias Message = Broadcast<Auth>
  /// Gossip waits for nothing.
  public typealias Timer = Never

  @usableFromInline var gate: MessageGate<Auth>
  @usableFromInline let fanout: UInt16
  @usableFromInline var neighbours = PeerSet()

  /// - Parameters:
  ///   - identity: the peer's own handle.
  ///   - auth: signs this peer's messages and checks the others'.
  ///   - fanout: to how many neighbours a message is passed on, 1 ... 65,535.
  ///   - firstSequence: the number of its first message, above all it used before.
  @inlinable
  public init(identity: Peer, auth: Auth, fanout: Int, firstSequence: UInt64 = 0) {
    precondition((1...65_535).contains(fanout), "the fanout is \(fanout); it must be 1 ... 65535")
    gate = MessageGate(identity: identity, auth: auth, firstSequence: firstSequence)
    self.fanout = UInt16(fanout)
  }

  /// Broadcasts, or keeps the links.
  @inlinable
  public mutating func handle(
    _ request: BroadcastRequest<Auth.Payload>, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch request {
    case .broadcast(let payload):
      spread(gate.originate(payload), into: &effects)
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
      spread(message.passedOn, into: &effects)
    }
  }

  /// Never called: gossip sets no timers.
  @inlinable
  public mutating func expire(
    _ timer: Never, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {}

  @inlinable
  mutating func spread(_ message: Broadcast<Auth>, into effects: inout some Effects<Self> & ~Copyable) {
    let parcel = effects.prepare(message)
    for i in effects.sample(Int(fanout), below: neighbours.count) {
      effects.send(parcel, to: neighbours[i])
    }
  }
}
