/// Measured round-trip times between places, as one-way delays.
public struct LatencyMatrix: Hashable, Sendable {
  /// The most rows a matrix may have: 2,048 take 32 MiB.
  public static let rowsLimit = 2_048
  /// The longest round trip an entry may state: two days.
  static let roundTripLimit: UInt64 = 2 * 86_400_000

  /// How many places there are.
  public let rows: Int
  /// One-way delays in nanoseconds, row after row; the diagonal holds that between two peers of one place.
  @usableFromInline let oneWay: [Int64]

  /// Parses a matrix: numbers separated by white space, row after row, `#` starting a comment that runs to
  /// the end of its line. Entries are round-trip milliseconds, of which a one-way delay is half. −1 is
  /// unknown and takes the median of the known entries off the diagonal. Two peers of one row are half of
  /// the smallest positive entry apart, whatever the diagonal says.
  public init(parsing text: String) throws(QuantityError) {
    let entries = try LatencyMatrix.entries(of: text)
    var rows = 0
    while rows * rows < entries.count { rows += 1 }
    guard rows > 0, rows * rows == entries.count else {
      throw QuantityError(
        "A latency matrix must be square, with as many rows as columns; this one has \(entries.count) entries."
      )
    }
    guard let smallest = entries.lazy.filter({ $0 > 0 }).min() else {
      throw QuantityError("A latency matrix must have at least one positive entry; this one has none.")
    }
    let median = LatencyMatrix.median(of: entries, rows: rows)
    self.rows = rows
    oneWay = entries.indices.map { index in
      if index % (rows + 1) == 0 { return smallest / 2 }
      return (entries[index] < 0 ? median : entries[index]) / 2
    }
  }

  /// The one-way delay from a peer of one row to a peer of another, or of the same.
  @inlinable
  public func delay(from: Int, to: Int) -> Interval {
    Interval(nanoseconds: oneWay[from &* rows &+ to])
  }

  /// The entries in nanoseconds, −1 where unknown.
  private static func entries(of text: String) throws(QuantityError) -> [Int64] {
    var entries: [Int64] = []
    for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
      let numbers = line.prefix { $0 != "#" }
      for word in numbers.split(whereSeparator: \.isWhitespace) {
        guard entries.count < rowsLimit * rowsLimit else {
          throw QuantityError("A latency matrix has at most \(rowsLimit) rows; this one has more.")
        }
        entries.append(try entry(word))
      }
    }
    return entries
  }

  private static func entry(_ word: Substring) throws(QuantityError) -> Int64 {
    guard let decimal = Decimal(word) else {
      throw QuantityError("The latency matrix holds \"\(word)\", which is not a number of milliseconds.")
    }
    if decimal.isNegative, decimal.approximation == -1 { return -1 }
    guard let nanoseconds = decimal.times(1_000_000, limit: roundTripLimit * 1_000_000) else {
      throw QuantityError(
        "The latency matrix holds \"\(word)\"; an entry is 0 ms to two days, or -1 where it is unknown.")
    }
    return Int64(nanoseconds)
  }

  /// The median of what is known off the diagonal; the mean of the middle two if there is an even number.
  private static func median(of entries: [Int64], rows: Int) -> Int64 {
    let known = entries.indices.lazy.filter { $0 % (rows + 1) != 0 }.map { entries[$0] }.filter { $0 >= 0 }
    let sorted = known.sorted()
    guard !sorted.isEmpty else { return 0 }
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }
}
