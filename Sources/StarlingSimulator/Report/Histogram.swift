/// How values are spread: bars, and if wanted a line where a law expects the mean.
public struct Histogram: Sendable {
  /// The heading.
  public var title: String
  /// The name of the horizontal axis, with its unit.
  public var axis: String
  /// What is counted, in the plural, such as `peers`.
  public var counted: String
  /// The values, in any order; those that are not finite or from 10¹⁵ on are left out.
  public var values: [Double]
  /// Where to draw the law's line, and what to write at it.
  public var law: (value: Double, label: String)?
  /// A sentence under it; may be empty.
  public var caption: String

  /// A histogram.
  ///
  /// - Parameters:
  ///   - title: the heading.
  ///   - axis: the name of the horizontal axis, with its unit.
  ///   - counted: what is counted, in the plural.
  ///   - values: the values.
  ///   - law: where a law expects the mean, and its name.
  ///   - caption: a sentence under it.
  public init(
    _ title: String, axis: String, counted: String = "peers", values: [Double],
    law: (value: Double, label: String)? = nil, caption: String = ""
  ) {
    self.title = title
    self.axis = axis
    self.counted = counted
    self.values = values
    self.law = law
    self.caption = caption
  }

  func html() -> String {
    let heading = "<h3>\(MarkupText.escaped(title))</h3>\n"
    let shown = values.filter(NumberText.isShowable)
    guard let spread = Distribution(shown) else {
      return "<figure class=\"card\">\n\(heading)<p class=\"empty\">No values.</p>\n</figure>\n"
    }
    let measures = [
      ("mean", spread.mean), ("stddev", spread.stddev), ("p1", spread.p1), ("median", spread.p50),
      ("p99", spread.p99), ("max", spread.max),
    ].map { ($0.0, NumberText.readable($0.1)) }
    return """
      <figure class="card">
      \(heading)\(chart(shown, spread))\(ChartCaption.html(measures, caption: caption))</figure>

      """
  }

  private func chart(_ values: [Double], _ spread: Distribution) -> String {
    let lawValue = law.flatMap { NumberText.isShowable($0.value) ? $0.value : nil }
    let bins = HistogramBins(values, spread: spread)
    let low = min(bins.start, lawValue.map { $0 - bins.width } ?? bins.start)
    let high = max(bins.end, lawValue.map { $0 + bins.width } ?? bins.end)
    let yTicks = AxisTicks(from: 0, to: Double(bins.counts.max() ?? 1), count: 4, wholeNumbers: true)
    let highest = yTicks.reach(Double(bins.counts.max() ?? 1))
    let frame = ChartFrame(xRange: low...high, yRange: 0...highest)
    let xTicks = AxisTicks(from: low, to: high, count: 7, wholeNumbers: bins.ofWholeNumbers)
    var text = ChartFrame.open(
      title: title,
      description: "\(spread.count) \(counted), mean \(NumberText.readable(spread.mean)), from "
        + "\(NumberText.readable(spread.min)) to \(NumberText.readable(spread.max))")
    text += frame.axes(xTicks: xTicks, yTicks: AxisTicks(from: 0, to: highest, step: yTicks), xLabel: axis) {
      $0.label($1)
    }
    text += "<g class=\"bars\">"
    for (index, count) in bins.counts.enumerated() where count > 0 {
      text += bar(index, count, bins, frame)
    }
    text += "</g>\n"
    text += "<text class=\"unit\" x=\"6\" y=\"12\">\(MarkupText.escaped(counted))</text>\n"
    if let law, let lawValue { text += frame.marker(at: lawValue, label: law.label) }
    return text + "</svg>\n"
  }

  private func bar(_ index: Int, _ count: Int, _ bins: HistogramBins, _ frame: ChartFrame) -> String {
    let middle = frame.x(bins.start + (Double(index) + 0.5) * bins.width)
    let room = frame.x(bins.start + bins.width) - frame.x(bins.start)
    let width = min(room - min(room * 0.12, 2), 44)
    // A single value among a million must still be seen.
    let top = min(frame.y(Double(count)), frame.y(0) - 1)
    let tip = "\(bins.label(index)): \(NumberText.whole(count)) \(counted)"
    return """
      <rect x="\(NumberText.coordinate(middle - width / 2, decimals: 2))" y="\(NumberText.coordinate(top))" \
      width="\(NumberText.coordinate(width, decimals: 2))" \
      height="\(NumberText.coordinate(frame.y(0) - top))"><title>\(MarkupText.escaped(tip))</title></rect>
      """
  }
}

/// The values counted by intervals of equal width.
struct HistogramBins {
  private(set) var counts: [Int]
  /// Where the first interval begins.
  let start: Double
  let width: Double
  /// True if every value is a whole number; then intervals begin half-way between two of them.
  let ofWholeNumbers: Bool

  var end: Double { start + Double(counts.count) * width }

  /// Counts showable values whose distribution is `spread`.
  ///
  /// Up to 40 intervals of whole numbers have one value each; otherwise there are about 30.
  init(_ values: [Double], spread: Distribution) {
    ofWholeNumbers = values.allSatisfy { $0 == $0.rounded(.towardZero) }
    let range = spread.max - spread.min
    if ofWholeNumbers {
      width = range < 40 ? 1 : AxisTicks(from: spread.min, to: spread.max, count: 30, wholeNumbers: true).step
      start = (spread.min / width).rounded(.down) * width - 0.5
    } else {
      width = range == 0 ? 1 : AxisTicks(from: spread.min, to: spread.max, count: 30).step
      start = (spread.min / width).rounded(.down) * width
    }
    let last = ((spread.max - start) / width).rounded(.down)
    counts = [Int](repeating: 0, count: last < 4_096 ? Int(last) + 1 : 1)
    for value in values { counts[min(max(Int((value - start) / width), 0), counts.count - 1)] += 1 }
  }

  /// The interval in words.
  func label(_ index: Int) -> String {
    let low = start + Double(index) * width
    if ofWholeNumbers {
      let first = NumberText.readable(low + 0.5)
      return width == 1 ? first : "\(first) to \(NumberText.readable(low + width - 0.5))"
    }
    return "\(NumberText.readable(low)) to \(NumberText.readable(low + width))"
  }
}
