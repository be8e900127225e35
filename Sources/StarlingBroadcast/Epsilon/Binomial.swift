import StarlingCore

/// A binomial distribution whose masses and tails keep their relative precision far into the tails.
///
/// Masses follow C. Loader, "Fast and Accurate Computation of Binomial Probabilities" (2000): the deviance from the
/// mean and the errors of Stirling's formula are computed, never the difference of large logarithms. Tails are sums
/// of masses from the near end outwards, so nothing cancels in the smaller tail; the larger one is its complement.
package struct Binomial {
  /// The number of draws.
  package let draws: Int
  /// The probability that a draw succeeds, 0 to 1.
  package let probability: Double
  /// Its complement, given apart where it is known more precisely.
  package let complement: Double

  package init(draws: Int, probability: Double, complement: Double? = nil) {
    self.draws = draws
    self.probability = min(max(probability, 0), 1)
    self.complement = min(max(complement ?? 1 - probability, 0), 1)
  }

  /// b(n, p, k): the probability of exactly `successes`.
  package func mass(_ successes: Int) -> Double {
    exponential(logMass(successes))
  }

  /// The natural logarithm of `mass(successes)`; −∞ where that is 0.
  package func logMass(_ successes: Int) -> Double {
    guard successes >= 0, successes <= draws else { return -.infinity }
    if probability == 0 { return successes == 0 ? 0 : -.infinity }
    if complement == 0 { return successes == draws ? 0 : -.infinity }
    let n = Double(draws)
    let k = Double(successes)
    if successes == 0 { return n * logarithm(of: complement, complement: probability) }
    if successes == draws { return n * logarithm(of: probability, complement: complement) }
    let deviance = deviance(k, n * probability) + deviance(n - k, n * complement)
    return stirlingError(draws) - stirlingError(successes) - stirlingError(draws - successes) - deviance
      + 0.5 * naturalLogarithm(n / (2 * Double.pi * k * (n - k)))
  }

  /// T(n, p, k): the probability of `successes` or more.
  package func atLeast(_ successes: Int) -> Double {
    if successes <= 0 { return 1 }
    if successes > draws { return 0 }
    return Double(successes) > Double(draws) * probability
      ? sum(from: successes, upwards: true) : 1 - sum(from: successes - 1, upwards: false)
  }

  /// The probability of fewer than `successes`.
  package func fewerThan(_ successes: Int) -> Double {
    if successes <= 0 { return 0 }
    if successes > draws { return 1 }
    return Double(successes) > Double(draws) * probability
      ? 1 - sum(from: successes, upwards: true) : sum(from: successes - 1, upwards: false)
  }

  /// The sum of the masses from one on, away from the mean, until they no longer count.
  private func sum(from start: Int, upwards: Bool) -> Double {
    var term = mass(start)
    if term == 0 { return 0 }
    let odds = upwards ? probability / complement : complement / probability
    var sum = 0.0
    var k = start
    while true {
      sum += term
      if upwards {
        if k == draws { break }
        term *= Double(draws - k) / Double(k + 1) * odds
        k += 1
      } else {
        if k == 0 { break }
        term *= Double(k) / Double(draws - k + 1) * odds
        k -= 1
      }
      if term < sum * 1e-18 { break }
    }
    return min(sum, 1)
  }
}

/// ln p, by whichever of p and 1 − p is the smaller and so the more precise.
private func logarithm(of p: Double, complement: Double) -> Double {
  p < complement ? naturalLogarithm(p) : logarithmOfOnePlus(-complement)
}

/// Loader's D₀: x·ln(x/m) + m − x, without cancellation near x = m.
private func deviance(_ x: Double, _ mean: Double) -> Double {
  let difference = x - mean
  if difference.magnitude >= 0.1 * (x + mean) { return x * naturalLogarithm(x / mean) - difference }
  let ratio = difference / (x + mean)
  var sum = difference * ratio
  var power = 2 * x * ratio
  var divisor = 3.0
  while divisor < 1000 {
    power *= ratio * ratio
    let next = sum + power / divisor
    if next == sum { break }
    sum = next
    divisor += 2
  }
  return sum
}

/// ln n! − ln(√(2πn)·(n/e)ⁿ).
private func stirlingError(_ n: Int) -> Double {
  if n == 0 { return 0 }
  let x = Double(n)
  if n < 16 {
    var factorial = 1.0
    for factor in 1...n { factorial *= Double(factor) }
    return naturalLogarithm(factorial) + x - (x + 0.5) * naturalLogarithm(x)
      - 0.5 * naturalLogarithm(2 * Double.pi)
  }
  let square = x * x
  return
    (1 / 12.0 - (1 / 360.0 - (1 / 1260.0 - (1 / 1680.0 - 1 / 1188.0 / square) / square) / square) / square)
    / x
}

/// 1 − (1 − p)ⁿ: the probability that at least one of n independent events of probability p happens.
func atLeastOne(of n: Double, probability p: Double) -> Double {
  if p >= 1 { return 1 }
  return -exponentialLessOne(n * logarithmOfOnePlus(-p))
}
