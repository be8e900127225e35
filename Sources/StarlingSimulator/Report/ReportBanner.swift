import StarlingCore

/// The flock that flies over every report's heading.
enum ReportBanner {
  private static let birds = 260

  /// A murmuration as one small picture: birds of three distances, each a stroke of two wings, thickest along a
  /// turning band. It is decoration, so that those who have the page read to them do not hear of it.
  static func flock() -> String {
    var random = Xoshiro256(seed: 2_003)
    var layers = ["", "", ""]
    for _ in 0..<birds {
      let along = random.unit()
      let bell = random.unit() + random.unit() + random.unit() + random.unit() - 2
      let band = Point.onUnitCircle(turn: 0.08 + along * 0.94)
      let thickness = 16 + 46 * along * (1 - along) * 4
      let x = 330 + along * 430 + bell * 34
      let y = 118 + band.y * 46 + along * 18 + bell * thickness
      let layer = random.uniform(below: 3)
      let size = 1.6 + Double(layer) * 1.1 + random.unit()
      let lift = size * (0.3 + random.unit() * 0.7)
      layers[layer] += wings(at: Point(x: x, y: y), size: size, lift: lift)
    }
    let paths = layers.enumerated().map { index, path in
      "<path d=\"\(path)\" stroke-opacity=\"\(["0.35", "0.6", "0.9"][index])\"/>"
    }
    return """
      <svg class="flock" viewBox="240 0 560 260" preserveAspectRatio="xMaxYMid slice" aria-hidden="true" \
      fill="none" stroke="#0a0e22" stroke-width="1.1" stroke-linecap="round">\(paths.joined())</svg>

      """
  }

  private static func wings(at place: Point, size: Double, lift: Double) -> String {
    let (span, rise) = (NumberText.coordinate(size), NumberText.coordinate(-lift))
    let half = NumberText.coordinate(size / 2)
    let start = Point(x: place.x - size, y: place.y)
    return "M\(start.text)q\(half) \(rise) \(span) 0q\(half) \(rise) \(span) 0"
  }
}
