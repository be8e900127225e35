import StarlingCore

/// Watches a simulation: what processes send, and what they indicate. Metrics are observers, so that
/// protocols count nothing for them.
public protocol SimulationObserver<Observed> {
  /// The kind of process that is watched.
  associatedtype Observed: Process

  /// A process handed a message to the network, which may still lose it.
  mutating func sent(_ message: Observed.Message, from sender: Peer, to receiver: Peer, at now: Instant)
  /// A process told the layer above something.
  mutating func indicated(_ indication: Observed.Indication, by peer: Peer, at now: Instant)
  /// Whether nothing more needs to happen: what went wrong may never end.
  var hasSeenEnough: Bool { get }
}

extension SimulationObserver {
  /// Everything is of interest.
  @inlinable
  public var hasSeenEnough: Bool { false }
}
