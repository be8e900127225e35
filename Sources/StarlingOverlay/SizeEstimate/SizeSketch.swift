import StarlingCore

/// How many peers there are, as far as one has heard: extrema propagation (Baquero, Almeida, Menezes and
/// Jesus, "Extrema propagation: fast distributed estimation of sums and network sizes", IEEE TPDS 23(4),
/// 2012).
///
/// Every peer draws K exponential variables and all spread, place by place, the least. The least of N
/// exponentials is exponential with rate N, so K of them tell N with a relative error of 1/√(K − 2), 27% at
/// K = 16; that is 3% of ln N at ten thousand peers, which is what SCAMP's law needs. The estimate only ever
/// grows. A liar can raise it to at most 2³² peers.
@frozen
public struct SizeSketch: Hashable, Sendable {
  /// K bytes. Each holds 28 − 7·log₂(least), rounded: the greater the byte,
  /// the smaller the least value.
  @usableFromInline var high: UInt64 = 0
  @usableFromInline var low: UInt64 = 0

  /// The sketch of no peers.
  @inlinable
  public init() {}

  /// K: how many variables each peer draws.
  @inlinable
  public static var variables: Int { 16 }
  /// The bytes a sketch takes on the wire.
  @inlinable
  public static var encodedByteCount: Int { 16 }

  /// The sketch of one peer.
  public init(drawnFrom random: inout some RandomSource & ~Copyable) {
    for i in 0..<SizeSketch.variables {
      let exponential = -naturalLogarithm(1 - random.unit())
      let level = 28 - 7 * naturalLogarithm(max(exponential, 1e-300)) / naturalLogarithm(2)
      set(UInt8(min(max(level, 1), 255)), at: i)
    }
  }

  /// Takes in what another peer has heard.
  @inlinable
  public mutating func merge(_ other: SizeSketch) {
    let a = unsafeBitCast((high, low), to: SIMD16<UInt8>.self)
    let b = unsafeBitCast((other.high, other.low), to: SIMD16<UInt8>.self)
    (high, low) = unsafeBitCast(pointwiseMax(a, b), to: (UInt64, UInt64).self)
  }

  /// N̂ = (K − 1) / Σ least; at least 1.
  public var estimate: Double {
    var sum = 0.0
    for i in 0..<SizeSketch.variables { sum += SizeSketch.values[Int(level(at: i))] }
    return max(1, Double(SizeSketch.variables - 1) / sum)
  }

  /// What each byte stands for: the middle of the rounded interval.
  private static let values = (0...255).map { exponential((27.5 - Double($0)) / 7 * naturalLogarithm(2)) }

  private func level(at i: Int) -> UInt8 {
    let word = i < 8 ? high : low
    return UInt8(truncatingIfNeeded: word >> UInt64(8 * (i & 7)))
  }

  private mutating func set(_ level: UInt8, at i: Int) {
    let shifted = UInt64(level) << UInt64(8 * (i & 7))
    if i < 8 { high |= shifted } else { low |= shifted }
  }
}

extension WireWriter {
  mutating func write(_ sketch: SizeSketch) {
    write(integer: sketch.high)
    write(integer: sketch.low)
  }
}

extension WireReader {
  mutating func readSketch() throws(WireError) -> SizeSketch {
    var sketch = SizeSketch()
    sketch.high = try read()
    sketch.low = try read()
    return sketch
  }
}
