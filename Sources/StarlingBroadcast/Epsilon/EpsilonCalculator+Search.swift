/// The smallest samples for a wanted ε.
///
/// A property of the whole broadcast fails when it fails in one of the layers, so the target is divided: half for what
/// Echo Broadcast adds to a property and half for what Ready Broadcast adds; of validity, half of Echo's half is
/// gossip's. One more message in a sample divides its layer's part by a constant, so a better division would save few
/// messages of some hundreds.
extension EpsilonCalculator {
  /// The smallest G with which gossip's totality fails with probability `target` at most; `nil` when none of up to N
  /// processes is enough.
  public func smallestGossip(target: Double) -> Int? {
    smallest(in: 1...nodes) { gossipTotality($0) <= target }
  }

  /// The smallest E, with the greatest Ê, with which consistency and what Echo Broadcast adds to total validity each
  /// fail with probability `target` at most.
  ///
  /// - Returns: `nil` when no sample of up to `largestSample` is enough.
  public func smallestEcho(target: Double) -> (sample: Int, threshold: Int)? {
    func threshold(_ sample: Int) -> Int? {
      greatest(in: 1...sample) { echo($0, of: sample) <= target }
    }
    func holds(_ sample: Int) -> Bool {
      threshold(sample).map { echoConsistency(sample, threshold: $0) <= target } ?? false
    }
    // Whole thresholds make the failure rise and fall a little from one sample size to the next, so the search by
    // halves ends near the smallest, which is then looked for below.
    guard var sample = smallest(in: 1...Self.largestSample, where: holds) else { return nil }
    var candidate = sample
    while candidate > max(1, sample - 8) {
      candidate -= 1
      if holds(candidate) { sample = candidate }
    }
    return threshold(sample).map { (sample, $0) }
  }

  private func echo(_ threshold: Int, of sample: Int) -> Double {
    echoTotalValidity(sample, threshold: threshold, gossip: 0)
  }

  /// The R, R̂, D and D̂ of the smallest R + D with which Ready Broadcast adds `target` at most to each property.
  ///
  /// - Returns: `nil` when no samples of up to `largestSample` are enough.
  public func smallestReady(
    target: Double
  ) -> (sample: Int, threshold: Int, delivery: Int, deliveryThreshold: Int)? {
    func deliveryThreshold(_ delivery: Int) -> Int? {
      greatest(in: 1...delivery) { ready(1, 1, delivery, $0).resting <= target * 0.9 }
    }
    func readyThreshold(_ sample: Int, _ delivery: Int, _ deliveryThreshold: Int) -> Int? {
      smallest(in: 1...sample) {
        let bound = ready(sample, $0, delivery, deliveryThreshold)
        return bound.spuriousAtMost <= target * 0.05
      }
    }
    func holds(_ sample: Int, _ delivery: Int) -> Bool {
      guard let high = deliveryThreshold(delivery), let low = readyThreshold(sample, delivery, high) else {
        return false
      }
      return ready(sample, low, delivery, high).divisible <= target * 0.95
    }
    // With readiness as contagious as can be, which delivery samples are enough at all?
    guard let first = smallest(in: 1...Self.largestSample, where: { holds(Self.largestSample, $0) }) else {
      return nil
    }
    var best: (sample: Int, delivery: Int)?
    var step = max(1, first / 4)
    var (low, high) = (first, min(Self.largestSample, first * 4))
    // Ever finer: R falls as D grows, and their sum has one valley but for the unevenness of whole thresholds.
    while true {
      for delivery in stride(from: low, through: high, by: step) {
        let limit = best.map { $0.sample + $0.delivery - delivery } ?? Self.largestSample
        guard limit > 0, holds(limit, delivery),
          let sample = smallest(in: 1...limit, where: { holds($0, delivery) })
        else { continue }
        if best.map({ sample + delivery < $0.sample + $0.delivery }) ?? true { best = (sample, delivery) }
      }
      guard let found = best else { return nil }
      if step == 1 { break }
      (low, high) = (max(first, found.delivery - step), min(Self.largestSample, found.delivery + step))
      step = max(1, step / 4)
    }
    guard let (sample, delivery) = best, let high = deliveryThreshold(delivery),
      let low = readyThreshold(sample, delivery, high)
    else { return nil }
    return (sample, low, delivery, high)
  }

  /// The largest sample that is looked for; whoever needs more has more Byzantine processes than samples can tell
  /// from correct ones.
  public static let largestSample = 20_000

  /// The share of a target that gossip's totality may take.
  public static var gossipShare: Double { 0.25 }
  /// The share that Echo Broadcast's consistency, and what it adds to total validity, may each take.
  public static var echoShare: Double { 0.25 }
  /// The share that what Ready Broadcast adds to a property may take.
  public static var readyShare: Double { 0.5 }

  /// The smallest parameters for which every property of the whole broadcast fails with probability `target` at most.
  ///
  /// - Parameter target: ε, 1e-16 to 1.
  /// - Returns: `nil` when no samples are enough, as when too many processes are Byzantine.
  public func smallestParameters(target: Double) -> SecureBroadcastParameters? {
    guard let gossip = smallestGossip(target: target * Self.gossipShare) else { return nil }
    guard let echo = smallestEcho(target: target * Self.echoShare) else { return nil }
    guard let ready = smallestReady(target: target * Self.readyShare) else { return nil }
    return SecureBroadcastParameters(
      gossip: gossip, echo: echo.sample, echoThreshold: echo.threshold, ready: ready.sample,
      readyThreshold: ready.threshold, delivery: ready.delivery, deliveryThreshold: ready.deliveryThreshold)
  }

  /// The smallest value for which `holds`, which holds for all above one for which it does.
  private func smallest(in range: ClosedRange<Int>, where holds: (Int) -> Bool) -> Int? {
    // Galloping: the answer is often near the beginning of a wide range, and great values are dear to try.
    var (low, high) = (range.lowerBound, range.lowerBound)
    var step = 1
    while !holds(high) {
      if high == range.upperBound { return nil }
      low = high + 1
      high = min(range.upperBound, high + step)
      step *= 2
    }
    while low < high {
      let middle = low + (high - low) / 2
      if holds(middle) { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// The greatest value for which `holds`, which holds for all below one for which it does.
  private func greatest(in range: ClosedRange<Int>, where holds: (Int) -> Bool) -> Int? {
    var (low, high) = (range.lowerBound, range.upperBound)
    guard holds(low) else { return nil }
    while low < high {
      let middle = low + (high - low + 1) / 2
      if holds(middle) { low = middle } else { high = middle - 1 }
    }
    return low
  }
}
