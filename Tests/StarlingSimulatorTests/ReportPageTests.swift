import StarlingCore
import Testing

@testable import StarlingSimulator

/// A report with everything in it, on a random overlay.
func sampleReport(peers: Int, text: String = "plain", seed: UInt64 = 1) -> OverlayReport {
  var random = Xoshiro256(seed: seed)
  let views = (0..<peers).map { _ in
    (0..<(3 + random.uniform(below: 5))).map { _ in random.uniform(below: peers) }
  }
  let walk = DirectedGraph(adjacency: views).breadthFirstSearch(from: 0)
  var report = OverlayReport(title: text, commandLine: text, views: views)
  report.subtitle = text
  report.peers.names = (0..<peers).map { $0 % 2 == 0 ? text : String($0) }
  report.tree = RootedTree(root: 0, parents: walk.parents)
  report.summary = [ReportFigure(text, text, detail: text), ReportFigure("peers", count: peers)]
  report.viewSizeLaw = (5, text)
  report.deliveryTimes = walk.hops.compactMap { hop in hop.map { Double($0) * 50 + random.unit() * 9 } }
  report.messagesPerPeer = (0..<peers).map { _ in random.uniform(below: 100) }
  report.tables = [
    ReportTable(text, columns: [text, text], rows: [[text, text], [], [text]], caption: text)
  ]
  report.notes = [text]
  return report
}

@Suite("Report pages")
struct ReportPageTests {
  @Test("A page's tags are balanced and its attributes quoted, for any number of peers")
  func wellFormed() {
    for peers in [0, 1, 2, 32, 80] {
      let checker = MarkupChecker(
        peers == 0
          ? OverlayReport(title: "", commandLine: "", views: []).page().html()
          : sampleReport(peers: peers).page().html())
      #expect(checker.problems.isEmpty, "\(peers) peers: \(checker.problems)")
      #expect(checker.tags.contains("html"))
    }
  }

  @Test("The checker itself sees an open tag, a bare bracket and an unquoted value")
  func checkerChecks() {
    #expect(!MarkupChecker("<p><b></p>").problems.isEmpty)
    #expect(!MarkupChecker("<p>1 < 2</p>").problems.isEmpty)
    #expect(!MarkupChecker("<p class=a></p>").problems.isEmpty)
    #expect(!MarkupChecker("<p>").problems.isEmpty)
    #expect(MarkupChecker("<p class=\"a\">b<br/></p>").problems.isEmpty)
  }

  @Test("A name that looks like markup is shown as text, wherever it stands")
  func escaped() {
    let hostile = "<script>alert('x')</script>\"&\u{0}</style>"
    let html = sampleReport(peers: 40, text: hostile).page().html()
    let checker = MarkupChecker(html)
    #expect(checker.problems.isEmpty)
    #expect(!checker.tags.contains("script"))
    #expect(checker.tags.filter { $0 == "style" }.count == 1)
    #expect(!html.contains("\u{0}"))
    #expect(html.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;\u{FFFD}&lt;/style&gt;"))
  }

  @Test("A page loads nothing and runs nothing")
  func selfContained() {
    let html = sampleReport(peers: 60).page().html()
    for forbidden in ["http:", "https:", "src=", "href=", "url(", "@import", "<script", "<link", "onload"] {
      #expect(!html.contains(forbidden), "\(forbidden)")
    }
  }

  @Test("A page is for telephones, for both colour schemes, and tells what its pictures show")
  func accessible() {
    let html = sampleReport(peers: 60).page().html()
    #expect(html.contains("width=device-width"))
    #expect(html.contains("prefers-color-scheme:dark"))
    let checker = MarkupChecker(html)
    let pictures = checker.tags.filter { $0 == "svg" }.count / 2
    let labels = checker.attributes.filter { $0.hasPrefix("aria-label=") || $0 == "aria-hidden=true" }.count
    #expect(pictures == 9)
    #expect(labels >= pictures)
    #expect(!checker.attributes.contains { $0.hasPrefix("width=") && $0.hasSuffix("px") })
  }

  @Test("The same input gives the same bytes, and another seed another drawing")
  func deterministic() {
    let first = sampleReport(peers: 150).page().html()
    #expect(first == sampleReport(peers: 150).page().html())
    var moved = sampleReport(peers: 150)
    moved.seed = 2
    #expect(first != moved.page().html())
  }

  @Test("Measures that are not numbers, views that name nobody and a tree in a circle do no harm")
  func hostileMeasures() {
    var report = OverlayReport(title: "t", commandLine: "c", views: [[1, -4, 9, .max], [0], []])
    report.tree = RootedTree(root: 0, parents: [1, 2, 1])
    report.deliveryTimes = [.nan, .infinity, -1.7e308, 1.7e308, 1e300, 0]
    report.messagesPerPeer = [.max, .min, 0]
    report.viewSizeLaw = (.nan, "law")
    report.hops = [.max]
    report.summary = [ReportFigure("x", number: .nan), ReportFigure("y", number: 1e200, unit: "ms")]
    #expect(MarkupChecker(report.page().html()).problems.isEmpty)
    report.tree = RootedTree(root: 0, parents: [nil])
    report.deliveryTimes = [.nan]
    #expect(MarkupChecker(report.page().html()).problems.isEmpty)
  }

  @Test("A command line is not broken between an option and its value, nor inside either")
  func commandLine() {
    let page = ReportPage(
      title: "t", commandLine: "starling simulate --nodes 300 --json --churn 2%/min 'a b'")
    #expect(
      page.html().contains(
        "<code><span>starling</span> <span>simulate</span> <span>--nodes 300</span> <span>--json</span>"
          + " <span>--churn 2%/min</span> <span>&#39;a</span> <span>b&#39;</span></code>"))
    #expect(page.html().contains("code span{display:inline-block"))
  }

  @Test("Labels under an axis never touch, also where the last is pushed to the left", arguments: 1...12)
  func tickLabels(length: Int) {
    let text = String(repeating: "8", count: length)
    let labels = (0..<9).map { (text, 46 + Double($0) * 45) }
    let drawn = ChartFrame.tickLabels(labels, y: 0, within: 420)
    let spans = drawn.split(separator: "<text x=\"").compactMap { part -> (Double, Double)? in
      guard let x = Double(part.prefix { $0 != "\"" }) else { return nil }
      let width = Double(length) * 8
      return part.contains("\"end\"") ? (x - width, x) : (x - width / 2, x + width / 2)
    }
    #expect(!spans.isEmpty && (length > 4 || spans.count == 9))
    for (left, right) in zip(spans, spans.dropFirst()) { #expect(left.1 < right.0) }
    #expect(spans.allSatisfy { $0.1 < 420 })
  }

  @Test("A page names the message that its charts show, and says what else there is to know of it")
  func messageNamed() {
    var report = sampleReport(peers: 12)
    report.message = "the last message"
    report.messageNote = "Peer 3 sent it."
    report.addressees = 2 * report.deliveryTimes.count
    let html = report.page().html()
    #expect(html.contains("How the last message spread") && html.contains("not counted. Peer 3 sent it."))
    #expect(html.contains("<i>half</i>") && !html.contains("<i>99%</i>"))
  }

  @Test("A track that is always zero is drawn at zero")
  func zeroTrack() {
    let points = [Curve.Sample(x: 0, y: 0), Curve.Sample(x: 10, y: 0)]
    let html = FaultTimeline(span: 0...10, bands: [], tracks: [.init("t", .line, points: points)]).html()
    // The line of the broad picture lies on the lower of the grid's two lines.
    #expect(
      html.contains("<path class=\"grid\" d=\"M46 114H1138\"/>") && html.contains("d=\"M46 114L1138 114\""))
  }

  @Test("What was not measured is left out")
  func partial() {
    let html = OverlayReport(title: "t", commandLine: "", views: [[1], [0]]).page().html()
    #expect(!html.contains("How the message spread"))
    #expect(!html.contains("class=\"command\""))
    #expect(html.contains("Who knows whom"))
  }

  @Test("All peers are reached when all but the sender delivered, and not before")
  func allReached() {
    var report = OverlayReport(title: "t", commandLine: "c", views: [[1], [2], [0]])
    report.deliveryTimes = [20, 40]
    #expect(report.page().html().contains("<i>all</i> <b>40\u{202F}ms</b>"))
    report.deliveryTimes = [20]
    #expect(!report.page().html().contains("<i>all</i>"))
  }

  @Test("A histogram counts every value once, and its law's line is drawn even where there are no values")
  func histogram() throws {
    let values = [3.0, 3, 4, 9, 12]
    let bins = HistogramBins(values, spread: try #require(Distribution(values)))
    #expect(bins.counts == [2, 1, 0, 0, 0, 0, 1, 0, 0, 1])
    #expect(bins.label(0) == "3")
    let wide = (0..<1_000).map { Double($0) * 0.37 }
    let spread = try #require(Distribution(wide))
    let many = HistogramBins(wide, spread: spread)
    #expect(many.counts.reduce(0, +) == 1_000)
    #expect(many.start <= 0 && many.end >= spread.max)
    #expect((15...40).contains(many.counts.count))
    let html = Histogram("h", axis: "x", values: values, law: (20, "law = 20")).html()
    #expect(html.contains("law = 20"))
  }

  @Test("The curve of peers reached ends at the share that was reached, and tells by when")
  func reached() {
    let curve = Curve("c", deliveryTimes: (1...50).reversed().map { Double($0) }, of: 100)
    #expect(curve.points.first == Curve.Sample(x: 0, y: 0))
    #expect(curve.points.last == Curve.Sample(x: 50, y: 0.5))
    #expect(curve.html().contains("H"), "nobody is reached between two deliveries")
    #expect(curve.measures == [ReportFigure("half", "50\u{202F}ms")])
  }
}

@Suite("Report numbers")
struct ReportNumberTests {
  @Test("Numbers are written with their thousands apart and rounded to their decimals")
  func fixed() {
    #expect(NumberText.fixed(1_234_567.891, decimals: 2) == "1,234,567.89")
    #expect(NumberText.fixed(-0.5, decimals: 0) == "\u{2212}1")
    #expect(NumberText.fixed(-0.001, decimals: 2) == "0.00")
    #expect(NumberText.fixed(0.05, decimals: 1) == "0.1")
    #expect(NumberText.fixed(.nan, decimals: 1) == "–")
    #expect(NumberText.fixed(1e300, decimals: 1) == "–")
    #expect(NumberText.whole(.min) == "\u{2212}9,223,372,036,854,775,808")
    #expect(NumberText.readable(12) == "12")
    #expect(NumberText.readable(0.0043) == "0.00430")
    #expect(NumberText.coordinate(12.0) == "12")
    #expect(NumberText.coordinate(-3.25, decimals: 2) == "-3.25")
    #expect(NumberText.coordinate(100) == "100")
  }

  @Test("Only the whole is 100 percent, and only nothing 0")
  func percent() {
    #expect(NumberText.percent(1) == "100%")
    #expect(NumberText.percent(0) == "0%")
    #expect(NumberText.percent(0.5) == "50%")
    #expect(NumberText.percent(0.984) == "98.4%")
    #expect(NumberText.percent(0.99999) == "99.999%")
    #expect(NumberText.percent(0.999999) != "100%")
    #expect(NumberText.percent(1e-9) != "0%")
  }

  @Test("An axis has round numbers, few of them, inside its range")
  func ticks() {
    #expect(AxisTicks(from: 0, to: 1, count: 4).values == [0, 0.5, 1])
    #expect(AxisTicks(from: 3, to: 97, count: 5).values == [20, 40, 60, 80])
    #expect(AxisTicks(from: 0, to: 2, count: 8, wholeNumbers: true).values == [0, 1, 2])
    #expect(AxisTicks(from: 0, to: 0.003, count: 3).label(0.002) == "0.002")
    for range in [(0.0, 1e-30), (5, 5), (-1e300, 1e300), (0, 1e15)] {
      #expect((1...64).contains(AxisTicks(from: range.0, to: range.1, count: 5).values.count))
    }
  }

  @Test(
    "The name of a band is whole inside its picture, wherever and however long the band is",
    arguments: [0.0, 2.0, 5.0, 9.0])
  func bandNames(begin: Double) throws {
    let label = "2 nodes stopped, then continued"
    let ends = [begin + 0.1, min(begin + 4, 10), 10]
    let html = FaultTimeline(span: 0...10, bands: ends.map { .init(label, begin...$0) }, tracks: []).html()
    let pictures = html.split(separator: "<svg class=\"chart ").dropFirst()
    #expect(pictures.count == 3)
    for picture in pictures {
      let width = try #require(Double(picture.split(separator: "viewBox=\"0 0 ")[1].prefix { $0 != " " }))
      let names = picture.split(separator: "rx=\"3\"/><text").dropFirst()
      #expect(names.count == ends.count)
      for name in names {
        let x = try #require(Double(name.split(separator: "x=\"")[1].prefix { $0 != "\"" }))
        // A letter of 13 units is some seven wide.
        let long = Double(label.count) * 7
        let isEnd = name.prefix(120).contains("text-anchor=\"end\"")
        #expect(isEnd ? x - long >= 0 : x + long <= width, "\(width) \(name.prefix(120))")
      }
    }
  }

}
