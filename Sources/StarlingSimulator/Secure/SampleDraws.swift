import StarlingBroadcast
import StarlingCore

/// Draws numbers of one binomial distribution, by inversion of its tabulated distribution function.
struct BinomialSampler: Sendable {
  /// The first value that is tabulated; what lies below has no weight that a draw would ever meet.
  private let lowest: Int
  private let cumulative: [Double]

  /// - Parameters:
  ///   - draws: how many draws, 0 or more.
  ///   - probability: with which each succeeds, 0 to 1.
  init(draws: Int, probability: Double) {
    guard probability > 0, probability < 1, draws > 0 else {
      (lowest, cumulative) = (probability >= 1 ? draws : 0, [1])
      return
    }
    let odds = probability / (1 - probability)
    let mode = min(draws, Int(Double(draws + 1) * probability))
    // Relative to the mode's; far below the least number that a draw can tell from 0.
    let negligible = 1e-25
    var (below, above): ([Double], [Double]) = ([], [])
    var mass = 1.0
    var k = mode
    while k > 0, mass > negligible {
      mass *= Double(k) / (Double(draws - k + 1) * odds)
      below.append(mass)
      k -= 1
    }
    lowest = k
    (mass, k) = (1, mode)
    while k < draws, mass > negligible {
      mass *= Double(draws - k) / Double(k + 1) * odds
      above.append(mass)
      k += 1
    }
    let masses = below.reversed() + [1] + above
    let total = masses.reduce(0, +)
    var sum = 0.0
    cumulative = masses.map { mass in
      sum += mass / total
      return sum
    }
  }

  func draw(_ random: inout some RandomSource) -> Int {
    let u = random.unit()
    var (low, high) = (0, cumulative.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if cumulative[middle] > u { high = middle } else { low = middle + 1 }
    }
    return lowest + low
  }
}

extension RandomSource {
  /// A gamma variable of scale 1.
  ///
  /// G. Marsaglia and W. Tsang, "A simple method for generating gamma variables", ACM TOMS 26(3), 2000.
  ///
  /// - Parameter shape: 0, whose variable is 0, or more.
  mutating func gamma(_ shape: Int) -> Double {
    if shape == 0 { return 0 }
    let d = Double(shape) - 1.0 / 3
    let c = 1 / (9 * d).squareRoot()
    while true {
      let x = inverseNormal(max(unit(), 0x1p-53))
      let root = 1 + c * x
      guard root > 0 else { continue }
      let v = root * root * root
      let u = max(unit(), 0x1p-53)
      let square = x * x
      if u < 1 - 0.0331 * square * square { return d * v }
      if naturalLogarithm(u) < 0.5 * square + d * (1 - v + naturalLogarithm(v)) { return d * v }
    }
  }

  /// Of so many numbers drawn uniformly from 0 ..< 1 the `rank`-th smallest: a Beta(rank, draws − rank + 1) variable.
  ///
  /// - Parameters:
  ///   - rank: 1 to `draws`.
  ///   - draws: how many.
  mutating func smallest(_ rank: Int, of draws: Int) -> Double {
    let before = gamma(rank)
    return before / (before + gamma(draws - rank + 1))
  }

  /// A binomial number, by inversion: the masses are tried from the most probable one outwards.
  ///
  /// - Parameters:
  ///   - draws: how many draws, 0 or more.
  ///   - probability: with which each succeeds.
  mutating func binomial(draws: Int, probability: Double) -> Int {
    if draws <= 0 || probability <= 0 { return 0 }
    if probability >= 1 { return draws }
    let odds = probability / (1 - probability)
    let mode = min(draws, Int(Double(draws + 1) * probability))
    let peak = Binomial(draws: draws, probability: probability).mass(mode)
    var left = unit() - peak
    var (low, high) = (mode, mode)
    var (below, above) = (peak, peak)
    while left >= 0 {
      if low == 0 && high == draws { return mode }
      if high < draws {
        above *= Double(draws - high) / Double(high + 1) * odds
        high += 1
        left -= above
        if left < 0 { return high }
      }
      if low > 0 {
        below *= Double(low) / (Double(draws - low + 1) * odds)
        low -= 1
        left -= below
        if left < 0 { return low }
      }
      // What is left over by rounding belongs to nobody.
      if above + below < 1e-30 { return mode }
    }
    return mode
  }

  /// A binomial number, given that it is `least` or more, which must be possible.
  mutating func binomial(draws: Int, probability: Double, atLeast least: Int) -> Int {
    let binomial = Binomial(draws: draws, probability: probability)
    var left = unit() * binomial.atLeast(least)
    var k = least
    while k < draws {
      left -= binomial.mass(k)
      if left < 0 { break }
      k += 1
    }
    return k
  }

  /// How many succeed in groups of independent tries, given that somebody does.
  ///
  /// - Parameter groups: the size of each, and the logarithm of the probability with which one of it fails.
  mutating func someOf(_ groups: [(count: Int, logRefusing: Double)]) -> Int {
    // That nobody does from each group on.
    var logNone = [0.0]
    for group in groups.reversed() {
      logNone.append(logNone[logNone.count - 1] + Double(group.count) * group.logRefusing)
    }
    var succeeded = 0
    for (index, group) in groups.enumerated() {
      let chance = -exponentialLessOne(group.logRefusing)
      if chance <= 0 { continue }
      if succeeded > 0 {
        succeeded += binomial(draws: group.count, probability: chance)
        continue
      }
      let (from, after) = (logNone[groups.count - index], logNone[groups.count - index - 1])
      let own = Double(group.count) * group.logRefusing
      let some = -exponentialLessOne(own)
      // Somebody of this group, given that somebody of this or a later one does.
      guard unit() * -exponentialLessOne(from) < some || after == 0 else { continue }
      if chance >= 1 {
        succeeded = group.count
        continue
      }
      var left = unit() * some
      var mass = Double(group.count) * chance * exponential(Double(group.count - 1) * group.logRefusing)
      succeeded = 1
      while left >= mass, succeeded < group.count {
        left -= mass
        mass *= Double(group.count - succeeded) / Double(succeeded + 1) * chance / (1 - chance)
        succeeded += 1
      }
    }
    return succeeded
  }
}
