/// A tree in rings: the root in the middle, every vertex on the ring of its hop, branches in sectors of their own.
///
/// Vertices without children share the circle, each in inverse proportion to its hop so that those on small rings
/// have as much room as those outside; a parent stands in the middle of its children. Branches never cross.
struct RadialLayout {
  /// The part of the circle, at the top, that is left free for the rings' numbers.
  static let gap = 0.035

  /// Each vertex's angle in turns clockwise from the top; `nil` outside the tree.
  let turns: [Double?]
  /// Each vertex's ring, 0 for the root; `nil` outside the tree.
  let rings: [Int?]

  init(_ tree: RootedTree) {
    var widths = [Double](repeating: 0, count: tree.vertexCount)
    for vertex in tree.walk.order.reversed() {
      let children = tree.children.neighbors(of: vertex)
      widths[vertex] =
        children.isEmpty
        ? 1 / Double(max(tree.walk.hops[vertex] ?? 1, 1))
        : children.reduce(0) { $0 + widths[Int($1)] }
    }
    let scale = (1 - Self.gap) / max(widths[tree.root], 1e-9)
    var starts = [Double](repeating: 0, count: tree.vertexCount)
    starts[tree.root] = Self.gap / 2
    for vertex in tree.walk.order {
      var next = starts[vertex]
      for child in Self.largestInTheMiddle(tree.children.neighbors(of: vertex), tree) {
        starts[child] = next
        next += widths[child] * scale
      }
    }
    var turns = [Double?](repeating: nil, count: tree.vertexCount)
    for vertex in tree.walk.order.reversed() {
      let angles = tree.children.neighbors(of: vertex).compactMap { turns[Int($0)] }
      if let first = angles.min(), let last = angles.max() {
        turns[vertex] = (first + last) / 2
      } else {
        turns[vertex] = starts[vertex] + widths[vertex] * scale / 2
      }
    }
    self.turns = turns
    rings = tree.walk.hops
  }

  /// Siblings with the largest branches between the smaller ones, which spreads the deep parts round the circle.
  private static func largestInTheMiddle(_ children: ArraySlice<UInt32>, _ tree: RootedTree) -> [Int] {
    let sorted = children.map(Int.init).sorted {
      (tree.branchSizes[$0], $0) < (tree.branchSizes[$1], $1)
    }
    let even = sorted.indices.filter { $0 % 2 == 0 }.map { sorted[$0] }
    let odd = sorted.indices.filter { $0 % 2 == 1 }.map { sorted[$0] }
    return even + odd.reversed()
  }

  /// Where a vertex stands when the rings are 1 apart and the root is at the origin.
  func position(of vertex: Int) -> Point? {
    guard let turn = turns[vertex], let ring = rings[vertex] else { return nil }
    return Point.onUnitCircle(turn: turn) * Double(ring)
  }
}
