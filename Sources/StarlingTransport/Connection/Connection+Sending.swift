import StarlingCore

extension Connection {
  /// Sends all that may be sent now.
  mutating func flush(
    at now: Instant, counters: inout TransportCounters, into sink: inout some TransportSink & ~Copyable
  ) {
    guard let session, ended == nil else { return }
    while let packet = nextPacket(at: now, counters: &counters) {
      let number = nextNumber
      nextNumber += 1
      let datagram = Packet.seal(packet.frames, to: session.peerID, number: number, with: session.sending)
      if packet.isAckEliciting {
        recovery.sent(
          SentPacket(
            number: number, sentAt: now, byteCount: datagram.count, fragments: packet.fragments))
        noteAsked(at: now)
      }
      transmit(datagram, counters: &counters, into: &sink)
    }
    probes = 0
    if outgoing.becameWritable() { sink.writable(id) }
  }

  /// Ends the connection with a word to the peer.
  ///
  /// - Returns: that word, for repeating it; `nil` if there are no keys yet.
  mutating func sealClose(_ code: CloseCode) -> [UInt8]? {
    guard let session else { return nil }
    var writer = WireWriter(capacity: 2)
    writer.write(Frame.Kind.close)
    writer.write(code.rawValue)
    defer { nextNumber += 1 }
    return Packet.seal(writer.bytes, to: session.peerID, number: nextNumber, with: session.sending)
  }

  func transmit(
    _ datagram: [UInt8], counters: inout TransportCounters, into sink: inout some TransportSink & ~Copyable
  ) {
    counters.noteSent(datagram.count)
    sink.transmit(datagram, to: address)
  }

  private struct PacketContent {
    var frames: [UInt8]
    var fragments: [FragmentReference] = []
    var isAckEliciting = false
  }

  /// Fills the next packet; `nil` when there is nothing to say, or the window is full.
  private mutating func nextPacket(
    at now: Instant, counters: inout TransportCounters
  ) -> PacketContent? {
    let mayAsk = probes > 0 || recovery.window.allows(limits.datagramBytes)
    let hasData = mayAsk && outgoing.hasNext()
    let pings = wantsPing && mayAsk
    guard hasData || pings || received.isDue(at: now) else { return nil }

    var writer = WireWriter(capacity: limits.datagramBytes)
    var content = PacketContent(frames: [])
    if received.owesAcknowledgement { received.acknowledge(at: now, into: &writer) }
    let capacity = limits.datagramBytes - Packet.overhead
    while hasData, let next = outgoing.writeNext(room: capacity - writer.bytes.count, into: &writer) {
      content.fragments.append(next.part)
      if next.isRepeated { counters.retransmissions += 1 }
    }
    if pings, content.fragments.isEmpty { writer.write(Frame.Kind.ping) }
    content.isAckEliciting = pings || !content.fragments.isEmpty
    if content.isAckEliciting {
      wantsPing = false
      if probes > 0 { probes -= 1 }
    }
    content.frames = writer.bytes
    precondition(!content.frames.isEmpty, "a part of a message fits into an empty packet")
    return content
  }

  /// The idle timer starts anew with the first packet that asks for an answer (RFC 9000, section 10.1).
  private mutating func noteAsked(at now: Instant) {
    lastSentAt = now
    guard !isAnswerAwaited else { return }
    isAnswerAwaited = true
    aliveAt = max(aliveAt, now)
  }
}
