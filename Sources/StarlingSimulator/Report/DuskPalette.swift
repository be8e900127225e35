/// The colours of a drawing: a sky after sunset, the message in the last light.
enum DuskPalette {
  /// The sky behind a drawing, top and bottom.
  static let sky = (top: "#0b1026", bottom: "#1d1b3d")
  /// Links that the message did not take.
  static let link = "#9db4ff"
  /// The tree.
  static let accent = "#ffb35c"
  /// The root's rings.
  static let root = "#fff3dc"
  /// Peers that the message did not reach.
  static let unreached = "#8791b5"
  /// Adversaries: a colour that no hop has.
  static let adversary = "#4fe3b0"
  /// Letters on a bright vertex.
  static let letter = "#10142b"
  /// Rings and their numbers.
  static let guide = "#b9c3e6"

  private static let stops: [(red: Double, green: Double, blue: Double)] = [
    (255, 231, 184), (255, 179, 92), (240, 113, 103), (201, 104, 176), (134, 118, 232), (96, 168, 240),
  ]

  /// The colour of a vertex at `hop`, from sunlight at 0 to evening blue at `depth`.
  static func color(hop: Int, depth: Int) -> String {
    let place = Double(min(hop, depth)) / Double(max(depth, 1)) * Double(stops.count - 1)
    let index = min(Int(place), stops.count - 2)
    let share = place - Double(index)
    let (a, b) = (stops[index], stops[index + 1])
    return "#" + hexadecimal(a.red + (b.red - a.red) * share)
      + hexadecimal(a.green + (b.green - a.green) * share) + hexadecimal(a.blue + (b.blue - a.blue) * share)
  }

  private static func hexadecimal(_ value: Double) -> String {
    let byte = Int(value.rounded())
    return (byte < 16 ? "0" : "") + String(byte, radix: 16)
  }
}
