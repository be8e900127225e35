import Testing

@testable import StarlingBroadcast

/// What was computed once, when it agreed with the published tables and with simulation (`EpsilonCalculatorTests`), at
/// parameters so small that a number moved by one anywhere in a bound shows.
@Suite("The calculator's figures at small parameters")
struct EpsilonPinTests {
  private func expectNear(_ value: Double, _ pinned: Double, _ what: Comment) {
    #expect((value / pinned - 1).magnitude < 1e-6, what)
  }

  @Test("Followed exactly", arguments: [40])
  func small(nodes: Int) {
    let calculator = EpsilonCalculator(nodes: nodes, byzantine: 0.1)
    expectNear(calculator.gossipTotality(6), 0.0004128518681527205, "gossip")
    expectNear(
      calculator.echoTotalValidity(30, threshold: 22, gossip: 0.01), 0.07949948040835084, "echo validity")
    expectNear(calculator.echoConsistency(120, threshold: 104), 2.6350886172552137e-06, "echo consistency")
    let many = EpsilonCalculator(nodes: 40, byzantine: 0.5)
    expectNear(many.echoConsistency(20, threshold: 20), 0.9990534002612084, "poisoned samples")
    let ready = calculator.readyFailure(
      SecureBroadcastParameters(
        gossip: 6, echo: 1, echoThreshold: 1, ready: 60, readyThreshold: 22, delivery: 80,
        deliveryThreshold: 54))
    expectNear(ready.validity, 7.289170617519145e-09, "deaf sender")
    expectNear(ready.consistency, 3.468230235172703e-18, "spurious")
    expectNear(ready.division, 3.5589803005387844e-06, "division")
  }

  @Test("Bounded", arguments: [6_000])
  func large(nodes: Int) {
    let bound = ReadyBound(
      nodes: nodes, correct: nodes * 9 / 10, byzantine: 0.1, ready: 122, readyThreshold: 42, delivery: 176,
      deliveryThreshold: 126)
    let careless = ReadyBound(
      nodes: nodes, correct: nodes * 9 / 10, byzantine: 0.1, ready: 60, readyThreshold: 40, delivery: 80,
      deliveryThreshold: 20)
    expectNear(careless.spuriousAtMost, 0.49669256399809375, "spurious by deliveries")
    expectNear(bound.spuriousAtMost, 1.4571489936051556e-09, "spurious")
    expectNear(bound.divisibleAtMost, 1.0454724055657325e-08, "division")
    expectNear(bound.resting, 9.488759051691485e-09, "resting")
  }
}
