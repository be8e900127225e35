import StarlingCore

/// How long to wait for something that usually takes a certain time: RFC 6298's retransmission timer, in
/// microseconds so that it takes eight bytes.
@frozen
public struct TimeoutEstimator: Sendable {
  /// SRTT, in microseconds; 0 before the first sample.
  @usableFromInline var smoothed: UInt32 = 0
  /// RTTVAR, in microseconds.
  @usableFromInline var variation: UInt32 = 0

  /// Nothing measured yet.
  @inlinable
  public init() {}

  /// The wait before anything is measured: RFC 6298, rule 2.1.
  @inlinable
  public static var initial: Interval { .seconds(1) }
  /// The shortest wait. A guess: RFC 6298's second is made for TCP's coarse timers.
  @inlinable
  public static var shortest: Interval { .milliseconds(100) }
  /// The longest wait. A guess: peers whose messages take several seconds are slow, and not dead.
  @inlinable
  public static var longest: Interval { .seconds(10) }

  /// Twice SRTT + 4·RTTVAR (rule 2.3), within the bounds. Twice, because what is late costs little to wait
  /// for, and a payload that is asked for needlessly comes twice.
  @inlinable
  public var timeout: Interval {
    if smoothed == 0 { return TimeoutEstimator.initial }
    let wait = Interval.microseconds(2 * (Int(smoothed) + 4 * Int(variation)))
    return min(max(wait, TimeoutEstimator.shortest), TimeoutEstimator.longest)
  }

  /// Takes a measurement in: rules 2.2 and 2.3, with α = 1/8 and β = 1/4.
  @inlinable
  public mutating func measure(_ sample: Interval) {
    let bounded = min(max(sample.nanoseconds / 1_000, 1), Int64(UInt32.max / 8))
    let sample = UInt32(bounded)
    if smoothed == 0 {
      smoothed = sample
      variation = sample / 2
      return
    }
    let deviation = smoothed > sample ? smoothed - sample : sample - smoothed
    variation = variation - variation / 4 + deviation / 4
    smoothed = max(1, smoothed - smoothed / 8 + sample / 8)
  }
}
