import StarlingCore

/// Names a part of a message that is being sent.
struct FragmentReference: Equatable {
  let message: UInt64
  let index: Int
}

/// A packet that asked for an acknowledgement and has got none yet.
struct SentPacket {
  let number: UInt64
  let sentAt: Instant
  let byteCount: Int
  /// The parts of messages in it.
  let fragments: [FragmentReference]
}

/// Finds out which packets were lost: the algorithms and timers of RFC 9002, section 6 and appendix A.
///
/// Only ack-eliciting packets are noted, so only their acknowledgements measure the round trip.
struct LossRecovery {
  /// The longest a receiver waits with an acknowledgement: max_ack_delay (RFC 9000, section 18.2).
  static let maximumAckDelay = Interval.milliseconds(25)
  /// kPacketThreshold (RFC 9002, section 6.1.1).
  private static let packetThreshold: UInt64 = 3
  /// Probes double their distance this often at most, so that no arithmetic overflows.
  private static let maximumBackOff = 12

  private(set) var roundTrip = RoundTripEstimator()
  private(set) var window: SendWindow
  /// In the order of their numbers.
  private var packets = Queue<SentPacket>()
  private var largestAcknowledged: UInt64?
  private var lastSentAt = Instant.zero
  private var lossTime: Instant?
  /// Probe timeouts since the last acknowledgement.
  private var probeCount = 0

  init(windowBytes: Int) { window = SendWindow(limit: windowBytes) }

  /// Whether an acknowledgement is awaited.
  var hasOutstanding: Bool { !packets.isEmpty }

  /// When the loss timer or the probe timer is due, whichever is set.
  var deadline: Instant? {
    guard hasOutstanding else { return nil }
    return lossTime ?? lastSentAt + probeInterval
  }

  /// The time from the last packet to the next probe: doubled with every probe in vain.
  var probeInterval: Interval {
    roundTrip.probeTimeout * (1 << min(probeCount, LossRecovery.maximumBackOff))
  }

  /// Takes a round trip that the handshake measured.
  mutating func measured(_ sample: Interval) { roundTrip.update(sample, ackDelay: .zero) }

  mutating func sent(_ packet: SentPacket) {
    packets.append(packet)
    window.sent(packet.byteCount)
    lastSentAt = packet.sentAt
  }

  /// OnAckReceived. Takes time in proportion to the packets that it settles, and those few that wait for
  /// the loss threshold.
  ///
  /// - Returns: the packets newly acknowledged, and those that are thereby found lost.
  mutating func acknowledge(
    _ acknowledgement: Acknowledgement, at now: Instant
  ) -> (acknowledged: [SentPacket], lost: [SentPacket]) {
    let largest = acknowledgement.ranges[0].upperBound
    largestAcknowledged = max(largest, largestAcknowledged ?? 0)
    let ranges = acknowledgement.ranges
    var older = ranges.count - 1
    var acknowledged: [SentPacket] = []
    var examined = 0
    // Both run from old to new. Each packet is in the first range that does not end before it, or in none.
    while examined < packets.count, packets[examined].number <= largest {
      let number = packets[examined].number
      while ranges[older].upperBound < number { older -= 1 }
      if ranges[older].contains(number) { acknowledged.append(packets[examined]) }
      examined += 1
    }
    guard let newest = acknowledged.last else { return ([], []) }
    var next = 0
    // Backwards, as `filterFirst` asks.
    let numbers = acknowledged.reversed().map(\.number)
    packets.filterFirst(examined) { packet in
      guard next < numbers.count, numbers[next] == packet.number else { return true }
      next += 1
      return false
    }
    for packet in acknowledged { window.acknowledged(packet.byteCount) }
    if newest.number == largest {
      let limit = LossRecovery.maximumAckDelay
      let waited = min(acknowledgement.delayMicroseconds, UInt64(limit.nanoseconds / 1_000))
      roundTrip.update(now - newest.sentAt, ackDelay: .microseconds(Int(waited)))
    }
    probeCount = 0
    return (acknowledged, detectLost(at: now))
  }

  /// OnLossDetectionTimeout.
  ///
  /// - Returns: packets found lost, or the oldest two, whose content is worth sending again as a probe.
  mutating func expire(at now: Instant) -> (lost: [SentPacket], probes: [SentPacket]) {
    guard let deadline, deadline <= now else { return ([], []) }
    if lossTime != nil { return (detectLost(at: now), []) }
    probeCount += 1
    return ([], (0..<min(2, packets.count)).map { packets[$0] })
  }

  /// DetectAndRemoveLostPackets.
  private mutating func detectLost(at now: Instant) -> [SentPacket] {
    lossTime = nil
    guard let largestAcknowledged else { return [] }
    let delay = roundTrip.lossDelay
    var lost: [SentPacket] = []
    var examined = 0
    while examined < packets.count, packets[examined].number < largestAcknowledged {
      let packet = packets[examined]
      // Packets are in the order of sending, so those that are lost come first.
      guard
        packet.number + LossRecovery.packetThreshold <= largestAcknowledged || packet.sentAt + delay <= now
      else {
        lossTime = packet.sentAt + delay
        break
      }
      lost.append(packet)
      examined += 1
    }
    packets.removeFirst(examined)
    for packet in lost { window.lost(packet.byteCount) }
    return lost
  }
}
