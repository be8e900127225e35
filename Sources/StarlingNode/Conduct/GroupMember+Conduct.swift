import StarlingBroadcast
import StarlingCore
import StarlingOverlay

extension GroupMember {
  /// Whether a message is to be read: its sender is not shunned, and does not send too many.
  @inlinable
  mutating func isWelcome(
    _ message: Message, from sender: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) -> Bool {
    if conduct.isShunned(sender, at: now) { return false }
    let weight: Int
    switch message {
    case .overlay: weight = MessagePace.membershipWeight
    case .diffusion: weight = MessagePace.broadcastWeight
    }
    if conduct.countMessage(from: sender, weight: weight, at: now) {
      punish(sender, for: .unsolicited, price: Conduct.floodPrice, at: now, into: &effects)
    }
    return true
  }

  /// Charges the peers that the broadcast tells about.
  @inlinable
  mutating func punish(
    _ faults: [Diffusion.Indication], at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    for fault in faults {
      guard case .misbehaved(let peer, let what) = fault else { continue }
      punish(peer, for: what, price: Conduct.price(of: what), at: now, into: &effects)
    }
  }

  /// Charges a peer, and shuns it if its budget is spent.
  @usableFromInline
  mutating func punish(
    _ peer: Peer, for what: Misbehaviour, price: Int32, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    effects.indicate(.misbehaved(peer, what))
    guard conduct.charge(peer, for: what, price: price, at: now) else { return }
    effects.indicate(.shunned(peer, what))
    shun(peer, at: now, into: &effects)
  }

  /// Has both layers let go of a peer.
  @usableFromInline
  mutating func shun(
    _ peer: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    let changes = effects.embedding(OverlayLayer.self) {
      overlay.handle(.shun(peer), at: now, into: &$0)
    }
    // A broadcast says nothing about others' conduct when it loses a link.
    _ = effects.embedding(DiffusionLayer.self) {
      diffusion.disconnect(from: peer, at: now, into: &$0)
    }
    apply(changes, at: now, into: &effects)
  }
}
