import StarlingCore

/// What the network does to a message.
public protocol NetworkModel {
  /// How long a message takes from one peer to another; `nil` if it is lost.
  func delay(from sender: Peer, to receiver: Peer, random: inout Xoshiro256) -> Interval?
}

/// A network in which every message is delayed by a delay model and lost with a fixed probability,
/// independently of all others.
public struct LossyNetwork: NetworkModel, Sendable {
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
  public func delay(from sender: Peer, to receiver: Peer, random: inout Xoshiro256) -> Interval? {
    if lossThreshold != 0, random.next() < lossThreshold { return nil }
    return delays.sample(from: sender, to: receiver, random: &random)
  }
}
