import StarlingBroadcast
import StarlingCore
import StarlingNode
import StarlingOverlay
import StarlingTestSupport
import Testing

@testable import StarlingSimulator

@Suite("Scenarios in which things go wrong")
struct ScenarioFaultTests {
  private func scenario(_ configure: (inout BroadcastScenario) -> Void) -> BroadcastScenario {
    var scenario = BroadcastScenario()
    scenario.nodes = 80
    scenario.messages = 10
    scenario.drain = .seconds(20)
    scenario.adversaryRate = 4
    scenario.seed = testSeed
    configure(&scenario)
    return scenario
  }

  private static let every: [Fault] = [
    Fault(.crash, share: 0.1, from: .seconds(2)),
    Fault(.restart(keepsDisk: true), share: 0.1, from: .seconds(1), to: .seconds(8)),
    Fault(.restart(keepsDisk: false), share: 0.1, from: .seconds(2), to: .seconds(7)),
    Fault(.churn, share: 0.2, from: nil, to: .seconds(9)),
    Fault(.partition, share: 0.4, from: .seconds(3), to: .seconds(6)),
    Fault(.oneWay, share: 0.2, from: .seconds(4), to: .seconds(8)),
    Fault(.slow(.seconds(1)), share: 0.1), Fault(.duplicate, share: 0.1),
    Fault(.bursts(meanLength: .seconds(2)), share: 0.05, from: .seconds(1), to: .seconds(9)),
    Fault(.fastClocks(gain: 0.2), share: 0.1),
  ]

  @Test("Every fault at once, with every adversary: the same seed gives the same report twice")
  func sameSeed() {
    for conduct in Conduct.allCases {
      let scenario = scenario {
        $0.faults = ScenarioFaultTests.every
        $0.byzantine = 0.1
        $0.adversary = conduct
        $0.nodes = 40
        $0.messages = 5
        $0.hours = .seconds(12)
      }
      let (a, b) = (scenario.run(), scenario.run())
      #expect(a.json().text(indented: true) == b.json().text(indented: true), "\(conduct); \(replay)")
      #expect(a.timeline.count == ScenarioFaultTests.every.count && !a.series.isEmpty)
      #expect(a.duplicateDeliveries == 0 && a.forgedDeliveries == 0, "\(conduct); \(replay)")
    }
  }

  @Test("Churn takes and brings the stated share, spread evenly, from settling to the end")
  func churn() {
    let report = scenario {
      $0.hours = .seconds(300)
      $0.faults = [Fault(.churn, share: 0.1)]
      $0.broadcast = .flood
    }.run()
    // 80 peers × 10% a minute, for 300 s, 9 s of messages and 20 s after them: one each 7.5 s.
    #expect(report.departed == 43 && report.joined == 43, "\(report.departed), \(report.joined); \(replay)")
    #expect(report.viewSizes.count == 80 && report.isLive.count == 123)
    #expect(report.series.allSatisfy { $0.live == 80 || $0.live == 79 })
  }

  @Test("Who joins after a message was sent is not judged by it")
  func newcomers() {
    let report = scenario {
      $0.broadcast = .flood
      $0.faults = [Fault(.churn, share: 1, from: .seconds(10))]
      $0.drain = .seconds(60)
    }.run()
    #expect(report.joined > 30 && report.reliability == 1, "\(report.reliability); \(replay)")
  }

  @Test("During a partition flooding reaches only the sender's side; before and after it, everybody")
  func partition() {
    let report = scenario {
      $0.broadcast = .flood
      $0.faults = [Fault(.partition, share: 0.5, from: .milliseconds(2_500), to: .milliseconds(6_500))]
    }.run()
    let reached = report.judged.map { $0.reliability?.ever ?? 0 }
    for (number, share) in reached.enumerated() {
      if (3...6).contains(number) {
        #expect(share < 0.6, "message \(number); \(replay)")
      } else {
        #expect(share == 1, "message \(number); \(replay)")
      }
    }
    #expect(report.timeline.map(\.peers) == [40])
  }

  @Test("A restarted peer with its disk delivers nothing twice; one without is judged as a newcomer")
  func restarts() {
    for keepsDisk in [true, false] {
      let report = scenario {
        $0.faults = [
          Fault(.restart(keepsDisk: keepsDisk), share: 0.3, from: .seconds(4), to: .seconds(12))
        ]
        $0.messages = 20
        $0.senders = 10
        $0.drain = .seconds(120)
        $0.isChecked = true
      }.run()
      #expect(report.violations.isEmpty, "disk \(keepsDisk): \(report.violations); \(replay)")
      #expect(report.viewSizes.count == 80 && report.reliability == 1)
    }
  }

  @Test("Adversaries are as many as stated, never judged, and never senders")
  func adversaries() {
    for conduct in Conduct.allCases {
      let report = scenario {
        $0.byzantine = 0.1
        $0.adversary = conduct
        $0.senders = 20
        $0.drain = .seconds(30)
      }.run()
      #expect(report.viewSizes.count == 72 && report.unsent == 0)
      #expect(report.reliability == 1, "\(conduct): \(report.reliability); \(replay)")
      let blamed = report.accusations.reduce(0) { $0 + $1.count }
      if conduct == .forge { #expect(blamed > 0, "\(replay)") }
    }
  }

  @Test(
    "A tenth that lie about messages, or make keys without end: every message everywhere, once, and nobody wronged"
  )
  func liarsAboutMessages() {
    for conduct in [Conduct.goneLiar, .mintedOrigins] {
      let report = scenario {
        $0.nodes = 60
        $0.byzantine = 0.1
        $0.adversary = conduct
        // Eighty new keys a second, beside one honest message.
        $0.adversaryRate = 64
        $0.adversaryEnd = .seconds(10)
        $0.messages = 20
        $0.senders = 4
        $0.loss = 0.01
        $0.drain = .seconds(120)
        $0.isChecked = true
      }.run()
      #expect(report.violations.isEmpty, "\(conduct): \(report.violations); \(replay)")
      #expect(report.reliability == 1 && report.duplicateDeliveries == 0, "\(conduct); \(replay)")
      let wronged = report.falseAccusations.reduce(0) { $0 + $1.count }
      #expect(wronged == 0 && report.shunnedCorrect == 0, "\(conduct): \(wronged); \(replay)")
      if conduct == .goneLiar { #expect(report.missed == 0, "\(replay)") }
    }
  }

  @Test("An adversary without a plot, or before its time, makes the very trace of a member")
  func honestHalf() {
    let honest = scenario { _ in }.run()
    let late = scenario { $0.adversary = .mute }.run()
    #expect(honest.traceHash == late.traceHash)
  }
}

@Suite("Checkers find planted violations")
struct CheckerTests {
  typealias Meter = BroadcastMeter<Scamp<IdealAdmission>, Flood<IdealAuthenticator>>

  private func message(_ number: UInt32, from origin: Int, sequence: UInt64) -> Meter.Observed.Indication {
    let identifier = MessageIdentifier(origin: Peer(origin), sequence: sequence)
    return .delivered(
      Broadcast(
        identifier: identifier, hops: 1, payload: SyntheticPayload(number: number, byteCount: 8), signature: 0
      ),
      from: Peer(origin))
  }

  @Test("A message delivered twice, or to its own origin, is a duplicate delivery")
  func duplicates() {
    var meter = Meter(peers: 4, messages: 2)
    meter.began(0, by: Peer(0), at: .zero)
    meter.indicated(message(0, from: 0, sequence: 0), by: Peer(1), at: .milliseconds(5))
    #expect(meter.duplicateDeliveries == 0 && meter.records[0].deliveries == 1)
    meter.indicated(message(0, from: 0, sequence: 0), by: Peer(1), at: .milliseconds(6))
    meter.indicated(message(0, from: 0, sequence: 0), by: Peer(0), at: .milliseconds(7))
    #expect(meter.duplicateDeliveries == 2 && meter.forgedDeliveries == 0)
    #expect(meter.violations.map(\.promise) == [.noDuplicate, .noDuplicate])
    #expect(meter.violations.map(\.peer) == [Peer(1), Peer(0)] && meter.violations[0].at == .milliseconds(6))
    meter.forgetDeliveries(of: Peer(1))
    meter.indicated(message(0, from: 0, sequence: 0), by: Peer(1), at: .milliseconds(8))
    #expect(meter.duplicateDeliveries == 2, "a peer that lost its memory may deliver once more")
  }

  @Test(
    "A payload under another name, another number, or never broadcast is a forgery; an adversary's is not")
  func forgeries() {
    var meter = Meter(peers: 4, messages: 3)
    meter.began(0, by: Peer(0), at: .zero)
    meter.began(1, by: Peer(0), at: .zero)
    for (number, origin, sequence) in [(0, 1, 0), (0, 0, 1), (1, 0, 0), (2, 0, 2), (99, 0, 0)] {
      let before = meter.forgedDeliveries
      let forged = message(UInt32(number), from: origin, sequence: UInt64(sequence))
      meter.indicated(forged, by: Peer(2), at: .zero)
      #expect(meter.forgedDeliveries == before + 1, "\(number) by \(origin)")
    }
    meter.indicated(message(1, from: 0, sequence: 1), by: Peer(2), at: .zero)
    #expect(meter.forgedDeliveries == 5 && meter.violations.allSatisfy { $0.promise == .noForgery })
    meter.distrust([false, false, false, true])
    meter.indicated(message(99, from: 3, sequence: 0), by: Peer(2), at: .zero)
    #expect(meter.forgedDeliveries == 5)
  }

  private func broken(_ configure: (inout BroadcastScenario) -> Void) -> Set<Violation.Promise> {
    var scenario = BroadcastScenario()
    scenario.nodes = 60
    scenario.messages = 5
    scenario.isChecked = true
    scenario.seed = testSeed
    configure(&scenario)
    return Set(scenario.run().violations.map(\.promise))
  }

  @Test("A network that nothing disturbs keeps every promise")
  func calm() { #expect(broken { _ in }.isEmpty, "\(replay)") }

  @Test("Messages that cannot reach everybody break eventual delivery; nothing else does")
  func undelivered() {
    let promises = broken {
      $0.broadcast = .flood
      $0.drain = .seconds(10)
      $0.faults = [Fault(.partition, share: 0.3, from: .zero)]
    }
    #expect(promises == [.delivery], "\(promises); \(replay)")
  }

  @Test("A partition that lasts until views forget the other side breaks connectedness")
  func disconnected() {
    let promises = broken {
      $0.nodes = 40
      $0.faults = [Fault(.partition, share: 0.3, from: .zero)]
      $0.drain = .seconds(400)
    }
    #expect(promises.contains(.connected), "\(promises); \(replay)")
  }

  @Test("A network whose peers cannot hear of each other is far below SCAMP's law")
  func belowTheLaw() {
    let promises = broken {
      $0.loss = 0.97
      $0.messages = 0
    }
    #expect(promises.contains(.law), "\(promises); \(replay)")
  }
}

@Suite("Chaos")
struct ChaosTests {
  @Test("A seed draws the same scenario and the same run twice, other seeds others")
  func determinism() {
    let (a, b) = (
      BroadcastScenario.chaos(seed: 77, nodes: 30).run(), BroadcastScenario.chaos(seed: 77, nodes: 30).run()
    )
    #expect(a.traceHash == b.traceHash && a.timeline == b.timeline && a.violations == b.violations)
    #expect(BroadcastScenario.chaos(seed: 78, nodes: 30).run().traceHash != a.traceHash)
    #expect(BroadcastScenario.chaos(seed: 77, nodes: 55).faults == BroadcastScenario.chaos(seed: 77).faults)
  }

  @Test("Scenarios have 50 to 120 peers, every kind of fault and adversary, and end quietly")
  func drawn() {
    var kinds: Set<String> = []
    for seed in 0..<400 {
      let scenario = BroadcastScenario.chaos(seed: testSeed &+ UInt64(seed))
      #expect((50...120).contains(scenario.nodes) && scenario.isChecked)
      let last = scenario.interval * (scenario.messages - 1)
      for fault in scenario.faults {
        kinds.insert(fault.kind.name)
        if let end = fault.end { #expect(end <= last + .seconds(30) && end > fault.start ?? .zero) }
      }
      if scenario.byzantine > 0 { kinds.insert(scenario.adversary.rawValue) }
    }
    let all = ["crash", "restart", "restart-empty", "churn", "partition", "one-way", "slow", "duplicate"]
    #expect(kinds == Set(all + ["bursts", "fast-clocks"] + Conduct.allCases.map(\.rawValue)))
  }

  @Test("A few scenarios of chaos keep every promise")
  func promises() {
    for seed in 0..<4 {
      let report = BroadcastScenario.chaos(seed: testSeed &+ UInt64(seed), nodes: 50).run()
      #expect(
        report.violations.isEmpty,
        "starling simulate --chaos --nodes 50 --seed \(testSeed &+ UInt64(seed)): \(report.violations)")
    }
  }
}
