import StarlingCore
import StarlingTestSupport
import Testing

@testable import StarlingBroadcast

/// The ε of probabilistic broadcast, against published figures and against simulation.
struct EpsilonCalculatorTests {
  @Test(
    "The smallest gossip samples are those of the table",
    arguments: [
      (1_000, 0.10, [12, 17, 24]), (10_000, 0.10, [13, 18, 26]), (100_000, 0.10, [15, 20, 27]),
      (1_000_000, 0.10, [16, 21, 29]), (1_000, 0.15, [13, 18, 26]), (10_000, 0.15, [14, 19, 27]),
      (100_000, 0.15, [15, 21, 29]), (1_000_000, 0.15, [17, 22, 30]),
    ])
  func gossipTable(nodes: Int, byzantine: Double, smallest: [Int]) {
    let calculator = EpsilonCalculator(nodes: nodes, byzantine: byzantine)
    #expect([1e-6, 1e-10, 1e-16].map { calculator.smallestGossip(target: $0) } == smallest)
  }

  @Test(
    "Gossip leaves somebody out no more often than its bound says",
    arguments: [(50, 4, 0.0299)])
  func gossipSimulated(nodes: Int, sample: Int, printed: Double) {
    let calculator = EpsilonCalculator(nodes: nodes, byzantine: 0.1)
    let bound = calculator.gossipTotality(sample)
    #expect((bound - printed).magnitude < 0.00005)
    var random = testRandom()
    let runs = 10_000
    var failures = 0
    for _ in 0..<runs {
      // Each correct process includes each other with probability G/N; links serve both ends.
      let correct = calculator.correct
      var part = Array(0..<correct)
      func root(_ i: Int) -> Int {
        var i = i
        while part[i] != i { i = part[i] }
        return i
      }
      for i in 0..<correct {
        for j in 0..<correct where i != j && random.unit() < Double(sample) / Double(nodes) {
          part[root(i)] = root(j)
        }
      }
      if (0..<correct).contains(where: { root($0) != root(0) }) { failures += 1 }
    }
    let frequency = Double(failures) / Double(runs)
    let deviation = (bound * (1 - bound) / Double(runs)).squareRoot()
    #expect(frequency <= bound + 4 * deviation, "\(failures) of \(runs) runs, \(replay)")
    #expect(frequency >= bound / 2, "a bound far above says little; \(failures) of \(runs) runs, \(replay)")
  }

  @Test(
    "Echo samples of the table are enough, and no larger than a few more than the smallest",
    arguments: [(0.10, 411, 319, 407, 316), (0.15, 695, 516, 692, 514)])
  func echoTable(byzantine: Double, sample: Int, threshold: Int, fewer: Int, itsThreshold: Int) {
    let calculator = EpsilonCalculator(nodes: 1_000, byzantine: byzantine)
    #expect(calculator.echoConsistency(sample, threshold: threshold) <= 1e-10)
    #expect(calculator.echoTotalValidity(sample, threshold: threshold, gossip: 0) <= 1e-10)
    // With the next threshold validity fails too often, and with this one consistency.
    #expect(calculator.echoTotalValidity(fewer, threshold: itsThreshold + 1, gossip: 0) > 1e-10)
    #expect(calculator.echoConsistency(fewer, threshold: itsThreshold) > 1e-10)
  }

  @Test("Blocks of the sum over L give a little more than the sum")
  func blocks() {
    let echo = EchoBound(correct: 450, byzantine: 0.1, sample: 250, threshold: 192)
    let exact = echo.consistency()
    let bounded = echo.consistency(exactUpTo: 100, blocks: 45)
    #expect(exact > 1e-8 && exact <= bounded && bounded < 3 * exact, "\(exact) and \(bounded)")
  }

  @Test("Samples that look large are not safe: E = 150 among 1,024")
  func unsafeEcho() {
    #expect(EpsilonCalculator(nodes: 1_024, byzantine: 0.1).echoConsistency(150, threshold: 112) > 0.99)
  }

  @Test(
    "Ready Broadcast's tails are those of the table",
    arguments: [(100, 40, 100, 75, 4e-6, 3e-50), (200, 80, 200, 150, 3e-10, 5e-102)])
  func readyTable(r: Int, rHat: Int, d: Int, dHat: Int, validity: Double, spurious: Double) {
    // The table takes f for the share of Byzantine processes in samples, not (N − C)/N.
    let bound = ReadyBound(
      nodes: 1_024, correct: 921, byzantine: 0.1, ready: r, readyThreshold: rHat, delivery: d,
      deliveryThreshold: dHat)
    #expect(bound.deafSender / validity > 1 / 3.0 && bound.deafSender / validity < 3)
    #expect(bound.spurious / spurious > 1 / 3.0 && bound.spurious / spurious < 3)
    #expect(bound.spurious <= bound.spuriousAtMost)
  }

  @Test("Above the size that is followed exactly, the bound on division is a bound, and near")
  func divisionAtMost() {
    let bound = ReadyBound(
      nodes: 1_024, correct: 921, byzantine: 0.1, ready: 100, readyThreshold: 40, delivery: 100,
      deliveryThreshold: 75)
    #expect(bound.divisibleExactly <= bound.divisibleAtMost)
    #expect(bound.divisibleAtMost < 2 * bound.divisibleExactly)
  }

  @Test("Every property holds at the parameters that are found, and one step less would not do")
  func search() throws {
    let calculator = EpsilonCalculator(nodes: 128, byzantine: 0.1)
    let parameters = try #require(calculator.smallestParameters(target: 1e-3))
    #expect(calculator.failures(parameters).epsilon <= 1e-3)
    var fewer = parameters
    fewer.gossip -= 1
    #expect(calculator.gossipTotality(fewer.gossip) > 1e-3 / 4)
    fewer = parameters
    (fewer.echo, fewer.echoThreshold) = (fewer.echo - 10, fewer.echoThreshold - 8)
    #expect(calculator.failures(fewer).epsilon > 1e-3 / 4)
  }

  @Test("Thresholds moved by one from those that are found fail more often")
  func thresholdsByOne() throws {
    let calculator = EpsilonCalculator(nodes: 128, byzantine: 0.1)
    let found = try #require(calculator.smallestEcho(target: 1e-3))
    #expect(
      calculator.echoConsistency(found.sample, threshold: found.threshold - 1)
        > calculator.echoConsistency(found.sample, threshold: found.threshold))
    #expect(calculator.echoTotalValidity(found.sample, threshold: found.threshold + 1, gossip: 0) > 1e-3)
  }

  @Test("Too many liars have no safe samples")
  func impossible() {
    #expect(EpsilonCalculator(nodes: 64, byzantine: 0.6).smallestEcho(target: 1e-3) == nil)
  }

  @Test("A share that no sum of powers of two gives makes no process more a liar")
  func shares() {
    #expect(EpsilonCalculator(nodes: 10, byzantine: 0.9).byzantine == 9)
    #expect(EpsilonCalculator(nodes: 1_024, byzantine: 0.1).byzantine == 103)
    #expect(EpsilonCalculator(nodes: 2, byzantine: 0.99).correct == 1)
  }
}
