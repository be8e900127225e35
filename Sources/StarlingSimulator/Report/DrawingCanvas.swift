/// What the overlay's and the tree's drawing have in common: the canvas and its vertices.
struct DrawingCanvas {
  /// The side of the square drawn on, in the picture's own units.
  static let size = 1_000.0
  /// Up to this many vertices each carries its name.
  static let namedVertices = 64

  private(set) var text = ""

  /// Opens the picture.
  ///
  /// - Parameters:
  ///   - title: what a reader who cannot see it is told.
  ///   - standalone: true for a file of its own, with a sky; false for a part of a page, which brings its own.
  init(title: String, standalone: Bool) {
    let label = MarkupText.escaped(title)
    let names = standalone ? " xmlns=\"http://www.w3.org/2000/svg\" width=\"1000\" height=\"1000\"" : ""
    text = """
      <svg\(names) viewBox="0 0 1000 1000" role="img" aria-label="\(label)" \
      font-family="system-ui, 'Segoe UI', Roboto, sans-serif"><title>\(label)</title>

      """
    if standalone {
      text += """
        <defs><linearGradient id="sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" \
        stop-color="\(DuskPalette.sky.top)"/><stop offset="1" stop-color="\(DuskPalette.sky.bottom)"/>\
        </linearGradient></defs><rect width="1000" height="1000" fill="url(#sky)"/>

        """
    }
  }

  mutating func add(_ markup: String) { text += markup }

  /// Adds paths of one width and colour.
  mutating func addLines(_ path: String, color: String, width: Double, opacity: Double) {
    if path.isEmpty { return }
    let width = NumberText.coordinate(width, decimals: 2)
    let opacity = NumberText.coordinate(opacity, decimals: 3)
    text += """
      <path d="\(path)" fill="none" stroke="\(color)" stroke-width="\(width)" stroke-opacity="\(opacity)" \
      stroke-linecap="round"/>

      """
  }

  /// The picture's text, closed.
  func finished() -> String { text + "</svg>\n" }
}

/// One vertex as it is drawn.
struct DrawnVertex {
  let place: Point
  let radius: Double
  /// Hops from the root; `nil` for a vertex outside the tree.
  let hop: Int?
  /// At most four letters to write on it.
  let name: String
  /// Its number of links as a share of the largest; gives the colour where there is no tree.
  let standing: Double
  /// Whether it is marked as one.
  let isAdversary: Bool
  /// What a reader is told who points at it.
  let tip: String
}

extension DrawingCanvas {
  /// Adds vertices in the colour of their hops, those outside the tree hollow, and rings round the root. Where
  /// there is no tree, the more links a vertex has the warmer is its colour. Adversaries are diamonds of one colour,
  /// and lie on top.
  mutating func addVertices(_ all: [DrawnVertex], depth: Int, treeShown: Bool) {
    let named = all.count <= Self.namedVertices
    let vertices = all.filter { !$0.isAdversary }
    for hop in 0...max(depth, 0) {
      addGroup(
        vertices.filter { $0.hop == hop }, style: "fill=\"\(DuskPalette.color(hop: hop, depth: depth))\"")
    }
    let others = vertices.filter { $0.hop == nil }
    if treeShown {
      let hollow =
        "fill=\"\(DuskPalette.sky.bottom)\" stroke=\"\(DuskPalette.unreached)\" stroke-width=\"1.5\""
      addGroup(others, style: hollow)
    } else {
      let shades = 8
      for shade in 0...shades {
        let members = others.filter { Int((1 - $0.standing) * Double(shades)) == shade }
        addGroup(members, style: "fill=\"\(DuskPalette.color(hop: shade, depth: shades))\"")
      }
    }
    addDiamonds(all.filter(\.isAdversary))
    if let root = all.first(where: { $0.hop == 0 }) { addRings(root) }
    if named { all.forEach { addName($0, hollow: $0.hop == nil && treeShown && !$0.isAdversary) } }
  }

  private mutating func addGroup(_ vertices: [DrawnVertex], style: String) {
    if vertices.isEmpty { return }
    add("<g \(style)>\n")
    for vertex in vertices { addCircle(vertex) }
    add("</g>\n")
  }

  private mutating func addCircle(_ vertex: DrawnVertex) {
    let (x, y) = (NumberText.coordinate(vertex.place.x), NumberText.coordinate(vertex.place.y))
    let radius = NumberText.coordinate(vertex.radius)
    add(
      "<circle cx=\"\(x)\" cy=\"\(y)\" r=\"\(radius)\"><title>\(MarkupText.escaped(vertex.tip))</title></circle>\n"
    )
  }

  /// Their shape tells them apart where colours do not.
  private mutating func addDiamonds(_ vertices: [DrawnVertex]) {
    if vertices.isEmpty { return }
    add("<g fill=\"\(DuskPalette.adversary)\" stroke=\"\(DuskPalette.sky.top)\" stroke-width=\"1\">\n")
    for vertex in vertices {
      let reach = max(vertex.radius * 1.25, 4)
      let side = NumberText.coordinate(reach)
      let start = Point(x: vertex.place.x, y: vertex.place.y - reach)
      add(
        "<path d=\"M\(start.text)l\(side) \(side)l-\(side) \(side)l-\(side) -\(side)Z\">"
          + "<title>\(MarkupText.escaped(vertex.tip))</title></path>\n")
    }
    add("</g>\n")
  }

  private mutating func addRings(_ root: DrawnVertex) {
    let (x, y) = (NumberText.coordinate(root.place.x), NumberText.coordinate(root.place.y))
    for (distance, opacity) in [(4.0, "0.95"), (10.0, "0.4")] {
      let radius = NumberText.coordinate(root.radius + distance)
      add(
        """
        <circle cx="\(x)" cy="\(y)" r="\(radius)" fill="none" stroke="\(DuskPalette.root)" \
        stroke-width="2" stroke-opacity="\(opacity)"/>

        """)
    }
  }

  private mutating func addName(_ vertex: DrawnVertex, hollow: Bool) {
    // On smaller vertices nobody could read it.
    guard vertex.radius >= 9 else { return }
    let (x, y) = (NumberText.coordinate(vertex.place.x), NumberText.coordinate(vertex.place.y))
    // Four letters are as wide as the vertex in half of the size of two.
    let size = NumberText.coordinate(vertex.radius * min(1, 2.4 / Double(max(vertex.name.count, 1))))
    let color = hollow ? DuskPalette.guide : DuskPalette.letter
    add(
      """
      <text x="\(x)" y="\(y)" dy=".35em" font-size="\(size)" font-weight="600" text-anchor="middle" \
      fill="\(color)" pointer-events="none">\(MarkupText.escaped(vertex.name))</text>

      """)
  }
}
