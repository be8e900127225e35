/// How often something failed, and what that says about its probability.
public struct FailureFrequency: Hashable, Sendable {
  /// How often it failed.
  public let failures: Int
  /// How often it was tried, 1 or more.
  public let trials: Int

  /// `failures` of 0 to `trials`; there must be a trial.
  public init(failures: Int, trials: Int) {
    precondition(trials > 0 && (0...trials).contains(failures), "\(failures) failures of \(trials)")
    (self.failures, self.trials) = (failures, trials)
  }

  /// The share of the trials that failed.
  public var frequency: Double { Double(failures) / Double(trials) }

  /// The 95% interval of the probability: whatever it is, what is seen lies in its interval with that probability or
  /// more.
  ///
  /// C. Clopper and E. Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
  /// Biometrika 26(4), 1934.
  public var interval: ClosedRange<Double> {
    let tail = 0.025
    let low = failures == 0 ? 0 : bisect { Binomial(draws: trials, probability: $0).atLeast(failures) > tail }
    let high =
      failures == trials
      ? 1 : bisect { Binomial(draws: trials, probability: $0).fewerThan(failures + 1) <= tail }
    return low...max(low, high)
  }

  /// The least probability for which `isAbove`, which does not become false again.
  private func bisect(_ isAbove: (Double) -> Bool) -> Double {
    var (low, high) = (0.0, 1.0)
    for _ in 0..<100 {
      let middle = (low + high) / 2
      if isAbove(middle) { high = middle } else { low = middle }
    }
    return high
  }
}
