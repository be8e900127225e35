import StarlingCore
import StarlingSimulator
import StarlingTestSupport
import Testing

@Suite("Broadcast scenarios")
struct ScenarioTests {
  private func scenario(
    seed: UInt64 = testSeed, _ configure: (inout BroadcastScenario) -> Void = { _ in }
  ) -> BroadcastScenario {
    var scenario = BroadcastScenario()
    scenario.nodes = 150
    scenario.messages = 10
    scenario.loss = 0.01
    scenario.drain = .seconds(20)
    scenario.seed = seed
    configure(&scenario)
    return scenario
  }

  private func text(_ scenario: BroadcastScenario) -> String { scenario.run().json().text(indented: true) }

  @Test(
    "The same scenario and seed give the same report twice, whatever is broadcast and whoever crashes",
    arguments: [
      BroadcastScenario.Diffusion.tree(pruneThreshold: 1), .tree(pruneThreshold: 3), .flood,
      .gossip(fanout: 4),
    ])
  func sameSeed(broadcast: BroadcastScenario.Diffusion) {
    for crash: BroadcastScenario.Crash? in [
      nil, .once(share: 0.3, after: .milliseconds(3_500)), .atEachBroadcast(share: 0.3),
    ] {
      let scenario = scenario {
        $0.broadcast = broadcast
        $0.senders = 4
        $0.crash = crash
      }
      #expect(text(scenario) == text(scenario), "\(broadcast), \(String(describing: crash)); \(replay)")
    }
  }

  @Test("Another seed gives another trace")
  func otherSeeds() {
    let hashes = (0..<8).map { offset in scenario(seed: testSeed &+ offset) { $0.nodes = 60 }.run().traceHash
    }
    #expect(Set(hashes).count == 8, "\(replay)")
  }

  @Test("A small scenario has the trace it always had, in debug and release, on any machine")
  func goldenTrace() {
    let report = scenario(seed: 7) {
      $0.nodes = 200
      $0.messages = 20
      $0.senders = 3
      $0.delay = .lognormal(median: .milliseconds(60), sigma: 0.5)
    }.run()
    // To be changed when a protocol, a sampler or the order of events changes on purpose, and only then.
    #expect(report.traceHash == 2_808_701_560_666_713_683, "now \(hexadecimal(report.traceHash))")
    #expect(report.events == 102_444)
  }

  private func hexadecimal(_ hash: UInt64) -> String { "0x" + String(hash, radix: 16, uppercase: true) }

  @Test(
    "Without loss, delays of every kind bring every message to everybody, once, no later than they can be")
  func delays() {
    let delays: [(DelayModel, longest: Interval)] = [
      (.constant(.milliseconds(50)), .seconds(3)),
      (.uniform(from: .milliseconds(20), to: .milliseconds(80)), .seconds(3)),
      (.gaussian(mean: .milliseconds(50), deviation: .milliseconds(10)), .seconds(3)),
      (.lognormal(median: .milliseconds(60), sigma: 0.5), .seconds(6)),
    ]
    for (delay, longest) in delays {
      let report = scenario {
        $0.loss = 0
        $0.delay = delay
      }.run()
      #expect(report.reliabilityMinimum == 1 && report.coverageMinimum == 1, "\(delay); \(replay)")
      #expect(report.latencies.count == 10 * 149 && report.latencies.maximum < longest, "\(delay); \(replay)")
      #expect(report.components == 1 && report.viewSizes.count == 150, "\(delay); \(replay)")
    }
  }

  @Test("Messages are counted from the first broadcast on, and bytes with the size of the payload")
  func counts() {
    let small = scenario {
      $0.loss = 0
      $0.broadcast = .flood
      $0.payload = 0
    }.run()
    let large = scenario {
      $0.loss = 0
      $0.broadcast = .flood
      $0.payload = 1_000
    }.run()
    let copies = small.messagesPerNode.reduce(0, +)
    #expect(copies == large.messagesPerNode.reduce(0, +))
    // Flooding sends nothing but copies; SCAMP's rare looks at its views add a few messages.
    let redundancy = (small.redundancy ?? 0) + 1
    #expect(Double(copies) > redundancy * 10 * 149 * 0.95 && Double(copies) < redundancy * 10 * 149 * 1.15)
    let bytes = large.bytesPerNode.reduce(0, +) - small.bytesPerNode.reduce(0, +)
    #expect(bytes % 1_000 == 0 && bytes / 1_000 > copies * 9 / 10 && bytes / 1_000 <= copies)
  }

  @Test(
    "With a fifth of all messages lost everybody gets in, nobody is left apart, and every message arrives",
    arguments: [UInt64(0), 1, 2])
  func heavyLoss(offset: UInt64) {
    let report = scenario(seed: testSeed &+ offset) {
      $0.nodes = 300
      $0.loss = 0.2
      $0.drain = .seconds(60)
    }.run()
    #expect(report.components == 1 && report.reliabilityMinimum == 1, "\(report.components); \(replay)")
  }

  @Test("Crashed peers are judged neither as receivers nor as members of the overlay")
  func crashes() {
    let report = scenario {
      $0.loss = 0
      $0.broadcast = .flood
      $0.crash = .once(share: 0.2, after: .milliseconds(4_500))
    }.run()
    #expect(report.viewSizes.count == 120 && report.messagesPerNode.count == 120)
    #expect(report.reliability > 0.98, "flooding gets round a fifth that is gone; \(replay)")
    #expect(report.components == 1, "\(replay)")
    let trials = scenario {
      $0.loss = 0
      $0.messages = 4
      $0.broadcast = .flood
      $0.crash = .atEachBroadcast(share: 0.5)
    }.run()
    #expect(trials.viewSizes.count == 75 && trials.unsent == 0)
    #expect(trials.reliability > 0.9 && trials.reliability <= 1, "\(replay)")
  }

  @Test("Every trial crashes peers of its own")
  func trials() {
    let report = scenario {
      $0.loss = 0
      $0.messages = 6
      $0.broadcast = .gossip(fanout: 3)
      $0.crash = .atEachBroadcast(share: 0.5)
    }.run()
    #expect(report.reliabilityMinimum < report.reliability && report.reliability < 1, "\(replay)")
  }

  @Test("A report without its cost leaves the four speed fields null and all others as they are with it")
  func cost() {
    let report = scenario { $0.nodes = 20 }.run()
    let cost = BroadcastReport.Cost(cpuSeconds: 2, wallSeconds: 3, peakBytes: 4_000)
    let (bare, full) = (members(report.json()), members(report.json(cost: cost)))
    #expect(bare.map(\.0) == full.map(\.0))
    let differing = zip(bare, full).filter { $0.1 != $1.1 }.map(\.0.0)
    #expect(
      Set(differing) == ["cpu_seconds", "wall_seconds", "events_per_cpu_second", "peak_bytes_per_node"])
  }

  private func members(_ value: JSONValue) -> [(String, String)] {
    guard case .object(let members) = value else { return [] }
    return members.map { ($0.0, $0.1.text(indented: false)) }
  }
}
