import StarlingBroadcast
import StarlingSimulator
import StarlingTestSupport
import Testing

@Suite("Ledger: payments among cheats")
struct LedgerScenarioTests {
  private static func expectSound(_ report: LedgerReport) {
    #expect(report.consistencyViolations == 0, "\(replay)")
    #expect(report.totalityViolations == 0, "\(replay)")
    #expect(report.overdrafts == 0 && report.supplyViolations == 0 && report.divergent == 0, "\(replay)")
    #expect(report.unfinished == 0 && report.transfers > 0, "\(replay)")
  }

  @Test(
    "Over Bracha's broadcast with nearly a third of liars nothing is spent twice, and no honest owner waits",
    arguments: LedgerConduct.allCases)
  func bracha(adversary: LedgerConduct) {
    var scenario = LedgerScenario()
    scenario.nodes = 7
    scenario.byzantine = 0.28
    scenario.adversary = adversary
    scenario.accounts = 100
    scenario.transfers = 1_000
    scenario.seed = testSeed
    let report = scenario.run()
    LedgerScenarioTests.expectSound(report)
    if adversary == .overdraft { #expect(report.accountsBlocked > 0, "\(replay)") }
    if adversary == .doubleSpend { #expect(report.final >= report.transfers, "\(replay)") }
  }

  @Test("Over Ready Broadcast too", arguments: LedgerConduct.allCases)
  func ready(adversary: LedgerConduct) {
    var scenario = LedgerScenario()
    scenario.nodes = 40
    scenario.byzantine = 0.1
    scenario.adversary = adversary
    scenario.broadcast = .secure(
      SecureBroadcastParameters(
        gossip: 15, echo: 300, echoThreshold: 220, ready: 150, readyThreshold: 60, delivery: 200,
        deliveryThreshold: 140))
    scenario.accounts = 50
    scenario.transfers = 150
    scenario.seed = testSeed
    LedgerScenarioTests.expectSound(scenario.run())
  }

  @Test("The same seed makes the same trace")
  func repeats() {
    var scenario = LedgerScenario()
    scenario.byzantine = 0.25
    scenario.adversary = .doubleSpend
    scenario.transfers = 200
    let (one, other) = (scenario.run(), scenario.run())
    #expect(one.traceHash == other.traceHash && one.events > 0)
    scenario.seed = 2
    #expect(scenario.run().traceHash != one.traceHash)
  }
}
