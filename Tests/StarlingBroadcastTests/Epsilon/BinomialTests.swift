import Testing

@testable import StarlingBroadcast

/// The distribution that every bound is made of.
struct BinomialTests {
  @Test("Masses are those of the definition", arguments: [(1, 0.5), (7, 0.25), (30, 0.1), (60, 0.9)])
  func mass(draws: Int, probability: Double) {
    // Pascal's rule, which uses nothing but sums and products of probabilities.
    var masses = [1.0]
    for _ in 0..<draws {
      masses = (0...masses.count).map { k in
        (k < masses.count ? masses[k] * (1 - probability) : 0) + (k > 0 ? masses[k - 1] * probability : 0)
      }
    }
    let binomial = Binomial(draws: draws, probability: probability)
    for k in 0...draws {
      #expect((binomial.mass(k) / masses[k] - 1).magnitude < 1e-12, "b(\(draws), \(probability), \(k))")
      let tail = masses[k...].reversed().reduce(0, +)
      #expect((binomial.atLeast(k) / tail - 1).magnitude < 1e-12, "T(\(draws), \(probability), \(k))")
      let head = masses[..<k].reduce(0, +)
      #expect((binomial.fewerThan(k) - head).magnitude <= 1e-12 * head, "below \(k) of \(draws)")
    }
  }

  @Test("Tails far below the smallest difference between 1 and another number keep their digits")
  func farTails() {
    // Ten successes of ten, and one at least of very many improbable ones.
    #expect((Binomial(draws: 10, probability: 1e-20).atLeast(10) / 1e-200 - 1).magnitude < 1e-12)
    #expect((Binomial(draws: 1_000_000, probability: 1e-30).atLeast(1) / 1e-24 - 1).magnitude < 1e-12)
    #expect(Binomial(draws: 5, probability: 0).atLeast(1) == 0)
    #expect(Binomial(draws: 5, probability: 1).atLeast(5) == 1)
    #expect(Binomial(draws: 5, probability: 0.3).atLeast(6) == 0)
    #expect((atLeastOne(of: 1e6, probability: 1e-40) / 1e-34 - 1).magnitude < 1e-12)
  }
}
