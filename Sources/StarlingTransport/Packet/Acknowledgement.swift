import StarlingCore

/// An ACK frame: which packets have come (RFC 9000, section 19.3, with the delay in plain microseconds).
struct Acknowledgement: Equatable {
  /// The frame's bytes at most. The peer sees to it that older ranges, which do not fit, were told before.
  static let maximumByteCount = 50
  private static let maximumRanges = 32

  /// Packet numbers, the largest first; ranges neither touch nor overlap. Never empty.
  let ranges: [ClosedRange<UInt64>]
  /// How long the receiver waited with telling of the largest, in microseconds.
  let delayMicroseconds: UInt64

  /// Appends the frame, with as many of the newest ranges as fit.
  static func encode(
    _ ranges: [ClosedRange<UInt64>], delayMicroseconds: UInt64, into writer: inout WireWriter
  ) {
    guard let newest = ranges.first else { return }
    var room =
      maximumByteCount - 2 - Varint.byteCount(newest.upperBound) - Varint.byteCount(delayMicroseconds)
      - Varint.byteCount(span(newest))
    var count = 1
    while count < min(ranges.count, maximumRanges) {
      room -= Varint.byteCount(gap(ranges[count - 1], ranges[count])) + Varint.byteCount(span(ranges[count]))
      guard room >= 0 else { break }
      count += 1
    }
    writer.write(Frame.Kind.acknowledgement)
    writer.write(varint: newest.upperBound)
    writer.write(varint: delayMicroseconds)
    writer.write(UInt8(count - 1))
    writer.write(varint: span(newest))
    for i in 1..<count {
      writer.write(varint: gap(ranges[i - 1], ranges[i]))
      writer.write(varint: span(ranges[i]))
    }
  }

  static func decode(from reader: inout WireReader) throws(WireError) -> Acknowledgement {
    let largest = try reader.readVarint()
    let delay = try reader.readVarint()
    let more = Int(try reader.readByte())
    guard more < maximumRanges else { throw .invalid("an acknowledgement of too many ranges") }
    var ranges = [try range(upTo: largest, reader.readVarint())]
    for _ in 0..<more {
      // At least one packet lies between two ranges, so a gap of n stands for n + 1 of them.
      let gap = try reader.readVarint()
      let lower = ranges[ranges.count - 1].lowerBound
      guard lower >= gap + 2 else { throw .invalid("an acknowledgement below packet 0") }
      ranges.append(try range(upTo: lower - gap - 2, reader.readVarint()))
    }
    return Acknowledgement(ranges: ranges, delayMicroseconds: delay)
  }

  private static func range(upTo upper: UInt64, _ span: UInt64) throws(WireError) -> ClosedRange<UInt64> {
    guard span <= upper else { throw .invalid("an acknowledgement below packet 0") }
    return (upper - span)...upper
  }

  private static func span(_ range: ClosedRange<UInt64>) -> UInt64 { range.upperBound - range.lowerBound }

  private static func gap(_ newer: ClosedRange<UInt64>, _ older: ClosedRange<UInt64>) -> UInt64 {
    newer.lowerBound - older.upperBound - 2
  }
}
