import StarlingBroadcast
import StarlingCore
import StarlingOverlay

/// A member of a group: a membership that says who the neighbours are, and a broadcast over them. The one
/// place where the two meet: neither knows the other.
@frozen
public struct GroupMember<Overlay: Membership, Diffusion: BroadcastProcess>: Process {
  /// A message of either layer.
  @frozen
  public enum Message: PayloadCarrying {
    /// The membership's.
    case overlay(Overlay.Message)
    /// The broadcast's.
    case diffusion(Diffusion.Message)

    /// The broadcast whose payload this message carries, if any.
    @inlinable
    public var carriedBroadcast: Broadcast<Diffusion.Auth>? {
      if case .diffusion(let message) = self { message.carriedBroadcast } else { nil }
    }
  }

  /// A timer of either layer.
  @frozen
  public enum Timer {
    /// The membership's.
    case overlay(Overlay.Timer)
    /// The broadcast's.
    case diffusion(Diffusion.Timer)
  }

  /// What a member can be asked for.
  @frozen
  public enum Request {
    /// Join the group that a peer belongs to.
    case join(contact: Peer)
    /// Leave the group in good order.
    case leave
    /// Bring this to every member.
    case broadcast(Diffusion.Auth.Payload)
    /// The driver found a peer out: it sent what cannot be read.
    case blame(Peer, Misbehaviour)
    /// There is a link to this peer, and yet what was on its way may be lost.
    case doubt(Peer)
  }

  /// What a member tells the application.
  @frozen
  public enum Indication {
    /// A broadcast of another member arrived for the first time, over the link from `sender`.
    case delivered(Broadcast<Diffusion.Auth>, from: Peer)
    /// A peer did what no correct peer does.
    case misbehaved(Peer, Misbehaviour)
    /// A peer's budget is spent: it is out of both views, and what it sends is dropped unread for a while.
    case shunned(Peer, Misbehaviour)
    /// A message was missed: nobody who told of it has it any more.
    case missed(MessageIdentifier)
    /// What is to be kept on stable storage before anything leaves.
    case keep([StableWrite])
    /// The overlay changed around this peer.
    case overlay(MembershipIndication)
  }

  /// The membership.
  public var overlay: Overlay
  /// The broadcast.
  public var diffusion: Diffusion
  /// The budgets of peers that misbehaved.
  public var conduct = Conduct()

  /// - Parameters:
  ///   - overlay: the membership.
  ///   - diffusion: the broadcast that runs over it.
  @inlinable
  public init(overlay: Overlay, diffusion: Diffusion) {
    self.overlay = overlay
    self.diffusion = diffusion
  }

  /// Starts both layers.
  @inlinable
  public mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    let changes = effects.embedding(OverlayLayer.self) { overlay.start(at: now, into: &$0) }
    let faults = effects.embedding(DiffusionLayer.self) { diffusion.start(at: now, into: &$0) }
    apply(changes, at: now, into: &effects)
    punish(faults, at: now, into: &effects)
  }

  /// Joins, or broadcasts.
  @inlinable
  public mutating func handle(
    _ request: Request, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch request {
    case .join(let contact):
      let changes = effects.embedding(OverlayLayer.self) {
        overlay.handle(.join(contact: contact), at: now, into: &$0)
      }
      apply(changes, at: now, into: &effects)
    case .leave:
      let changes = effects.embedding(OverlayLayer.self) {
        overlay.handle(.leave, at: now, into: &$0)
      }
      apply(changes, at: now, into: &effects)
    case .broadcast(let payload):
      let faults = effects.embedding(DiffusionLayer.self) {
        diffusion.handle(.broadcast(payload), at: now, into: &$0)
      }
      punish(faults, at: now, into: &effects)
    case .blame(let peer, let what):
      punish(peer, for: what, price: Conduct.price(of: what), at: now, into: &effects)
    case .doubt(let peer):
      let faults = effects.embedding(DiffusionLayer.self) {
        diffusion.handle(.linkDoubtful(peer), at: now, into: &$0)
      }
      punish(faults, at: now, into: &effects)
    }
  }

  /// Hands a message to the layer that it belongs to.
  @inlinable
  public mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard isWelcome(message, from: sender, at: now, into: &effects) else { return }
    switch message {
    case .overlay(let message):
      let changes = effects.embedding(OverlayLayer.self) {
        overlay.receive(message, from: sender, at: now, into: &$0)
      }
      apply(changes, at: now, into: &effects)
    case .diffusion(let message):
      let faults = effects.embedding(DiffusionLayer.self) {
        diffusion.receive(message, from: sender, at: now, into: &$0)
      }
      punish(faults, at: now, into: &effects)
    }
  }

  /// Hands a timer to the layer that set it.
  @inlinable
  public mutating func expire(
    _ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch timer {
    case .overlay(let timer):
      let changes = effects.embedding(OverlayLayer.self) { overlay.expire(timer, at: now, into: &$0) }
      apply(changes, at: now, into: &effects)
    case .diffusion(let timer):
      let faults = effects.embedding(DiffusionLayer.self) { diffusion.expire(timer, at: now, into: &$0) }
      punish(faults, at: now, into: &effects)
    }
  }

  /// What is essential to a layer.
  @inlinable
  public static func isEssential(_ timer: Timer) -> Bool {
    switch timer {
    case .overlay(let timer): Overlay.isEssential(timer)
    case .diffusion(let timer): Diffusion.isEssential(timer)
    }
  }

  /// Tells both layers that a link is lost.
  @inlinable
  public mutating func disconnect(
    from peer: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    let changes = effects.embedding(OverlayLayer.self) {
      overlay.disconnect(from: peer, at: now, into: &$0)
    }
    let faults = effects.embedding(DiffusionLayer.self) {
      diffusion.disconnect(from: peer, at: now, into: &$0)
    }
    apply(changes, at: now, into: &effects)
    punish(faults, at: now, into: &effects)
  }

  /// Makes the membership's indications the broadcast's requests.
  @inlinable
  mutating func apply(
    _ changes: [MembershipIndication], at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    for change in changes {
      let request: Diffusion.Request
      switch change {
      case .gained(let peer, _) where conduct.isShunned(peer, at: now):
        shun(peer, at: now, into: &effects)
        continue
      case .gained(let peer, .partialView): request = .linkUp(peer, .outgoing)
      case .gained(let peer, .inView): request = .linkUp(peer, .incoming)
      case .lost(let peer, .partialView): request = .linkDown(peer, .outgoing)
      case .lost(let peer, .inView): request = .linkDown(peer, .incoming)
      case .ring(let level, let view): request = .ring(level: level, view)
      case .misbehaved(let peer, let what):
        punish(peer, for: what, price: Conduct.price(of: what), at: now, into: &effects)
        continue
      case .admitted, .refused:
        effects.indicate(.overlay(change))
        continue
      }
      let faults = effects.embedding(DiffusionLayer.self) { diffusion.handle(request, at: now, into: &$0) }
      effects.indicate(.overlay(change))
      punish(faults, at: now, into: &effects)
    }
  }
}

extension GroupMember {
  /// How the membership is wired in: its indications become the broadcast's requests.
  @frozen
  public enum OverlayLayer: Embedding {
    /// The containing process.
    public typealias Outer = GroupMember
    /// The contained process.
    public typealias Inner = Overlay

    /// Wraps a message.
    @inlinable
    public static func message(_ message: Overlay.Message) -> Message { .overlay(message) }
    /// Wraps a timer.
    @inlinable
    public static func timer(_ timer: Overlay.Timer) -> Timer { .overlay(timer) }
    /// Keeps every indication for the member itself.
    @inlinable
    public static func indication(_ indication: Overlay.Indication) -> Indication? { nil }
  }

  /// How the broadcast is wired in: its indications go straight up, but for those about peers' conduct.
  @frozen
  public enum DiffusionLayer: Embedding {
    /// The containing process.
    public typealias Outer = GroupMember
    /// The contained process.
    public typealias Inner = Diffusion

    /// Wraps a message.
    @inlinable
    public static func message(_ message: Diffusion.Message) -> Message { .diffusion(message) }
    /// Wraps a timer.
    @inlinable
    public static func timer(_ timer: Diffusion.Timer) -> Timer { .diffusion(timer) }
    /// Passes indications up, and keeps what is told about a peer's conduct.
    @inlinable
    public static func indication(_ indication: Diffusion.Indication) -> Indication? {
      switch indication {
      case .delivered(let broadcast, let sender): .delivered(broadcast, from: sender)
      case .misbehaved: nil
      case .missed(let identifier): .missed(identifier)
      case .keep(let writes): .keep(writes)
      }
    }
  }
}

extension GroupMember.Message: WireMessage
where Overlay.Message: WireMessage, Diffusion.Message: WireMessage {
  /// Appends a layer byte and the layer's message.
  public func encode(into writer: inout WireWriter, peers: borrowing some PeerDirectory) {
    switch self {
    case .overlay(let message): writer.write(0, message, peers: peers)
    case .diffusion(let message): writer.write(1, message, peers: peers)
    }
  }

  /// Takes a message apart.
  public static func decode(
    from reader: inout WireReader, peers: inout some PeerDirectory
  ) throws(WireError) -> Self {
    switch try reader.readByte() {
    case 0: .overlay(try Overlay.Message.decode(from: &reader, peers: &peers))
    case 1: .diffusion(try Diffusion.Message.decode(from: &reader, peers: &peers))
    case let layer: throw .invalid("a message of unknown layer \(layer)")
    }
  }
}

extension GroupMember.Message: SizedMessage
where Overlay.Message: SizedMessage, Diffusion.Message: SizedMessage {
  /// The size of the encoded form.
  @inlinable
  public var encodedByteCount: Int {
    switch self {
    case .overlay(let message): 1 + message.encodedByteCount
    case .diffusion(let message): 1 + message.encodedByteCount
    }
  }
}
