/// The tree that a broadcast took: who first handed the message to whom.
///
/// It may come from what nodes said of themselves, so nothing in it is trusted: whoever cannot be reached from the
/// root by way of the tree (a wrong parent, a cycle) simply is not in it.
public struct RootedTree: Hashable, Sendable {
  /// The vertex that the message set out from.
  public let root: Int
  /// Each vertex's children, in ascending order.
  public let children: DirectedGraph
  /// The tree walked from the root: hops, parents, and the order from the root outwards.
  public let walk: BreadthFirstSearch
  /// How many vertices each one's branch holds, itself included; 0 outside the tree.
  public let branchSizes: [Int]

  /// The number of vertices, those outside the tree included.
  public var vertexCount: Int { children.vertexCount }
  /// How many vertices the tree reaches, its root included.
  public var reached: Int { walk.order.count }
  /// The hops to the farthest vertex.
  public var depth: Int { walk.depth }

  /// The tree in which vertex v's parent is `parents[v]`; `nil` if there is no vertex `root`.
  ///
  /// - Parameters:
  ///   - root: the vertex that the message set out from; what `parents` says of it is ignored.
  ///   - parents: `nil`, or a number that names no vertex, for those that never got the message.
  public init?(root: Int, parents: [Int?]) {
    guard parents.indices.contains(root) else { return nil }
    var rows = [[Int]](repeating: [], count: parents.count)
    for (vertex, parent) in parents.enumerated() where vertex != root {
      if let parent, parents.indices.contains(parent), parent != vertex { rows[parent].append(vertex) }
    }
    self.init(root: root, children: DirectedGraph(adjacency: rows))
  }

  /// The tree of shortest paths from `root` over `links`, whatever their direction; `nil` if there is no vertex
  /// `root`.
  ///
  /// - Parameters:
  ///   - root: the vertex that the message set out from.
  ///   - links: pairs of vertices; those that name no vertex are left out.
  ///   - vertexCount: the number of vertices.
  public init?(root: Int, links: [(Int, Int)], vertexCount: Int) {
    var rows = [[Int]](repeating: [], count: Swift.max(vertexCount, 0))
    for (a, b) in links where rows.indices.contains(a) && rows.indices.contains(b) { rows[a].append(b) }
    guard rows.indices.contains(root) else { return nil }
    let search = DirectedGraph(adjacency: rows).undirected().breadthFirstSearch(from: root)
    self.init(root: root, parents: search.parents)
  }

  private init(root: Int, children: DirectedGraph) {
    let walk = children.breadthFirstSearch(from: root)
    var sizes = [Int](repeating: 0, count: children.vertexCount)
    for vertex in walk.order.reversed() {
      sizes[vertex] += 1
      if let parent = walk.parents[vertex] { sizes[parent] += sizes[vertex] }
    }
    self.root = root
    self.children = children
    self.walk = walk
    self.branchSizes = sizes
  }

  /// The tree on some of the vertices, renumbered in their order, where branches lead past the vertices that are left
  /// out; `nil` if the root is not among them.
  ///
  /// - Parameter originals: distinct vertices, ascending.
  public func contracted(to originals: [Int]) -> RootedTree? {
    var renamed = [Int?](repeating: nil, count: vertexCount)
    for (new, old) in originals.enumerated() { renamed[old] = new }
    guard let newRoot = renamed[root] else { return nil }
    // A vertex comes after its parent in the walk, so the nearest one that is kept is known.
    var nearest = [Int?](repeating: nil, count: vertexCount)
    var parents = [Int?](repeating: nil, count: originals.count)
    for vertex in walk.order {
      let above = walk.parents[vertex].flatMap { nearest[$0] }
      if let new = renamed[vertex] { parents[new] = above }
      nearest[vertex] = renamed[vertex] ?? above
    }
    return RootedTree(root: newRoot, parents: parents)
  }

  /// The part of the tree on some of the vertices, renumbered in their order; `nil` if the root is not among them.
  ///
  /// - Parameter originals: distinct vertices, ascending. A vertex whose parent is missing falls out of the tree.
  public func restricted(to originals: [Int]) -> RootedTree? {
    var renamed = [Int?](repeating: nil, count: vertexCount)
    for (new, old) in originals.enumerated() { renamed[old] = new }
    guard let newRoot = renamed[root] else { return nil }
    return RootedTree(
      root: newRoot, parents: originals.map { walk.parents[$0].flatMap { renamed[$0] } })
  }
}
