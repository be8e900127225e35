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
      for values in [
        (0..<20_000).map({ _ in Double(sampler.draw(&random)) }),
        (0..<20_000).map({ _ in Double(random.binomial(draws: draws, probability: probability)) }),
      ] {
        let mean = values.reduce(0, +) / 20_000
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 20_000
        let (expected, spread) = (
          Double(draws) * probability, Double(draws) * probability * (1 - probability)
        )
        #expect(
          abs(mean - expected) < 5 * (spread / 20_000).squareRoot(), "\(draws) \(probability); \(replay)")
        #expect(abs(variance / spread - 1) < 0.1, "\(draws) \(probability); \(replay)")
        #expect(values.allSatisfy { $0 >= 0 && $0 <= Double(draws) })
      }
    }
    #expect(BinomialSampler(draws: 9, probability: 0).draw(&random) == 0)
    #expect(BinomialSampler(draws: 9, probability: 1).draw(&random) == 9)
  }

  @Test("Groups of which somebody succeeds are drawn as if all that fail were thrown away")
  func groups() {
    var random = Xoshiro256(seed: testSeed)
    for groups in [[(3, 0.2), (1, 0.5), (4, 0.1)], [(1, 0.02), (2, 0.01)], [(5, 0.7)], [(2, 0), (3, 0.3)]] {
      let logs = groups.map { (count: $0.0, logRefusing: logarithmOfOnePlus(-$0.1)) }
      var (counted, expected) = ([Int](repeating: 0, count: 9), [Int](repeating: 0, count: 9))
      for _ in 0..<20_000 {
        counted[random.someOf(logs)] += 1
        var sum = 0
        while sum == 0 {
          sum = groups.reduce(0) { $0 + random.binomial(draws: $1.0, probability: $1.1) }
        }
        expected[sum] += 1
      }
      for (one, other) in zip(counted, expected) {
        #expect(abs(Double(one - other)) <= 5 * Double(one + other + 1).squareRoot(), "\(groups); \(replay)")
      }
    }
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

  /// Each adversary on samples that are too small in one way or another, so that every frequency is neither 0 nor 1.
  @Test(
    "Counted classes fail as often as processes that are drawn one by one",
    // Spam is not judged by samples.
    arguments: SecureConduct.allCases.filter { $0 != .spam },
    [
      (40, 6, 26, 12, 28, false), (40, 6, 26, 12, 28, true), (40, 6, 30, 16, 32, true),
      (60, 0, 27, 13, 27, true), (25, 7, 29, 10, 26, true),
    ])
  func counted(
    adversary: SecureConduct, setting: (Int, Int, Int, Int, Int, Bool)
  ) {
    let (nodes, byzantine, echoThreshold, readyThreshold, deliveryThreshold, isSecure) = setting
    var parameters = Self.weak
    (parameters.gossip, parameters.echoThreshold) = (4, echoThreshold)
    (parameters.readyThreshold, parameters.deliveryThreshold) = (readyThreshold, deliveryThreshold)
    let counted = estimates(
      SampleEstimator(
        nodes: nodes, byzantine: byzantine, parameters: parameters, isSecure: isSecure, adversary: adversary),
      2_000)
    let reference = ProcessByProcess(
      nodes: nodes, byzantine: byzantine, parameters: parameters, isSecure: isSecure, adversary: adversary)
    var random = Xoshiro256(seed: testSeed &+ 1)
    var drawn = AttackTally()
    for _ in 0..<200 { drawn.add(reference.attack(&random)) }
    for (one, other) in [
      (counted.inconsistent, drawn.inconsistent), (counted.divided, drawn.divided),
      (counted.invalid, drawn.invalid),
    ] {
      let (p, q) = (Double(one) / 2_000, Double(other) / 200)
      let pooled = Double(one + other) / 2_200
      let deviation = (pooled * (1 - pooled) * 1.1 / 200).squareRoot()
      #expect(abs(p - q) <= 4.5 * deviation + 1e-3, "\(adversary), \(setting): \(p) and \(q); \(replay)")
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
    let runs = 120
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

  /// `make epsilon-check` counts more runs at more settings.
  @Test(
    "Gossip leaves somebody out no more often than its bound says",
    arguments: [(32, 0.2, 4), (50, 0.1, 4), (64, 0.15, 4)])
  func gossip(nodes: Int, byzantine: Double, expected: Int) {
    var scenario = SecureScenario()
    (scenario.nodes, scenario.byzantine, scenario.seed) = (nodes, byzantine, testSeed)
    scenario.broadcast = .gossip(expected)
    var tally = AttackTally()
    for number in 0..<200 { tally.add(scenario.attack(number: number)) }
    let bound = EpsilonCalculator(nodes: nodes, byzantine: byzantine).gossipTotality(expected)
    let seen = Double(tally.invalid) / 200
    #expect(abs(seen - bound) < 4.5 * (bound * (1 - bound) / 200).squareRoot() + 0.005, "\(seen); \(replay)")
  }

  @Test(
    "Ready Broadcast fails no more often than its bounds say",
    arguments: [
      (
        20, 0.1,
        SecureBroadcastParameters(
          gossip: 3, echo: 77, echoThreshold: 62, ready: 18, readyThreshold: 8, delivery: 20,
          deliveryThreshold: 14)
      ),
      (
        32, 0.1,
        SecureBroadcastParameters(
          gossip: 4, echo: 107, echoThreshold: 84, ready: 27, readyThreshold: 11, delivery: 26,
          deliveryThreshold: 18)
      ),
    ])
  func ready(nodes: Int, byzantine: Double, parameters: SecureBroadcastParameters) {
    let calculator = EpsilonCalculator(nodes: nodes, byzantine: byzantine)
    let bounds = calculator.failures(parameters)
    for adversary in SecureConduct.allCases where adversary != .spam {
      let tally = estimates(
        SampleEstimator(
          nodes: nodes, byzantine: calculator.byzantine, parameters: parameters, isSecure: true,
          adversary: adversary), 4_000)
      func bound(_ failures: Int, _ bound: Double, _ what: String) {
        let seen = FailureFrequency(failures: failures, trials: tally.attacks)
        #expect(
          seen.interval.lowerBound <= bound, "\(what), \(adversary): \(seen.frequency) of \(bound); \(replay)"
        )
      }
      bound(tally.inconsistent, bounds.readyConsistency, "consistency")
      bound(tally.divided, bounds.readyTotality, "totality")
      bound(tally.invalid, bounds.readyValidity + bounds.readyTotality, "validity")
    }
  }

  @Test(
    "The chance of an equivocation is what is drawn, and stopping at the right moment beats every fixed division"
  )
  func exact() throws {
    let estimator = SampleEstimator(
      nodes: 64, byzantine: 9, parameters: Self.weak, isSecure: false, adversary: .equivocate)
    let chance = try #require(estimator.chanceOfEquivocation)
    let tally = estimates(estimator, 20_000)
    let seen = Double(tally.inconsistent) / 20_000
    #expect(
      abs(seen - chance) < 5 * (chance * (1 - chance) / 20_000).squareRoot(), "\(seen), \(chance); \(replay)")
    for given in 1..<55 { #expect(try #require(estimator.chanceOfSplit(given: given)) < chance, "\(given)") }
  }
}
