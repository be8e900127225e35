import StarlingCore

/// Puts messages together from their parts and delivers each once, in bounded space.
///
/// A sender keeps the numbers of its unacknowledged messages within ``OutgoingMessages/span``. What is
/// acknowledged was delivered, so that many bits from the first undelivered number on tell all that is to be
/// known; and an honest sender never has more begun than it was told fits.
struct IncomingMessages {
  private struct Partial {
    var bytes: [UInt8]
    var received: UInt64 = 0
  }

  private let byteLimit: Int
  /// Every message below was delivered, and this one was not.
  private var firstMissing: UInt64 = 0
  /// Of the messages from `firstMissing` on, those that were delivered.
  private var delivered = RingBitmap(capacity: Int(OutgoingMessages.span))
  private var partials: [UInt64: Partial] = [:]
  /// Bytes of the messages of which parts are there: their full sizes.
  private(set) var heldBytes = 0

  init(byteLimit: Int) { self.byteLimit = byteLimit }

  /// What a part led to.
  enum Outcome: Equatable {
    /// The message is whole.
    case whole([UInt8])
    /// Other parts are missing.
    case incomplete
    /// The part, or its whole message, had come before.
    case duplicate
  }

  /// Handles a part.
  ///
  /// - Throws: ``WireError`` when the peer broke the protocol.
  mutating func receive(_ part: Fragment) throws(WireError) -> Outcome {
    guard part.message >= firstMissing else { return .duplicate }
    guard part.message - firstMissing < OutgoingMessages.span else {
      throw .invalid("a message too far ahead of those that are missing")
    }
    guard !delivered[part.message] else { return .duplicate }
    let count = Fragment.count(total: part.total)
    guard count > 1 else {
      guard partials[part.message] == nil else { throw .invalid("a message of two sizes") }
      markDelivered(part.message)
      return .whole(part.bytes)
    }
    try begin(part)
    let bit = UInt64(1) << UInt64(part.index)
    guard let before = partials[part.message]?.received, before & bit == 0 else { return .duplicate }
    let range = Fragment.range(part.index, total: part.total)
    partials[part.message]?.bytes.replaceSubrange(range, with: part.bytes)
    partials[part.message]?.received = before | bit
    guard before | bit == .max >> UInt64(64 - count), let whole = partials.removeValue(forKey: part.message)
    else { return .incomplete }
    heldBytes -= part.total
    markDelivered(part.message)
    return .whole(whole.bytes)
  }

  private mutating func begin(_ part: Fragment) throws(WireError) {
    if let partial = partials[part.message] {
      guard partial.bytes.count == part.total else { throw .invalid("a message of two sizes") }
      return
    }
    guard heldBytes + part.total <= byteLimit else {
      throw .invalid("more unfinished messages than it was told fit")
    }
    heldBytes += part.total
    partials[part.message] = Partial(bytes: [UInt8](repeating: 0, count: part.total))
  }

  private mutating func markDelivered(_ number: UInt64) {
    delivered[number] = true
    while delivered[firstMissing] {
      delivered[firstMissing] = false
      firstMissing += 1
    }
  }
}
