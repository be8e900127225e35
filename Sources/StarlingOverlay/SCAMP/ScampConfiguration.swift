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
  /// So many attempts ask for a walk, which finds a contact anywhere; of later ones three of four ask for a
  /// walk of one step. A guess: where a hundredth of all messages is lost, one joiner in a thousand gets that far.
  @inlinable
  public static var walksFirst: UInt8 { 3 }
  /// The longest that doubling may grow that wait. A guess.
  @inlinable
  public static var longestRetry: Interval { .seconds(600) }

  /// The wait for the first round of upkeep, doubled for each. A guess: long against a walk, short against a
  /// session.
  @inlinable
  public static var firstRound: Interval { .seconds(5) }
  /// How many rounds are too short to judge silence by: until the doubling reaches ``longestRound``.
  @inlinable
  public static var shortRounds: UInt8 { 3 }
  /// The shortest wait of all later rounds; they take a quarter longer on average. A guess: a heartbeat an arc
  /// each 50 s costs a peer less than a message a second.
  @inlinable
  public static var longestRound: Interval { .seconds(40) }
  /// After so many rounds without an answer to a heartbeat a member counts as gone, after twice as many without
  /// a heartbeat a keeper. A guess: three minutes tell a crash from a slow peer, a loss of 5% makes such a
  /// silence once in 10,000 rounds, and with 1% of the peers going each minute 2% of a view are dead.
  @inlinable
  public static var silentRounds: UInt8 { 3 }
  /// A lease: a member is dropped after so many rounds, half an hour. A guess: the paper's lease, long against
  /// the cost of renewal.
  @inlinable
  public static var leaseRounds: UInt8 { 36 }
  /// An arc of this age no longer counts as one that will last, and its subscription is renewed: early enough for
  /// a keeper whose clock runs a fifth fast.
  @inlinable
  public static var renewalRounds: UInt8 { 24 }
  /// By how many rounds the renewals of arcs that began together are spread. A guess.
  @inlinable
  public static var renewalSpread: UInt8 { 12 }
  /// With fewer lasting arcs in the in-view than this share of SCAMP's law a subscription is renewed … Measured;
  /// the README has the figures.
  @inlinable
  public static var thinInView: Double { 0.75 }
  /// … with as many copies as bring it to this share. The gap between the two keeps what chance alone makes
  /// thin from being filled.
  @inlinable
  public static var renewedInView: Double { 0.96 }
  /// After so many rounds in which copies did not fill an in-view of less than half of the law a new contact is
  /// asked for. A guess.
  @inlinable
  public static var thinRounds: UInt8 { 4 }
  /// Beyond this share of the law, and two more, keepers are asked to let go. Measured.
  @inlinable
  public static var fullInView: Double { 1.15 }
  /// Beyond this share of the law, and four more, keepers are not taken while the size of the group is not settled:
  /// in its first minutes, when estimates lag behind. A guess.
  @inlinable
  public static var fullYoungInView: Double { 1.5 }

  /// How many donations may be outstanding, in that each can still be returned. A guess.
  @inlinable
  public static var donationsRemembered: Int { 8 }
  /// How many members a peer gives away in a round at most: who asks for more only means to empty views. A
  /// guess.
  @inlinable
  public static var donationsPerRound: UInt8 { 4 }
  /// How many neighbours that fell silent are remembered. A guess: enough for some to be beyond a partition
  /// after hours of crashes on this side of it.
  @inlinable
  public static var lostNeighboursRemembered: Int { 16 }
  /// How many members a partial view takes, as a share of the law, and eight more. A guess: what chance and joins at
  /// once make of honest views stays below, and a crowd of liars that has itself kept everywhere is held to it.
  @inlinable
  public static var fullPartialView: Double { 3 }
  /// How many requests for a contact one subscriber may send to a peer in a round: a joiner sends one each 3 s. A
  /// guess, twice that.
  @inlinable
  public static var requestsPerRound: UInt8 { 48 }
  /// How many walks for a contact and copies of its subscription are looked at of one subscriber in a round. A guess:
  /// several times what a renewal among few peers brings.
  @inlinable
  public static var relayedPerRound: UInt8 { 192 }
  /// For how many subscribers meetings are counted in a round. A guess: more are met only while many join, and
  /// every peer has such a table then.
  @inlinable
  public static var metLimit: Int { 24 }
  /// A peer asks the contact that it joined through what it knows of the group, once in so many rounds and one more
  /// for each ``peersPerContactProbe`` peers: two groups that know nothing of each other become one, and a contact
  /// of many is not overrun. Guesses: two minutes in a small group, a probe in 3 s for a contact of all.
  @inlinable
  public static var contactProbeRounds: Int { 2 }
  /// See ``contactProbeRounds``.
  @inlinable
  public static var peersPerContactProbe: Double { 16 }
  /// To how many neighbours news of the group's size is passed on in a short round. A guess.
  @inlinable
  public static var sizeFanout: Int { 4 }
}
