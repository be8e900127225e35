/// The axes that histograms and curves share, in a picture of fixed proportions.
struct ChartFrame {
  static let width = 420.0
  static let height = 250.0
  private static let left = 46.0
  private static let right = 14.0
  private static let top = 26.0
  private static let bottom = 46.0

  let xRange: ClosedRange<Double>
  let yRange: ClosedRange<Double>

  /// The picture's x of a value.
  func x(_ value: Double) -> Double {
    let share = (value - xRange.lowerBound) / max(xRange.upperBound - xRange.lowerBound, 1e-12)
    return Self.left + share * (Self.width - Self.left - Self.right)
  }

  /// The picture's y of a value.
  func y(_ value: Double) -> Double {
    let share = (value - yRange.lowerBound) / max(yRange.upperBound - yRange.lowerBound, 1e-12)
    return Self.height - Self.bottom - share * (Self.height - Self.top - Self.bottom)
  }

  /// The lines and letters of both axes.
  func axes(xTicks: AxisTicks, yTicks: AxisTicks, xLabel: String, yLabel: (AxisTicks, Double) -> String)
    -> String
  {
    let (begin, end) = (NumberText.coordinate(Self.left), NumberText.coordinate(Self.width - Self.right))
    var text = "<g class=\"axis\">"
    for tick in yTicks.values where yRange.contains(tick) {
      let height = NumberText.coordinate(y(tick))
      text += "<path class=\"grid\" d=\"M\(begin) \(height)H\(end)\"/>"
      text += "<text x=\"40\" y=\"\(height)\" dy=\".35em\" text-anchor=\"end\">"
      text += "\(MarkupText.escaped(yLabel(yTicks, tick)))</text>"
    }
    let base = NumberText.coordinate(Self.height - Self.bottom)
    for tick in xTicks.values where xRange.contains(tick) {
      let place = NumberText.coordinate(x(tick))
      text += "<path class=\"tick\" d=\"M\(place) \(base)v4\"/>"
    }
    text += ChartFrame.tickLabels(
      xTicks.values.filter(xRange.contains).map { (xTicks.label($0), x($0)) }, y: 221, within: Self.width)
    let middle = NumberText.coordinate((Self.left + Self.width - Self.right) / 2)
    return text + """
      <path class="base" d="M\(begin) \(base)H\(end)"/>\
      <text class="label" x="\(middle)" y="243" text-anchor="middle">\(MarkupText.escaped(xLabel))</text></g>

      """
  }

  /// The labels under an axis, each in the middle under its tick, or as far right as the picture has room; every
  /// second or third only where all would touch each other.
  static func tickLabels(
    _ labels: [(text: String, x: Double)], y: Double, within width: Double
  ) -> String {
    // A digit of 13 units is some 8 wide, a separator less.
    let spans = labels.map { label in
      let half = Double(label.text.count) * 4
      let end = min(label.x + half, width - 1)
      return (begin: end - 2 * half, end: end)
    }
    let gap = 6.0
    let every = (1...max(labels.count, 1)).first { every in
      let shown = stride(from: 0, to: spans.count, by: every).map { spans[$0] }
      return zip(shown, shown.dropFirst()).allSatisfy { $0.end + gap <= $1.begin }
    }
    var text = ""
    for index in stride(from: 0, to: labels.count, by: every ?? 1) {
      let isClamped = labels[index].x + Double(labels[index].text.count) * 4 > width - 1
      text += "<text x=\"\(NumberText.coordinate(isClamped ? width - 1 : labels[index].x))\""
      text += " y=\"\(NumberText.coordinate(y))\" text-anchor=\"\(isClamped ? "end" : "middle")\">"
      text += "\(labels[index].text)</text>"
    }
    return text
  }

  /// A dashed line at `value` with a label on top, kept inside the picture; nothing if the axis does not show it.
  func marker(at value: Double, label: String) -> String {
    guard xRange.contains(value) else { return "" }
    let place = x(value)
    let onRight = place < Self.width / 2
    let line = NumberText.coordinate(place)
    let anchor = NumberText.coordinate(place + (onRight ? -4 : 4))
    let path =
      "M\(line) \(NumberText.coordinate(Self.top - 6))V\(NumberText.coordinate(Self.height - Self.bottom))"
    return """
      <g class="marker"><path class="halo" d="\(path)"/><path d="\(path)"/><text x="\(anchor)" y="12" \
      text-anchor="\(onRight ? "start" : "end")">\(MarkupText.escaped(label))</text></g>

      """
  }

  /// Opens the picture.
  static func open(title: String, description: String) -> String {
    """
    <svg class="chart" viewBox="0 0 \(Int(width)) \(Int(height))" role="img" \
    aria-label="\(MarkupText.escaped(title)). \(MarkupText.escaped(description))">

    """
  }
}

/// What stands under a chart: measures in a row, and a sentence.
enum ChartCaption {
  static func html(_ measures: [(name: String, value: String)], caption: String) -> String {
    let pairs = measures.map { name, value in
      "<span><i>\(MarkupText.escaped(name))</i> <b>\(MarkupText.escaped(value))</b></span> "
    }
    let row = pairs.isEmpty ? "" : "<p class=\"measures\">\(pairs.joined())</p>"
    let note = caption.isEmpty ? "" : "<p>\(MarkupText.escaped(caption))</p>"
    return row.isEmpty && note.isEmpty ? "" : "<figcaption>\(row)\(note)</figcaption>\n"
  }
}
