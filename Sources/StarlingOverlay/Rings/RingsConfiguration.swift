import StarlingCore

/// The parameters of the rings.
public struct RingsConfiguration: Sendable {
  /// The least and the most members of a ring (HGFRR: 10 to 20), but for the top ring and what is being mended.
  public var size: ClosedRange<Int> = 10...20
  /// c: how many contacts a ring has (HGFRR: 3).
  public var contacts = 3
  /// How often contacts are drawn anew (a guess: often enough that nobody is attacked for long, rarely against what it costs).
  public var electionInterval = Interval.seconds(600)
  /// How often a member shows its neighbours in a ring that it is there (a guess).
  public var heartbeat = Interval.seconds(1)
  /// After how long without a word a neighbour is suspected: three heartbeats.
  public var suspicion = Interval.milliseconds(3_500)
  /// For how long another neighbour of a suspect is waited for.
  public var doubt = Interval.seconds(1)
  /// How many distant peers are known.
  public var distant = 12

  /// The defaults.
  public init() {}
}
