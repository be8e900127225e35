import StarlingCore
import StarlingOverlay
import StarlingSimulator
import StarlingTestSupport
import Testing

@Suite("SCAMP: whole groups")
struct ScampGroupTests {
  @Test(
    "At 1,000 peers the mean view is within 20% of (c + 1)·ln N, no view is thin, and all hang together",
    arguments: [(1, UInt64(0)), (1, 1), (1, 2), (1, 3), (2, 0), (2, 1)])
  func law(extraCopies: Int, offset: UInt64) {
    let network = settledGroup(1_000, extraCopies: extraCopies, seed: testSeed &+ offset)
    let graph = views(of: network)
    let law = Double(extraCopies + 1) * naturalLogarithm(1_000)
    let mean = Double(graph.edgeCount) / 1_000
    #expect(mean > 0.8 * law && mean < 1.2 * law, "\(mean / law) of the law; \(replay)")
    let sizes = graph.outDegrees.sorted()
    #expect(sizes[9] >= 5, "the 1st percentile is \(sizes[9]); \(replay)")
    #expect(graph.strongComponents().count == 1, "\(replay)")
    // Every arc has two ends; a handful is left with one where a donor's farewell overtook its greeting.
    let inViews = (0..<1_000).reduce(0) { $0 + network[Peer($1)].inView.count }
    #expect(abs(inViews - graph.edgeCount) <= 5, "\(inViews) and \(graph.edgeCount); \(replay)")
  }

  @Test("When nothing is lost or overtaken, in-views name just the peers that have one in their partial view")
  func mirror() {
    let network = settledGroup(300, delay: .constant(.milliseconds(50)), seed: testSeed)
    let incoming = views(of: network).transposed()
    for i in 0..<300 {
      let known = network[Peer(i)].inView.members.map(\.index).sorted()
      #expect(known == Array(incoming.neighbors(of: i)), "peer \(i); \(replay)")
    }
  }

  @Test("With 10% of all messages lost, everybody still gets in, and all hang together")
  func loss() {
    let network = settledGroup(400, loss: 0.1, seed: testSeed)
    let graph = views(of: network)
    #expect(graph.strongComponents().count == 1, "\(replay)")
    #expect((graph.outDegrees.min() ?? 0) >= 1, "\(replay)")
  }

  @Test("Every peer's estimate of the group is within a factor of three once the group has settled")
  func estimates() {
    let network = settledGroup(300, seed: testSeed &+ 1)
    for i in 0..<300 {
      let estimate = network[Peer(i)].estimatedSize
      #expect(estimate > 100 && estimate < 900, "peer \(i) estimates \(estimate); \(replay)")
    }
  }
}
