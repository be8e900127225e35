import StarlingCore

/// Where a peer is, for locality: a point of which only distances matter. Configured, on the unit sphere; or learned from round
/// trips, in milliseconds.
public typealias RingPosition = SIMD3<Float>

/// A peer's seat in a ring, as the peer itself tells of it.
public struct RingSeat: Sendable, Equatable {
  /// Who sits there.
  public let peer: Peer
  /// The peer's place in the order of any ring, which it draws at random.
  public let tag: UInt64
  /// Grows with whatever the peer says of its seats, so that what is older is told from what is newer.
  public var stamp: UInt32
  /// The epoch in which it took the seat: it can be drawn in later ones.
  public var since: UInt32
  /// In a leaf ring where the peer is; above, the centre of the ring that it is a contact of.
  public var position: RingPosition
  /// The ring that it is a contact of, a level below; 0 in a leaf ring.
  public var branch: UInt64

  /// A seat.
  public init(
    peer: Peer, tag: UInt64, stamp: UInt32, since: UInt32, position: RingPosition, branch: UInt64 = 0
  ) {
    (self.peer, self.tag, self.stamp, self.since) = (peer, tag, stamp, since)
    (self.position, self.branch) = (position, branch)
  }
}

/// A seat that was left, or whose peer is dead.
public struct LeftSeat: Sendable, Equatable {
  /// Whose it was.
  public let peer: Peer
  /// The last stamp that counts no more.
  public var stamp: UInt32

  /// A seat that was left.
  public init(peer: Peer, stamp: UInt32) { (self.peer, self.stamp) = (peer, stamp) }
}
