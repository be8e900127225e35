import StarlingCore

/// What the network does to a message. Not copyable, so that drawing a delay never copies its tables.
public protocol NetworkModel: ~Copyable {
  /// How long a message takes from one peer to another; `nil` if it is lost.
  mutating func delay(
    from sender: Peer, to receiver: Peer, at now: Instant, random: inout Xoshiro256
  ) -> Interval?
  /// How long a second copy takes of a message that was not lost; `nil` if it is not repeated.
  mutating func delayOfSecondCopy(
    from sender: Peer, to receiver: Peer, at now: Instant, random: inout Xoshiro256
  ) -> Interval?
  /// The same network once more, for a copy of a simulation.
  func copy() -> Self
}

extension NetworkModel where Self: ~Copyable {
  /// Never repeats a message.
  @inlinable
  public func delayOfSecondCopy(
    from sender: Peer, to receiver: Peer, at now: Instant, random: inout Xoshiro256
  ) -> Interval? { nil }
}

/// A network in which every message is delayed by a delay model and lost with a fixed probability,
/// independently of all others.
public struct LossyNetwork: NetworkModel, ~Copyable, Sendable {
  @usableFromInline let delays: DelaySampler
  /// A draw below this is a loss.
  @usableFromInline let lossThreshold: UInt64

  /// - Parameters:
  ///   - delays: where delays are drawn from.
  ///   - loss: the probability of losing a message, 0 ... 1.
  public init(delays: DelaySampler, loss: Double) {
    precondition((0...1).contains(loss), "a loss of \(loss); it must be 0 ... 1")
    self.delays = delays
    lossThreshold = loss >= 1 ? .max : UInt64(loss * 0x1p64)
  }

  /// Draws the message's fate.
  @inlinable
  public func delay(
    from sender: Peer, to receiver: Peer, at now: Instant, random: inout Xoshiro256
  ) -> Interval? {
    if lossThreshold != 0, random.next() < lossThreshold { return nil }
    return delays.sample(from: sender, to: receiver, random: &random)
  }

  /// Where a peer is, if delays depend on it.
  public func place(of peer: Peer) -> Place? { delays.place(of: peer) }

  /// The same network once more.
  public func copy() -> LossyNetwork { LossyNetwork(delays: delays, lossThreshold: lossThreshold) }

  private init(delays: DelaySampler, lossThreshold: UInt64) {
    self.delays = delays
    self.lossThreshold = lossThreshold
  }
}
