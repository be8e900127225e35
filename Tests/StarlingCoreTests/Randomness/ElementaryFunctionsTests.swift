import Foundation
import StarlingCore
import StarlingTestSupport
import Testing

@Suite struct ElementaryFunctionsTests {
  @Test("the logarithm agrees with the C library's to 2 units in the last place, over all magnitudes")
  func logarithm() {
    var random = testRandom()
    for _ in 0..<20_000 {
      let x = Double(
        sign: .plus, exponent: random.uniform(below: 2_000) - 1_000, significand: 1 + random.unit())
      let expected = Foundation.log(x)
      if abs(naturalLogarithm(x) - expected) > 2 * expected.ulp { Issue.record("log \(x)") }
    }
    for x in [
      0.9999, 1.0000001, 1 + 1e-15, 1.4142135623730951, 0.7071067811865476, Double.leastNonzeroMagnitude,
    ] {
      #expect(abs(naturalLogarithm(x) - Foundation.log(x)) <= 2 * Foundation.log(x).ulp, "log \(x)")
    }
  }

  @Test("the logarithm's edges are those of the function")
  func logarithmEdges() {
    #expect(naturalLogarithm(1) == 0)
    #expect(naturalLogarithm(0) == -.infinity)
    #expect(naturalLogarithm(-1).isNaN)
    #expect(naturalLogarithm(.nan).isNaN)
    #expect(naturalLogarithm(.infinity) == .infinity)
  }

  @Test("the exponential agrees with the C library's to 2 units in the last place, wherever it is finite")
  func exponentials() {
    var random = testRandom()
    for _ in 0..<20_000 {
      let x = random.unit() * 1_450 - 742
      let expected = Foundation.exp(x)
      if abs(exponential(x) - expected) > 2 * expected.ulp { Issue.record("exp \(x)") }
    }
  }

  @Test("the exponential's edges are those of the function")
  func exponentialEdges() {
    #expect(exponential(0) == 1)
    #expect(exponential(-800) == 0)
    #expect(exponential(-.infinity) == 0)
    #expect(exponential(800) == .infinity)
    #expect(exponential(.infinity) == .infinity)
    #expect(exponential(.nan).isNaN)
  }

  @Test("the bits are the same on every machine: these were computed once and must never change")
  func fixedBits() {
    var hash: UInt64 = 0
    for i in 1..<1_000 {
      let x = Double(i) / 1_000
      for y in [naturalLogarithm(x), exponential(x * 20 - 10), inverseNormal(x)] {
        hash = SplitMix64.mix(hash ^ y.bitPattern)
      }
    }
    #expect(hash == 4_128_390_874_238_297_907)
  }

  @Test(
    "normal quantiles are those of Wichura's paper and of the tables",
    arguments: [
      (0.25, -0.6744897501960817), (0.001, -3.090232306167814), (1e-20, -9.262340089798408),
      (0.975, 1.9599639845400545), (0.425, -0.1891184262727925), (0.0749, -1.4402382675279632),
      (1e-300, -37.0470962993612), (0.5, 0),
    ])
  func quantiles(p: Double, z: Double) {
    #expect(abs(inverseNormal(p) - z) <= 1e-15 * max(1, abs(z)))
  }

  @Test("normal quantiles invert the distribution function that the C library's erfc gives")
  func inversion() {
    for i in 1..<2_000 {
      let p = Double(i) / 2_000
      let back = 0.5 * erfc(-inverseNormal(p) / 2.0.squareRoot())
      if abs(back - p) > 2e-15 { Issue.record("p = \(p)") }
    }
    #expect(inverseNormal(0) == -.infinity)
    #expect(inverseNormal(1) == .infinity)
    #expect(inverseNormal(1.5).isNaN)
    #expect(inverseNormal(.nan).isNaN)
  }
}
