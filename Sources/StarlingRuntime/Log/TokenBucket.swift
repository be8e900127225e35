import StarlingCore

/// A token bucket: so many events at once, and so many a second in the long run (Turner, "New directions in
/// communications", IEEE Communications Magazine 24(10), 1986).
struct TokenBucket: Sendable {
  /// How many events may come at once.
  let burst: Double
  /// How many tokens flow in, in a second.
  let rate: Double
  private var tokens: Double
  private var last: Instant
  /// How many events were refused since one was let through.
  private(set) var suppressed: UInt64 = 0

  init(burst: Double, rate: Double, at now: Instant) {
    self.burst = burst
    self.rate = rate
    tokens = burst
    last = now
  }

  /// Whether an event is let through.
  ///
  /// - Returns: how many were refused before it; `nil` if it is refused itself.
  mutating func admit(at now: Instant) -> UInt64? {
    if now > last {
      tokens = min(burst, tokens + Double((now - last).nanoseconds) / 1e9 * rate)
      last = now
    }
    guard tokens >= 1 else {
      suppressed += 1
      return nil
    }
    tokens -= 1
    return takeSuppressed()
  }

  /// How many events were refused, which then are told.
  mutating func takeSuppressed() -> UInt64 {
    defer { suppressed = 0 }
    return suppressed
  }
}
