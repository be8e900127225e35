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

  /// The same for two ranks of one drawing, the lower one first; they may be equal.
  mutating func smallest(_ rank: Int, and other: Int, of draws: Int) -> (Double, Double) {
    let (first, second) = (gamma(rank), gamma(other - rank))
    let all = first + second + gamma(draws - other + 1)
    return (first / all, (first + second) / all)
  }
}
