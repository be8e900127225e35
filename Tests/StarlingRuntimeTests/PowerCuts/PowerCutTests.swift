import StarlingCore
import Testing

@testable import StarlingRuntime

#if canImport(Glibc)
  import Glibc
#endif

@Suite("What a power cut takes")
struct PowerCutTests {
  /// What came of some cuts.
  private struct Outcome {
    var cuts = (events: 0, disks: 0, midway: 0, harmful: 0)
    var (transfers, messages, rebuilt, networks) = (0, 0, 0, 0)
    var rests: [Interval] = []
    var faults: [String] = []
  }

  private static func number(_ name: String, default number: UInt64) -> UInt64 {
    getenv(name).flatMap { UInt64(String(cString: $0)) } ?? number
  }

  private let seed = number("STARLING_TEST_SEED", default: 1)

  /// Networks one after another, each with some of the cuts, so that each begins with empty disks.
  private func cut(_ limit: Int, flaw: PowerCutNetwork.Flaw? = nil) throws -> Outcome {
    var outcome = Outcome()
    while outcome.cuts.events < limit, outcome.faults.isEmpty {
      // With little room what is over is forgotten soon, and whoever was away is soon far behind.
      let network = try PowerCutNetwork(
        seed: seed &* 1_000_003 &+ UInt64(outcome.networks), window: outcome.networks % 5 == 3 ? 64 : 8,
        flaw: flaw)
      let share = min(limit - outcome.cuts.events, 50)
      while network.cuts.events < share, network.witness.faults.isEmpty { network.round() }
      if network.witness.faults.isEmpty { network.settle() }
      outcome.networks += 1
      outcome.cuts.events += network.cuts.events
      outcome.cuts.disks += network.cuts.disks
      outcome.cuts.midway += network.cuts.midway
      outcome.cuts.harmful += network.members.reduce(0) { $0 + $1.disk.harmfulCuts }
      outcome.transfers += network.witness.final.count
      outcome.messages += network.witness.sent
      outcome.rebuilt += network.rebuilt
      outcome.rests += network.rests
      outcome.faults += network.witness.faults
      if limit > 100 {
        print("\(outcome.cuts.events) of \(limit) power cuts, \(outcome.transfers) transfers final")
        fflush(nil)
      }
    }
    return outcome
  }

  @Test("Nothing that a client was told is lost, and no node takes anything back that it sent")
  func cuts() throws {
    let limit = Int(Self.number("STARLING_POWER_CUTS", default: 20))
    print("power cuts: STARLING_TEST_SEED=\(seed) STARLING_POWER_CUTS=\(limit)")
    let outcome = try cut(limit)
    print(
      """
      \(outcome.cuts.events) power cuts of \(outcome.cuts.disks) disks in \(outcome.networks) networks, \(outcome.cuts.midway) in the midst of a turn; \
      \(outcome.cuts.harmful) disks had something that was not synced; \(outcome.rebuilt) nodes rebuilt from nothing; \
      \(outcome.transfers) transfers final, \(outcome.messages) messages sent
      """)
    let rests = outcome.rests.map(\.inSeconds).sorted()
    if let most = rests.last {
      print(
        "seconds until all nodes had the same: median \(rests[rests.count / 2]), most \(most), \(rests.count) times"
      )
    }
    #expect(outcome.faults == [])
    #expect(outcome.cuts.harmful > 0 && outcome.transfers > 0)
  }

  @Test("A disk that does not sync is found out, and so is a node that speaks before it has written")
  func flaws() throws {
    #expect(try cut(30, flaw: .ignoredSyncs).faults != [])
    #expect(try cut(60, flaw: .sendingFirst).faults != [])
  }
}
