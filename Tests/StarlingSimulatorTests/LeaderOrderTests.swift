import StarlingCore
import StarlingSimulator
import StarlingTestSupport
import Testing

@Suite("Ledger: a leader's order, to compare with")
struct LeaderOrderTests {
  private static func scenario(nodes: Int, transfers: Int) -> LedgerScenario {
    var scenario = LedgerScenario()
    scenario.order = .leader
    scenario.nodes = nodes
    scenario.accounts = 60
    scenario.transfers = transfers
    scenario.rate = 400
    scenario.leaderTimeout = .milliseconds(500)
    scenario.clientTimeout = .seconds(1)
    scenario.drain = .seconds(15)
    scenario.seed = testSeed
    return scenario
  }

  /// All have executed the same, what was final anywhere is final everywhere, and all that honest owners signed is final.
  private static func expectSound(_ report: LedgerReport, _ what: String = "") {
    #expect(report.consistencyViolations == 0 && report.divergent == 0, "\(what) \(replay)")
    #expect(report.totalityViolations == 0, "\(what) \(replay)")
    #expect(report.overdrafts == 0 && report.supplyViolations == 0, "\(what) \(replay)")
    #expect(report.unfinished == 0 && report.transfers > 0, "\(what) \(replay)")
  }

  @Test(
    "A leader that crashes at any instant loses nothing that was final, and the next one goes on",
    arguments: [4, 7], [nil, 60_000])
  func crash(nodes: Int, bandwidth: Int?) {
    for seed in 0..<12 {
      var scenario = LeaderOrderTests.scenario(nodes: nodes, transfers: 500)
      scenario.seed = testSeed + UInt64(seed)
      // With a slow link the leader crashes in the middle of telling the others.
      scenario.machine.bandwidth = bandwidth.map { $0 * nodes }
      var random = Xoshiro256(seed: scenario.seed)
      let crash = Interval.milliseconds(random.uniform(below: 1_200))
      scenario.crash = crash
      let report = scenario.run()
      LeaderOrderTests.expectSound(report, "seed \(scenario.seed), crash after \(crash)")
      // The time in which nothing is final ends soon after a view change: twice the timeout, and the messages' way.
      #expect(report.longestStall >= .milliseconds(450), "\(replay)")
      #expect(report.longestStall < .milliseconds(2_500), "\(report.longestStall) \(replay)")
    }
  }

  @Test("A crash is noticed where a single node has clients, too")
  func sparse() {
    var scenario = LeaderOrderTests.scenario(nodes: 10, transfers: 40)
    scenario.accounts = 2
    scenario.rate = 4
    scenario.firstLeader = 5
    scenario.crash = .seconds(2)
    LeaderOrderTests.expectSound(scenario.run())
  }

  @Test("Leaders that say nothing are passed over, one after another")
  func mute() {
    var scenario = LeaderOrderTests.scenario(nodes: 10, transfers: 500)
    scenario.byzantine = 0.3
    scenario.adversary = .mute
    scenario.firstLeader = 7
    LeaderOrderTests.expectSound(scenario.run())
  }

  @Test(
    "Leaders that lead two lives make nobody execute what others do not", arguments: LedgerConduct.allCases)
  func lying(adversary: LedgerConduct) {
    for seed in 0..<6 {
      var scenario = LeaderOrderTests.scenario(nodes: 7, transfers: 400)
      scenario.seed = testSeed + UInt64(seed)
      scenario.byzantine = 0.28
      scenario.adversary = adversary
      scenario.firstLeader = 5
      LeaderOrderTests.expectSound(scenario.run(), "seed \(scenario.seed)")
    }
  }

  @Test("Whoever a lying leader leaves out gets what the others have executed meanwhile")
  func catchUp() {
    // One life of the leader and the two nodes that see it are a quorum of four, past a checkpoint; the fourth node is alone
    // with the other life until the view changes.
    var scenario = LeaderOrderTests.scenario(nodes: 4, transfers: 2_500)
    scenario.byzantine = 0.25
    scenario.adversary = .overdraft
    scenario.firstLeader = 3
    scenario.leaderTimeout = .seconds(2)
    LeaderOrderTests.expectSound(scenario.run())
  }

  @Test("Checkpoints make room for more: many windows of batches are ordered one after another")
  func checkpoints() {
    var scenario = LeaderOrderTests.scenario(nodes: 4, transfers: 6_000)
    scenario.rate = 300
    scenario.delay = .uniform(from: .milliseconds(5), to: .milliseconds(60))
    let report = scenario.run()
    LeaderOrderTests.expectSound(report)
    #expect(report.longestStall < .milliseconds(450), "\(report.longestStall) \(replay)")
  }

  @Test("The broadcast and the leader lead to the same balances by the same transfers")
  func agreement() {
    // Each transfer is final everywhere before the next is signed, so the owners sign the same.
    var scenario = LeaderOrderTests.scenario(nodes: 4, transfers: 400)
    scenario.rate = 25
    scenario.delay = .constant(.milliseconds(5))
    let ordered = scenario.run()
    scenario.order = .none
    scenario.tolerated = 0.25
    let broadcast = scenario.run()
    LeaderOrderTests.expectSound(ordered)
    LeaderOrderTests.expectSound(broadcast)
    #expect(ordered.final == 400 && broadcast.final == 400)
    #expect(ordered.stateHash != nil && ordered.stateHash == broadcast.stateHash)
  }

  @Test("A process that crashes stops nobody who pays over the broadcast")
  func broadcast() {
    var scenario = LeaderOrderTests.scenario(nodes: 7, transfers: 800)
    scenario.order = .none
    scenario.tolerated = 0.28
    scenario.crash = .milliseconds(700)
    let report = scenario.run()
    LeaderOrderTests.expectSound(report)
    #expect(report.longestStall < .milliseconds(400), "\(report.longestStall) \(replay)")
  }

  @Test("The same seed makes the same trace")
  func repeats() {
    var scenario = LeaderOrderTests.scenario(nodes: 4, transfers: 200)
    scenario.crash = .milliseconds(200)
    let (one, other) = (scenario.run(), scenario.run())
    #expect(one.traceHash == other.traceHash && one.events > 0)
  }
}

@Suite("Ledger: machines of bounded speed")
struct MachineModelTests {
  private static func scenario(_ order: LedgerOrder) -> LedgerScenario {
    var scenario = LedgerScenario()
    scenario.order = order
    scenario.tolerated = 0.25
    scenario.transfers = 4_000
    scenario.rate = 4_000
    scenario.drain = .seconds(60)
    scenario.seed = testSeed
    return scenario
  }

  @Test("No node checks more signatures than it has time for", arguments: LedgerOrder.allCases)
  func checks(order: LedgerOrder) {
    var scenario = MachineModelTests.scenario(order)
    scenario.machine.checkTime = .milliseconds(1)
    // Few accounts, of which each has few transfers under way: small batches, and so a steady rate.
    scenario.accounts = 20
    scenario.transfers = 6_000
    scenario.rate = 1_500
    let report = scenario.run()
    #expect(report.unfinished == 0 && report.divergent == 0)
    let checks = report.transfersPerSecond * report.busiestChecksPerTransfer
    #expect(checks > 600 && checks < 1_100, "\(checks) checks a second \(replay)")
  }

  @Test("No node sends more than its link takes", arguments: LedgerOrder.allCases)
  func bandwidth(order: LedgerOrder) {
    var scenario = MachineModelTests.scenario(order)
    scenario.machine.bandwidth = 200_000
    let report = scenario.run()
    #expect(report.unfinished == 0 && report.divergent == 0)
    let bytes = report.transfersPerSecond * report.busiestBytesPerTransfer
    #expect(bytes > 120_000 && bytes < 220_000, "\(bytes) bytes a second \(replay)")
  }

  @Test("No node takes more messages in than it has time for")
  func messages() {
    var scenario = MachineModelTests.scenario(.leader)
    scenario.transfers = 400
    scenario.rate = 400
    scenario.machine.messageTime = .milliseconds(20)
    let slow = scenario.run()
    scenario.machine.messageTime = .zero
    let fast = scenario.run()
    #expect(slow.unfinished == 0 && slow.divergent == 0)
    let (p, q) = (slow.latencies.percentile(50), fast.latencies.percentile(50))
    #expect(p ?? .zero > (q ?? .zero) * 2, "\(p as Any) after \(q as Any) \(replay)")
  }
}
