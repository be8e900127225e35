/// A length of time in nanoseconds: 64 bits, where the standard library's `Duration` has 128.
@frozen
public struct Interval: Hashable, Comparable, Sendable {
  /// The length in nanoseconds.
  public let nanoseconds: Int64

  /// No time at all.
  public static let zero = Interval(nanoseconds: 0)

  /// A length in nanoseconds.
  @inlinable
  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// A length in microseconds.
  @inlinable
  public static func microseconds(_ n: Int) -> Interval { Interval(nanoseconds: Int64(n) * 1_000) }
  /// A length in milliseconds.
  @inlinable
  public static func milliseconds(_ n: Int) -> Interval { Interval(nanoseconds: Int64(n) * 1_000_000) }
  /// A length in seconds.
  @inlinable
  public static func seconds(_ n: Int) -> Interval { Interval(nanoseconds: Int64(n) * 1_000_000_000) }

  /// The length in milliseconds, with its fraction.
  @inlinable
  public var inMilliseconds: Double { Double(nanoseconds) / 1e6 }
  /// The length in seconds, with its fraction.
  @inlinable
  public var inSeconds: Double { Double(nanoseconds) / 1e9 }

  /// Shorter comes first.
  @inlinable
  public static func < (a: Interval, b: Interval) -> Bool { a.nanoseconds < b.nanoseconds }
  /// The sum of two lengths.
  @inlinable
  public static func + (a: Interval, b: Interval) -> Interval {
    Interval(nanoseconds: a.nanoseconds + b.nanoseconds)
  }
  /// The difference of two lengths.
  @inlinable
  public static func - (a: Interval, b: Interval) -> Interval {
    Interval(nanoseconds: a.nanoseconds - b.nanoseconds)
  }
  /// A length a number of times over.
  @inlinable
  public static func * (a: Interval, n: Int) -> Interval {
    Interval(nanoseconds: a.nanoseconds * Int64(n))
  }
  /// A part of a length, rounded towards zero.
  @inlinable
  public static func / (a: Interval, n: Int) -> Interval {
    Interval(nanoseconds: a.nanoseconds / Int64(n))
  }
}
