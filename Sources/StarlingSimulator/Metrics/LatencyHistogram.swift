import StarlingCore

/// Counts latencies in buckets of at most 0.1% width, so that a hundred million take a few kilobytes. The
/// largest is kept exactly.
public struct LatencyHistogram: Sendable {
  /// 1,024 buckets for each power of two above 2¹⁰ ns.
  private var counts: [UInt64] = []
  /// How many were counted.
  public private(set) var count: UInt64 = 0
  /// The largest.
  public private(set) var maximum = Interval.zero

  /// Nothing counted.
  public init() {}

  /// Counts one latency; a negative one as none.
  public mutating func record(_ latency: Interval) {
    let bucket = LatencyHistogram.bucket(of: UInt64(max(latency.nanoseconds, 0)))
    if bucket >= counts.count {
      counts.append(contentsOf: repeatElement(0, count: bucket + 1 - counts.count))
    }
    counts[bucket] += 1
    count += 1
    maximum = max(maximum, latency)
  }

  /// Adds all that another histogram counted.
  public mutating func add(_ other: LatencyHistogram) {
    if other.counts.count > counts.count {
      counts.append(contentsOf: repeatElement(0, count: other.counts.count - counts.count))
    }
    for i in other.counts.indices { counts[i] += other.counts[i] }
    count += other.count
    maximum = max(maximum, other.maximum)
  }

  /// The percentile by nearest rank, as the middle of its bucket; `nil` if nothing was counted.
  ///
  /// - Parameter percent: 1 ... 100.
  public func percentile(_ percent: UInt64) -> Interval? {
    guard count > 0 else { return nil }
    let rank = max(1, (count * percent + 99) / 100)
    var passed: UInt64 = 0
    for (bucket, n) in counts.enumerated() {
      passed += n
      if passed >= rank { return min(LatencyHistogram.middle(of: bucket), maximum) }
    }
    return maximum
  }

  private static func bucket(of nanoseconds: UInt64) -> Int {
    if nanoseconds < 2_048 { return Int(nanoseconds) }
    let exponent = 63 - nanoseconds.leadingZeroBitCount - 10
    return exponent * 1_024 + Int(nanoseconds >> UInt64(exponent))
  }

  private static func middle(of bucket: Int) -> Interval {
    if bucket < 2_048 { return Interval(nanoseconds: Int64(bucket)) }
    let exponent = bucket / 1_024 - 1
    let low = Int64(bucket - exponent * 1_024) << Int64(exponent)
    return Interval(nanoseconds: low + (1 << Int64(exponent)) / 2)
  }
}
