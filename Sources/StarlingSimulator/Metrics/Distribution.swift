/// What a report says about many numbers: their mean, spread and percentiles.
///
/// Percentiles are by nearest rank (Hyndman and Fan, "Sample quantiles in statistical packages", 1996,
/// definition 1): the smallest value that at least p percent of the values do not exceed. So each one is a value
/// that occurred, never an interpolation.
public struct Distribution: Hashable, Sendable {
  /// How many values there were; at least 1.
  public let count: Int
  /// The arithmetic mean.
  public let mean: Double
  /// The population standard deviation (divided by `count`, not by `count` − 1).
  public let stddev: Double
  /// The smallest value.
  public let min: Double
  /// The 1st percentile.
  public let p1: Double
  /// The median, which is the 50th percentile.
  public let p50: Double
  /// The 99th percentile.
  public let p99: Double
  /// The greatest value.
  public let max: Double

  /// Summarises `values`, in any order; `nil` if there are none. Values that are not finite are left out.
  ///
  /// The values are sorted before they are added up, so the result depends on the values alone and not on their
  /// order. O(n log n).
  public init?(_ values: some Sequence<Double>) {
    let sorted = values.filter(\.isFinite).sorted()
    guard let first = sorted.first, let last = sorted.last else { return nil }
    let n = Double(sorted.count)
    let mean = sorted.reduce(0, +) / n
    let squares = sorted.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    self.count = sorted.count
    self.mean = mean
    self.stddev = (squares / n).squareRoot()
    self.min = first
    self.max = last
    self.p1 = Distribution.percentile(1, ofSorted: sorted)
    self.p50 = Distribution.percentile(50, ofSorted: sorted)
    self.p99 = Distribution.percentile(99, ofSorted: sorted)
  }

  /// Summarises whole numbers, in any order; `nil` if there are none.
  public init?(_ values: some Sequence<Int>) {
    self.init(values.lazy.map { Double($0) })
  }

  /// The value of nearest rank: that of rank ⌈`percent` · n / 100⌉, the ranks counted from 1.
  ///
  /// - Parameters:
  ///   - percent: 0 ... 100; 0 means the smallest value.
  ///   - sorted: the values in ascending order; at least one.
  public static func percentile(_ percent: Int, ofSorted sorted: [Double]) -> Double {
    precondition(!sorted.isEmpty && (0...100).contains(percent), "no \(percent)th percentile")
    let rank = (percent * sorted.count + 99) / 100
    return sorted[Swift.max(rank, 1) - 1]
  }
}
