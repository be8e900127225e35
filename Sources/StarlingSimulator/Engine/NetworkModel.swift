import StarlingCore

/// What the network does to a message.
public protocol NetworkModel {
  /// How long a message takes from one peer to another; `nil` if it is lost.
  func delay(from sender: Peer, to receiver: Peer, random: inout Xoshiro256) -> Interval?
}
