/// A quadtree over points, to sum their mutual repulsion approximately.
///
/// Barnes and Hut, "A hierarchical O(N log N) force-calculation algorithm", Nature 324, 1986: a far-away cell acts
/// like one heavy point at its centre of mass.
struct RepulsionTree {
  /// One square: what it holds, and its quarters if it was divided.
  private struct Cell {
    var count = 0.0
    var sum = Point(x: 0, y: 0)
    /// The first of four quarters that follow one another; 0 if it is not divided.
    var quarters = 0
  }

  /// A cell counts as far when its side is less than this share of its distance. Barnes and Hut used 1.
  private static let opening = 0.9
  /// Points closer than a side divided this often share a cell, so that equal points end the division.
  private static let maximumDepth = 20

  private var cells: [Cell] = [Cell()]
  private let origin: Point
  private let side: Double

  /// Sorts the points into squares. O(n log n) for points that are not all in one place.
  init(_ points: [Point]) {
    var low = points.first ?? Point(x: 0, y: 0)
    var high = low
    for point in points {
      low = Point(x: min(low.x, point.x), y: min(low.y, point.y))
      high = Point(x: max(high.x, point.x), y: max(high.y, point.y))
    }
    origin = low
    side = max(high.x - low.x, high.y - low.y, 1e-6) * 1.001
    cells.reserveCapacity(points.count * 4)
    for point in points { insert(point) }
  }

  private mutating func insert(_ point: Point) {
    var (cell, corner, side, depth) = (0, origin, side, 0)
    while true {
      let wasAlone = cells[cell].count == 1 && cells[cell].quarters == 0
      let resident = cells[cell].sum
      cells[cell].count += 1
      cells[cell].sum = cells[cell].sum + point
      if cells[cell].count == 1 || depth == Self.maximumDepth { return }
      side /= 2
      depth += 1
      if wasAlone {
        cells[cell].quarters = cells.count
        for _ in 0..<4 { cells.append(Cell()) }
        let (quarter, _) = Self.quarter(of: corner, side: side, for: resident)
        cells[cells[cell].quarters + quarter] = Cell(count: 1, sum: resident)
      }
      let (quarter, newCorner) = Self.quarter(of: corner, side: side, for: point)
      cell = cells[cell].quarters + quarter
      corner = newCorner
    }
  }

  private static func quarter(of corner: Point, side: Double, for point: Point) -> (Int, Point) {
    let right = point.x >= corner.x + side
    let below = point.y >= corner.y + side
    let moved = Point(x: corner.x + (right ? side : 0), y: corner.y + (below ? side : 0))
    return ((right ? 1 : 0) + (below ? 2 : 0), moved)
  }

  /// The sum over all points of a push away from each, one over the distance strong.
  ///
  /// - Parameter stack: room for the cells to visit, handed in so that it is not allocated for every point.
  func push(on point: Point, stack: inout [(cell: Int, side: Double)]) -> Point {
    var force = Point(x: 0, y: 0)
    stack.append((0, side))
    while let (index, side) = stack.popLast() {
      let cell = cells[index]
      if cell.count == 0 { continue }
      let away = point - cell.sum * (1 / cell.count)
      let squared = away.x * away.x + away.y * away.y
      if cell.quarters == 0 || side * side < Self.opening * Self.opening * squared {
        // At distance zero it is the point itself, or one that has no direction to push in.
        if squared > 1e-12 { force = force + away * (cell.count / squared) }
      } else {
        for quarter in 0..<4 { stack.append((cell.quarters + quarter, side / 2)) }
      }
    }
    return force
  }
}
