/// A decimal number as it was written, taken apart without a locale and without rounding: its digits as one
/// integer, and the power of ten they are multiplied by.
struct Decimal {
  let isNegative: Bool
  let significand: UInt64
  let exponent: Int

  /// Digits beyond the first 18 are dropped: they could not change any quantity's last digit.
  private static let digitsLimit = 18

  /// Parses `12`, `0.05`, `.5`, `-1` or `1.25e+02`; anything else is `nil`.
  init?(_ text: some StringProtocol) {
    var rest = Array(text.utf8)[...]
    isNegative = rest.first == UInt8(ascii: "-")
    if isNegative || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
    var significand: UInt64 = 0
    var exponent = 0
    var digits = 0
    var seen = false
    var afterPoint = false
    while let byte = rest.first, byte != UInt8(ascii: "e"), byte != UInt8(ascii: "E") {
      rest = rest.dropFirst()
      if byte == UInt8(ascii: "."), !afterPoint {
        afterPoint = true
        continue
      }
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
      seen = true
      if digits < Decimal.digitsLimit {
        significand = significand * 10 + UInt64(byte - UInt8(ascii: "0"))
        if significand > 0 { digits += 1 }
        if afterPoint { exponent -= 1 }
      } else if !afterPoint {
        exponent += 1
      }
    }
    guard seen else { return nil }
    if !rest.isEmpty {
      let digits = rest.dropFirst()
      guard digits.count <= 5, let power = Int(String(decoding: digits, as: UTF8.self)) else { return nil }
      exponent += power
    }
    self.significand = significand
    self.exponent = exponent
  }

  /// The number times `unit`, rounded to the nearest integer; `nil` if it is negative or above `limit`.
  func times(_ unit: UInt64, limit: UInt64) -> UInt64? {
    guard !isNegative || significand == 0 else { return nil }
    var product = UInt128(significand) * UInt128(unit)
    var power = exponent
    while power > 0, product <= UInt128(limit), product > 0 {
      product *= 10
      power -= 1
    }
    guard power <= 0 || product == 0 else { return nil }
    guard power > -39 else { return 0 }
    var divisor: UInt128 = 1
    while power < 0 {
      divisor *= 10
      power += 1
    }
    let rounded = product / divisor + (product % divisor >= (divisor + 1) / 2 && divisor > 1 ? 1 : 0)
    return rounded <= UInt128(limit) ? UInt64(rounded) : nil
  }

  /// The nearest `Double`; `nil` beyond 40 places or 22 zeros, which no quantity has.
  var approximation: Double? {
    guard (-40...22).contains(exponent) else { return significand == 0 ? 0 : nil }
    return Double("\(isNegative ? "-" : "")\(significand)e\(exponent)")
  }
}
