/// What went wrong when, and what it did to messages and to the overlay: a band for each fault, and under them, over
/// the same time, a track for each measure.
public struct FaultTimeline: Sendable {
  /// A stretch of time in which something was wrong.
  public struct Band: Hashable, Sendable {
    /// What was wrong, such as `partition 50%`.
    public var label: String
    /// From when till when, in seconds after the first message.
    public var span: ClosedRange<Double>
    /// Whether adversaries are what was wrong: drawn in their colour.
    public var isMischief: Bool

    /// A stretch of time.
    ///
    /// - Parameters:
    ///   - label: what was wrong.
    ///   - span: from when till when, in seconds after the first message.
    ///   - isMischief: whether adversaries are what was wrong.
    public init(_ label: String, _ span: ClosedRange<Double>, isMischief: Bool = false) {
      self.label = label
      self.span = span
      self.isMischief = isMischief
    }
  }

  /// One measure over time.
  public struct Track: Sendable {
    /// How its values are drawn.
    public enum Style: Hashable, Sendable {
      /// Each by itself: one for a message.
      case dots
      /// Joined: samples of something that is always there.
      case line
    }

    /// What it measures, with its unit.
    public var label: String
    /// How it is drawn.
    public var style: Style
    /// How its axis is labelled.
    public var scale: Curve.Scale
    /// The values, in ascending order of x, which is in seconds after the first message.
    public var points: [Curve.Sample]

    /// A measure.
    ///
    /// - Parameters:
    ///   - label: what it measures, with its unit.
    ///   - style: how it is drawn.
    ///   - scale: how its axis is labelled.
    ///   - points: the values; x in seconds after the first message.
    public init(_ label: String, _ style: Style, scale: Curve.Scale = .plain, points: [Curve.Sample]) {
      self.label = label
      self.style = style
      self.scale = scale
      self.points = points
    }
  }

  /// What was wrong, in the order to draw it.
  public var bands: [Band]
  /// What was measured.
  public var tracks: [Track]
  /// What is sent, such as `message` or `file`.
  public var noun = "message"
  /// What is shown, in seconds after the first message.
  public var span: ClosedRange<Double>

  /// A time-line.
  ///
  /// - Parameters:
  ///   - span: what is shown, in seconds after the first message.
  ///   - bands: what was wrong.
  ///   - tracks: what was measured.
  public init(span: ClosedRange<Double>, bands: [Band], tracks: [Track]) {
    self.span = span
    self.bands = bands
    self.tracks = tracks
  }

  /// The picture three times, for a page, a tablet and a telephone: letters must not shrink with it.
  func html() -> String {
    """
    <figure class="card full">
    <h3>Time-line</h3>
    \(picture(width: 1_160, class: "chart broad"))\(picture(width: 700, class: "chart medium"))\
    \(picture(width: 360, class: "chart narrow"))\
    <figcaption><p>Times are counted from the first \(noun). Each dot is a \(noun), drawn when it was sent.</p>\
    </figcaption>
    </figure>

    """
  }
}

// MARK: - Drawing

extension FaultTimeline {
  private static var bandHeight: Double { 24 }
  /// What a row has more where the name stands on a line of its own.
  private static var nameHeight: Double { 18 }
  private static var trackHeight: Double { 76 }
  private static var trackGap: Double { 30 }
  private static var left: Double { 46 }
  private static var right: Double { 22 }

  /// The unit in which times are written: the largest in which the whole has a few.
  private var unit: (name: String, seconds: Double) {
    let length = span.upperBound - span.lowerBound
    if length >= 3 * 3_600 { return ("hours", 3_600) }
    return length >= 5 * 60 ? ("minutes", 60) : ("seconds", 1)
  }

  private func picture(width: Double, class name: String) -> String {
    let drawn = tracks.filter { !$0.points.isEmpty }
    let scale = TimeScale(
      span: span, left: FaultTimeline.left, right: width - FaultTimeline.right)
    let names = bands.map { BandName($0, scale, within: width) }
    let heights = names.map { FaultTimeline.bandHeight + ($0.isAbove ? FaultTimeline.nameHeight : 0) }
    let bandsHeight = heights.reduce(0, +)
    let tracksHeight = Double(drawn.count) * (FaultTimeline.trackHeight + FaultTimeline.trackGap)
    let height = 8 + bandsHeight + tracksHeight + 44
    let words = bands.map { "\($0.label) from \(time($0.span.lowerBound)) to \(time($0.span.upperBound))" }
    var text = """
      <svg class="\(name)" viewBox="0 0 \(NumberText.coordinate(width)) \(NumberText.coordinate(height))" \
      role="img" aria-label="\(MarkupText.escaped("Time-line. " + words.joined(separator: "; ")))">

      """
    let base = 8 + bandsHeight + tracksHeight
    var top = 8.0
    for (row, band) in bands.enumerated() {
      text += draw(band, names[row], top: top, scale, down: base)
      top += heights[row]
    }
    for (row, track) in drawn.enumerated() {
      let top =
        8 + bandsHeight + Double(row) * (FaultTimeline.trackHeight + FaultTimeline.trackGap)
        + FaultTimeline.trackGap
      text += draw(track, top: top, scale)
    }
    return text + axis(scale, base: base + 4, count: Int(width / 90)) + "</svg>\n"
  }

  private func time(_ seconds: Double) -> String {
    NumberText.readable(seconds / unit.seconds) + " " + unit.name
  }

  /// A bar with its name, and its shade over the tracks below.
  private func draw(
    _ band: Band, _ name: BandName, top: Double, _ scale: TimeScale, down base: Double
  ) -> String {
    let (begin, end) = (scale.x(band.span.lowerBound), scale.x(band.span.upperBound))
    let barTop = top + (name.isAbove ? FaultTimeline.nameHeight : 0)
    let width = NumberText.coordinate(max(end - begin, 2))
    let tip = "\(band.label), \(time(band.span.lowerBound)) to \(time(band.span.upperBound))"
    return """
      <g class="fault\(band.isMischief ? " foe" : "")"><title>\(MarkupText.escaped(tip))</title>\
      <rect class="shade" x="\(NumberText.coordinate(begin))" y="\(NumberText.coordinate(barTop))" width="\(width)" \
      height="\(NumberText.coordinate(base - barTop))"/>\
      <rect class="bar" x="\(NumberText.coordinate(begin))" y="\(NumberText.coordinate(barTop))" width="\(width)" \
      height="18" rx="3"/><text\(name.isOnBar ? " class=\"on\"" : "") x="\(NumberText.coordinate(name.x))" \
      y="\(NumberText.coordinate(top + 13.5))" text-anchor="\(name.isEnd ? "end" : "start")">\
      \(MarkupText.escaped(band.label))</text></g>

      """
  }

  private func draw(_ track: Track, top: Double, _ scale: TimeScale) -> String {
    let ys = track.points.map(\.y)
    let most = ys.max() ?? 1
    let ticks = AxisTicks(
      from: 0, to: track.scale == .percent ? 1 : max(most, 1e-9), count: 2,
      wholeNumbers: ys.allSatisfy { $0 == $0.rounded(.towardZero) })
    // Where all is zero there is a first step nevertheless, or nothing would have a height.
    let high = max(ticks.reach(most), ticks.values.last ?? 1, ticks.step)
    let bottom = top + FaultTimeline.trackHeight
    let y = { (value: Double) in bottom - min(max(value / high, 0), 1) * FaultTimeline.trackHeight }
    var text = "<g class=\"axis\">"
    for tick in AxisTicks(from: 0, to: high, step: ticks).values {
      let place = NumberText.coordinate(y(tick))
      text += """
        <path class="grid" d="M\(NumberText.coordinate(scale.left)) \(place)H\(NumberText.coordinate(scale.right))"/>\
        <text x="40" y="\(place)" dy=".35em" text-anchor="end">\
        \(track.scale == .percent ? NumberText.percent(tick) : ticks.label(tick))</text>
        """
    }
    text += "<text class=\"track\" x=\"\(NumberText.coordinate(scale.left))\""
    text += " y=\"\(NumberText.coordinate(top - 8))\">\(MarkupText.escaped(track.label))</text></g>\n"
    let places = track.points.map { Point(x: scale.x($0.x), y: y($0.y)) }
    switch track.style {
    case .line:
      let line = places.enumerated().map { ($0.offset == 0 ? "M" : "L") + $0.element.text }.joined()
      text += "<path class=\"line\" d=\"\(line)\"/>\n"
    case .dots:
      text += "<g class=\"dots\">"
      for place in places {
        text += """
          <circle cx="\(NumberText.coordinate(place.x))" cy="\(NumberText.coordinate(place.y))" r="2.6"/>
          """
      }
      text += "</g>\n"
    }
    return text
  }

  private func axis(_ scale: TimeScale, base: Double, count: Int) -> String {
    let ticks = AxisTicks(
      from: span.lowerBound / unit.seconds, to: span.upperBound / unit.seconds, count: count)
    let line = NumberText.coordinate(base)
    var text = "<g class=\"axis\"><path class=\"base\" d=\"M\(NumberText.coordinate(scale.left)) \(line)H"
    text += "\(NumberText.coordinate(scale.right))\"/>"
    for tick in ticks.values {
      let place = NumberText.coordinate(scale.x(tick * unit.seconds))
      text += "<path class=\"tick\" d=\"M\(place) \(line)v4\"/>"
    }
    text += ChartFrame.tickLabels(
      ticks.values.map { (ticks.label($0), scale.x($0 * unit.seconds)) }, y: base + 17,
      within: scale.right + FaultTimeline.right)
    let middle = NumberText.coordinate((scale.left + scale.right) / 2)
    return text + """
      <text class="label" x="\(middle)" y="\(NumberText.coordinate(base + 35))" text-anchor="middle">\
      \(unit.name) after the first \(noun)</text></g>

      """
  }
}

/// Where a band's name stands: where there is room for the whole of it.
private struct BandName {
  /// Where it begins, or ends.
  private(set) var x = 0.0
  /// Whether it ends at `x`.
  private(set) var isEnd = false
  /// Whether it stands on its bar.
  private(set) var isOnBar = false
  /// Whether it stands above its bar, on a line of its own.
  private(set) var isAbove = false

  /// What a letter of 13 units takes in a wide typeface.
  private static let letterWidth = 7.5

  init(_ band: FaultTimeline.Band, _ scale: TimeScale, within width: Double) {
    let begin = scale.x(band.span.lowerBound)
    let end = max(scale.x(band.span.upperBound), begin + 2)
    let needed = Double(band.label.count) * BandName.letterWidth
    let fitsOn = end - begin >= needed + 12
    // Beside the bar there is more room on the side that is farther from the middle of the picture.
    let isLeft = (begin + end) / 2 < (scale.left + scale.right) / 2
    if fitsOn, end - begin > (scale.right - scale.left) * 0.6 {
      (x, isOnBar) = (begin + 6, true)
    } else if isLeft, end + 6 + needed <= width {
      x = end + 6
    } else if !isLeft, begin - 6 - needed >= 0 {
      (x, isEnd) = (begin - 6, true)
    } else if fitsOn {
      (x, isOnBar) = (begin + 6, true)
    } else {
      (x, isAbove) = (max(0, min(begin, width - needed)), true)
    }
  }
}

/// Where moments stand in a picture.
private struct TimeScale {
  let span: ClosedRange<Double>
  let left: Double
  let right: Double

  func x(_ seconds: Double) -> Double {
    let length = max(span.upperBound - span.lowerBound, 1e-9)
    let share = (seconds - span.lowerBound) / length
    return left + min(max(share, 0), 1) * (right - left)
  }
}
