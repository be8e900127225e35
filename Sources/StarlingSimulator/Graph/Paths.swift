/// A breadth-first search from one vertex: how far away every other is, and through whom.
public struct BreadthFirstSearch: Hashable, Sendable {
  /// The number of hops to each vertex; `nil` where no path leads.
  public let hops: [Int?]
  /// The vertex before each on a shortest path; `nil` at the root and where no path leads.
  public let parents: [Int?]
  /// The vertices that can be reached, the root first, nearer ones before farther ones.
  public let order: [Int]

  /// The hops to the farthest vertex that can be reached: the root's eccentricity.
  public var depth: Int { order.last.flatMap { hops[$0] } ?? 0 }
}

extension DirectedGraph {
  /// Searches from `root` along the edges. Among shortest paths it takes the one found first, in the order of the
  /// rows. O(vertices + edges).
  public func breadthFirstSearch(from root: Int) -> BreadthFirstSearch {
    precondition((0..<vertexCount).contains(root), "no vertex \(root) among \(vertexCount)")
    var hops = [Int?](repeating: nil, count: vertexCount)
    var parents = [Int?](repeating: nil, count: vertexCount)
    var order = [root]
    hops[root] = 0
    var next = 0
    while next < order.count {
      let vertex = order[next]
      next += 1
      for edge in edges(from: vertex) {
        let target = Int(targets[edge])
        guard hops[target] == nil else { continue }
        hops[target] = (hops[vertex] ?? 0) + 1
        parents[target] = vertex
        order.append(target)
      }
    }
    return BreadthFirstSearch(hops: hops, parents: parents, order: order)
  }

  /// The vertices without which a weak component would fall apart, ascending.
  ///
  /// Hopcroft and Tarjan, "Algorithm 447: efficient algorithms for graph manipulation", Comm. ACM 16(6), 1973,
  /// on the links without direction and without recursion. O(vertices + edges).
  public func articulationPoints() -> [Int] {
    var search = ArticulationSearch(graph: undirected())
    for vertex in 0..<vertexCount where search.order[vertex] < 0 { search.run(from: vertex) }
    return search.isPoint.indices.filter { search.isPoint[$0] }
  }
}

/// Depth-first search that notes how far back each subtree can reach without its root.
private struct ArticulationSearch {
  let graph: DirectedGraph
  var order: [Int]
  var isPoint: [Bool]
  private var low: [Int]
  private var nextOrder = 0
  private var path: [(vertex: Int, edge: Int)] = []

  init(graph: DirectedGraph) {
    self.graph = graph
    order = [Int](repeating: -1, count: graph.vertexCount)
    low = order
    isPoint = [Bool](repeating: false, count: graph.vertexCount)
  }

  mutating func run(from start: Int) {
    var branches = 0
    enter(start)
    while let (vertex, edge) = path.last {
      if edge < graph.offsets[vertex + 1] {
        path[path.count - 1].edge += 1
        let target = Int(graph.targets[edge])
        if order[target] < 0 {
          enter(target)
        } else {
          // The link to the parent is counted too; it lowers nothing, as the test below is `>=`.
          low[vertex] = min(low[vertex], order[target])
        }
      } else {
        path.removeLast()
        guard let parent = path.last?.vertex else { break }
        low[parent] = min(low[parent], low[vertex])
        if parent == start {
          branches += 1
        } else if low[vertex] >= order[parent] {
          isPoint[parent] = true
        }
      }
    }
    isPoint[start] = branches > 1
  }

  private mutating func enter(_ vertex: Int) {
    order[vertex] = nextOrder
    low[vertex] = nextOrder
    nextOrder += 1
    path.append((vertex, graph.offsets[vertex]))
  }
}
