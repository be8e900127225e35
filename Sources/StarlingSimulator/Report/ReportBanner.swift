import StarlingCore

/// The flock that flies over every report's heading.
enum ReportBanner {
  private static let birds = 620

  /// A murmuration as one small picture: birds of three distances, each a stroke of two wings, thickest along a
  /// turning band. It is decoration, so those who have the page read to them do not hear of it.
  static func flock() -> String {
    var random = Xoshiro256(seed: 2_003)
    var layers = ["", "", ""]
    for _ in 0..<birds {
      let along = random.unit()
      let bell = (random.unit() + random.unit() + random.unit() + random.unit() - 2) * 1.1
      let swell = along * (1 - along) * 4
      let place = spine(along) + Point(x: bell * 22, y: bell * (7 + 48 * swell * swell))
      let layer = min(Int(random.unit() * 3), 2)
      let size = 1 + Double(layer) * 0.75 + random.unit() * 0.8
      let lift = size * (0.5 + random.unit() * 0.9)
      layers[layer] += wings(at: place, size: size, lift: lift)
    }
    let paths = layers.enumerated().map { index, path in
      "<path d=\"\(path)\" stroke-opacity=\"\(["0.45", "0.7", "0.95"][index])\"/>"
    }
    return """
      <svg class="flock" viewBox="0 0 560 220" preserveAspectRatio="xMaxYMid slice" aria-hidden="true" \
      fill="none" stroke="#0a0e22" stroke-width="0.95" stroke-linecap="round">\(paths.joined())</svg>

      """
  }

  /// The band that the flock turns along: a comma from the lower left to the upper right.
  private static func spine(_ along: Double) -> Point {
    let wave = Point.onUnitCircle(turn: 0.62 * along + 0.3)
    return Point(x: 150 + along * 370, y: 112 + wave.y * 52 - along * 6)
  }

  private static func wings(at place: Point, size: Double, lift: Double) -> String {
    let (span, rise) = (NumberText.coordinate(size), NumberText.coordinate(-lift))
    let half = NumberText.coordinate(size / 2)
    let start = Point(x: place.x - size, y: place.y)
    return "M\(start.text)q\(half) \(rise) \(span) 0q\(half) \(rise) \(span) 0"
  }
}
