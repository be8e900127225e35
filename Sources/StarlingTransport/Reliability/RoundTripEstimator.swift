import StarlingCore

/// How long an answer takes, and how much that varies (RFC 9002, section 5).
struct RoundTripEstimator {
  /// kInitialRtt (RFC 9002, section 6.2.2).
  static let initial = Interval.milliseconds(333)
  /// kGranularity (RFC 9002, section 6.1.2).
  static let granularity = Interval.milliseconds(1)
  /// No sample counts for more, so that a machine that was suspended can do arithmetic with it: a guess.
  private static let longest = Interval.seconds(60)

  private(set) var smoothed = initial
  private(set) var hasSample = false
  private var variation = initial / 2
  private var latest = initial
  private var minimum = Interval.zero

  /// Takes a measured round trip into account.
  ///
  /// - Parameter ackDelay: how long the peer says it waited; the caller has limited it.
  mutating func update(_ sample: Interval, ackDelay: Interval) {
    latest = min(max(sample, .zero), RoundTripEstimator.longest)
    guard hasSample else {
      hasSample = true
      minimum = latest
      smoothed = latest
      variation = latest / 2
      return
    }
    minimum = min(minimum, latest)
    let adjusted = latest < minimum + ackDelay ? latest : latest - ackDelay
    let difference = adjusted < smoothed ? smoothed - adjusted : adjusted - smoothed
    variation = (variation * 3 + difference) / 4
    smoothed = (smoothed * 7 + adjusted) / 8
  }

  /// How much later than a packet sent after it a packet may be acknowledged before it counts as lost
  /// (RFC 9002, section 6.1.2): kTimeThreshold is 9/8.
  var lossDelay: Interval { max(max(latest, smoothed) * 9 / 8, RoundTripEstimator.granularity) }

  /// After how long without an acknowledgement to probe (RFC 9002, section 6.2.1).
  var probeTimeout: Interval {
    smoothed + max(variation * 4, RoundTripEstimator.granularity) + LossRecovery.maximumAckDelay
  }
}
