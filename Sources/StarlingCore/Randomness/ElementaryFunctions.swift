// The C library's `log` and `exp` differ between versions and processors, so a seed would not replay
// everywhere. These use only + − × ÷, which IEEE 754 defines to the last bit, in a fixed order.

/// The natural logarithm, within 2 units in the last place, equal to the bit on every machine.
///
/// - Returns: −∞ at 0, NaN below 0.
public func naturalLogarithm(_ x: Double) -> Double {
  guard x > 0 else { return x == 0 ? -.infinity : .nan }
  guard x < .infinity else { return x }
  var mantissa = x.significand
  var exponent = Double(x.exponent)
  if mantissa > 1.4142135623730951 {
    mantissa *= 0.5
    exponent += 1
  }
  // log m = 2 artanh((m − 1)/(m + 1)); with |f| below 0.172 twelve terms of the series reach the last bit.
  let f = (mantissa - 1) / (mantissa + 1)
  let square = f * f
  var series = 0.0
  var divisor = 25.0
  while divisor >= 3 {
    series = series * square + 1 / divisor
    divisor -= 2
  }
  // ln 2 in two parts: the upper has trailing zeros enough for its product with the exponent to be exact.
  let upper = 0x1.62e42fefp-1
  let lower = 0x1.473de6af278edp-34
  return exponent * upper + (exponent * lower + 2 * (f * square * series) + 2 * f)
}

/// e to the power `x`, within 2 units in the last place, equal to the bit on every machine.
///
/// - Returns: 0 below −745, ∞ above 710.
public func exponential(_ x: Double) -> Double {
  guard x == x else { return x }
  if x > 710 { return .infinity }
  if x < -746 { return 0 }
  let count = Double(Int(x * 1.4426950408889634 + (x < 0 ? -0.5 : 0.5)))
  let rest = (x - count * 0x1.62e42fefp-1) - count * 0x1.473de6af278edp-34
  // |rest| is at most 0.35: fifteen terms of the Taylor series reach the last bit.
  var series = 1.0
  var n = 15.0
  while n >= 1 {
    series = 1 + series * rest / n
    n -= 1
  }
  // Two steps, since 2 to the whole power may lie outside the range where the result does not.
  let half = Int(count) / 2
  let first = Double(sign: .plus, exponent: half, significand: series)
  return Double(sign: .plus, exponent: Int(count) - half, significand: first)
}

/// ln(1 + x), precise near 0.
public func logarithmOfOnePlus(_ x: Double) -> Double {
  guard x.magnitude < 0.25 else { return naturalLogarithm(1 + x) }
  let f = x / (2 + x)
  let square = f * f
  var series = 0.0
  var divisor = 25.0
  while divisor >= 1 {
    series = series * square + 1 / divisor
    divisor -= 2
  }
  return 2 * f * series
}

/// eˣ − 1, precise near 0.
public func exponentialLessOne(_ x: Double) -> Double {
  guard x.magnitude < 0.35 else { return exponential(x) - 1 }
  var series = 1.0
  var n = 16.0
  while n >= 2 {
    series = 1 + series * x / n
    n -= 1
  }
  return x * series
}

/// The square root of a normal, positive number, within 1 unit in the last place, by Newton's method: the
/// standard library's calls the C library, which nothing links below the runtime.
func squareRoot(_ x: Double) -> Double {
  var root = Double(sign: .plus, exponent: Int(x.exponent) >> 1, significand: 1.5)
  // The first guess is within a factor of 1.5; each step doubles the digits that are right.
  for _ in 0..<6 { root = 0.5 * (root + x / root) }
  return root
}

/// Sine and cosine of an angle, to 10⁻¹⁵, equal to the bit on every machine.
///
/// - Parameter degrees: −360 ... 360.
func sineAndCosine(degrees: Double) -> (sine: Double, cosine: Double) {
  // Quarter turns are taken off exactly; what is left is at most 45 degrees, where ten terms reach the last bit.
  let quarters = Int((degrees / 90).rounded(.toNearestOrAwayFromZero))
  let angle = (degrees - 90 * Double(quarters)) * (Double.pi / 180)
  let square = angle * angle
  var (sine, cosine) = (1.0, 1.0)
  for n in stride(from: 20.0, through: 2, by: -2) {
    sine = 1 - sine * square / (n * (n + 1))
    cosine = 1 - cosine * square / (n * (n - 1))
  }
  sine *= angle
  switch (quarters % 4 + 4) % 4 {
  case 0: return (sine, cosine)
  case 1: return (cosine, -sine)
  case 2: return (-sine, -cosine)
  default: return (-cosine, sine)
  }
}

/// The angle in radians whose sine is `x`, to 10⁻¹², equal to the bit on every machine.
///
/// - Parameter x: 0 ... 1.
func arcSine(_ x: Double) -> Double {
  // asin x = π/2 − 2·asin √((1 − x)/2) keeps the series at 0.5 and below, where terms shrink by four.
  if x > 0.5 { return Double.pi / 2 - 2 * arcSine(((1 - x) / 2).squareRoot()) }
  let square = x * x
  var (term, sum) = (x, x)
  for n in stride(from: 1.0, through: 37, by: 2) {
    term *= square * n / (n + 1)
    sum += term / (n + 2)
  }
  return sum
}
