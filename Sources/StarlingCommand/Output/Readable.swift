/// Numbers as people read them.
enum Readable {
  /// A number with so many decimals.
  static func decimal(_ value: Double, _ decimals: Int) -> String {
    guard value.isFinite, abs(value) < 1e15 else { return "-" }
    var unit = 1
    for _ in 0..<decimals { unit *= 10 }
    let scaled = Int((abs(value) * Double(unit)).rounded())
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard decimals > 0 else { return sign + "\(scaled)" }
    let fraction = String(scaled % unit)
    return sign + "\(scaled / unit)." + String(repeating: "0", count: decimals - fraction.count) + fraction
  }

  /// A share as people write it: `10%`, `33.4%`.
  static func percent(_ share: Double) -> String {
    var text = decimal(share * 100, 2)
    while text.last == "0" { text.removeLast() }
    if text.last == "." { text.removeLast() }
    return text + "%"
  }

  /// A size in bytes, with the unit that leaves few digits.
  static func size(_ bytes: Int) -> String {
    for (name, unit) in [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)] where Double(bytes) >= unit {
      return decimal(Double(bytes) / unit, 1) + " " + name
    }
    return bytes == 1 ? "1 byte" : "\(bytes) bytes"
  }

  /// A length of time in milliseconds, with its fraction.
  static func milliseconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) * 1_000 + Double(duration.components.attoseconds) / 1e15
  }

  /// Columns under their headings, the first to the left, the others to the right.
  static func table(_ headings: [String], _ rows: [[String]]) -> [String] {
    let widths = headings.indices.map { column in
      ([headings] + rows).map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    return ([headings] + rows).map { row in
      row.indices.map { column in
        let padding = String(repeating: " ", count: max(0, widths[column] - row[column].count))
        return column == 0 ? row[column] + padding : padding + row[column]
      }.joined(separator: "  ")
    }
  }
}
