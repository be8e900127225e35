import StarlingCore

/// The parameters of SCAMP. A million peers carry one each, so it is kept small.
@frozen
public struct ScampConfiguration: Sendable {
  /// c: copies of a subscription that its contact sends beyond one to each of its own neighbours, 0 ... 100
  /// (the paper's design parameter; its fault tolerance grows with c).
  public var extraCopies: UInt8
  /// Steps of the random walk that carries a new subscription from the peer that was asked to a uniformly
  /// drawn one (the paper's indirection). A guess: the walk mixes in about log N / log(view) steps.
  public var walkLength: UInt8
  /// How often a copy of a subscription is passed on before the peer that holds it must keep or drop it. A
  /// guess; the mean is about one view size.
  public var hopLimit: UInt16
  /// Below this size a partial view asks others for members. A guess, 3(c + 1): SCAMP's law makes the mean
  /// view (c + 1)·ln N, and the peers that joined last hold far less.
  public var minimumView: UInt16
  /// The most members a view takes: a bound on state that no honest network comes near. A guess.
  public var viewLimit: UInt16

  /// - Parameter extraCopies: c, 0 ... 100.
  @inlinable
  public init(extraCopies: Int = 1) {
    precondition((0...100).contains(extraCopies), "c is \(extraCopies); it must be 0 ... 100")
    self.extraCopies = UInt8(extraCopies)
    walkLength = 6
    hopLimit = 512
    minimumView = UInt16(3 * (extraCopies + 1))
    viewLimit = 1_024
  }

  /// How long a joiner waits for a contact to answer before it asks again. A guess: ten times what a walk
  /// takes on a wide-area network.
  @inlinable
  public static var subscriptionRetry: Interval { .seconds(3) }
  /// How long after its start a peer first looks whether its views are thin, and how long it waits before it
  /// looks again, doubled each time. A guess: long against a walk, short against a session.
  @inlinable
  public static var examinationInterval: Interval { .seconds(5) }
  /// The longest that doubling may grow either wait. A guess.
  @inlinable
  public static var longestWait: Interval { .seconds(600) }
  /// An in-view below this share of SCAMP's law has its subscription renewed … Measured; the README has the
  /// figures.
  @inlinable
  public static var thinInView: Double { 0.75 }
  /// … with as many copies as bring it to this share. The gap between the two keeps what chance alone makes
  /// thin from being filled, which would push the mean above the law.
  @inlinable
  public static var renewedInView: Double { 0.96 }
  /// How many donations may be outstanding, in that each can still be returned. A guess.
  @inlinable
  public static var donationsRemembered: Int { 8 }
  /// To how many neighbours news of the group's size is passed on at each look. A guess.
  @inlinable
  public static var sizeFanout: Int { 4 }
}
