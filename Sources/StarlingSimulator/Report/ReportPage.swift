/// One figure of a report's summary, such as `reliability` `1.000`.
public struct ReportFigure: Hashable, Sendable {
  /// What it is.
  public var label: String
  /// The figure as it is shown.
  public var value: String
  /// A few words under it, such as the definition; may be empty.
  public var detail: String

  /// A figure already in words.
  ///
  /// - Parameters:
  ///   - label: what it is.
  ///   - value: as it is shown.
  ///   - detail: a few words under it.
  public init(_ label: String, _ value: String, detail: String = "") {
    self.label = label
    self.value = value
    self.detail = detail
  }

  /// A count, shown with its thousands apart.
  ///
  /// - Parameters:
  ///   - label: what it is.
  ///   - count: any whole number.
  ///   - detail: a few words under it.
  public init(_ label: String, count: Int, detail: String = "") {
    self.init(label, NumberText.whole(count), detail: detail)
  }

  /// A measure.
  ///
  /// - Parameters:
  ///   - label: what it is.
  ///   - number: the measure; a dash is shown if it is not finite.
  ///   - decimals: how many decimals are shown, 0 ... 9; `nil` leaves it to the number's size.
  ///   - unit: written after it, such as `ms`.
  ///   - detail: a few words under it.
  public init(
    _ label: String, number: Double, decimals: Int? = nil, unit: String = "", detail: String = ""
  ) {
    let text = decimals.map { NumberText.fixed(number, decimals: min(max($0, 0), 9)) }
    let space = unit.isEmpty || unit == "%" ? "" : "\u{202F}"
    self.init(label, (text ?? NumberText.readable(number)) + space + unit, detail: detail)
  }
}

/// One thing that a section shows.
public enum ReportItem: Sendable {
  /// How values are spread.
  case histogram(Histogram)
  /// One quantity over another.
  case curve(Curve)
  /// An overlay's picture.
  case overlay(OverlayDrawing)
  /// A tree's picture.
  case tree(TreeDrawing)
  /// What went wrong when.
  case timeline(FaultTimeline)
  /// Rows and columns.
  case table(ReportTable)
  /// A paragraph.
  case note(String)
}

/// A part of a report with a heading of its own.
public struct ReportSection: Sendable {
  /// The heading.
  public var title: String
  /// A sentence or two under it; may be empty.
  public var introduction: String
  /// What it shows, in this order.
  public var items: [ReportItem]

  /// A section.
  ///
  /// - Parameters:
  ///   - title: the heading.
  ///   - introduction: a sentence or two under it.
  ///   - items: what it shows.
  public init(_ title: String, introduction: String = "", items: [ReportItem]) {
    self.title = title
    self.introduction = introduction
    self.items = items
  }
}

/// A report as one HTML page that needs nothing else: no scripts, no files beside it, no network.
///
/// It is light or dark as the reader's system is, fits a telephone, and is the same bytes for the same input.
public struct ReportPage: Sendable {
  /// The heading.
  public var title: String
  /// A sentence under the heading; may be empty.
  public var subtitle: String
  /// The command that made the page, as it can be typed again; none is shown if it is empty.
  public var commandLine: String
  /// The figures at the top.
  public var summary: [ReportFigure]
  /// What follows them.
  public var sections: [ReportSection]

  /// A page. Any text may hold any characters: they are shown, never obeyed.
  ///
  /// - Parameters:
  ///   - title: the heading.
  ///   - subtitle: a sentence under it.
  ///   - commandLine: the command that made the page.
  ///   - summary: the figures at the top.
  ///   - sections: what follows them.
  public init(
    title: String, subtitle: String = "", commandLine: String, summary: [ReportFigure] = [],
    sections: [ReportSection] = []
  ) {
    self.title = title
    self.subtitle = subtitle
    self.commandLine = commandLine
    self.summary = summary
    self.sections = sections
  }

  /// The page.
  public func html() -> String {
    let title = MarkupText.escaped(title)
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8"/>
      <meta name="viewport" content="width=device-width, initial-scale=1"/>
      <meta name="color-scheme" content="light dark"/>
      <meta name="generator" content="starling"/>
      <title>\(title)</title>
      <style>
      \(ReportStyle.sheet)</style>
      </head>
      <body>
      <header>
      \(ReportBanner.flock())<div class="page">
      <p class="brand">starling</p>
      <h1>\(title)</h1>
      \(paragraph(subtitle, class: "subtitle"))</div>
      </header>
      <main class="page">
      \(command)\(figures)\(sections.map(Self.section).joined())</main>
      <footer class="page"><p>Made by starling. Everything on this page is in this one file.</p></footer>
      </body>
      </html>

      """
  }

  private func paragraph(_ text: String, class name: String) -> String {
    text.isEmpty ? "" : "<p class=\"\(name)\">\(MarkupText.escaped(text))</p>\n"
  }

  private var command: String {
    if commandLine.isEmpty { return "" }
    return """
      <div class="command"><span>Made by</span><code>\(words)</code></div>

      """
  }

  /// The command line in pieces that are not broken: an option and its value stay together, and no line ends in the
  /// middle of two hyphens.
  private var words: String {
    var pieces: [String] = []
    for word in commandLine.split(separator: " ", omittingEmptySubsequences: false).map(String.init) {
      if let last = pieces.last, last.hasPrefix("--"), !last.contains(" "), !word.hasPrefix("--") {
        pieces[pieces.count - 1] += " " + word
      } else {
        pieces.append(word)
      }
    }
    return pieces.map { "<span>\(MarkupText.escaped($0))</span>" }.joined(separator: " ")
  }

  private var figures: String {
    if summary.isEmpty { return "" }
    let tiles = summary.map { figure in
      let detail = figure.detail.isEmpty ? "" : "<small>\(MarkupText.escaped(figure.detail))</small>"
      return """
        <div><dt>\(MarkupText.escaped(figure.label))</dt>\
        <dd><b\(figure.value.count > 9 ? " class=\"long\"" : "")>\(MarkupText.escaped(figure.value))</b>\
        \(detail)</dd></div>

        """
    }
    // Rows of at most six, as equal as can be; those of the last share what is left.
    let rows = (summary.count + 5) / 6
    let columns = (summary.count + rows - 1) / rows
    return "<dl class=\"summary\" style=\"--columns:\(columns)\">\n\(tiles.joined())</dl>\n"
  }

  private static func section(_ section: ReportSection) -> String {
    let introduction =
      section.introduction.isEmpty
      ? "" : "<p class=\"lead\">\(MarkupText.escaped(section.introduction))</p>\n"
    return """
      <section>
      <h2>\(MarkupText.escaped(section.title))</h2>
      \(introduction)<div class="items">
      \(section.items.map(item).joined())</div>
      </section>

      """
  }

  private static func item(_ item: ReportItem) -> String {
    switch item {
    case .histogram(let histogram): histogram.html()
    case .curve(let curve): curve.html()
    case .overlay(let drawing):
      plate(
        drawing.svg(standalone: false), title: "The overlay", drawing.caption,
        legend(depth: drawing.depth, hasAdversaries: drawing.hasAdversaries))
    case .tree(let drawing):
      plate(
        drawing.svg(standalone: false), title: "The tree", drawing.caption,
        legend(depth: drawing.depth, hasAdversaries: drawing.hasAdversaries))
    case .timeline(let timeline): timeline.html()
    case .table(let table): table.html()
    case .note(let text): "<p class=\"note\">\(MarkupText.escaped(text))</p>\n"
    }
  }

  private static func plate(_ svg: String, title: String, _ caption: String, _ legend: String) -> String {
    """
    <figure class="plate">
    <div class="sky">\(svg)</div>
    <figcaption><h3>\(title)</h3>\(legend)<p>\(MarkupText.escaped(caption))</p></figcaption>
    </figure>

    """
  }

  /// The colours of the hops, of many only some, and of adversaries.
  private static func legend(depth: Int?, hasAdversaries: Bool) -> String {
    var marks: [String] = []
    if let depth, depth > 0 {
      let every = (depth + 9) / 10
      marks = stride(from: 0, through: depth, by: every).map { hop in
        let name = hop == 0 ? "sender" : hop == 1 ? "1 hop" : String(hop)
        return "<li><i style=\"background:\(DuskPalette.color(hop: hop, depth: depth))\"></i>\(name)</li>"
      }
    }
    if hasAdversaries {
      marks.append("<li><i class=\"foe\" style=\"background:\(DuskPalette.adversary)\"></i>adversary</li>")
    }
    return marks.isEmpty
      ? "" : "<ul class=\"legend\" aria-label=\"What the colours mean\">\(marks.joined())</ul>"
  }
}
