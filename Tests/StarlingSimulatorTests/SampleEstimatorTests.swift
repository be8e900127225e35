import StarlingBroadcast
import StarlingCore
import StarlingTestSupport
import Testing

@testable import StarlingSimulator

@Suite("Attacks judged by samples")
struct SampleEstimatorTests {
  private static let weak = SecureBroadcastParameters(
    gossip: 10, echo: 40, echoThreshold: 26, ready: 30, readyThreshold: 12, delivery: 40,
    deliveryThreshold: 28)

  private func estimates(_ estimator: SampleEstimator, _ count: Int) -> AttackTally {
    var random = Xoshiro256(seed: testSeed)
    var tally = AttackTally()
    for _ in 0..<count { tally.add(estimator.attack(&random)) }
    return tally
  }

  @Test("Drawn binomial numbers have the distribution's mean, variance and ends")
  func binomial() {
    var random = Xoshiro256(seed: testSeed)
    for (draws, probability) in [(40, 0.15), (700, 0.1), (5, 0.9), (1, 0.5)] {
      let sampler = BinomialSampler(draws: draws, probability: probability)
      let values = (0..<20_000).map { _ in Double(sampler.draw(&random)) }
      let mean = values.reduce(0, +) / 20_000
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 20_000
      let (expected, spread) = (
        Double(draws) * probability, Double(draws) * probability * (1 - probability)
      )
      #expect(abs(mean - expected) < 5 * (spread / 20_000).squareRoot(), "\(draws) \(probability); \(replay)")
      #expect(abs(variance / spread - 1) < 0.1, "\(draws) \(probability); \(replay)")
      #expect(values.allSatisfy { $0 >= 0 && $0 <= Double(draws) })
    }
    #expect(BinomialSampler(draws: 9, probability: 0).draw(&random) == 0)
    #expect(BinomialSampler(draws: 9, probability: 1).draw(&random) == 9)
  }

  @Test("The rank-th smallest of uniform numbers is drawn as if all were")
  func ranks() {
    var random = Xoshiro256(seed: testSeed)
    for (rank, other, draws) in [(1, 1, 1), (3, 8, 10), (20, 21, 40), (200, 400, 500)] {
      let pairs = (0..<20_000).map { _ in random.smallest(rank, and: other, of: draws) }
      #expect(pairs.allSatisfy { $0.0 <= $0.1 && $0.0 > 0 && $0.1 < 1.000_001 })
      for (drawn, k) in [(pairs.map(\.0), rank), (pairs.map(\.1), other)] {
        let mean = drawn.reduce(0, +) / 20_000
        let expected = Double(k) / Double(draws + 1)
        let deviation = (expected * (1 - expected) / Double(draws + 2)).squareRoot()
        #expect(
          abs(mean - expected) < 5 * deviation / (20_000.0).squareRoot() + 1e-9, "\(k) of \(draws); \(replay)"
        )
      }
    }
  }

  @Test(
    "Estimates agree with attacks that are run message by message",
    arguments: [
      (SecureConduct.equivocate, false), (.equivocatePoisoned, false), (.partial, false), (.mute, false),
      (.equivocate, true), (.partial, true), (.mute, true),
    ])
  func agree(adversary: SecureConduct, isSecure: Bool) throws {
    var scenario = SecureScenario()
    (scenario.nodes, scenario.byzantine) = (40, 0.15)
    (scenario.adversary, scenario.seed) = (adversary, testSeed)
    var parameters = Self.weak
    // Few liars, and thresholds that are only just met: silence alone makes some fail.
    if adversary == .mute { (parameters.echoThreshold, parameters.deliveryThreshold) = (30, 31) }
    scenario.broadcast = isSecure ? .secure(parameters) : .consistent(parameters)
    let runs = 200
    var run = AttackTally()
    for number in 0..<runs { run.add(scenario.attack(number: number)) }
    let estimated = estimates(try #require(scenario.estimator), 4_000)
    func agree(_ one: Int, _ other: Int, _ what: Comment) {
      let (p, q) = (Double(one) / Double(runs), Double(other) / 4_000)
      let pooled = Double(one + other) / Double(runs + 4_000)
      let deviation = (pooled * (1 - pooled) * (1 / Double(runs) + 1 / 4_000)).squareRoot()
      // Messages may fall a little behind what an adversary that could choose would have.
      #expect(abs(p - q) <= 4.5 * deviation + 0.05, "\(what): run \(p), estimated \(q); \(replay)")
    }
    agree(run.inconsistent, estimated.inconsistent, "consistency")
    agree(run.divided, estimated.divided, "totality")
    agree(run.invalid, estimated.invalid, "validity")
  }

  @Test(
    "What bounds promise is not broken more often than they say",
    arguments: [(20, 13), (30, 20), (60, 42), (90, 63), (120, 86), (150, 108)])
  func bounded(echo: Int, threshold: Int) {
    let calculator = EpsilonCalculator(nodes: 100, byzantine: 0.1)
    let bound = calculator.echoConsistency(echo, threshold: threshold)
    let parameters = SecureBroadcastParameters(
      gossip: 12, echo: echo, echoThreshold: threshold, ready: 1, readyThreshold: 1, delivery: 1,
      deliveryThreshold: 1)
    let estimator = SampleEstimator(
      nodes: 100, byzantine: 10, parameters: parameters, isSecure: false, adversary: .equivocate)
    let tally = estimates(estimator, 1_000)
    let seen = FailureFrequency(failures: tally.inconsistent, trials: tally.attacks)
    #expect(seen.interval.lowerBound <= bound, "\(seen.frequency) of at most \(bound); \(replay)")
  }
}
