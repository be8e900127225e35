import StarlingCore

/// A running estimate of how many peers there are, which follows a group that shrinks.
///
/// A ``SizeSketch`` only ever grows, so it is started anew: time is divided into epochs, counted by each peer in
/// rounds of its own and pulled along by the news of others. When an epoch is old enough for its sketch to have
/// reached everybody, the sketch is folded into the settled estimate.
@frozen
public struct GroupSize: Sendable, Hashable {
  /// What peers tell each other about the size.
  @frozen
  public struct News: Sendable, Hashable {
    /// Which epoch the sketch belongs to; counted modulo 2¹⁶.
    public var epoch: UInt16 = 0
    /// The settled estimate, as ``GroupSize/level(of:)``; 0 if there is none yet.
    public var settled: UInt8 = 0
    /// What was heard in the epoch so far.
    public var sketch = SizeSketch()

    /// No news.
    @inlinable
    public init() {}

    /// The bytes that news take on the wire.
    @inlinable
    public static var encodedByteCount: Int { 3 + SizeSketch.encodedByteCount }
  }

  /// What is told to others.
  public private(set) var news = News()
  /// Rounds since the epoch began here.
  @usableFromInline var rounds: UInt8 = 0
  /// The level beyond which nothing is believed in this epoch; none until the peer has seen an epoch to its end.
  @usableFromInline var highestLevel = UInt8.max

  /// Rounds of an epoch. A guess: twice what a sketch needs.
  @inlinable
  public static var epochRounds: UInt8 { 12 }
  /// After so many rounds every peer has heard of everybody: heartbeats carry news both ways along every arc,
  /// so it takes about as many rounds as the graph's diameter. A guess with room to spare.
  @inlinable
  public static var settlingRounds: UInt8 { 6 }

  /// How far an estimate may exceed the settled one, as a difference of levels: fourfold. A sketch cannot be checked,
  /// and one lie of billions would be everybody's estimate for an epoch. A guess.
  @inlinable
  public static var growthPerEpoch: UInt8 { 16 }
  /// Up to this level, 256 peers, any growth is believed: a first node may have been alone for long, and so many too
  /// many cost a small group little. A guess.
  @inlinable
  public static var smallGroup: UInt8 { 64 }

  /// The size of a group that nobody has been heard of.
  @inlinable
  public init() {}

  /// Draws this peer's own part.
  public mutating func start(_ random: inout some RandomSource & ~Copyable) {
    news.sketch.merge(SizeSketch(drawnFrom: &random))
  }

  /// Whether an epoch has been seen to its settling, here or by whoever told.
  @inlinable
  public var isSettled: Bool { news.settled > 0 }

  /// How many peers there seem to be. Growth is seen at once up to a bound, shrinking at the end of an epoch.
  public var estimate: Double {
    let heard = news.sketch.estimate
    guard isSettled else { return heard }
    return max(GroupSize.size(at: news.settled), min(heard, GroupSize.size(at: highestLevel)))
  }

  /// Takes in what another peer tells.
  ///
  /// - Returns: whether anything in it was new.
  public mutating func hear(_ other: News, _ random: inout some RandomSource & ~Copyable) -> Bool {
    let lead = Int16(bitPattern: other.epoch &- news.epoch)
    guard lead >= 0 else { return false }
    let before = news
    if lead > 0 {
      // Whoever claims to be ahead cannot cut an epoch short, or nobody would ever hear of everybody.
      guard rounds >= GroupSize.settlingRounds || !isSettled else { return false }
      begin(other.epoch, &random)
    }
    if !isSettled { news.settled = other.settled }
    news.sketch.merge(other.sketch)
    return news != before
  }

  /// Whether news can only come from another group: one whose epochs are elsewhere, or one of which nobody here has
  /// heard though the epoch is old enough. At the turn of an epoch it cannot be told, and is not claimed. A peer that
  /// has not seen an epoch settle takes any difference for one: it may have joined into an island, and if not, the harm
  /// is an arc too many.
  public func isForeign(_ other: News) -> Bool {
    let lead = Int(Int16(bitPattern: other.epoch &- news.epoch))
    guard lead == 0 else { return abs(lead) > 1 }
    var merged = news.sketch
    merged.merge(other.sketch)
    return (rounds > GroupSize.settlingRounds || !isSettled) && merged != news.sketch
  }

  /// Counts a round.
  public mutating func advance(_ random: inout some RandomSource & ~Copyable) {
    rounds += 1
    if rounds == GroupSize.settlingRounds { fold() }
    if rounds >= GroupSize.epochRounds { begin(news.epoch &+ 1, &random) }
  }

  private mutating func begin(_ epoch: UInt16, _ random: inout some RandomSource & ~Copyable) {
    // Only what it has settled itself bounds what it believes: what others told it may be too low.
    if rounds >= GroupSize.settlingRounds {
      highestLevel = max(
        GroupSize.smallGroup, UInt8(clamping: Int(news.settled) + Int(GroupSize.growthPerEpoch)))
    }
    news.epoch = epoch
    news.sketch = SizeSketch(drawnFrom: &random)
    rounds = 0
  }

  /// Averages the logarithms of the old estimate and the new, because K = 16 alone errs by 27%, unless the group has
  /// more than doubled. Neither may exceed the other by far: the new one may be a liar's, and so may the old one where
  /// others told it.
  private mutating func fold() {
    let level = GroupSize.level(of: news.sketch.estimate)
    let (old, new) = (Int(news.settled), Int(min(level, highestLevel)))
    let growth = Int(GroupSize.growthPerEpoch)
    let settled = !isSettled || new - old > growth / 2 ? new : (old + new + 1) / 2
    news.settled = UInt8(clamping: min(settled, Int(level) + growth))
  }

  /// 8·log₂ of a size, 1 ... 255.
  static func level(of size: Double) -> UInt8 {
    UInt8(min(max(8 * naturalLogarithm(size) / naturalLogarithm(2), 1), 255))
  }

  static func size(at level: UInt8) -> Double { exponential(Double(level) / 8 * naturalLogarithm(2)) }
}

extension WireWriter {
  mutating func write(_ news: GroupSize.News) {
    write(integer: news.epoch)
    write(news.settled)
    write(news.sketch)
  }
}

extension WireReader {
  mutating func readNews() throws(WireError) -> GroupSize.News {
    var news = GroupSize.News()
    news.epoch = try read()
    news.settled = try readByte()
    news.sketch = try readSketch()
    return news
  }
}
