/// Pearson's statistic of counts against equal expectations.
package func chiSquare(_ counts: [Int]) -> Double {
  let expected = Double(counts.reduce(0, +)) / Double(counts.count)
  return counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
}

/// What chi-square with so many degrees of freedom exceeds as rarely as a normal variable exceeds so many deviations:
/// once in three million times if they are not given (Wilson and Hilferty, "The distribution of chi-square", PNAS 17,
/// 1931).
package func chiSquareLimit(degreesOfFreedom: Int, deviations: Double = 5) -> Double {
  let k = Double(degreesOfFreedom)
  let root = 1 - 2 / (9 * k) + deviations * (2 / (9 * k)).squareRoot()
  return k * root * root * root
}
