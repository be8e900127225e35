import StarlingCore
import StarlingSimulator
import Testing

@Suite("Graph measures")
struct GraphTests {
  /// Two cycles 0-1-2 and 3-4 joined by the edge 2→3, and 5 alone.
  let example = DirectedGraph(adjacency: [[1], [2], [0, 3], [4], [3], []])

  @Test("A small graph has the degrees, components and hops that a reader counts by hand")
  func workedExample() {
    #expect(example.vertexCount == 6)
    #expect(example.edgeCount == 6)
    #expect(example.outDegrees == [1, 1, 2, 1, 1, 0])
    #expect(example.inDegrees == [1, 1, 1, 2, 1, 0])
    #expect(Array(example.neighbors(of: 2)) == [0, 3])
    #expect(example.weakComponents().labels == [0, 0, 0, 0, 0, 1])
    #expect(example.weakComponents().sizes == [5, 1])
    #expect(example.strongComponents().labels == [0, 0, 0, 1, 1, 2])
    #expect(example.strongComponents().sizes == [3, 2, 1])
    #expect(example.articulationPoints() == [2, 3])
    let search = example.breadthFirstSearch(from: 1)
    #expect(search.hops == [2, 0, 1, 2, 3, nil])
    #expect(search.parents == [2, nil, 1, 2, 3, nil])
    #expect(search.order == [1, 2, 0, 3, 4])
    #expect(search.depth == 3)
  }

  @Test("Targets outside the graph are left out of it")
  func strayTargets() {
    let graph = DirectedGraph(adjacency: [[1, 2, -1], [7]])
    #expect(graph.outDegrees == [1, 0])
  }

  @Test("Taking the direction off leaves each link once in both rows, and no loops")
  func undirected() {
    let graph = DirectedGraph(adjacency: [[1, 1, 0], [0], [1]]).undirected()
    #expect(graph == DirectedGraph(adjacency: [[1], [0, 2], [1]]))
  }

  @Test("The graph of the kept vertices has their edges and remembers their numbers")
  func induced() {
    let (graph, originals) = example.induced(on: [true, false, true, true, true, false])
    #expect(originals == [0, 2, 3, 4])
    #expect(graph == DirectedGraph(adjacency: [[], [0, 2], [3], [2]]))
  }

  @Test("On random graphs every measure agrees with brute force")
  func againstBruteForce() {
    var random = Xoshiro256(seed: graphTestSeed)
    for _ in 0..<60 {
      let adjacency = randomAdjacency(1 + random.uniform(below: 24), degree: 3, using: &random)
      let graph = DirectedGraph(adjacency: adjacency)
      let (forth, both) = (reachability(adjacency), reachability(symmetric(adjacency)))
      let (weak, strong) = (graph.weakComponents(), graph.strongComponents())
      for u in adjacency.indices {
        for v in adjacency.indices {
          #expect((weak.labels[u] == weak.labels[v]) == both[u][v])
          #expect((strong.labels[u] == strong.labels[v]) == (forth[u][v] && forth[v][u]))
        }
        #expect(graph.breadthFirstSearch(from: u).hops == bruteHops(adjacency, from: u))
      }
      #expect(graph.articulationPoints() == bruteArticulationPoints(adjacency))
      #expect(graph.transposed().transposed().outDegrees == graph.outDegrees)
      #expect(graph.inDegrees == graph.transposed().outDegrees)
    }
  }

  @Test("A path and a cycle of a million vertices are measured without recursion")
  func million() {
    let n = 1_000_000
    let path = DirectedGraph(offsets: Array(0..<n) + [n - 1], targets: (1..<n).map { UInt32($0) })
    #expect(path.weakComponents().count == 1)
    #expect(path.strongComponents().count == n)
    #expect(path.breadthFirstSearch(from: 0).depth == n - 1)
    let cycle = DirectedGraph(offsets: Array(0...n), targets: (0..<n).map { UInt32(($0 + 1) % n) })
    #expect(cycle.strongComponents().sizes == [n])
    #expect(cycle.articulationPoints().isEmpty)
  }

  @Test("A graph without vertices has no components")
  func empty() {
    let graph = DirectedGraph(adjacency: [])
    #expect(graph.weakComponents().count == 0)
    #expect(graph.strongComponents().largest == 0)
    #expect(graph.articulationPoints().isEmpty)
  }

  @Test("DOT and GraphML name every vertex and edge, and a label cannot break out of its quotes")
  func exports() {
    let graph = DirectedGraph(adjacency: [[1], []])
    #expect(
      graph.dot(peers: DrawnPeers(names: ["a\"]; evil\\"])) == """
        digraph "overlay" {
          0 [label="a\\"]; evil\\\\"];
          1;
          0 -> 1;
        }

        """)
    let xml = graph.graphML(peers: DrawnPeers(names: ["<script>"]))
    #expect(xml.contains("<node id=\"n0\"><data key=\"label\">&lt;script&gt;</data></node>"))
    #expect(xml.contains("<node id=\"n1\"/>"))
    #expect(xml.contains("<edge source=\"n0\" target=\"n1\"/>"))
  }

  @Test("Exports call peers by their own numbers and mark adversaries")
  func exportedPeers() {
    let graph = DirectedGraph(adjacency: [[1], []])
    let peers = DrawnPeers(numbers: [7, 300], adversaries: [false, true])
    let dot = graph.dot(peers: peers)
    #expect(dot.contains("  7;\n") && dot.contains("  300 [adversary=true") && dot.contains("  7 -> 300;\n"))
    let xml = graph.graphML(peers: peers)
    #expect(xml.contains("<node id=\"n7\"/>"))
    #expect(xml.contains("<node id=\"n300\"><data key=\"adversary\">true</data></node>"))
    #expect(xml.contains("<edge source=\"n7\" target=\"n300\"/>"))
  }

  private func bruteHops(_ adjacency: [[Int]], from root: Int) -> [Int?] {
    var hops = [Int?](repeating: nil, count: adjacency.count)
    hops[root] = 0
    for distance in 0..<adjacency.count {
      for u in adjacency.indices where hops[u] == distance {
        for v in adjacency[u] where hops[v] == nil { hops[v] = distance + 1 }
      }
    }
    return hops
  }

  /// The vertices whose removal leaves more components among the rest than there were with them.
  private func bruteArticulationPoints(_ adjacency: [[Int]]) -> [Int] {
    adjacency.indices.filter { removed in
      let rest = adjacency.indices.filter { $0 != removed }
      let without = adjacency.enumerated().map { u, row in
        u == removed ? [] : row.filter { $0 != removed }
      }
      let (before, after) = (reachability(symmetric(adjacency)), reachability(symmetric(without)))
      return rest.contains { u in rest.contains { before[u][$0] && !after[u][$0] } }
    }
  }
}

@Suite("Distribution")
struct DistributionTests {
  @Test("Mean, spread and percentiles are those of the textbook, whatever the order")
  func workedExample() throws {
    let distribution = try #require(Distribution([2, 4, 4, 4, 5, 5, 7, 9].reversed()))
    #expect(distribution.count == 8)
    #expect(distribution.mean == 5)
    #expect(distribution.stddev == 2)
    #expect(distribution.min == 2)
    #expect(distribution.max == 9)
    #expect(distribution.p1 == 2)
    #expect(distribution.p50 == 4)
    #expect(distribution.p99 == 9)
  }

  @Test("A percentile is the smallest value that so many of the values do not exceed")
  func nearestRank() throws {
    let hundred = try #require(Distribution(1...100))
    #expect(hundred.p1 == 1)
    #expect(hundred.p50 == 50)
    #expect(hundred.p99 == 99)
    let twoHundred = try #require(Distribution((1...200).map(Double.init)))
    #expect(twoHundred.p1 == 2)
    #expect(twoHundred.p99 == 198)
    #expect(Distribution.percentile(0, ofSorted: [3, 4]) == 3)
    #expect(Distribution.percentile(100, ofSorted: [3, 4]) == 4)
  }

  @Test("No numbers have no distribution, and what is not finite is left out")
  func nothing() {
    #expect(Distribution([Int]()) == nil)
    #expect(Distribution([Double.nan, .infinity]) == nil)
    #expect(Distribution([1, .nan, 3])?.mean == 2)
  }
}
