import StarlingCore

/// Several quantities over another, as a picture of its own: measured points with their intervals beside the curves
/// that were computed.
public struct Diagram: Sendable {
  /// A point, with the interval in which its true height lies.
  public struct Sample: Hashable, Sendable {
    /// Its place on the horizontal axis.
    public var x: Double
    /// Its place on the vertical axis; 0 on a logarithmic one where nothing was seen, and then only its interval is drawn.
    public var y: Double
    /// Its interval; `nil` for none.
    public var interval: ClosedRange<Double>?

    /// A point.
    public init(x: Double, y: Double, interval: ClosedRange<Double>? = nil) {
      (self.x, self.y, self.interval) = (x, y, interval)
    }
  }

  /// How a series is drawn.
  public enum Style: Hashable, Sendable {
    /// A line.
    case line
    /// A broken line.
    case dashed
    /// Dots, with their intervals.
    case dots
  }

  /// Points of one kind.
  public struct Series: Sendable {
    /// What the legend calls them; empty for what it need not tell.
    public var name: String
    /// How they are drawn.
    public var style: Style
    /// Which of the plot's colours they have, from 0 on: what belongs together has the same.
    public var color: Int
    /// The points, in ascending order of x.
    public var points: [Sample]

    /// A series.
    public init(_ name: String, style: Style, color: Int, points: [Sample]) {
      (self.name, self.style, self.color, self.points) = (name, style, color, points)
    }
  }

  /// An axis: its name with the unit, its ends, and where its ticks stand.
  public struct Axis: Sendable {
    /// The name.
    public var name: String
    /// The ends.
    public var range: ClosedRange<Double>
    /// The ticks and what is written at them.
    public var ticks: [(value: Double, label: String)]
    /// Whether equal distances are equal factors.
    public var isLogarithmic: Bool

    /// An axis with round numbers as ticks.
    public init(linear name: String, _ range: ClosedRange<Double>) {
      let ticks = AxisTicks(from: range.lowerBound, to: range.upperBound, count: 8)
      (self.name, self.range, isLogarithmic) = (name, range, false)
      self.ticks = ticks.values.map { ($0, ticks.label($0)) }
    }

    /// A logarithmic axis with these ticks, whole numbers.
    public init(logarithmic name: String, ticks: [Int]) {
      let values = ticks.map(Double.init)
      (self.name, isLogarithmic) = (name, true)
      range = (values.min() ?? 1)...max(values.max() ?? 1, (values.min() ?? 1) * 2)
      self.ticks = ticks.map { (Double($0), NumberText.whole($0)) }
    }

    /// A logarithmic axis of powers of ten, every second of which is labelled.
    public init(powersOfTen name: String, _ exponents: ClosedRange<Int>) {
      func power(_ exponent: Int) -> Double { exponential(Double(exponent) * naturalLogarithm(10)) }
      (self.name, isLogarithmic) = (name, true)
      range = power(exponents.lowerBound)...power(exponents.upperBound)
      ticks = exponents.filter { $0 % 2 == 0 }.map { exponent in
        let digits = String(exponent.magnitude).map { Axis.superscripts[$0] ?? "" }.joined()
        return (power(exponent), exponent == 0 ? "1" : "10" + (exponent < 0 ? "⁻" : "") + digits)
      }
    }

    private static let superscripts: [Character: String] = [
      "0": "⁰", "1": "¹", "2": "²", "3": "³", "4": "⁴", "5": "⁵", "6": "⁶", "7": "⁷", "8": "⁸", "9": "⁹",
    ]

    /// The share of the axis that lies before a value; `nil` of what it does not show.
    fileprivate func share(_ value: Double) -> Double? {
      // The ends belong to it, rounded or not.
      let slack = 1e-9
      guard value >= range.lowerBound * (1 - slack), value <= range.upperBound * (1 + slack) else {
        return nil
      }
      return place(value)
    }

    /// The share of the axis that would lie before a value if it went on.
    fileprivate func place(_ value: Double) -> Double {
      guard isLogarithmic else {
        return (value - range.lowerBound) / (range.upperBound - range.lowerBound)
      }
      return naturalLogarithm(value / range.lowerBound)
        / naturalLogarithm(range.upperBound / range.lowerBound)
    }

    fileprivate func clamped(_ value: Double) -> Double {
      share(min(max(value, range.lowerBound), range.upperBound)) ?? 0
    }
  }

  /// The heading.
  public var title: String
  /// What it is about in a sentence, under the heading.
  public var subtitle: String
  /// The horizontal axis.
  public var x: Axis
  /// The vertical axis.
  public var y: Axis
  /// What is drawn.
  public var series: [Series]
  /// Points to point at, with a few words each.
  public var marks: [(x: Double, y: Double, text: String)] = []

  /// A plot.
  public init(_ title: String, subtitle: String, x: Axis, y: Axis, series: [Series]) {
    (self.title, self.subtitle, self.x, self.y, self.series) = (title, subtitle, x, y, series)
  }

  private static let (width, left, right, bottom) = (820.0, 96.0, 28.0, 62.0)
  private static let plotHeight = 360.0
  private static let colors = ["#ad4a12", "#45568f", "#0b6b51", "#7a3f74"]
  private static let (ink, soft, rule) = ("#1b2139", "#5a6078", "#e4dccd")

  private static func coordinate(_ value: Double) -> String { NumberText.coordinate(value, decimals: 2) }

  private func color(_ series: Series) -> String { Diagram.colors[series.color % Diagram.colors.count] }

  /// The picture: an SVG file of its own, on paper.
  public func svg() -> String {
    // Two names of the legend stand in a row; what has no name belongs to another series.
    let named = series.filter { !$0.name.isEmpty }
    let legendRows = (named.count + 1) / 2
    let top = 76 + Double(legendRows) * 22
    let height = top + Diagram.plotHeight + Diagram.bottom
    func place(_ share: (x: Double, y: Double)) -> (x: String, y: String) {
      (
        Diagram.coordinate(Diagram.left + share.x * (Diagram.width - Diagram.left - Diagram.right)),
        Diagram.coordinate(top + (1 - share.y) * Diagram.plotHeight)
      )
    }
    let size = "width=\"\(Int(Diagram.width))\" height=\"\(Int(height))\""
    var text = """
      <svg xmlns="http://www.w3.org/2000/svg" \(size) viewBox="0 0 \(Int(Diagram.width)) \(Int(height))" role="img" \
      aria-label="\(MarkupText.escaped(title + ". " + subtitle))" \
      font-family="system-ui, 'Segoe UI', Roboto, sans-serif" font-size="13.5"><title>\(MarkupText.escaped(title))</title>
      <rect width="\(Int(Diagram.width))" height="\(Int(height))" rx="10" fill="#fffdf8"/>
      <text x="24" y="34" font-size="19" font-weight="600" fill="\(Diagram.ink)">\(MarkupText.escaped(title))</text>
      <text x="24" y="56" fill="\(Diagram.soft)">\(MarkupText.escaped(subtitle))</text>

      """
    text += axes(place)
    for (index, series) in named.enumerated() {
      text += legend(series, x: index % 2 == 0 ? 24 : 424, y: 80 + Double(index / 2) * 22)
    }
    for series in series { text += drawn(series, place) }
    for mark in marks {
      guard let x = x.share(mark.x), let y = y.share(mark.y) else { continue }
      let point = place((x, y))
      text += """
        <circle cx="\(point.x)" cy="\(point.y)" r="8" fill="none" stroke="\(Diagram.ink)" stroke-width="1.6"/>\
        <text x="\(point.x)" y="\(point.y)" dx="14" dy="20" fill="\(Diagram.ink)" font-weight="600">\
        \(MarkupText.escaped(mark.text))</text>

        """
    }
    return text + "</svg>\n"
  }

  private func axes(_ place: ((x: Double, y: Double)) -> (x: String, y: String)) -> String {
    let (low, high) = (place((0, 0)), place((1, 1)))
    var text = "<g fill=\"\(Diagram.soft)\" stroke-width=\"1\">\n"
    for tick in y.ticks {
      guard let share = y.share(tick.value) else { continue }
      let y = place((0, share)).y
      text += """
        <path d="M\(low.x) \(y)H\(high.x)" stroke="\(Diagram.rule)"/><text x="\(low.x)" dx="-8" y="\(y)" dy=".35em" \
        text-anchor="end">\(tick.label)</text>

        """
    }
    for tick in x.ticks {
      guard let share = x.share(tick.value) else { continue }
      let x = place((share, 0)).x
      text += """
        <path d="M\(x) \(low.y)V\(high.y)" stroke="\(Diagram.rule)"/><text x="\(x)" y="\(low.y)" dy="20" \
        text-anchor="middle">\(tick.label)</text>

        """
    }
    let middle = place((0.5, 0.5))
    return text + """
      <path d="M\(low.x) \(high.y)V\(low.y)H\(high.x)" fill="none" stroke="\(Diagram.soft)"/>
      <text x="\(middle.x)" y="\(low.y)" dy="46" text-anchor="middle" fill="\(Diagram.ink)">\(MarkupText.escaped(x.name))</text>
      <text transform="translate(24 \(middle.y)) rotate(-90)" text-anchor="middle" fill="\(Diagram.ink)">\
      \(MarkupText.escaped(y.name))</text></g>

      """
  }

  private func legend(_ series: Series, x: Double, y: Double) -> String {
    let (start, height) = (Diagram.coordinate(x), Diagram.coordinate(y))
    let sign =
      switch series.style {
      case .line, .dashed:
        "<path d=\"M\(start) \(height)h26\" fill=\"none\" stroke=\"\(color(series))\" stroke-width=\"2.4\""
          + (series.style == .dashed ? " stroke-dasharray=\"6 4\"" : "") + "/>"
      case .dots:
        "<circle cx=\"\(Diagram.coordinate(x + 13))\" cy=\"\(height)\" r=\"4.5\" fill=\"\(color(series))\"/>"
      }
    return sign + """
      <text x="\(Diagram.coordinate(x + 34))" y="\(height)" dy=".35em" fill="\(Diagram.ink)">\(MarkupText.escaped(series.name))</text>

      """
  }

  private func drawn(
    _ series: Series, _ place: ((x: Double, y: Double)) -> (x: String, y: String)
  ) -> String {
    var text = ""
    var line = ""
    var last: Sample?
    let style = series.style
    for point in series.points {
      guard let share = x.share(point.x) else { continue }
      if series.style == .dots, let interval = point.interval, interval.upperBound >= y.range.lowerBound {
        let (from, to) = (
          place((share, y.clamped(interval.lowerBound))), place((share, y.clamped(interval.upperBound)))
        )
        text += """
          <path d="M\(from.x) \(from.y)V\(to.y)m-4 0h8\(interval.lowerBound > y.range.lowerBound ? "M\(from.x) \(from.y)m-4 0h8" : "")" \
          stroke="\(color(series))" stroke-width="1.4" fill="none"/>

          """
      }
      guard point.y > 0 || !y.isLogarithmic else { continue }
      guard let height = y.share(point.y) else {
        // A line that leaves the picture is drawn as far as its edge.
        if style != .dots, let last, let from = y.share(last.y), let before = x.share(last.x) {
          let height = y.place(point.y)
          let edge = height < 0 ? 0.0 : 1
          let part = (edge - from) / (height - from)
          let spot = place((before + part * (share - before), edge))
          line += "L\(spot.x) \(spot.y)"
        }
        last = nil
        continue
      }
      last = point
      let spot = place((share, height))
      if style == .dots {
        text += "<circle cx=\"\(spot.x)\" cy=\"\(spot.y)\" r=\"4\" fill=\"\(color(series))\"/>\n"
      } else {
        line += (line.isEmpty ? "M" : "L") + "\(spot.x) \(spot.y)"
      }
    }
    guard !line.isEmpty else { return text }
    return text + "<path d=\"\(line)\" fill=\"none\" stroke=\"\(color(series))\" stroke-width=\"2.2\""
      + (series.style == .dashed ? " stroke-dasharray=\"6 4\"" : "") + " stroke-linejoin=\"round\"/>\n"
  }
}
