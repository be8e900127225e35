import StarlingCore
import StarlingOverlay
import StarlingTestSupport
import Testing

@testable import StarlingSimulator

@Suite("Adversaries that repeat what others signed")
struct RepeatingAdversaryTests {
  @Test(
    "A tenth of the peers repeat walks or introductions: all is delivered, nobody honest is blamed, views keep their size",
    arguments: [StarlingSimulator.Conduct.repeatWalk, .replayIntroduction])
  func repeats(conduct: StarlingSimulator.Conduct) {
    // While the size of the group is not settled yet, and long after.
    for (offset, interval, most) in [(UInt64(0), 5, 2.0), (1, 30, 1.4)] {
      var scenario = BroadcastScenario()
      scenario.nodes = 60
      scenario.messages = 10
      scenario.interval = .seconds(interval)
      scenario.byzantine = 0.1
      scenario.adversary = conduct
      scenario.seed = testSeed &+ offset
      scenario.isChecked = true
      let report = scenario.run()
      #expect(report.reliabilityMinimum == 1, "\(conduct): \(report.reliabilityMinimum); \(replay)")
      #expect(report.violations.isEmpty, "\(conduct): \(report.violations); \(replay)")
      #expect(report.falseAccusations.allSatisfy { $0.count == 0 } && report.shunnedCorrect == 0, "\(replay)")
      let law = Double(scenario.extraCopies + 1) * naturalLogarithm(60)
      let mean = Double(report.viewSizes.reduce(0, +)) / Double(report.viewSizes.count)
      #expect(
        mean > 0.7 * law && mean < most * law, "\(conduct): a mean view of \(mean) for \(law); \(replay)")
      let largest = report.viewSizes.max() ?? 0
      #expect(Double(largest) <= ScampConfiguration.fullPartialView * law * 1.5 + 8, "\(largest); \(replay)")
    }
  }

  @Test("What they send is lawful in itself: nobody could be blamed for passing it on once")
  func lawful() {
    for conduct in [StarlingSimulator.Conduct.repeatWalk, .replayIntroduction] {
      var scenario = BroadcastScenario()
      scenario.nodes = 60
      scenario.messages = 4
      scenario.byzantine = 0.1
      scenario.adversary = conduct
      scenario.seed = testSeed
      let report = scenario.run()
      var calm = scenario
      calm.byzantine = 0
      let others = calm.run()
      #expect(report.events > others.events * 11 / 10, "\(conduct) does something; \(replay)")
    }
  }
}
