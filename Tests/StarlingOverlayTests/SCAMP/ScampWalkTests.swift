import StarlingCore
import StarlingOverlay
import StarlingTestSupport
import Testing

@Suite("SCAMP: random walks")
struct ScampWalkTests {
  /// A ring of 30 with two chords a peer, and three hubs that also know everybody: degrees 9 and 35.
  private let uneven: [[Int]] = (0..<30).map { i in
    i < 3 ? (0..<30).filter { $0 != i } : [(i + 1) % 30, (i + 7) % 30, (i + 13) % 30].filter { $0 != i }
  }

  @Test("A walk ends at every peer equally often, however uneven the views are")
  func uniformEnd() {
    var random = testRandom()
    var configuration = ScampConfiguration()
    configuration.walkLength = 40
    var group = SmallGroup(views: uneven, size: 100_000, configuration: configuration, random: &random)
    let degrees = group.peers.map { $0.members.count + $0.keepers.count }
    #expect((degrees.max() ?? 0) > 3 * (degrees.min() ?? 0), "the graph must be uneven")
    var ends = [Int](repeating: 0, count: 30)
    for trial in 0..<9_000 {
      guard let end = group.endOfWalk(from: trial % 30, for: 1_000 + trial) else {
        Issue.record("the walk of trial \(trial) got lost; \(replay)")
        return
      }
      ends[end] += 1
    }
    #expect(chiSquare(ends) < chiSquareLimit(degreesOfFreedom: 29), "\(ends); \(replay)")
  }
}
