import StarlingCore

/// A part of a message, as one DATA frame carries it.
///
/// Messages are always cut at the same places, so which parts have come, or were acknowledged, fits into the
/// bits of one word. (QUIC cuts its streams anywhere and keeps sets of ranges.)
struct Fragment: Equatable {
  /// Bytes in every part but the last. Leaves room for the frame's header and an acknowledgement in a
  /// datagram of 1,200 bytes, and 60 of them make the largest message.
  static let byteCount = 1_100
  /// The largest message there can be.
  static let maximumMessageBytes = 65_536

  /// The number of the message.
  let message: UInt64
  /// Bytes in the whole message.
  let total: Int
  /// Which part of the message this is.
  let index: Int
  let bytes: [UInt8]

  /// How many parts a message of that many bytes has, 1 ... 60: an empty one has one.
  static func count(total: Int) -> Int { max(1, (total + byteCount - 1) / byteCount) }

  /// Where in a message of that many bytes a part lies.
  static func range(_ index: Int, total: Int) -> Range<Int> {
    let start = index * byteCount
    return start..<min(start + byteCount, total)
  }

  /// Bytes in the frame that carries a part.
  static func frameByteCount(message: UInt64, total: Int, index: Int) -> Int {
    let range = range(index, total: total)
    return 1 + Varint.byteCount(message) + Varint.byteCount(UInt64(range.lowerBound))
      + Varint.byteCount(UInt64(total)) + range.count
  }
}
