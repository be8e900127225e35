import StarlingCore

/// Which packets have come: drops those that come again, and says when to acknowledge what.
struct ReceivedPackets {
  /// How far behind the newest a packet may be, and still be told from a replay.
  static let windowSize = 2_048
  /// Ranges remembered for acknowledgements; older ones were told many times.
  private static let maximumRanges = 32
  /// Every so many ack-eliciting packets are acknowledged at once (RFC 9000, section 13.2.2).
  private static let packetsPerAcknowledgement = 2

  private var window = RingBitmap(capacity: windowSize)
  /// Newest first; they neither touch nor overlap.
  private var ranges: [ClosedRange<UInt64>] = []
  private var newestAt = Instant.zero
  private var owed = 0
  private var isUrgent = false
  /// When an acknowledgement is to be sent at the latest, if one is owed.
  private(set) var deadline: Instant?

  /// Whether any packet is owed an acknowledgement.
  var owesAcknowledgement: Bool { owed > 0 }

  /// Whether a packet has not come before, as far as can be told: too old ones count as having come.
  func isNew(_ number: UInt64) -> Bool {
    guard let newest = ranges.first?.upperBound, number <= newest else { return true }
    return newest - number < UInt64(ReceivedPackets.windowSize) && !window[number]
  }

  /// Notes an authentic, new packet.
  mutating func note(_ number: UInt64, isAckEliciting: Bool, at now: Instant) {
    let expected = ranges.first.map { $0.upperBound + 1 } ?? 0
    if number >= expected {
      slide(from: expected, to: number)
      newestAt = now
    }
    window[number] = true
    insert(number)
    guard isAckEliciting else { return }
    owed += 1
    // A gap may be a loss, which the sender should learn of without delay (RFC 9000, section 13.2.1).
    if number != expected { isUrgent = true }
    if deadline == nil { deadline = now + LossRecovery.maximumAckDelay }
  }

  /// Whether an acknowledgement is to be sent now, even alone.
  func isDue(at now: Instant) -> Bool {
    owed >= ReceivedPackets.packetsPerAcknowledgement || (owed > 0 && isUrgent)
      || deadline.map { $0 <= now } ?? false
  }

  /// Appends an ACK frame; nothing is owed after it.
  mutating func acknowledge(at now: Instant, into writer: inout WireWriter) {
    let waited = max((now - newestAt).nanoseconds, 0) / 1_000
    Acknowledgement.encode(ranges, delayMicroseconds: UInt64(waited), into: &writer)
    owed = 0
    isUrgent = false
    deadline = nil
  }

  private mutating func slide(from expected: UInt64, to number: UInt64) {
    guard number - expected < window.capacity else { return window.clear() }
    for skipped in expected...number { window[skipped] = false }
  }

  private mutating func insert(_ number: UInt64) {
    var i = 0
    while i < ranges.count, number < ranges[i].lowerBound { i += 1 }
    let joinsNewer = i > 0 && ranges[i - 1].lowerBound - 1 == number
    let joinsOlder = i < ranges.count && ranges[i].upperBound + 1 == number
    switch (joinsNewer, joinsOlder) {
    case (true, true):
      ranges[i - 1] = ranges[i].lowerBound...ranges[i - 1].upperBound
      ranges.remove(at: i)
    case (true, false): ranges[i - 1] = number...ranges[i - 1].upperBound
    case (false, true): ranges[i] = ranges[i].lowerBound...number
    case (false, false):
      ranges.insert(number...number, at: i)
      if ranges.count > ReceivedPackets.maximumRanges { ranges.removeLast() }
    }
  }
}
