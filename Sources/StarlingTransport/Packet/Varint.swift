import StarlingCore

/// Variable-length integers of RFC 9000, section 16: 1, 2, 4 or 8 bytes; the first two bits tell which.
enum Varint {
  /// The largest number: 2⁶² − 1.
  static let maximum: UInt64 = 1 << 62 - 1

  /// How many bytes a number takes.
  static func byteCount(_ value: UInt64) -> Int {
    value < 1 << 6 ? 1 : value < 1 << 14 ? 2 : value < 1 << 30 ? 4 : 8
  }
}

extension WireWriter {
  /// Appends a number of at most ``Varint/maximum``.
  mutating func write(varint value: UInt64) {
    precondition(value <= Varint.maximum, "\(value) is too large for a variable-length integer")
    switch Varint.byteCount(value) {
    case 1: write(UInt8(value))
    case 2: write(integer: UInt16(value) | 1 << 14)
    case 4: write(integer: UInt32(value) | 2 << 30)
    default: write(integer: value | 3 << 62)
    }
  }
}

extension WireReader {
  /// Takes a number.
  mutating func readVarint() throws(WireError) -> UInt64 {
    let first = try readByte()
    var value = UInt64(first & 0x3F)
    for _ in 1..<(1 << (first >> 6)) { value = value << 8 | UInt64(try readByte()) }
    return value
  }
}
