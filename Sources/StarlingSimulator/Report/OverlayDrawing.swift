import StarlingCore

/// A picture of an overlay: who has whom in view, and the tree that a message took through it.
public struct OverlayDrawing: Sendable {
  /// A sentence on what is to be seen, with the share drawn if it is a sample.
  public let caption: String
  /// The hops to the farthest peer drawn; `nil` if there is no tree.
  public let depth: Int?
  /// Whether an adversary is drawn.
  public let hasAdversaries: Bool
  private let graph: DirectedGraph
  private let tree: RootedTree?
  private let vertices: [DrawnVertex]
  private let limits: DrawingLimits

  /// Lays the picture out; the same input gives the same picture on every machine.
  ///
  /// - Parameters:
  ///   - graph: the partial views.
  ///   - tree: the tree of a message, drawn over them; of as many vertices as `graph`, or it is not drawn.
  ///   - message: what the message is called.
  ///   - peers: how the peers are called, and which are marked.
  ///   - seed: of the sample and of the small displacements that the layout begins with.
  ///   - limits: above these a sample is drawn, and the caption says so.
  public init(
    graph: DirectedGraph, tree: RootedTree? = nil, message: String = "the message",
    peers: DrawnPeers = DrawnPeers(), seed: UInt64 = 1, limits: DrawingLimits = DrawingLimits()
  ) {
    let tree = tree?.vertexCount == graph.vertexCount ? tree : nil
    // Without a tree to show, one of shortest paths still gives the layout a good start and a sample its paths.
    let skeleton = tree ?? Self.skeleton(graph)
    let sample = DrawnSample(limit: limits.vertices, tree: skeleton, total: graph.vertexCount, seed: seed)
    let kept = Self.flags(sample)
    let drawn = sample.isWhole ? graph : graph.induced(on: kept).graph
    let drawnSkeleton = sample.isWhole ? skeleton : skeleton?.restricted(to: sample.originals)
    let drawnTree = tree == nil ? nil : drawnSkeleton
    let layout = ForceLayout(
      drawn, skeleton: drawnSkeleton, emphasised: tree != nil || !sample.isWhole, seed: seed)

    let sizes = VertexSizes(graph)
    let margin = sizes.largest + 16
    let places = layout.fitted(size: DrawingCanvas.size, margin: margin)
    vertices = places.enumerated().map { index, place in
      let original = sample.originals[index]
      let hop = drawnTree?.walk.hops[index]
      return DrawnVertex(
        place: place, radius: sizes.radius(original, among: places.count), hop: hop,
        name: peers.label(original),
        standing: sizes.standing(original), isAdversary: peers.isAdversary(original),
        tip: peers.tip(original, hop: hop, isTreeShown: tree != nil, sizes: sizes))
    }
    hasAdversaries = vertices.contains(where: \.isAdversary)
    self.graph = drawn
    self.tree = drawnTree
    self.limits = limits
    depth = drawnTree?.depth
    caption =
      Self.caption(sample, links: drawn.edgeCount, hasTree: tree != nil, limits, peers)
      + Self.caption(on: tree, message: message, peers)
      + (hasAdversaries ? " Diamonds are adversaries." : "")
  }

  /// The picture as SVG.
  ///
  /// - Parameter standalone: true for a file of its own; false for a part of an HTML page.
  public func svg(standalone: Bool = true) -> String {
    var canvas = DrawingCanvas(title: "The overlay. " + caption, standalone: standalone)
    addLinks(to: &canvas)
    addTree(to: &canvas)
    canvas.addVertices(vertices, depth: depth ?? 0, treeShown: tree != nil)
    return canvas.finished()
  }

  /// Links in several paths, since where lines of one path cross they do not add up to something brighter.
  private func addLinks(to canvas: inout DrawingCanvas) {
    let links = drawnLinks()
    let layers = min(max(links.count / 400, 1), 14)
    let density = Double(links.count) / DrawingCanvas.size
    let opacity = min(0.42, max(0.085, 0.42 / (1 + density)))
    let width = vertices.count > 400 ? 0.6 : 1.3
    for layer in 0..<layers {
      var path = ""
      for index in stride(from: layer, to: links.count, by: layers) {
        path += segment(links[index].0, links[index].1)
      }
      canvas.addLines(path, color: DuskPalette.link, width: width, opacity: opacity)
    }
  }

  /// The links outside the tree, each once, or every so manieth of too many.
  private func drawnLinks() -> [(Int, Int)] {
    let both = graph.undirected()
    var links: [(Int, Int)] = []
    for u in 0..<both.vertexCount {
      for target in both.neighbors(of: u) where Int(target) > u {
        let v = Int(target)
        if tree?.walk.parents[u] == v || tree?.walk.parents[v] == u { continue }
        links.append((u, v))
      }
    }
    if links.count <= limits.links { return links }
    return (0..<limits.links).map { links[$0 * links.count / limits.links] }
  }

  /// The tree, a branch the wider the more peers it feeds, the widest last so that they lie on top.
  private func addTree(to canvas: inout DrawingCanvas) {
    guard let tree else { return }
    let branches = TreeBranches(tree, count: vertices.count)
    for level in branches.levels {
      let path = level.children.reduce(into: "") { path, child in
        if let parent = tree.walk.parents[child] { path += segment(parent, child) }
      }
      canvas.addLines(path, color: DuskPalette.accent, width: level.width, opacity: level.opacity)
    }
  }

  /// A link as part of a path: bent a little where there are few, so that neighbouring ones stay apart.
  private func segment(_ u: Int, _ v: Int) -> String {
    let (a, b) = (vertices[u].place, vertices[v].place)
    if vertices.count > 200 { return "M\(a.text)L\(b.text)" }
    let across = Point(x: a.y - b.y, y: b.x - a.x)
    let bend = (a + b) * 0.5 + across * 0.08
    return "M\(a.text)Q\(bend.text) \(b.text)"
  }

  private static func skeleton(_ graph: DirectedGraph) -> RootedTree? {
    let both = graph.undirected()
    let degrees = both.outDegrees
    guard let most = degrees.max(), let hub = degrees.firstIndex(of: most) else { return nil }
    return RootedTree(root: hub, parents: both.breadthFirstSearch(from: hub).parents)
  }

  private static func flags(_ sample: DrawnSample) -> [Bool] {
    var kept = [Bool](repeating: false, count: sample.total)
    for vertex in sample.originals { kept[vertex] = true }
    return kept
  }

  private static func caption(
    _ sample: DrawnSample, links: Int, hasTree: Bool, _ limits: DrawingLimits, _ peers: DrawnPeers
  ) -> String {
    let all = Quantity.count(sample.total, peers.noun)
    let text =
      sample.isWhole
      ? (sample.total == 1 ? "One \(peers.noun)" : "All \(all)")
        + " and the \(Quantity.count(links, "entry", "entries")) of their views."
      : "A sample of \(NumberText.whole(sample.originals.count)) of \(all)"
        + (hasTree ? ", each with its whole path to the sender." : ".")
    return text + (links > limits.links ? " Of the faint links only some are drawn." : "")
  }

  private static func caption(on tree: RootedTree?, message: String, _ peers: DrawnPeers) -> String {
    guard let tree else { return "" }
    let text = " The bright branches are the tree that \(message) took from \(peers.title(tree.root))"
    let missing = tree.walk.hops.indices.count { tree.walk.hops[$0] == nil && !peers.isAdversary($0) }
    if missing == 0 { return text + "." }
    let hollow = missing == 1 ? "1 hollow one is" : "\(NumberText.whole(missing)) hollow ones are"
    return text + "; \(hollow) not on it: not reached, or by way of a \(peers.noun) that is gone."
  }
}
