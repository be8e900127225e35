/// A point of a drawing; x grows to the right, y downwards.
struct Point: Hashable, Sendable {
  var x: Double
  var y: Double

  static func + (a: Point, b: Point) -> Point { Point(x: a.x + b.x, y: a.y + b.y) }
  static func - (a: Point, b: Point) -> Point { Point(x: a.x - b.x, y: a.y - b.y) }
  static func * (a: Point, factor: Double) -> Point { Point(x: a.x * factor, y: a.y * factor) }

  /// The distance from the origin.
  var length: Double { (x * x + y * y).squareRoot() }

  /// As it stands in a path.
  var text: String { NumberText.coordinate(x) + " " + NumberText.coordinate(y) }

  /// The point on the unit circle after `turn` turns clockwise from the top.
  ///
  /// Sine and cosine come from their Taylor series, exact to 10⁻¹⁰, since the C library's differ between machines
  /// and a report must not.
  static func onUnitCircle(turn: Double) -> Point {
    let quarters = (turn - turn.rounded(.down)) * 4
    let quadrant = min(Int(quarters), 3)
    let angle = (quarters - Double(quadrant)) * (Double.pi / 2)
    let (sine, cosine) = (series(angle, first: 1), series(angle, first: 0))
    switch quadrant {
    case 0: return Point(x: sine, y: -cosine)
    case 1: return Point(x: cosine, y: sine)
    case 2: return Point(x: -sine, y: cosine)
    default: return Point(x: -cosine, y: -sine)
    }
  }

  /// The sine's series if `first` is 1, the cosine's if it is 0; for angles in 0 ... π/2.
  private static func series(_ angle: Double, first: Int) -> Double {
    var term = first == 1 ? angle : 1.0
    var sum = term
    for n in stride(from: first + 1, through: first + 17, by: 2) {
      term *= -(angle * angle) / Double(n * (n + 1))
      sum += term
    }
    return sum
  }
}
