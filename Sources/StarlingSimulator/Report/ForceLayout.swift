import StarlingCore

/// Places a graph's vertices so that linked ones are near and none too near.
///
/// Fruchterman and Reingold, "Graph drawing by force-directed placement", Software: Practice and Experience
/// 21(11), 1991, with repulsion summed by Barnes and Hut's tree, links of the broadcast tree pulling harder than
/// the others, and a pull to the middle that keeps separate components in the picture. It begins with the tree in
/// rings, so that its branches need not be untangled. Only + − × ÷ and √: the same picture on every machine.
struct ForceLayout {
  /// How hard a vertex's links outside the tree pull, in the tree links' units. Guesses that look good: with more
  /// the branches of a large tree melt into a ball, with less a small overlay shows nothing but its tree.
  private static func otherPull(_ count: Int) -> Double { count > 400 ? 0.03 : count > 100 ? 0.1 : 0.25 }
  /// The same where there is no tree to show.
  private static let plainPull = 2.2
  /// How strongly everything is drawn to the middle. A guess.
  private static let gravity = 0.03
  /// What is left between two components. A guess: some two links' lengths.
  private static let gap = 2.0

  /// The position of each vertex; linked ones are about 1 apart.
  private(set) var positions: [Point]
  private let links: DirectedGraph
  private let pulls: [Double]
  /// The tree's links in a small drawing, from which other vertices keep away.
  private let branches: [(Int, Int)]

  /// Lays out the graph.
  ///
  /// - Parameters:
  ///   - graph: whatever its directions; a link in both counts once.
  ///   - skeleton: a tree to begin with, in rings.
  ///   - emphasised: whether the skeleton's links pull harder.
  ///   - seed: of the small displacements at the start.
  init(_ graph: DirectedGraph, skeleton: RootedTree?, emphasised: Bool, seed: UInt64) {
    links = Self.links(graph, skeleton)
    pulls = Self.pulls(links, skeleton: emphasised ? skeleton : nil)
    branches = Self.branches(emphasised && links.vertexCount <= 100 ? skeleton : nil)
    positions = Self.start(links.vertexCount, skeleton: skeleton, seed: seed)
    let rounds = links.vertexCount > 400 ? 220 : 300
    let radius = Double(links.vertexCount).squareRoot()
    for round in 0..<rounds {
      let left = 1 - Double(round) / Double(rounds)
      move(atMost: radius * 0.12 * left * left + 0.004)
    }
    gatherComponents()
    gatherStrays()
  }

  /// The graph's links, and those of the skeleton that are no longer in it.
  private static func links(_ graph: DirectedGraph, _ skeleton: RootedTree?) -> DirectedGraph {
    guard let parents = skeleton?.walk.parents, parents.count == graph.vertexCount else {
      return graph.undirected()
    }
    return DirectedGraph(
      adjacency: parents.enumerated().map { vertex, parent in
        graph.neighbors(of: vertex).map { Int($0) } + (parent.map { [$0] } ?? [])
      }
    ).undirected()
  }

  /// Moves separate components together until there is little between them: they push each other so far away that
  /// all would be drawn small. The largest stays where it is, and the others come near in the order of their sizes,
  /// each straight towards it as far as there is room.
  private mutating func gatherComponents() {
    let components = links.weakComponents()
    let parts = components.sizes.indices.filter { components.sizes[$0] > 1 }
      .sorted { (components.sizes[$1], $0) < (components.sizes[$0], $1) }
    guard parts.count > 1 else { return }
    var members = [[Int]](repeating: [], count: components.count)
    for vertex in positions.indices { members[components.labels[vertex]].append(vertex) }
    var placed: [(middle: Point, radius: Double)] = []
    for part in parts {
      let own = members[part]
      let middle = own.reduce(Point(x: 0, y: 0)) { $0 + positions[$1] } * (1 / Double(own.count))
      let radius = own.map { (positions[$0] - middle).length }.max() ?? 0
      guard let first = placed.first else {
        placed.append((middle, radius))
        continue
      }
      let away = middle - first.middle
      let direction = away.length > 1e-9 ? away * (1 / away.length) : Point(x: 1, y: 0)
      // Outwards in steps until it touches none of those that lie already.
      var distance = first.radius + radius + Self.gap
      while placed.contains(where: {
        (first.middle + direction * distance - $0.middle).length < $0.radius + radius + Self.gap * 0.99
      }) { distance += Self.gap / 2 }
      let shift = first.middle + direction * distance - middle
      for vertex in own { positions[vertex] = positions[vertex] + shift }
      placed.append((middle + shift, radius))
    }
  }

  /// Puts vertices without any link just outside the others, instead of as far as these push them.
  private mutating func gatherStrays() {
    let strays = positions.indices.filter { links.edges(from: $0).isEmpty }
    guard !strays.isEmpty, strays.count < positions.count else { return }
    let others = positions.indices.filter { !links.edges(from: $0).isEmpty }
    let middle = others.reduce(Point(x: 0, y: 0)) { $0 + positions[$1] } * (1 / Double(others.count))
    let reach = others.map { (positions[$0] - middle).length }.max() ?? 0
    for stray in strays {
      let away = positions[stray] - middle
      positions[stray] = middle + away * ((reach * 1.08 + 0.5) / max(away.length, 1e-9))
    }
  }

  private static func start(_ count: Int, skeleton: RootedTree?, seed: UInt64) -> [Point] {
    var random = Xoshiro256(seed: seed)
    let radius = Double(count).squareRoot() * 0.9
    let rings = skeleton.map { RadialLayout($0) }
    let unit = radius / Double(max(skeleton?.depth ?? 1, 1))
    return (0..<count).map { vertex in
      let shift = Point(x: random.unit() - 0.5, y: random.unit() - 0.5)
      if let place = rings?.position(of: vertex) { return place * unit + shift * 0.2 }
      let distance = random.unit().squareRoot() * radius
      return Point.onUnitCircle(turn: random.unit()) * distance + shift
    }
  }

  private static func pulls(_ links: DirectedGraph, skeleton: RootedTree?) -> [Double] {
    let total = skeleton == nil ? plainPull : otherPull(links.vertexCount)
    var pulls: [Double] = []
    pulls.reserveCapacity(links.edgeCount)
    for u in 0..<links.vertexCount {
      for target in links.neighbors(of: u) {
        let v = Int(target)
        let inTree = skeleton.map { $0.walk.parents[u] == v || $0.walk.parents[v] == u } ?? false
        let degrees = Double(links.edges(from: u).count * links.edges(from: v).count)
        pulls.append(inTree ? 1 : total / degrees.squareRoot())
      }
    }
    return pulls
  }

  private static func branches(_ tree: RootedTree?) -> [(Int, Int)] {
    guard let tree else { return [] }
    return tree.walk.order.compactMap { child in tree.walk.parents[child].map { ($0, child) } }
  }

  /// A push away from every branch that `vertex` is nearer to than `clearance` and not an end of.
  private func clearBranches(_ vertex: Int) -> Point {
    let clearance = 0.55
    var force = Point(x: 0, y: 0)
    for (parent, child) in branches where parent != vertex && child != vertex {
      let along = positions[child] - positions[parent]
      let here = positions[vertex] - positions[parent]
      let squared = max(along.x * along.x + along.y * along.y, 1e-9)
      let share = min(max((here.x * along.x + here.y * along.y) / squared, 0), 1)
      let away = here - along * share
      let distance = max(away.length, 1e-6)
      if distance < clearance { force = force + away * (6 * (clearance - distance) / distance) }
    }
    return force
  }

  private mutating func move(atMost limit: Double) {
    let tree = RepulsionTree(positions)
    var stack: [(cell: Int, side: Double)] = []
    var moved = positions
    for vertex in positions.indices {
      let here = positions[vertex]
      var force = tree.push(on: here, stack: &stack) + here * -Self.gravity
      for edge in links.edges(from: vertex) {
        let away = positions[Int(links.targets[edge])] - here
        force = force + away * (away.length * pulls[edge])
      }
      force = force + clearBranches(vertex)
      let length = force.length
      moved[vertex] = here + force * (length > limit ? limit / length : 1)
    }
    positions = moved
  }

  /// The positions moved and scaled into a square of side `size`, at least `margin` from its edges.
  func fitted(size: Double, margin: Double) -> [Point] {
    guard var low = positions.first else { return [] }
    var high = low
    for point in positions {
      low = Point(x: min(low.x, point.x), y: min(low.y, point.y))
      high = Point(x: max(high.x, point.x), y: max(high.y, point.y))
    }
    let scale = (size - 2 * margin) / max(high.x - low.x, high.y - low.y, 1e-6)
    let middle = (low + high) * 0.5
    return positions.map { ($0 - middle) * scale + Point(x: size / 2, y: size / 2) }
  }
}
