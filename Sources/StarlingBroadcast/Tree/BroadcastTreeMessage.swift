import StarlingCore

extension BroadcastTree {
  /// What peers of the tree send each other.
  @frozen
  public enum Message: Sendable, SizedMessage, PayloadCarrying {
    /// Eager push: the message itself.
    case push(Broadcast<Auth>)
    /// Lazy push: I have this message (Plumtree's IHAVE).
    case announce(MessageIdentifier)
    /// Send me this message, and push to me from now on.
    case graft(MessageIdentifier)
    /// Only announce to me from now on.
    case prune

    /// The broadcast whose payload a push carries.
    @inlinable
    public var carriedBroadcast: Broadcast<Auth>? {
      if case .push(let broadcast) = self { broadcast } else { nil }
    }

    /// The size of the encoded form.
    @inlinable
    public var encodedByteCount: Int {
      switch self {
      case .push(let broadcast): 1 + broadcast.encodedByteCount
      case .announce, .graft: 1 + MessageIdentifier.encodedByteCount
      case .prune: 1
      }
    }
  }
}
