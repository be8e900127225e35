import StarlingCore
import StarlingSimulator

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The seed of the randomised graph and report tests, from STARLING_TEST_SEED or 1; printed so that a failure
/// can be replayed.
let graphTestSeed: UInt64 = {
  let seed = getenv("STARLING_TEST_SEED").flatMap { UInt64(String(cString: $0)) } ?? 1
  print("replay: STARLING_TEST_SEED=\(seed) swift test --filter StarlingSimulatorTests")
  return seed
}()

/// A graph in which each vertex has up to `degree` random targets, loops and repetitions included.
func randomAdjacency(_ vertices: Int, degree: Int, using random: inout Xoshiro256) -> [[Int]] {
  (0..<vertices).map { _ in
    (0..<random.uniform(below: degree + 1)).map { _ in random.uniform(below: vertices) }
  }
}

/// Which vertices reach which, by Warshall's algorithm: slow, and plainly right.
func reachability(_ adjacency: [[Int]]) -> [[Bool]] {
  var reaches = adjacency.indices.map { u in adjacency.indices.map { $0 == u || adjacency[u].contains($0) } }
  for middle in adjacency.indices {
    for u in adjacency.indices where reaches[u][middle] {
      for v in adjacency.indices where reaches[middle][v] { reaches[u][v] = true }
    }
  }
  return reaches
}

/// The same links, in both rows.
func symmetric(_ adjacency: [[Int]]) -> [[Int]] {
  var both = adjacency
  for (u, row) in adjacency.enumerated() { for v in row { both[v].append(u) } }
  return both
}
