/// The tree's links grouped by how many peers they feed, to be drawn the wider the more those are.
struct TreeBranches {
  /// Links of one width.
  struct Level {
    /// The lower ends of the links.
    let children: [Int]
    let width: Double
    let opacity: Double
  }

  /// From the thinnest to the widest.
  let levels: [Level]

  /// - Parameters:
  ///   - tree: the tree drawn.
  ///   - count: how many vertices the drawing has.
  init(_ tree: RootedTree, count: Int) {
    let thinnest = count > 400 ? 0.8 : count > 100 ? 1.6 : 2.6
    let total = Double(max(tree.reached, 2)).squareRoot()
    let faintest = count > 400 ? 0.4 : count > 100 ? 0.6 : 0.85
    var groups = [[Int]](repeating: [], count: 12)
    for child in tree.walk.order.dropFirst() {
      // By the root of the branch's size, as the area of a river's bed grows with what it carries.
      let share = Double(tree.branchSizes[child] - 1).squareRoot() / total
      groups[min(Int(share * 12), 11)].append(child)
    }
    levels = groups.enumerated().map { index, children in
      let share = Double(index) / 11
      return Level(
        children: children, width: thinnest + share * 5, opacity: faintest + (0.95 - faintest) * share)
    }
  }
}

/// How large vertices are drawn: by their degree, and smaller where there are many.
struct VertexSizes {
  /// How many views each peer stands in.
  let inDegrees: [Int]
  /// The size of each peer's own view.
  let outDegrees: [Int]
  private let mean: Double
  private let base: Double

  init(_ graph: DirectedGraph) {
    inDegrees = graph.inDegrees
    outDegrees = graph.outDegrees
    mean = max(Double(2 * graph.edgeCount) / Double(max(graph.vertexCount, 1)), 1)
    base = Self.base(graph.vertexCount)
  }

  /// The radius of a vertex of average degree among `count`: a part of the room that each has.
  static func base(_ count: Int) -> Double {
    min(max(132 / Double(max(count, 1)).squareRoot(), 3), 30)
  }

  /// No vertex is drawn larger.
  var largest: Double { Self.base(1) * 1.3 }

  /// The radius of a vertex: grows with the root of its degree, so its area with its degree.
  func radius(_ vertex: Int, among count: Int) -> Double {
    let relative = (Double(inDegrees[vertex] + outDegrees[vertex]) / mean).squareRoot()
    return Self.base(count) * min(max(relative, 0.65), count > DrawingCanvas.namedVertices ? 1.7 : 1.3)
  }
}

/// What a reader is told who points at a vertex.
enum PeerTip {
  static func text(
    _ vertex: Int, names: [String], hop: Int?, tree: RootedTree?, sizes: VertexSizes?
  ) -> String {
    var text = "peer \(vertex)"
    if vertex < names.count && names[vertex] != String(vertex) { text += ", \(names[vertex])" }
    if let sizes { text += ", view \(sizes.outDegrees[vertex]), in \(sizes.inDegrees[vertex])" }
    if let hop {
      text += hop == 0 ? ", the sender" : hop == 1 ? ", 1 hop" : ", \(hop) hops"
    } else if tree != nil {
      text += ", not reached"
    }
    return text
  }
}
