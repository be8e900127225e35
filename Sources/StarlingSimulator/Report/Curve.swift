/// One quantity over another, such as the share of peers reached over time.
public struct Curve: Sendable {
  /// A point of a curve.
  public struct Sample: Hashable, Sendable {
    /// Its place on the horizontal axis.
    public var x: Double
    /// Its place on the vertical axis.
    public var y: Double

    /// A point.
    ///
    /// - Parameters:
    ///   - x: its place on the horizontal axis.
    ///   - y: its place on the vertical axis.
    public init(x: Double, y: Double) {
      self.x = x
      self.y = y
    }
  }

  /// How the vertical axis is labelled.
  public enum Scale: Hashable, Sendable {
    /// Numbers as they are.
    case plain
    /// Shares of 1, in percent.
    case percent
  }

  /// The heading.
  public var title: String
  /// The name of the horizontal axis, with its unit.
  public var xAxis: String
  /// What the vertical axis shows, with its unit.
  public var yAxis: String
  /// How the vertical axis is labelled.
  public var scale: Scale
  /// The points, in ascending order of x; those that are not finite or from 10¹⁵ on are left out.
  public var points: [Sample]
  /// Whether the quantity stays as it is from one point to the next, instead of changing evenly.
  public var isStepped = false
  /// Measures to show under it.
  public var measures: [ReportFigure]
  /// A sentence under it; may be empty.
  public var caption: String

  /// A curve.
  ///
  /// - Parameters:
  ///   - title: the heading.
  ///   - xAxis: the name of the horizontal axis, with its unit.
  ///   - yAxis: what the vertical axis shows, with its unit.
  ///   - scale: how the vertical axis is labelled.
  ///   - points: the points, in ascending order of x.
  ///   - measures: shown under it.
  ///   - caption: a sentence under it.
  public init(
    _ title: String, xAxis: String, yAxis: String, scale: Scale = .plain, points: [Sample],
    measures: [ReportFigure] = [], caption: String = ""
  ) {
    self.title = title
    self.xAxis = xAxis
    self.yAxis = yAxis
    self.scale = scale
    self.points = points
    self.measures = measures
    self.caption = caption
  }

  /// The share of `total` peers that have a message, over the time since it was sent.
  ///
  /// - Parameters:
  ///   - title: the heading.
  ///   - times: when each delivered it, in milliseconds after the sending, in any order.
  ///   - total: of how many; at least 1.
  ///   - called: what they are called, in the plural.
  public init(_ title: String, deliveryTimes times: [Double], of total: Int, called: String = "peers") {
    let sorted = times.filter(NumberText.isShowable).sorted()
    let steps = min(sorted.count, 300)
    var points = [Sample(x: 0, y: 0)]
    for step in 0..<steps {
      let index = (step + 1) * sorted.count / steps - 1
      points.append(Sample(x: max(sorted[index], 0), y: Double(index + 1) / Double(max(total, 1))))
    }
    let measures = [("half", 50), ("99%", 99), ("all", 100)].compactMap { name, percent -> ReportFigure? in
      // The time by which so many of all peers had it, which is not a percentile of those that got it.
      let needed = (max(total, 1) * percent + 99) / 100
      guard needed <= sorted.count else { return nil }
      return ReportFigure(name, number: sorted[needed - 1], unit: "ms")
    }
    self.init(
      title, xAxis: "milliseconds after sending", yAxis: "share of \(called)", scale: .percent,
      points: points,
      measures: measures)
    isStepped = true
  }

  func html() -> String {
    let shown = points.filter { NumberText.isShowable($0.x) && NumberText.isShowable($0.y) }
    let body = shown.count < 2 ? "<p class=\"empty\">No values.</p>\n" : chart(shown)
    let caption = ChartCaption.html(measures.map { ($0.label, $0.value) }, caption: caption)
    return """
      <figure class="card">
      <h3>\(MarkupText.escaped(title))</h3>
      \(body)\(caption)</figure>

      """
  }

  private func chart(_ points: [Sample]) -> String {
    let (first, last) = (points[0], points[points.count - 1])
    let ys = points.map(\.y)
    let low = min(ys.min() ?? 0, 0)
    let high = scale == .percent ? max(ys.max() ?? 1, 1) : max(ys.max() ?? 1, low + 1e-9)
    let right = max(last.x, first.x + 1e-9)
    let frame = ChartFrame(xRange: min(first.x, right)...right, yRange: low...high)
    var text = ChartFrame.open(
      title: title,
      description: "\(yAxis) over \(xAxis), \(label(first.y)) at \(NumberText.readable(first.x)) to "
        + "\(label(last.y)) at \(NumberText.readable(last.x))")
    text += frame.axes(
      xTicks: AxisTicks(from: frame.xRange.lowerBound, to: right, count: 6),
      yTicks: AxisTicks(from: low, to: high, count: 4), xLabel: xAxis
    ) { scale == .percent ? NumberText.percent($1) : $0.label($1) }
    var line = ""
    for point in points {
      let place = Point(x: frame.x(point.x), y: frame.y(point.y))
      if isStepped, !line.isEmpty { line += "H" + NumberText.coordinate(place.x) }
      line += (line.isEmpty ? "M" : "L") + place.text
    }
    let base = NumberText.coordinate(frame.y(low))
    let (start, end) = (NumberText.coordinate(frame.x(first.x)), NumberText.coordinate(frame.x(last.x)))
    return text + """
      <path class="area" d="\(line)L\(end) \(base)L\(start) \(base)Z"/><path class="line" d="\(line)"/>
      <text class="unit" x="6" y="12">\(MarkupText.escaped(yAxis))</text>
      </svg>

      """
  }

  private func label(_ value: Double) -> String {
    scale == .percent ? NumberText.percent(value) : NumberText.readable(value)
  }
}
