/// Draws delays from a ``DelayModel``: a few nanoseconds and one 64-bit draw each, the same on every machine.
///
/// The laws with a shape of their own come from a table of 4,096 quantiles with linear interpolation; in the
/// outermost cells, where a quantile function bends, the quantile is computed instead.
public struct DelaySampler: Sendable {
  @usableFromInline
  enum Kind: Sendable { case constant, uniform, table, matrix, world }

  /// What is drawn from.
  public let model: DelayModel
  @usableFromInline let kind: Kind
  @usableFromInline let base: Int64
  @usableFromInline let width: Int
  @usableFromInline let quantiles: [Double]
  @usableFromInline let law: QuantileLaw
  /// The matrix, or the delays between cities, row after row; empty for the other models.
  @usableFromInline let oneWay: [Int64]
  @usableFromInline let rows: Int
  /// Each peer's row of the matrix, or its city; empty for the other models.
  @usableFromInline var rowOfPeer: [Int32] = []
  /// How long each peer's last mile takes, in nanoseconds; empty but for the world's model.
  @usableFromInline var lastMile: [Int32] = []

  @usableFromInline static var cellBits: UInt64 { 12 }
  /// One part in this many: ``WorldDelays/jitter``.
  @usableFromInline static var jitterDivisor: Int64 { 10 }
  /// How many cells at either end are computed exactly: some 0.4% of the draws.
  @usableFromInline static var exactCells: Int { 8 }

  /// - Parameters:
  ///   - model: what to draw from.
  ///   - peers: how many peers there are; each draws its row of a matrix, or its city and its last mile, and nothing for
  ///     other models.
  ///   - random: where these are drawn from.
  public init(_ model: DelayModel, peers: Int, random: inout some RandomSource & ~Copyable) {
    self.model = model
    var kind = Kind.constant
    var base: Int64 = 0
    var width = 0
    var law = QuantileLaw.lognormal(median: 0, sigma: 0)
    var matrix: LatencyMatrix?
    switch model {
    case .constant(let delay): base = delay.nanoseconds
    case .uniform(let from, let to):
      (kind, base, width) = (.uniform, from.nanoseconds, Int((to - from).nanoseconds) + 1)
    case .gaussian(let mean, let deviation) where deviation > .zero:
      kind = .table
      law = QuantileLaw(gaussianWithMean: mean, deviation: deviation)
    case .gaussian(let mean, _): base = mean.nanoseconds
    case .lognormal(let median, let sigma) where sigma > 0:
      kind = .table
      law = .lognormal(median: Double(median.nanoseconds), sigma: sigma)
    case .lognormal(let median, _): base = median.nanoseconds
    case .matrix(let measured, _): (kind, matrix) = (.matrix, measured)
    case .world: kind = .world
    }
    (self.kind, self.base, self.width, self.law) = (kind, base, width, law)
    if kind == .world {
      (oneWay, rows) = (WorldDelays.oneWay, WorldDelays.places.count)
    } else {
      (oneWay, rows) = (matrix?.oneWay ?? [], matrix?.rows ?? 0)
    }
    let cells = 1 << DelaySampler.cellBits
    quantiles =
      kind == .table
      ? (0...cells).map {
        law.quantile(Double($0) / Double(cells), upper: Double(cells - $0) / Double(cells))
      }
      : []
    grow(to: peers, random: &random)
  }

  /// Makes room for peers up to index `peers` − 1: new ones draw their rows, or cities.
  public mutating func grow(to peers: Int, random: inout some RandomSource & ~Copyable) {
    switch kind {
    case .matrix:
      while rowOfPeer.count < peers { rowOfPeer.append(Int32(random.uniform(below: rows))) }
    case .world:
      while rowOfPeer.count < peers {
        rowOfPeer.append(Int32(WorldDelays.drawCity(&random)))
        lastMile.append(WorldDelays.drawLastMile(&random))
      }
    case .constant, .uniform, .table: return
    }
  }

  /// Where a peer is; `nil` if the model knows no places, or the peer is not among those that the sampler was made for.
  public func place(of peer: Peer) -> Place? {
    guard kind == .world, peer.index < rowOfPeer.count else { return nil }
    return WorldDelays.places[Int(rowOfPeer[Int(peer.index)])]
  }

  /// Draws how long a message from one peer to another is on its way. Both must be among the peers that the
  /// sampler was made for.
  @inlinable
  public func sample(
    from: Peer, to: Peer, random: inout some RandomSource & ~Copyable
  ) -> Interval {
    switch kind {
    case .constant: return Interval(nanoseconds: base)
    case .uniform: return Interval(nanoseconds: base &+ Int64(random.uniform(below: width)))
    case .table:
      let draw = random.next()
      let cell = Int(draw >> (64 - DelaySampler.cellBits))
      guard cell >= DelaySampler.exactCells, cell < (1 << DelaySampler.cellBits) - DelaySampler.exactCells
      else { return exactQuantile(draw) }
      let fraction = Double((draw << DelaySampler.cellBits) >> 11) * 0x1p-53
      let low = quantiles[cell]
      return Interval(nanoseconds: Int64(low + (quantiles[cell &+ 1] - low) * fraction))
    case .matrix:
      let row = Int(rowOfPeer[Int(from.index)])
      return Interval(nanoseconds: oneWay[row &* rows &+ Int(rowOfPeer[Int(to.index)])])
    case .world: return worldSample(from: from, to: to, random: &random)
    }
  }

  /// A function of its own, so that ``sample(from:to:random:)`` stays small enough to be inlined for the other models.
  @inlinable
  @inline(never)
  func worldSample(from: Peer, to: Peer, random: inout some RandomSource & ~Copyable) -> Interval {
    let (a, b) = (Int(from.index), Int(to.index))
    let ends = Int64(lastMile[a]) &+ Int64(lastMile[b])
    let fixed = oneWay[Int(rowOfPeer[a]) &* rows &+ Int(rowOfPeer[b])] &+ ends
    // Uniform up to a tenth more.
    let jitter = UInt64(fixed / DelaySampler.jitterDivisor).multipliedFullWidth(by: random.next()).high
    return Interval(nanoseconds: fixed &+ Int64(jitter))
  }

  /// The quantile at (`draw` + ½)/2⁶⁴, computed. Both ends are measured from where they are small, so that
  /// neither loses digits.
  @usableFromInline
  func exactQuantile(_ draw: UInt64) -> Interval {
    let lower = (Double(draw) + 0.5) * 0x1p-64
    let upper = (Double(~draw) + 0.5) * 0x1p-64
    return Interval(nanoseconds: Int64(law.quantile(lower, upper: upper)))
  }
}

/// The quantile functions that ``DelaySampler`` tabulates.
@usableFromInline
enum QuantileLaw: Sendable {
  /// `below` is the probability that the normal variable is negative, which the truncation takes away.
  case gaussian(mean: Double, deviation: Double, below: Double)
  case lognormal(median: Double, sigma: Double)

  init(gaussianWithMean mean: Interval, deviation: Interval) {
    let (mean, deviation) = (Double(mean.nanoseconds), Double(deviation.nanoseconds))
    // Φ(−mean/deviation) by bisection of its inverse: 1,100 halvings reach the smallest numbers there are,
    // and below 10⁻³⁰⁰ nothing is left to truncate.
    var (low, high) = (0.0, 0.5)
    for _ in 0..<1_100 {
      let middle = low + (high - low) / 2
      if inverseNormal(middle) < -mean / deviation { low = middle } else { high = middle }
    }
    self = .gaussian(mean: mean, deviation: deviation, below: low)
  }

  /// The value in nanoseconds that the law stays below with probability `lower` and above with `upper`,
  /// which add up to 1; 0 ... one day.
  func quantile(_ lower: Double, upper: Double) -> Double {
    let value: Double
    switch self {
    case .gaussian(let mean, let deviation, let below):
      let (p, q) = (below + lower * (1 - below), upper * (1 - below))
      value = mean + deviation * QuantileLaw.normal(p, upper: q)
    case .lognormal(let median, let sigma):
      guard median > 0 else { return 0 }
      value = median * exponential(sigma * QuantileLaw.normal(lower, upper: upper))
    }
    return min(max(value, 0), Double(DelayModel.longestDelay.nanoseconds))
  }

  private static func normal(_ lower: Double, upper: Double) -> Double {
    lower < upper ? inverseNormal(lower) : -inverseNormal(upper)
  }
}
