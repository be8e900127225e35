/// How large vertices are drawn: by their degree, and smaller where there are many.
struct VertexSizes {
  /// How many views each peer stands in.
  let inDegrees: [Int]
  /// The size of each peer's own view.
  let outDegrees: [Int]
  private let mean: Double
  private let most: Double

  init(_ graph: DirectedGraph) {
    inDegrees = graph.inDegrees
    outDegrees = graph.outDegrees
    mean = max(Double(2 * graph.edgeCount) / Double(max(graph.vertexCount, 1)), 1)
    most = Double(zip(inDegrees, outDegrees).map { $0 + $1 }.max() ?? 1)
  }

  /// The radius of a vertex of average degree among `count`: a part of the room that each has.
  static func base(_ count: Int) -> Double {
    min(max(132 / Double(max(count, 1)).squareRoot(), 3), 30)
  }

  /// No vertex is drawn larger.
  var largest: Double { Self.base(1) * 1.3 }

  /// The vertex's number of links as a share of the most that one has; 0 ... 1.
  func standing(_ vertex: Int) -> Double { Double(inDegrees[vertex] + outDegrees[vertex]) / max(most, 1) }

  /// The radius of a vertex: grows with the root of its degree, so its area with its degree.
  func radius(_ vertex: Int, among count: Int) -> Double {
    let relative = (Double(inDegrees[vertex] + outDegrees[vertex]) / mean).squareRoot()
    return Self.base(count) * min(max(relative, 0.65), count > DrawingCanvas.namedVertices ? 1.7 : 1.3)
  }
}
