import StarlingCore

/// A clock that gains on virtual time, in whole nanoseconds, so that every machine computes the same.
@frozen @usableFromInline
struct FastClock {
  /// When its rate last changed, in virtual time, and what it showed then.
  private var since: UInt64 = 0
  private var shown: UInt64 = 0
  /// Millionths that it gains.
  private var gain: UInt64 = 0

  @usableFromInline
  init() {}

  private static let million: UInt64 = 1_000_000

  /// What it shows, rounded down.
  @usableFromInline
  func shows(at now: Instant) -> Instant {
    let passed = now.nanoseconds &- since
    // Whole millions apart, so that no product overflows.
    let gained =
      passed / FastClock.million * gain + passed % FastClock.million * gain / FastClock.million
    return Instant(nanoseconds: shown &+ passed &+ gained)
  }

  /// The first moment of virtual time at which it shows an instant.
  @usableFromInline
  func time(when instant: Instant) -> Instant {
    guard instant.nanoseconds > shown else { return Instant(nanoseconds: since) }
    guard gain > 0 else {
      return Instant(nanoseconds: since) + Interval.saturating(instant.nanoseconds - shown)
    }
    let ahead = instant.nanoseconds - shown
    let rate = FastClock.million + gain
    let (whole, rest) = (ahead / rate, ahead % rate)
    let passed = whole * FastClock.million + (rest * FastClock.million + rate - 1) / rate
    return Instant(nanoseconds: since) + Interval.saturating(passed)
  }

  mutating func speedUp(gain faster: UInt64, offset: UInt64, at now: Instant) {
    precondition(faster >= gain && faster <= FastClock.million, "a clock that gains \(faster) in a million")
    shown = shows(at: now).nanoseconds &+ offset
    since = now.nanoseconds
    gain = faster
  }
}

extension Interval {
  fileprivate static func saturating(_ nanoseconds: UInt64) -> Interval {
    Interval(nanoseconds: Int64(clamping: nanoseconds))
  }
}
