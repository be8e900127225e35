import StarlingCore

/// Who asked for a process's messages. A Byzantine peer may subscribe any number of times, and in an open network under
/// any number of names: each counts once, and there is an end to them.
@frozen
public struct SubscriptionSet: Sendable {
  @usableFromInline var peers = PeerSet()
  @usableFromInline let limit: Int

  /// - Parameter limit: how many peers may subscribe: N in a permissioned network.
  @inlinable
  public init(limit: Int) { self.limit = limit }

  /// Who subscribed, in the order in which they did.
  @inlinable
  public var members: [Peer] { peers.members }

  /// Takes a subscription.
  ///
  /// - Returns: whether it is new and was taken; only then is it answered.
  @inlinable
  public mutating func insert(_ peer: Peer) -> Bool {
    peers.count < limit && peers.insert(peer)
  }
}
