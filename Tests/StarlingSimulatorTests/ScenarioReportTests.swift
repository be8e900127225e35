import StarlingBroadcast
import StarlingCore
import StarlingNode
import StarlingOverlay
import StarlingTestSupport
import Testing

@testable import StarlingSimulator

@Suite("What a scenario reports")
struct ScenarioReportTests {
  private typealias Meter = BroadcastMeter<Scamp<IdealAdmission>, BroadcastTree<IdealAuthenticator>>

  private func scenario(_ configure: (inout BroadcastScenario) -> Void = { _ in }) -> BroadcastScenario {
    var scenario = BroadcastScenario()
    scenario.nodes = 60
    scenario.messages = 10
    scenario.drain = .seconds(20)
    scenario.adversaryRate = 4
    scenario.seed = testSeed
    configure(&scenario)
    return scenario
  }

  private func fields(_ value: JSONValue) -> [String: JSONValue] {
    guard case .object(let members) = value else { return [:] }
    return Dictionary(members) { first, _ in first }
  }

  @Test("Deliveries to peers that came after the sending are counted apart, and slow no message down")
  func catchUps() {
    var meter = Meter(peers: 3, messages: 1)
    meter.watchNewcomers()
    meter.expectNewcomer(Peer(2))
    meter.began(0, by: Peer(0), at: Instant(nanoseconds: 0))
    let message = Broadcast<IdealAuthenticator>(
      identifier: MessageIdentifier(origin: Peer(0), sequence: 0), hops: 1,
      payload: SyntheticPayload(number: 0, byteCount: 10), signature: 0)
    meter.delivered(message, from: Peer(0), by: Peer(1), at: Instant(nanoseconds: 50_000_000))
    meter.found(Peer(2), at: Instant(nanoseconds: 10_000_000_000))
    meter.delivered(message, from: Peer(1), by: Peer(2), at: Instant(nanoseconds: 12_000_000_000))
    #expect(meter.latencies.count == 1 && meter.latencies.maximum == .milliseconds(50))
    #expect(meter.catchUps.count == 1 && meter.catchUps.maximum == .seconds(12))
    let record = meter.records[0]
    #expect(record.deliveries == 2 && record.catchUps == 1)
    #expect(record.meanDelay == .milliseconds(50) && record.longestDelay == .milliseconds(50))
  }

  @Test("Peers that come back catch up, and the two kinds of latency make up the whole")
  func restarts() {
    let report = scenario {
      $0.faults = [Fault(.restart(keepsDisk: false), share: 0.2, from: .seconds(1), to: .seconds(8))]
    }.run()
    #expect(report.catchUps.count > 0 && report.liveLatencies.count > 0, "\(replay)")
    #expect(report.latencies.count == report.catchUps.count + report.liveLatencies.count)
    #expect(fields(report.json())["catch_up_deliveries"]?.text(indented: false) == "\(report.catchUps.count)")
  }

  @Test("Every message is told of with its redundancy, and of many only as many as the bound allows")
  func perMessage() throws {
    let report = scenario().run()
    var messages: [JSONValue] = []
    if case .array(let values) = report.perMessage { messages = values }
    #expect(messages.count == 10)
    let first = fields(try #require(messages.first))
    #expect(
      first["rmr"]?.text(indented: false)
        == report.redundancyFirst.map { JSONValue.number($0).text(indented: false) })
    #expect(
      first["sent_seconds"]?.text(indented: false) == "0.0"
        && first["deliveries"]?.text(indented: false) == "59")
    #expect(
      Set(first.keys).isSuperset(of: ["message", "sender", "reliability", "latency_max_ms", "last_hop"]))

    var many = BroadcastReport(scenario: scenario(), trace: DeliveryTrace(message: 0, peers: 1))
    many.judged = (0..<2_500).map { _ in
      BroadcastReport.JudgedMessage(record: MessageRecord(peers: 1), members: [true])
    }
    let numbers = many.listedNumbers
    #expect(numbers.count == 1_000 && numbers.first == 0 && (numbers.last ?? 0) > 2_490)
    #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 })
  }

  @Test("A report says which promises were checked: those that the run was long and large enough for")
  func checked() {
    let always: [Violation.Promise] = [.noDuplicate, .noForgery]
    #expect(scenario().run().checkedPromises == always)
    let whole = scenario {
      $0.isChecked = true
      $0.drain = .seconds(420)
    }.run()
    #expect(Set(whole.checkedPromises) == Set(Violation.Promise.allCases))
    #expect(fields(whole.json())["held"]?.text(indented: false) == "\(whole.violations.isEmpty)")
    let small = scenario {
      $0.isChecked = true
      $0.nodes = 20
      $0.messages = 3
    }.run()
    #expect(Set(small.checkedPromises) == Set(Violation.Promise.allCases).subtracting([.law, .tree]))
  }

  @Test("Progress moves through every phase and ends with the whole, trials or not")
  func progress() throws {
    for crash: BroadcastScenario.Crash? in [nil, .atEachBroadcast(share: 0.2)] {
      var words: [BroadcastScenario.Progress] = []
      let report = scenario { $0.crash = crash }.run { words.append($0) }
      let last = try #require(words.last)
      #expect(last.phase == "done" && last.simulated == last.total && last.events == report.events)
      #expect(report.simulated == last.total)
      #expect(
        zip(words, words.dropFirst()).allSatisfy { $0.simulated <= $1.simulated && $0.events <= $1.events })
      #expect(words.dropLast().allSatisfy { $0.simulated <= $0.total })
      // The longest silence is about a thousandth of the run.
      let phases = Set(words.map(\.phase))
      #expect(phases.isSuperset(of: ["settle", "messages"]) && words.count > 500, "\(words.count)")
    }
  }

  @Test("Adversaries are in the picture and on the time-line, and the message's way leads through them")
  func adversaries() throws {
    let report = scenario {
      $0.byzantine = 0.1
      $0.adversary = .spam
      $0.adversaryEnd = .seconds(5)
    }.run()
    #expect(report.isAdversary.count { $0 } == 6 && report.isPresent.count { $0 } == 60)
    #expect(report.overlay.edgeCount < (report.overlayWithAdversaries?.edgeCount ?? 0))
    let band = try #require(report.faultTimeline?.bands.first)
    #expect(band.label == "spam: 6 adversaries" && band.isMischief)
    #expect(band.span.lowerBound.magnitude < 0.01 && (band.span.upperBound - 5).magnitude < 0.01)
    #expect(report.faultTimeline?.html().contains("class=\"fault foe\"") == true && !report.series.isEmpty)
    let root = try #require(report.trace.root)
    // Spammers pass messages on as others do: without their receipts the tree would fall apart at each of them.
    #expect(RootedTree(root: Int(root.index), parents: report.trace.parents)?.reached == 60, "\(replay)")
    #expect(fields(report.json())["adversaries"]?.text(indented: false) == "6")
    #expect(scenario().run().faultTimeline == nil)
  }
}
