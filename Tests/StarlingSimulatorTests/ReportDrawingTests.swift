import StarlingCore
import Testing

@testable import StarlingSimulator

@Suite("Report drawings")
struct ReportDrawingTests {
  private func randomOverlay(_ peers: Int, degree: Int, seed: UInt64) -> (DirectedGraph, RootedTree?) {
    var random = Xoshiro256(seed: seed)
    let graph = DirectedGraph(
      adjacency: (0..<peers).map { _ in (0..<degree).map { _ in random.uniform(below: peers) } })
    return (graph, RootedTree(root: 0, parents: graph.undirected().breadthFirstSearch(from: 0).parents))
  }

  @Test("A tree's hops, branches and children follow from its parents, and strays are not in it")
  func rootedTree() throws {
    // 0 feeds 1 and 2, 1 feeds 3; 4 and 5 feed each other, 6 claims a parent that is not there, 7 itself.
    let tree = try #require(RootedTree(root: 0, parents: [3, 0, 0, 1, 5, 4, 99, 7]))
    #expect(tree.walk.hops == [0, 1, 1, 2, nil, nil, nil, nil])
    #expect(tree.branchSizes == [4, 2, 1, 1, 0, 0, 0, 0])
    #expect(tree.reached == 4)
    #expect(tree.depth == 2)
    #expect(Array(tree.children.neighbors(of: 0)) == [1, 2])
    #expect(tree.restricted(to: [0, 1, 3])?.walk.hops == [0, 1, 2])
    #expect(tree.restricted(to: [0, 3])?.walk.hops == [0, nil])
    #expect(RootedTree(root: 8, parents: [nil]) == nil)
    let links = RootedTree(root: 2, links: [(0, 1), (1, 2), (2, 9), (-1, 0)], vertexCount: 3)
    #expect(links?.walk.hops == [2, 1, 0])
  }

  @Test("The unit circle is exact to ten digits in every quarter")
  func unitCircle() {
    let root = 0.5.squareRoot()
    for (turn, x, y) in [
      (0.0, 0.0, -1.0), (0.125, root, -root), (0.25, 1, 0), (0.375, root, root), (0.5, 0, 1), (0.75, -1, 0),
      (1.0 / 12, 0.5, -0.75.squareRoot()), (1.875, -root, -root), (-0.25, -1, 0),
    ] {
      let point = Point.onUnitCircle(turn: turn)
      #expect((point.x - x).magnitude < 1e-10 && (point.y - y).magnitude < 1e-10, "\(turn)")
    }
  }

  @Test("The repulsion summed over squares is near that summed over points")
  func repulsion() {
    var random = Xoshiro256(seed: graphTestSeed)
    let points = (0..<300).map { _ in Point(x: random.unit() * 10, y: random.unit() * random.unit() * 10) }
    let tree = RepulsionTree(points)
    var stack: [(cell: Int, side: Double)] = []
    for point in points {
      var exact = Point(x: 0, y: 0)
      var total = 0.0
      for other in points where other != point {
        let away = point - other
        exact = exact + away * (1 / (away.length * away.length))
        total += 1 / away.length
      }
      #expect((tree.push(on: point, stack: &stack) - exact).length < total * 0.05)
    }
  }

  @Test("Points in one place are laid out without end of division")
  func coincident() {
    let tree = RepulsionTree([Point](repeating: Point(x: 1, y: 1), count: 50))
    var stack: [(cell: Int, side: Double)] = []
    #expect(tree.push(on: Point(x: 1, y: 1), stack: &stack).length == 0)
  }

  @Test("A layout is the same in debug and release and on any machine")
  func golden() {
    let (graph, tree) = randomOverlay(60, degree: 4, seed: 7)
    let layout = ForceLayout(graph, skeleton: tree, emphasised: true, seed: 1)
    var hash: UInt64 = 0
    for point in layout.positions {
      hash = SplitMix64.mix(hash ^ point.x.bitPattern)
      hash = SplitMix64.mix(hash ^ point.y.bitPattern)
    }
    #expect(hash == 12_785_357_986_490_637_937, "the layout's rules have changed if this is meant: \(hash)")
  }

  @Test("Every vertex of a drawing is inside it, and at 32 peers none covers another", arguments: 1...10)
  func inside(seed: UInt64) throws {
    let (graph, tree) = randomOverlay(32, degree: 5, seed: seed &+ graphTestSeed)
    let circles = self.circles(in: OverlayDrawing(graph: graph, tree: tree, seed: seed).svg())
    #expect(circles.count == 34, "32 peers and the root's two rings")
    for circle in circles {
      #expect(circle.x - circle.radius >= 0 && circle.x + circle.radius <= 1_000)
      #expect(circle.y - circle.radius >= 0 && circle.y + circle.radius <= 1_000)
    }
    let peers = circles.prefix(32)
    for (i, a) in peers.enumerated() {
      for b in peers.dropFirst(i + 1) {
        let distance = Point(x: a.x - b.x, y: a.y - b.y).length
        #expect(distance >= a.radius + b.radius, "seed \(seed): \(a) and \(b)")
      }
    }
  }

  @Test("A tree's rings have the sender in the middle and every peer at its hop, and branches do not cross")
  func rings() throws {
    let (_, whole) = randomOverlay(200, degree: 3, seed: graphTestSeed)
    let tree = try #require(whole)
    let layout = RadialLayout(tree)
    for vertex in tree.walk.order {
      let place = try #require(layout.position(of: vertex))
      #expect((place.length - Double(tree.walk.hops[vertex] ?? -1)).magnitude < 1e-9)
    }
    // Branches do not cross if on every ring the vertices in order of angle have parents in order of angle.
    for ring in 2...tree.depth {
      let members = tree.walk.order.filter { layout.rings[$0] == ring }
        .sorted { (layout.turns[$0] ?? 0) < (layout.turns[$1] ?? 0) }
      let parents = members.compactMap { tree.walk.parents[$0].flatMap { layout.turns[$0] } }
      #expect(parents == parents.sorted())
    }
  }

  @Test("Of a large overlay a sample is drawn that keeps the sender and whole paths, and the page says so")
  func sample() {
    let (graph, tree) = randomOverlay(3_000, degree: 3, seed: 3)
    let limits = DrawingLimits(vertices: 200, links: 100)
    let sample = DrawnSample(limit: 200, tree: tree, total: 3_000, seed: 1)
    #expect((150...200).contains(sample.originals.count))
    #expect(tree?.restricted(to: sample.originals)?.reached == sample.originals.count)
    let drawing = OverlayDrawing(graph: graph, tree: tree, limits: limits)
    #expect(drawing.caption.contains("A sample of \(sample.originals.count) of 3,000 peers"))
    #expect(drawing.caption.contains("only some"))
    #expect(circles(in: drawing.svg()).count == sample.originals.count + 2)
  }

  @Test("A page of 2,000 peers with views of 16 stays under 3 MB")
  func pageSize() {
    let (graph, tree) = randomOverlay(2_000, degree: 16, seed: 2)
    var report = OverlayReport(
      title: "t", commandLine: "c", views: (0..<2_000).map { graph.neighbors(of: $0).map { Int($0) } })
    report.tree = tree
    report.peers.names = (0..<2_000).map { "127.0.0.1:\(10_000 + $0)" }
    #expect(report.page().html().utf8.count < 3_000_000)
  }

  @Test("Peers that are not on the tree are drawn hollow and counted")
  func unreached() {
    let graph = DirectedGraph(adjacency: [[1], [0], [0], []])
    let drawing = OverlayDrawing(graph: graph, tree: RootedTree(root: 0, parents: [nil, 0, nil, nil]))
    #expect(drawing.caption.contains("2 hollow ones are not on it"))
    #expect(drawing.svg().contains("peer 3, view 0, in 0, not on the tree"))
  }

  @Test("Peers are called by their own numbers in drawings, and adversaries are diamonds that a legend names")
  func numbersAndAdversaries() {
    let graph = DirectedGraph(adjacency: [[1], [0], [0]])
    let tree = RootedTree(root: 0, parents: [nil, 0, 1])
    var report = OverlayReport(title: "t", commandLine: "c", graph: graph)
    report.peers = DrawnPeers(noun: "node", numbers: [4, 17, 1_022], adversaries: [false, true])
    report.tree = tree
    let drawing = OverlayDrawing(graph: graph, tree: tree, message: "“f”", peers: report.peers)
    let svg = drawing.svg()
    #expect(svg.contains("the tree that “f” took from node 4") && svg.contains("Diamonds are adversaries"))
    #expect(
      svg.contains("node 17, an adversary") && svg.contains(">17</text>") && svg.contains(">1022</text>"))
    let stray = OverlayDrawing(
      graph: graph, tree: RootedTree(root: 0, parents: [nil, nil, nil]), peers: report.peers)
    #expect(stray.caption.contains("1 hollow one is not on it"), "the adversary is a diamond, not hollow")
    #expect(!svg.contains("peer 0") && !svg.contains("node 2,"))
    #expect(circles(in: svg).count == 4, "two honest nodes and the root's rings")
    let html = report.page().html()
    #expect(html.contains("</i>adversary</li>"))
    // The figures leave it out: of its three nodes two are counted, and one entry of a view.
    #expect(html.contains("<th scope=\"row\">nodes</th><td data-label=\"count\">2</td>"))
    #expect(
      html.contains(
        "<th scope=\"row\">entries of views that name one of them</th><td data-label=\"count\">1</td>"))
    report.peers.adversaries = []
    #expect(!report.page().html().contains("adversary"))
  }

  @Test("Branches of a contracted tree lead past the vertices that are left out")
  func contracted() {
    // 0 feeds 1, 1 feeds 2, 2 feeds 3; 4 is not on the tree.
    let tree = RootedTree(root: 0, parents: [nil, 0, 1, 2, nil])
    let contracted = tree?.contracted(to: [0, 3, 4])
    #expect(contracted?.walk.parents == [nil, 0, nil] && contracted?.reached == 2)
    #expect(tree?.contracted(to: [1, 2]) == nil)
  }

  @Test("A vertex without links lies beside the others, not so far that they shrink to a point")
  func strays() {
    let (graph, tree) = randomOverlay(60, degree: 4, seed: 7)
    let rows = (0..<60).map { graph.neighbors(of: $0).map { Int($0) } } + [[], []]
    let layout = ForceLayout(
      DirectedGraph(adjacency: rows),
      skeleton: RootedTree(root: 0, parents: (tree?.walk.parents ?? []) + [nil, nil]), emphasised: true,
      seed: 1)
    let reach = layout.positions.prefix(60).map(\.length).max() ?? 0
    #expect(layout.positions.suffix(2).allSatisfy { $0.length < 1.5 * reach + 1 })
  }

  @Test(
    "Separate components lie side by side, none over another, and not so far apart that each is a point",
    arguments: [2, 3, 8])
  func components(count: Int) throws {
    let size = 30
    // Rings with chords, the second one smaller than the others.
    let adjacency = (0..<count).flatMap { part in
      (0..<size).map { vertex in
        vertex >= size / 2 && part == 1
          ? [] : [1, 7].map { part * size + (vertex + $0) % (part == 1 ? size / 2 : size) }
      }
    }
    let layout = ForceLayout(DirectedGraph(adjacency: adjacency), skeleton: nil, emphasised: false, seed: 1)
    let places = layout.fitted(size: 1_000, margin: 0)
    let circles = (0..<count).map { part in
      let own = (0..<(part == 1 ? size / 2 : size)).map { places[part * size + $0] }
      let middle = own.reduce(Point(x: 0, y: 0)) { $0 + $1 } * (1 / Double(own.count))
      return (middle, own.map { ($0 - middle).length }.max() ?? 0)
    }
    for (i, a) in circles.enumerated() {
      for b in circles[..<i] { #expect((a.0 - b.0).length > a.1 + b.1, "components lie over each other") }
    }
    let widest = 2 * (circles.map(\.1).max() ?? 0)
    #expect(widest > (count == 2 ? 400 : count == 3 ? 250 : 150), "\(widest)")
  }

  @Test("A short name is written on its vertex, a long one only in its tip")
  func names() {
    let graph = DirectedGraph(adjacency: [[1], [0]])
    let svg = OverlayDrawing(graph: graph, peers: DrawnPeers(names: ["root", "127.0.0.1:9001"])).svg()
    #expect(svg.contains(">root</text>") && svg.contains(">1</text>"))
    #expect(svg.contains("peer 1, 127.0.0.1:9001, view 1, in 1</title>"))
  }

  @Test("A drawing of its own is one well-formed SVG")
  func standalone() {
    let (graph, tree) = randomOverlay(20, degree: 3, seed: 4)
    for svg in [OverlayDrawing(graph: graph).svg(), tree.map { TreeDrawing(tree: $0).svg() } ?? ""] {
      #expect(MarkupChecker(svg).problems.isEmpty)
      #expect(svg.hasPrefix("<svg xmlns=\"http://www.w3.org/2000/svg\""))
    }
  }

  private func circles(in svg: String) -> [(x: Double, y: Double, radius: Double)] {
    svg.split(separator: "<circle ").dropFirst().compactMap { part in
      let values = part.split(separator: "\"", maxSplits: 6, omittingEmptySubsequences: false)
      guard values.count > 5, let x = Double(values[1]), let y = Double(values[3]),
        let radius = Double(values[5])
      else { return nil }
      return (x, y, radius)
    }
  }
}
