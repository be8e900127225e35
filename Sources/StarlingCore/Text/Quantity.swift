/// Why a text is not the quantity that was asked for.
public struct QuantityError: Error, Hashable, Sendable, CustomStringConvertible {
  /// One sentence that says what is wrong and what would be right.
  public let description: String

  /// An error that says `sentence`.
  public init(_ sentence: String) { description = sentence }
}

/// The quantities users write on the command line, in and out of text; no locale is involved.
public enum Quantity {
  /// The longest duration that can be written: 1,000,000 hours, some 114 years.
  public static let longestDuration = Interval(nanoseconds: 3_600_000_000_000 * 1_000_000)

  private static let durationUnits: [(name: String, nanoseconds: UInt64)] = [
    ("h", 3_600_000_000_000), ("min", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000),
    ("us", 1_000), ("ns", 1),
  ]
  private static let sizeUnits: [(name: String, bytes: UInt64)] = [
    ("", 1), ("B", 1), ("kB", 1_000), ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
  ]

  /// A number of things in words: `1 peer`, `2 peers`, `1,000 peers`.
  ///
  /// - Parameters:
  ///   - count: how many.
  ///   - one: what one of them is called.
  ///   - many: what several are called; `one` with an s if `nil`.
  public static func count(_ count: Int, _ one: String, _ many: String? = nil) -> String {
    "\(grouped(count)) \(count == 1 ? one : many ?? one + "s")"
  }

  /// A whole number with its thousands apart: `1,000,000`.
  public static func grouped(_ number: Int) -> String {
    let digits = String(number.magnitude)
    var text = number < 0 ? "-" : ""
    for (position, digit) in digits.enumerated() {
      if position > 0 && (digits.utf8.count - position) % 3 == 0 { text += "," }
      text.append(digit)
    }
    return text
  }

  /// Parses a duration: `50ms`, `2s`, `1.5min`, `3h`, `20us`, `7ns`, or plain `0`.
  ///
  /// - Returns: the length, rounded to the nearest nanosecond, 0 ... ``longestDuration``.
  public static func duration(_ text: String) throws(QuantityError) -> Interval {
    let (number, unit) = split(text)
    guard let decimal = Decimal(number) else {
      throw QuantityError("\"\(text)\" is not a duration; write it like 50ms, 2s, 10min or 3h.")
    }
    if unit.isEmpty, decimal.significand == 0 { return .zero }
    guard let known = durationUnits.first(where: { $0.name == unit }) else {
      throw QuantityError(
        "The duration \"\(text)\" needs a unit: one of ns, us, ms, s, min and h, as in 50ms.")
    }
    let limit = UInt64(longestDuration.nanoseconds)
    guard let nanoseconds = decimal.times(known.nanoseconds, limit: limit) else {
      throw QuantityError("The duration \"\(text)\" is out of range; it may be 0s to 1000000h.")
    }
    return Interval(nanoseconds: Int64(nanoseconds))
  }

  /// Parses a size: plain bytes such as `1024`, or `64KiB`, `1MB`, `2.5GiB` (powers of 1,024 with an i,
  /// of 1,000 without).
  ///
  /// - Returns: bytes, rounded to the nearest, 0 ... 2⁵³.
  public static func size(_ text: String) throws(QuantityError) -> Int {
    let (number, unit) = split(text)
    guard let decimal = Decimal(number) else {
      throw QuantityError("\"\(text)\" is not a size; write it like 1024, 64KiB or 1MB.")
    }
    guard let known = sizeUnits.first(where: { $0.name == unit }) else {
      throw QuantityError("The size \"\(text)\" has an unknown unit; write it like 1024, 64KiB or 1MB.")
    }
    guard let bytes = decimal.times(known.bytes, limit: 1 << 53) else {
      throw QuantityError("The size \"\(text)\" is out of range; it may be 0 to 8192TiB.")
    }
    return Int(bytes)
  }

  /// Parses a share: `5%` or `0.05`.
  ///
  /// - Returns: 0 ... 1.
  public static func share(_ text: String) throws(QuantityError) -> Double {
    let isPercentage = text.hasSuffix("%")
    guard let decimal = Decimal(isPercentage ? text.dropLast() : text[...]),
      let share = decimal.shifted(by: isPercentage ? -2 : 0).approximation
    else {
      throw QuantityError("\"\(text)\" is not a share; write it like 5% or 0.05.")
    }
    guard (0...1).contains(share) else {
      throw QuantityError("The share \"\(text)\" is out of range; it may be 0% to 100%, or 0 to 1.")
    }
    return share
  }

  /// Parses a plain number that is not negative, such as `0.5`.
  public static func number(_ text: String) throws(QuantityError) -> Double {
    guard let number = Decimal(text)?.approximation, number >= 0 else {
      throw QuantityError("\"\(text)\" is not a number of 0 or more, such as 0.5.")
    }
    return number
  }

  /// A duration as ``duration(_:)`` reads it, in the largest unit that is not larger than it: `1.5ms`.
  /// Minutes and hours are used only for whole numbers of them.
  public static func text(of duration: Interval) -> String {
    guard duration > .zero else { return "0s" }
    let nanoseconds = UInt64(duration.nanoseconds)
    for (name, unit) in durationUnits where nanoseconds >= unit {
      let rest = nanoseconds % unit
      if rest == 0 { return "\(nanoseconds / unit)\(name)" }
      if unit > 1_000_000_000 { continue }
      var digits = String(unit + rest).dropFirst()
      while digits.last == "0" { digits = digits.dropLast() }
      return "\(nanoseconds / unit).\(digits)\(name)"
    }
    return "0s"
  }

  /// A number as ``number(_:)`` reads it, without a needless fraction: `0.5`, `3`.
  public static func text(of number: Double) -> String {
    let text = "\(number)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  /// Parts a number from the unit behind it. An exponent is not taken for a unit, nor the other way round:
  /// no unit starts with an e.
  private static func split(_ text: String) -> (number: Substring, unit: String) {
    let isUnit: (Character) -> Bool = { $0.isLetter && $0 != "e" && $0 != "E" || $0 == "µ" }
    guard let start = text.firstIndex(where: isUnit) else { return (text[...], "") }
    return (text[..<start], String(text[start...]))
  }
}

extension Decimal {
  /// The same digits, `places` powers of ten further.
  func shifted(by places: Int) -> Decimal {
    Decimal(isNegative: isNegative, significand: significand, exponent: exponent + places)
  }

  private init(isNegative: Bool, significand: UInt64, exponent: Int) {
    self.isNegative = isNegative
    self.significand = significand
    self.exponent = exponent
  }
}
