import StarlingCore

extension Connection {
  /// Handles a datagram of the kind ``DatagramKind/packet``. Before it has proved authentic and new, it
  /// changes nothing but counters.
  mutating func receive(
    _ datagram: [UInt8], at now: Instant, counters: inout TransportCounters,
    into sink: inout some TransportSink & ~Copyable
  ) {
    guard let session else { return counters.drop(.unknownConnection) }
    guard let number = Packet.number(of: datagram), number <= Varint.maximum else {
      return counters.drop(.malformed)
    }
    guard received.isNew(number) else { return counters.drop(.replayed) }
    guard let frames = Packet.open(datagram, number: number, with: session.receiving) else {
      return counters.drop(.forged)
    }
    aliveAt = max(aliveAt, now)
    isAnswerAwaited = false
    proofDeadline = nil
    confirmation = nil
    handshakeDeadline = nil
    do throws(WireError) {
      let asks = try handle(frames, at: now, counters: &counters, into: &sink)
      received.note(number, isAckEliciting: asks, at: now)
    } catch {
      ended = .violation(Connection.explain(error))
      return
    }
    flush(at: now, counters: &counters, into: &sink)
  }

  /// - Returns: whether the packet asks for an acknowledgement.
  private mutating func handle(
    _ frames: [UInt8], at now: Instant, counters: inout TransportCounters,
    into sink: inout some TransportSink & ~Copyable
  ) throws(WireError) -> Bool {
    var reader = WireReader(frames)
    guard reader.remaining > 0 else { throw .invalid("a packet without frames") }
    var asks = false
    while reader.remaining > 0, ended == nil {
      let frame = try Frame.decode(from: &reader)
      asks = asks || frame.isAckEliciting
      switch frame {
      case .ping: break
      case .acknowledgement(let acknowledgement):
        try handle(acknowledgement, at: now, counters: &counters)
      case .data(let part):
        switch try incoming.receive(part) {
        case .whole(let message):
          counters.messagesReceived += 1
          sink.received(message, on: id)
        case .incomplete: break
        case .duplicate: counters.duplicateFragments += 1
        }
      case .close(let code): ended = code.reason
      }
    }
    return asks
  }

  private mutating func handle(
    _ acknowledgement: Acknowledgement, at now: Instant, counters: inout TransportCounters
  ) throws(WireError) {
    guard acknowledgement.ranges[0].upperBound < nextNumber else {
      throw .invalid("an acknowledgement of a packet that was not sent")
    }
    let (acknowledged, lost) = recovery.acknowledge(acknowledgement, at: now)
    for packet in acknowledged {
      for part in packet.fragments { outgoing.acknowledge(part) }
    }
    note(lost: lost, counters: &counters)
  }

  private static func explain(_ error: WireError) -> String {
    switch error {
    case .truncated: "a frame ends early"
    case .trailing: "bytes are left over"
    case .invalid(let what): what
    }
  }
}
