import StarlingBroadcast
import StarlingCore
import StarlingTestSupport
import Testing

@testable import StarlingSimulator

@Suite("Attacks on secure broadcasts")
struct SecureScenarioTests {
  /// Safe among 64 processes of which 6 lie, and so weak that they are not.
  private static let safe = SecureBroadcastParameters(
    gossip: 16, echo: 300, echoThreshold: 230, ready: 120, readyThreshold: 48, delivery: 200,
    deliveryThreshold: 140)
  private static let weak = SecureBroadcastParameters(
    gossip: 16, echo: 40, echoThreshold: 22, ready: 40, readyThreshold: 14, delivery: 40,
    deliveryThreshold: 28)

  private func run(
    _ broadcast: SecureScenario.Broadcast, byzantine: Double, adversary: SecureConduct, messages: Int = 5
  ) -> SecureReport {
    var scenario = SecureScenario()
    scenario.nodes = 64
    scenario.byzantine = byzantine
    scenario.adversary = adversary
    scenario.broadcast = broadcast
    scenario.messages = messages
    scenario.seed = testSeed
    return scenario.run()
  }

  @Test(
    "No adversary makes safe samples or quorums break a promise",
    arguments: SecureConduct.allCases.filter { $0 != .spam })
  func held(adversary: SecureConduct) {
    for (broadcast, byzantine) in [
      (SecureScenario.Broadcast.secure(Self.safe), 0.1), (.consistent(Self.safe), 0.1), (.bracha, 0.32),
    ] {
      let report = run(broadcast, byzantine: byzantine, adversary: adversary)
      #expect(report.judged == 5 && report.consistencyViolations == 0, "\(broadcast); \(replay)")
      if case .consistent = broadcast { continue }
      #expect(report.totalityViolations == 0 && report.validityViolations == 0, "\(broadcast); \(replay)")
      if adversary == .mute { #expect(report.reliability == 1 && report.deliveredInstances == 5) }
    }
  }

  @Test("Samples that are too small are broken by the attacks made for them")
  func broken() {
    for adversary in [SecureConduct.equivocate, .equivocatePoisoned, .partial] {
      let report = run(.consistent(Self.weak), byzantine: 0.1, adversary: adversary, messages: 10)
      #expect(report.inconsistentInstances > 0, "\(adversary); \(replay)")
      #expect(report.totalityViolations > 0, "\(adversary); \(replay)")
    }
    let report = run(.secure(Self.weak), byzantine: 0.1, adversary: .partial, messages: 20)
    #expect(report.inconsistentInstances > 0, "\(replay)")
  }

  @Test("Quorums are broken by more liars than they were made for")
  func brokenQuorum() {
    var scenario = SecureScenario()
    (scenario.nodes, scenario.byzantine, scenario.messages) = (64, 0.45, 5)
    (scenario.adversary, scenario.seed) = (.equivocate, testSeed)
    scenario.liarsBelieved = 21
    let report = scenario.run()
    #expect(report.inconsistentInstances > 0, "\(replay)")
  }

  @Test("Spammers fill their own windows, are accused, and keep nobody from delivering")
  func spam() throws {
    for broadcast in [SecureScenario.Broadcast.secure(Self.safe), .consistent(Self.safe), .bracha] {
      var scenario = SecureScenario()
      (scenario.nodes, scenario.byzantine, scenario.adversary) = (12, 0.15, .spam)
      (scenario.broadcast, scenario.messages, scenario.senders) = (broadcast, 4, 2)
      (scenario.spamRate, scenario.drain, scenario.seed) = (300, .seconds(3), testSeed)
      let report = scenario.run()
      #expect(report.judged == 4 && report.reliability == 1, "\(broadcast); \(replay)")
      #expect(report.consistencyViolations == 0 && report.validityViolations == 0, "\(broadcast); \(replay)")
      let spam = try #require(report.spam)
      // Two liars, 300 messages a second of each, of which 10 in 16 open an instance.
      #expect(spam.messages > 2_000 && spam.instances > 1_200 && spam.dropped > 1_000, "\(spam)")
      #expect(spam.liveInstances > 64 && spam.liveInstances <= spam.liveInstanceLimit, "\(spam)")
      #expect(spam.liveInstances <= 2 * 64 + 4, "a window of each liar, and what is correct; \(spam)")
      #expect(report.accusations > 50, "\(broadcast)")
    }
  }

  @Test("The same seed gives the same report, and correct processes send what the formula says")
  func cost() {
    let (a, b) = (
      run(.secure(Self.safe), byzantine: 0, adversary: .mute),
      run(.secure(Self.safe), byzantine: 0, adversary: .mute)
    )
    #expect(a.traceHash == b.traceHash && a.events == b.events)
    let expected = BroadcastCost.secure(nodes: 64, Self.safe)
    #expect(abs((a.messagesPerProcess?.mean ?? 0) / expected - 1) < 0.1, "\(expected); \(replay)")
    #expect(a.signatureChecksPerProcess < 2, "a signature is checked once an instance; \(replay)")
    let quorum = run(.bracha, byzantine: 0, adversary: .mute)
    let bracha = BroadcastCost.bracha(nodes: 64)
    #expect(abs((quorum.messagesPerProcess?.mean ?? 0) / bracha - 1) < 0.05)
  }
}
