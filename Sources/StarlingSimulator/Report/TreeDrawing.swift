import StarlingCore

/// A picture of a broadcast's tree alone, in rings: the sender in the middle, a ring for every hop.
public struct TreeDrawing: Sendable {
  /// A sentence on what is to be seen, with the share drawn if it is a sample.
  public let caption: String
  /// The hops to the farthest peer drawn.
  public let depth: Int
  private let tree: RootedTree
  private let layout: RadialLayout
  private let originals: [Int]
  private let peers: DrawnPeers
  /// Whether an adversary is drawn.
  public let hasAdversaries: Bool

  /// Lays the tree out.
  ///
  /// - Parameters:
  ///   - tree: the tree; peers outside it are not drawn.
  ///   - message: what the message is called.
  ///   - peers: how the peers are called, and which are marked.
  ///   - seed: of the sample.
  ///   - limits: above these a sample is drawn, and the caption says so.
  public init(
    tree: RootedTree, message: String = "the message", peers: DrawnPeers = DrawnPeers(), seed: UInt64 = 1,
    limits: DrawingLimits = DrawingLimits()
  ) {
    let sample = DrawnSample(limit: limits.vertices, tree: tree, total: tree.vertexCount, seed: seed)
    let drawn = sample.isWhole ? tree : tree.restricted(to: sample.originals) ?? tree
    self.tree = drawn
    self.peers = peers
    originals = sample.originals
    hasAdversaries = drawn.walk.order.contains { peers.isAdversary(sample.originals[$0]) }
    layout = RadialLayout(drawn)
    depth = drawn.depth
    let reached = Quantity.count(tree.reached - 1, peers.noun)
    caption =
      (sample.isWhole
        ? "How \(message) reached \(reached) from \(peers.title(tree.root))"
        : "A sample of \(NumberText.whole(drawn.reached)) of the \(reached) that \(message) reached")
      + ": the sender in the middle, a ring for every hop, branches the wider the more \(peers.noun)s they feed."
  }

  private var middle: Point { Point(x: DrawingCanvas.size / 2, y: DrawingCanvas.size / 2) }
  private var ringDistance: Double { (DrawingCanvas.size / 2 - 44) / Double(max(depth, 1)) }

  /// The picture as SVG.
  ///
  /// - Parameter standalone: true for a file of its own; false for a part of an HTML page.
  public func svg(standalone: Bool = true) -> String {
    var canvas = DrawingCanvas(title: "The tree. " + caption, standalone: standalone)
    addRings(to: &canvas)
    for level in TreeBranches(tree, count: tree.reached).levels {
      let path = level.children.reduce(into: "") { $0 += branch(to: $1) }
      canvas.addLines(path, color: DuskPalette.accent, width: level.width, opacity: level.opacity)
    }
    let radius = vertexRadius
    let vertices = tree.walk.order.compactMap { vertex -> DrawnVertex? in
      guard let place = layout.position(of: vertex) else { return nil }
      let original = originals[vertex]
      let hop = layout.rings[vertex]
      return DrawnVertex(
        place: middle + place * ringDistance, radius: hop == 0 ? max(radius, 5) : radius, hop: hop,
        name: peers.label(original), standing: 0, isAdversary: peers.isAdversary(original),
        tip: peers.tip(original, hop: hop, isTreeShown: true, sizes: nil))
    }
    canvas.addVertices(vertices, depth: depth, treeShown: true)
    return canvas.finished()
  }

  /// As large as the most crowded ring has room for, within what looks well.
  private var vertexRadius: Double {
    var radius = min(VertexSizes.base(tree.reached), ringDistance * 0.36)
    var byRing = [[Double]](repeating: [], count: depth + 1)
    for vertex in tree.walk.order {
      if let turn = layout.turns[vertex], let ring = layout.rings[vertex] { byRing[ring].append(turn) }
    }
    for (ring, turns) in byRing.enumerated() where turns.count > 1 {
      let sorted = turns.sorted()
      let nearest = zip(sorted, sorted.dropFirst()).map { $1 - $0 }.min() ?? 1
      radius = min(radius, nearest * 2 * Double.pi * Double(ring) * ringDistance * 0.46)
    }
    return max(radius, tree.reached > 400 ? 1.6 : 3)
  }

  /// A branch leaves its parent outwards and arrives at its child from inside.
  private func branch(to child: Int) -> String {
    guard let parent = tree.walk.parents[child], let ring = layout.rings[parent],
      let from = layout.position(of: parent), let to = layout.position(of: child),
      let turn = layout.turns[child]
    else { return "" }
    let (start, end) = (middle + from * ringDistance, middle + to * ringDistance)
    if ring == 0 { return "M\(start.text)L\(end.text)" }
    let half = (Double(ring) + 0.5) * ringDistance
    let outwards = middle + from * (half / Double(ring))
    let inwards = middle + Point.onUnitCircle(turn: turn) * half
    return "M\(start.text)C\(outwards.text) \(inwards.text) \(end.text)"
  }

  /// The rings, numbered at the top where no branch goes; of many only some.
  private func addRings(to canvas: inout DrawingCanvas) {
    if depth == 0 { return }
    let every = (depth + 11) / 12
    for ring in stride(from: every, through: depth, by: every) {
      let radius = Double(ring) * ringDistance
      let (length, top) = (NumberText.coordinate(radius), NumberText.coordinate(500 - radius))
      canvas.add(
        """
        <circle cx="500" cy="500" r="\(length)" fill="none" stroke="\(DuskPalette.guide)" \
        stroke-opacity="0.13" stroke-width="1.2"/><text x="500" y="\(top)" dy=".35em" font-size="24" \
        text-anchor="middle" fill="\(DuskPalette.guide)" stroke="\(DuskPalette.sky.top)" stroke-width="7" \
        paint-order="stroke">\(ring)</text>

        """)
    }
  }
}
