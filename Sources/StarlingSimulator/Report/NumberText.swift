/// Numbers as people read them, and as coordinates. Written without the C library, whose printing may differ
/// between machines.
enum NumberText {
  /// Whether a page can show `value`: finite, and below 10¹⁵, where a double still holds every whole number.
  static func isShowable(_ value: Double) -> Bool { value.magnitude < 1e15 }

  /// `value` with a fixed number of decimals, thousands apart: `12,345.60`.
  ///
  /// Halves are rounded away from zero. What is not finite, or too large for a page, is shown as a dash.
  static func fixed(_ value: Double, decimals: Int) -> String {
    guard let (negative, whole, fraction) = split(value, decimals: decimals) else { return "–" }
    let sign = negative ? "\u{2212}" : ""
    return sign + grouped(whole) + (fraction.isEmpty ? "" : "." + fraction)
  }

  /// A whole number, thousands apart: `1,000,000`.
  static func whole(_ value: Int) -> String {
    (value < 0 ? "\u{2212}" : "") + grouped(value.magnitude)
  }

  /// `value` with about three significant digits: whole numbers as they are, `134.2`, `13.42`, `0.0134`.
  static func readable(_ value: Double) -> String {
    let size = value.magnitude
    if size < 1e15 && value == value.rounded(.towardZero) { return fixed(value, decimals: 0) }
    if size >= 1_000 { return fixed(value, decimals: 0) }
    if size >= 100 { return fixed(value, decimals: 1) }
    if size >= 1 { return fixed(value, decimals: 2) }
    if size >= 0.01 { return fixed(value, decimals: 3) }
    return fixed(value, decimals: 5)
  }

  /// `value` as a coordinate: at most `decimals` decimals, no trailing zeros, no separators.
  static func coordinate(_ value: Double, decimals: Int = 1) -> String {
    guard let (negative, whole, fraction) = split(value, decimals: decimals) else { return "0" }
    var digits = fraction
    while digits.hasSuffix("0") { digits.removeLast() }
    return (negative ? "-" : "") + String(whole) + (digits.isEmpty ? "" : "." + digits)
  }

  /// A share of 1 in percent, for people: `98.4%`; only the whole is `100%`, and only nothing `0%`.
  static func percent(_ share: Double) -> String {
    let decimals = share > 0.999 && share < 1 || share > 0 && share < 0.001 ? 3 : 1
    guard let (_, whole, fraction) = split(share * 100, decimals: decimals) else { return "–" }
    if fraction.allSatisfy({ $0 == "0" }) && (share >= 1 || share <= 0 || whole % 100 != 0) {
      return "\(whole)%"
    }
    return "\(whole).\(fraction)%"
  }

  private static func split(
    _ value: Double, decimals: Int
  ) -> (negative: Bool, whole: UInt, fraction: String)? {
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    let scaled = (value.magnitude * scale).rounded()
    guard isShowable(scaled) else { return nil }
    let (whole, rest) = UInt(scaled).quotientAndRemainder(dividingBy: UInt(scale))
    let digits = decimals == 0 ? "" : String(rest)
    let zeros = String(repeating: "0", count: decimals - digits.utf8.count)
    return (value < 0 && scaled > 0, whole, zeros + digits)
  }

  private static func grouped(_ value: UInt) -> String {
    let digits = String(value)
    var text = ""
    for (position, digit) in digits.enumerated() {
      if position > 0 && (digits.utf8.count - position) % 3 == 0 { text += "," }
      text.append(digit)
    }
    return text
  }
}

/// The round numbers that an axis shows: 1, 2 or 5 times a power of ten apart.
struct AxisTicks {
  /// Where the ticks stand, ascending; at least one.
  let values: [Double]
  /// The distance between two of them; positive.
  let step: Double
  private let decimals: Int

  /// Ticks from `low` to `high` with about `count` steps between them.
  ///
  /// - Parameter wholeNumbers: true if a step below 1 would make no sense.
  init(from low: Double, to high: Double, count: Int, wholeNumbers: Bool = false) {
    let wanted = min(max((high - low) / Double(max(count, 1)), 1e-9), 1e300)
    var power = 1.0
    var decimals = 0
    while power > wanted {
      power /= 10
      decimals += 1
    }
    while power * 10 <= wanted { power *= 10 }
    if wholeNumbers && power < 1 { (power, decimals) = (1, 0) }
    let step = [1.0, 2, 5].map { $0 * power }.first { $0 >= wanted } ?? power * 10
    var values: [Double] = []
    var index = (low / step).rounded(.up)
    while index * step <= high + step * 1e-9 && values.count < 64 {
      values.append(index * step)
      index += 1
    }
    self.values = values.isEmpty ? [low] : values
    self.step = step
    self.decimals = step == power * 10 ? max(decimals - 1, 0) : decimals
  }

  /// Ticks as far apart as those of `other`, as far as `high`.
  init(from low: Double, to high: Double, step other: AxisTicks) {
    step = other.step
    decimals = other.decimals
    let count = Int(min(max((high - low) / other.step, 0), 63) + 1e-9)
    values = (0...count).map { low + Double($0) * other.step }
  }

  /// The first tick that is not below `value`.
  func reach(_ value: Double) -> Double { (value / step - 1e-9).rounded(.up) * step }

  /// What to write at a tick.
  func label(_ value: Double) -> String { NumberText.fixed(value, decimals: decimals) }
}
