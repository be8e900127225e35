import StarlingBroadcast
import Testing

@Suite("Frequencies of failure")
struct FailureFrequencyTests {
  /// The exact 95% limits of Clopper and Pearson; those of 0 of n are 1 − .025^(1/n).
  @Test(
    "The interval is that of Clopper and Pearson",
    arguments: [
      (0, 10, 0, 0.308_497), (5, 10, 0.187_086, 0.812_914), (10, 10, 0.691_503, 1),
      (1, 100, 0.000_253, 0.054_459),
      (0, 1_000_000, 0, 3.688_872e-6),
    ])
  func interval(failures: Int, trials: Int, low: Double, high: Double) {
    let interval = FailureFrequency(failures: failures, trials: trials).interval
    #expect(abs(interval.lowerBound - low) <= 1e-6 * max(1, low))
    #expect(abs(interval.upperBound - high) <= max(1e-6 * high, min(1e-6, high / 1_000)))
  }
}
