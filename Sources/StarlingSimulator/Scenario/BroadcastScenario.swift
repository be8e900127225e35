import StarlingCore
import StarlingOverlay

/// What `starling simulate` runs: peers join one after another, the overlay settles, senders broadcast, and
/// the network drains.
public struct BroadcastScenario: Sendable {
  /// Which broadcast runs over the overlay.
  public enum Diffusion: Hashable, Sendable {
    /// The broadcast tree.
    case tree(pruneThreshold: Int)
    /// Flooding of partial views.
    case flood
    /// Infect-and-die gossip.
    case gossip(fanout: Int)
    /// Trees through rings; `nil` draws the width of each message's.
    case rings(arity: UInt8?)
  }

  /// Who knows whom.
  public enum Overlay: Hashable, Sendable {
    /// SCAMP.
    case scamp
    /// HGFRR's fractal rings.
    case rings
  }

  /// Who crashes when.
  public enum Crash: Hashable, Sendable {
    /// A share of the peers, once, that long after the first message.
    case once(share: Double, after: Interval)
    /// Every message is a trial of its own, from the same settled state: the share of the peers other than
    /// the sender crashes at the instant of sending.
    case atEachBroadcast(share: Double)
  }

  /// How many peers join, at least 1.
  public var nodes = 1_000
  /// How many messages are broadcast.
  public var messages = 100
  /// How many peers take turns in sending, 1 ... `nodes`.
  public var senders = 1
  /// The size of a message in bytes.
  public var payload = 1_024
  /// The membership.
  public var overlay = Overlay.scamp
  /// The parameters of rings.
  public var rings = RingsConfiguration()
  /// SCAMP's c, 0 ... 100.
  public var extraCopies = 1
  /// The broadcast.
  public var broadcast = Diffusion.tree(pruneThreshold: 1)
  /// How long messages take.
  public var delay = DelayModel.gaussian(mean: .milliseconds(50), deviation: .milliseconds(10))
  /// The probability that the network loses a message, 0 ... 1.
  public var loss = 0.0
  /// How many peers join in a simulated second, more than 0.
  public var joinRate = 1_000.0
  /// The time between the last join and the first message.
  public var settle = Interval.seconds(60)
  /// The time between two messages.
  public var interval = Interval.seconds(1)
  /// The time between the last message and the end.
  public var drain = Interval.seconds(60)
  /// Crashes, if any.
  public var crash: Crash?
  /// Whatever else goes wrong.
  public var faults: [Fault] = []
  /// The share of the peers that are adversaries, rounded up; senders never are.
  public var byzantine = 0.0
  /// What the adversaries do, from the moment the overlay has settled.
  public var adversary = Conduct.mute
  /// How many messages an adversary that makes some up or repeats them sends a second, besides what it sends as a
  /// member. A guess at what costs it as much as an honest peer's share of a message a second.
  public var adversaryRate = 32
  /// How long after the first message these stop; `nil` for never.
  public var adversaryEnd: Interval?
  /// The time between settling and the first message in which faults without a start already act: hours of churn.
  public var hours = Interval.zero
  /// Whether a run with faults or adversaries keeps a time series of what the network looks like.
  public var isSampled = true
  /// Whether the run is held to what is promised once all is calm, besides what always is; see ``Violation``.
  public var isChecked = false
  /// Decides every random choice.
  public var seed: UInt64 = 1

  /// The defaults.
  public init() {}
}
