import Testing

@testable import StarlingSimulator

@Suite("Diagrams")
struct ReportDiagramTests {
  private func diagram(_ points: [Diagram.Sample], style: Diagram.Style) -> Diagram {
    Diagram(
      "A & B", subtitle: "f < .1", x: Diagram.Axis(linear: "E", 0...10),
      y: Diagram.Axis(powersOfTen: "probability", -4...0),
      series: [Diagram.Series("one", style: style, color: 0, points: points)])
  }

  @Test("A diagram is one well-formed SVG that names its axes and its ticks")
  func markup() {
    var drawn = diagram([.init(x: 1, y: 0.1), .init(x: 2, y: 0.01)], style: .dashed)
    drawn.marks = [(x: 1, y: 0.1, text: "here")]
    let svg = drawn.svg()
    #expect(MarkupChecker(svg).problems.isEmpty)
    for text in ["A &amp; B", "f &lt; .1", ">probability<", ">E<", ">10⁻²<", ">1<", ">here<", ">one<"] {
      #expect(svg.contains(text), "\(text)")
    }
  }

  @Test(
    "Equal factors are equal distances on a logarithmic axis, and a line that leaves the picture ends at its edge"
  )
  func places() {
    let svg = diagram(
      [.init(x: 0, y: 1), .init(x: 5, y: 0.01), .init(x: 8, y: 0.0001 * 100), .init(x: 10, y: 0.000001)],
      style: .line
    ).svg()
    // Top, middle and bottom of 360 units under a heading and one row of names.
    #expect(svg.contains("d=\"M96 98L444 278L652.8 278L722.4 458\""))
  }

  @Test("A frequency of nothing seen shows its interval and no dot")
  func intervals() {
    func dots(_ svg: String) -> Int { svg.split(separator: "<circle").count - 1 }
    let nothing = diagram([.init(x: 1, y: 0, interval: 0...0.01)], style: .dots).svg()
    let something = diagram([.init(x: 1, y: 0.02, interval: 0.01...0.03)], style: .dots).svg()
    // The legend has a dot of its own.
    #expect(dots(nothing) == 1 && dots(something) == 2)
    #expect(nothing.contains("M165.6 458V278m-4 0h8"))
  }
}
