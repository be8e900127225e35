/// A point in time: nanoseconds since the driver's own start. Never the wall clock.
@frozen
public struct Instant: Hashable, Comparable, Sendable {
  /// Nanoseconds since the driver's start.
  public let nanoseconds: UInt64

  /// The driver's start.
  public static let zero = Instant(nanoseconds: 0)
  /// Later than every deadline.
  public static let distantFuture = Instant(nanoseconds: .max)

  /// The instant that many nanoseconds after the start.
  @inlinable
  public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  /// Earlier comes first.
  @inlinable
  public static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }

  /// The instant an interval later; saturates at the ends of time.
  @inlinable
  public static func + (instant: Instant, interval: Interval) -> Instant {
    if interval.nanoseconds < 0 {
      let back = interval.nanoseconds.magnitude
      return Instant(nanoseconds: back > instant.nanoseconds ? 0 : instant.nanoseconds - back)
    }
    let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(UInt64(interval.nanoseconds))
    return Instant(nanoseconds: overflow ? .max : sum)
  }

  /// The time from `earlier` to `later`, negative if they are the other way round.
  @inlinable
  public static func - (later: Instant, earlier: Instant) -> Interval {
    Interval(nanoseconds: Int64(truncatingIfNeeded: later.nanoseconds &- earlier.nanoseconds))
  }
}
