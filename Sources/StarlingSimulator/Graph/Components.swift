/// A partition of a graph's vertices into components.
public struct Components: Hashable, Sendable {
  /// The component of each vertex, 0 ..< `count`, numbered in the order of their smallest vertices.
  public let labels: [Int]
  /// How many vertices each component has.
  public let sizes: [Int]

  /// How many components there are; 0 for a graph without vertices.
  public var count: Int { sizes.count }
  /// How many vertices the largest component has.
  public var largest: Int { sizes.max() ?? 0 }

  /// The partition in which two vertices are together if they have the same representative.
  ///
  /// - Parameter representatives: for each vertex a number below their count.
  init(representatives: [Int]) {
    var numbers = [Int](repeating: -1, count: representatives.count)
    var labels: [Int] = []
    var sizes: [Int] = []
    labels.reserveCapacity(representatives.count)
    for representative in representatives {
      if numbers[representative] < 0 {
        numbers[representative] = sizes.count
        sizes.append(0)
      }
      labels.append(numbers[representative])
      sizes[numbers[representative]] += 1
    }
    self.labels = labels
    self.sizes = sizes
  }
}

extension DirectedGraph {
  /// The weak components: vertices are together if a path joins them, whatever the edges' directions.
  ///
  /// Union by size with path halving (Tarjan and van Leeuwen, "Worst-case analysis of set union algorithms",
  /// J. ACM 31(2), 1984): nearly linear, and needs no transposed graph.
  public func weakComponents() -> Components {
    var parents = Array(0..<vertexCount)
    var sizes = [Int](repeating: 1, count: vertexCount)
    func root(_ vertex: Int) -> Int {
      var vertex = vertex
      while parents[vertex] != vertex {
        parents[vertex] = parents[parents[vertex]]
        vertex = parents[vertex]
      }
      return vertex
    }
    for vertex in 0..<vertexCount {
      for edge in edges(from: vertex) {
        var (small, large) = (root(vertex), root(Int(targets[edge])))
        if small == large { continue }
        if sizes[small] > sizes[large] { swap(&small, &large) }
        parents[small] = large
        sizes[large] += sizes[small]
      }
    }
    return Components(representatives: (0..<vertexCount).map(root))
  }

  /// The strong components: vertices are together if each can reach the other along the edges.
  ///
  /// Tarjan, "Depth-first search and linear graph algorithms", SIAM J. Computing 1(2), 1972, with a stack of its
  /// own in place of recursion, so that a path of a million vertices is no deeper than one of ten. Linear.
  public func strongComponents() -> Components {
    var search = StrongSearch(vertexCount: vertexCount)
    for vertex in 0..<vertexCount where search.order[vertex] < 0 { search.run(from: vertex, in: self) }
    return Components(representatives: search.representatives)
  }
}

/// Tarjan's search. `low` is the smallest order number known to be reachable through at most one edge to a vertex
/// whose component is not complete.
private struct StrongSearch {
  var order: [Int]
  var representatives: [Int]
  private var low: [Int]
  private var nextOrder = 0
  /// The vertices whose component is not complete, in the order they were found.
  private var open: [Int] = []
  /// The path from the start to the vertex in hand, with the next edge of each to look at.
  private var path: [(vertex: Int, edge: Int)] = []

  init(vertexCount: Int) {
    order = [Int](repeating: -1, count: vertexCount)
    low = order
    representatives = order
  }

  mutating func run(from start: Int, in graph: DirectedGraph) {
    enter(start, in: graph)
    while let (vertex, edge) = path.last {
      if edge < graph.offsets[vertex + 1] {
        path[path.count - 1].edge += 1
        let target = Int(graph.targets[edge])
        if order[target] < 0 {
          enter(target, in: graph)
        } else if representatives[target] < 0 {
          low[vertex] = min(low[vertex], order[target])
        }
      } else {
        path.removeLast()
        if let parent = path.last?.vertex { low[parent] = min(low[parent], low[vertex]) }
        if low[vertex] == order[vertex] { complete(vertex) }
      }
    }
  }

  private mutating func enter(_ vertex: Int, in graph: DirectedGraph) {
    order[vertex] = nextOrder
    low[vertex] = nextOrder
    nextOrder += 1
    open.append(vertex)
    path.append((vertex, graph.offsets[vertex]))
  }

  /// Everything found since `root` belongs to its component.
  private mutating func complete(_ root: Int) {
    while let vertex = open.popLast() {
      representatives[vertex] = root
      if vertex == root { return }
    }
  }
}
