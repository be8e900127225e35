import StarlingCore

/// A protocol that decides who knows whom: the layer under a broadcast.
public protocol Membership: Process
where Request == MembershipRequest, Indication == MembershipIndication {
  /// The peers that this one sends to: its out-neighbours.
  var partialView: PeerSet { get }
  /// The peers that are known to have this one in their partial view: its in-neighbours.
  var inView: PeerSet { get }
  /// Peers through which the group may be found again, after a restart or a partition: neighbours, and some
  /// of those that were lost.
  var acquaintances: [Peer] { get }
}

/// What a membership can be asked for.
public enum MembershipRequest: Sendable {
  /// Join the group that `contact` belongs to. The first peer of a group does not join.
  case join(contact: Peer)
  /// Leave the group in good order: neighbours are told, and close the gap. The process may be dropped
  /// afterwards.
  case leave
  /// Have nothing to do with a peer any more: it leaves both views and is not taken in again for a while.
  case shun(Peer)
}

/// What a membership tells the layer above.
public enum MembershipIndication: Sendable {
  /// A peer came into a view.
  case gained(Peer, View)
  /// A peer left a view.
  case lost(Peer, View)
  /// A subscription was admitted here: `contact` vouches for `subscriber`, and both signed it.
  case admitted(subscriber: Peer, contact: Peer)
  /// A peer that this one asked to join through says that the group's policy does not admit this one.
  case refused(by: Peer)
  /// What the ring of a level that this peer is in looks like now; `nil` if it is in none any more.
  case ring(level: Int, RingView?)
  /// A peer did what no correct peer does. What it sent was dropped.
  case misbehaved(Peer, Misbehaviour)

  /// One of the two views, which name the direction of an arc.
  public enum View: Sendable {
    /// Arcs that leave this peer.
    case partialView
    /// Arcs that lead to this peer.
    case inView
  }
}
