import StarlingCore

/// A protocol that brings a message from one peer to all: the layer over a membership.
///
/// Its messages may arrive before its links are known, and from peers that it has no link to.
public protocol BroadcastProcess<Auth>: Process
where
  Request == BroadcastRequest<Auth.Payload>, Indication == BroadcastIndication<Auth>,
  Message: PayloadCarrying<Auth>
{
  /// How messages are signed.
  associatedtype Auth: Authenticator
}

/// What a broadcast can be asked for.
@frozen
public enum BroadcastRequest<Payload> {
  /// Bring this to every peer.
  case broadcast(Payload)
  /// An arc of the overlay appeared.
  case linkUp(Peer, LinkDirection)
  /// An arc of the overlay is gone.
  case linkDown(Peer, LinkDirection)
  /// What the ring of a level that this peer is in looks like now; `nil` if it is in none any more.
  case ring(level: Int, RingView?)
  /// There is a link to this peer, and yet what was on its way may be lost: a queue was full, or the peer has come back
  /// as a new process.
  case linkDoubtful(Peer)
}

/// Which way an arc of the overlay leads.
@frozen
public enum LinkDirection: Sendable {
  /// From this peer: the other is in its partial view.
  case outgoing
  /// To this peer: it is in the other's partial view.
  case incoming
}

/// What a broadcast tells the layer above.
@frozen
public enum BroadcastIndication<Auth: Authenticator> {
  /// A message of another peer arrived for the first time, over the link from `sender`, and its signature is
  /// good.
  case delivered(Broadcast<Auth>, from: Peer)
  /// A peer did what no correct peer does. What it sent was dropped.
  case misbehaved(Peer, Misbehaviour)
  /// A message that others had can no longer be had from anyone who told of it. Told once; should it come after all,
  /// it is delivered.
  case missed(MessageIdentifier)
  /// What is to be kept on stable storage, in order, before anything leaves that is sent by the same call or a later one. A
  /// secure broadcast says so: whoever takes part again after a crash must not contradict itself.
  case keep([StableWrite])
}

extension BroadcastRequest: Sendable where Payload: Sendable {}
extension BroadcastIndication: Sendable {}
