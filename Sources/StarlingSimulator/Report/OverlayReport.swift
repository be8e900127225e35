/// The report on an overlay and on how a message spread in it, for simulated peers and for real ones alike.
///
/// Whatever was not measured is left empty, and the page then leaves out what it would show.
public struct OverlayReport: Sendable {
  /// The heading.
  public var title: String
  /// A sentence under the heading.
  public var subtitle = ""
  /// The command that made the report, as it can be typed again.
  public var commandLine: String
  /// The figures at the top.
  public var summary: [ReportFigure] = []
  /// The partial views: an edge from a peer to each that it sends to.
  public var graph: DirectedGraph
  /// How the peers are called. Adversaries among them are drawn and marked, and left out of all figures.
  public var peers = DrawnPeers()
  /// What the message whose way is shown is called, such as `the last message`.
  public var message = "the message"
  /// A sentence on that message, such as how many others there were; may be empty.
  public var messageNote = ""
  /// How many peers besides the sender should have delivered it; all of the graph if `nil`.
  public var addressees: Int?
  /// The tree that a message took.
  public var tree: RootedTree?
  /// The sizes of the partial views that are counted, whoever is in them; if empty, those of `graph`, without the
  /// adversaries' own.
  public var viewSizes: [Int] = []
  /// A sentence on what of the views is counted; may be empty.
  public var viewNote = ""
  /// The mean view size that the overlay's law expects, and how to write it, such as `(c+1)·ln N`.
  public var viewSizeLaw: (value: Double, name: String)?
  /// When its addressees delivered the message, in milliseconds after its sending, in any order.
  public var deliveryTimes: [Double] = []
  /// How many hops the first copy made to each peer other than the sender; if empty, the tree's are shown.
  public var hops: [Int] = []
  /// How many messages each peer sent.
  public var messagesPerPeer: [Int] = []
  /// What these are called, in the plural.
  public var loadUnit = "messages"
  /// What went wrong when, if anything did.
  public var timeline: FaultTimeline?
  /// Tables to show besides the report's own, such as one of the files sent.
  public var tables: [ReportTable] = []
  /// Sentences at the end.
  public var notes: [String] = []
  /// How much the drawings may show.
  public var limits = DrawingLimits()
  /// The seed of the drawings.
  public var seed: UInt64 = 1

  /// A report on an overlay, to which the other measures are added by setting them.
  ///
  /// - Parameters:
  ///   - title: the heading.
  ///   - commandLine: the command that made it.
  ///   - graph: the partial views.
  public init(title: String, commandLine: String, graph: DirectedGraph) {
    self.title = title
    self.commandLine = commandLine
    self.graph = graph
  }

  /// A report on an overlay, to which the other measures are added by setting them.
  ///
  /// - Parameters:
  ///   - title: the heading.
  ///   - commandLine: the command that made it.
  ///   - views: each peer's partial view; what names no peer is left out.
  public init(title: String, commandLine: String, views: [[Int]]) {
    self.init(title: title, commandLine: commandLine, graph: DirectedGraph(adjacency: views))
  }

  /// The page, with its drawings laid out.
  public func page() -> ReportPage {
    let sections = [faults, picture, spread, acquaintance, figures, ending]
    return ReportPage(
      title: title, subtitle: subtitle, commandLine: commandLine, summary: summary,
      sections: sections.filter { !$0.items.isEmpty })
  }

  private var faults: ReportSection {
    ReportSection(
      "What went wrong, and what it did",
      introduction:
        "A band for each fault, and below, over the same time, how the network fared.",
      items: timeline.map { [.timeline($0)] } ?? [])
  }

  private var picture: ReportSection {
    if graph.vertexCount == 0 { return ReportSection("", items: []) }
    var items: [ReportItem] = [
      .overlay(
        OverlayDrawing(graph: graph, tree: tree, message: message, peers: peers, seed: seed, limits: limits))
    ]
    if let tree {
      items.append(
        .tree(TreeDrawing(tree: tree, message: message, peers: peers, seed: seed, limits: limits)))
    }
    return ReportSection(
      tree == nil ? "The overlay" : "The overlay and the tree in it",
      introduction:
        "Every \(peers.noun) knows only a few others. Linked ones are drawn near each other, larger ones "
        + "have more links"
        + (tree == nil
          ? " and warmer colours." : ", and the colour tells how many hops \(message) made to them."),
      items: items)
  }

  private var spread: ReportSection {
    var items: [ReportItem] = []
    if !deliveryTimes.isEmpty {
      let others = max(addressees ?? judged.vertexCount - 1, deliveryTimes.count, 1)
      items.append(
        .curve(Curve("\(capitalised) reached", deliveryTimes: deliveryTimes, of: others, called: plural)))
      items.append(
        .histogram(
          Histogram(
            "Time to delivery", axis: "milliseconds after sending", counted: plural, values: deliveryTimes)))
    }
    if !deliveredHops.isEmpty {
      items.append(
        .histogram(Histogram("Hops to delivery", axis: "hops", counted: plural, values: deliveredHops)))
    }
    return ReportSection(
      "How \(message) spread",
      introduction:
        "From the sender's first copy to each \(peers.noun)'s first receipt; the sender itself is not counted."
        + (messageNote.isEmpty ? "" : " " + messageNote),
      items: items)
  }

  private var deliveredHops: [Double] {
    if !hops.isEmpty { return hops.map(Double.init) }
    return tree?.walk.order.dropFirst().compactMap { tree?.walk.hops[$0].map(Double.init) } ?? []
  }

  private var plural: String { peers.noun + "s" }
  private var capitalised: String { plural.prefix(1).uppercased() + plural.dropFirst() }

  /// A figure for each peer that is no adversary.
  private func correct(_ figures: [Int]) -> [Int] {
    figures.indices.filter { !peers.isAdversary($0) }.map { figures[$0] }
  }
  private var outDegrees: [Int] { viewSizes.isEmpty ? correct(graph.outDegrees) : viewSizes }
  private var inDegrees: [Int] { correct(graph.inDegrees) }

  /// The graph without adversaries: what connectivity is about.
  private var judged: DirectedGraph {
    let kept = (0..<graph.vertexCount).map { !peers.isAdversary($0) }
    return kept.contains(false) ? graph.induced(on: kept).graph : graph
  }

  private var acquaintance: ReportSection {
    if graph.vertexCount == 0 { return ReportSection("", items: []) }
    let noun = peers.noun
    let law = viewSizeLaw.map { ($0.value, "\($0.name) = \(NumberText.readable($0.value))") }
    var items: [ReportItem] = [
      .histogram(
        Histogram(
          "Partial views", axis: "\(plural) that a \(noun) knows", counted: plural,
          values: outDegrees.map(Double.init), law: law)),
      .histogram(
        Histogram(
          "In-views", axis: "\(plural) that know a \(noun)", counted: plural,
          values: inDegrees.map(Double.init))),
    ]
    if !messagesPerPeer.isEmpty {
      items.append(
        .histogram(
          Histogram(
            "Load", axis: "\(loadUnit) that a \(noun) sent", counted: plural,
            values: messagesPerPeer.map(Double.init))))
    }
    return ReportSection(
      "Who knows whom",
      introduction:
        "A partial view holds the \(plural) that a \(noun) sends to, an in-view those that send to it"
        + (law == nil ? "." : "; the dashed line is the mean that the law expects.")
        + (viewNote.isEmpty ? "" : " " + viewNote),
      items: items)
  }

  private var figures: ReportSection {
    let rows: [(String, Distribution?)] = [
      ("time to delivery, ms", Distribution(deliveryTimes)), ("hops", Distribution(deliveredHops)),
      ("partial view", Distribution(outDegrees)), ("in-view", Distribution(inDegrees)),
      ("\(loadUnit) sent", Distribution(messagesPerPeer)),
    ]
    let known = rows.compactMap { name, spread in spread.map { (name, $0) } }
    if known.isEmpty && tables.isEmpty { return ReportSection("", items: []) }
    var items = tables.map { ReportItem.table($0) }
    if !known.isEmpty { items.append(.table(ReportTable("Distributions", distributions: known))) }
    if graph.vertexCount > 0 { items.append(.table(connectivity)) }
    return ReportSection("In figures", items: items)
  }

  private var connectivity: ReportTable {
    let graph = judged
    let (weak, strong) = (graph.weakComponents(), graph.strongComponents())
    var rows = [
      [plural, NumberText.whole(graph.vertexCount)],
      ["entries of views that name one of them", NumberText.whole(graph.edgeCount)],
      ["components", NumberText.whole(weak.count)], ["strong components", NumberText.whole(strong.count)],
      ["largest strong component", NumberText.whole(strong.largest)],
      ["cut \(plural)", NumberText.whole(graph.articulationPoints().count)],
    ]
    if let tree {
      rows.append(["on the tree of \(message)", NumberText.whole(tree.reached)])
      rows.append(["depth of the tree", NumberText.whole(tree.depth)])
    }
    return ReportTable(
      "Connectivity", columns: ["", "count"], rows: rows,
      caption: "Without a cut \(peers.noun) its component would fall apart."
        + (peers.adversaries.contains(true) ? " Adversaries are not counted, but for those on the tree." : "")
    )
  }

  private var ending: ReportSection {
    ReportSection("Notes", items: notes.map { .note($0) })
  }
}
