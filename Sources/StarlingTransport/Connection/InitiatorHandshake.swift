import StarlingCore

/// What an initiator keeps until its peer has answered.
struct InitiatorHandshake {
  var noise: NoiseHandshake
  /// Anyone else who answers is refused.
  let expected: PublicKey?
  /// The first datagram, which is repeated until there is an answer.
  let datagram: [UInt8]
  let startedAt: Instant
  private(set) var repeatAt: Instant
  private(set) var repeats = 0
  /// What somebody at the peer's address says against the handshake: unauthenticated, so it only explains a
  /// handshake that comes to nothing.
  var refusal: CloseReason?

  init(noise: NoiseHandshake, expected: PublicKey?, datagram: [UInt8], at now: Instant) {
    self.noise = noise
    self.expected = expected
    self.datagram = datagram
    startedAt = now
    repeatAt = now + InitiatorHandshake.patience(repeats: 0)
  }

  mutating func noteRepeated(at now: Instant) {
    repeats += 1
    repeatAt = now + InitiatorHandshake.patience(repeats: repeats)
  }

  /// After how long the last of so many datagrams has gone unanswered.
  static func patience(openings: Int) -> Interval {
    (0..<openings).reduce(.zero) { $0 + patience(repeats: $1) }
  }

  /// The probe timeout before anything was measured (RFC 9002, section 6.2.2), doubled every time.
  private static func patience(repeats: Int) -> Interval {
    RoundTripEstimator.initial * 3 * (1 << min(repeats, 16))
  }
}

extension Connection {
  /// Sends the handshake's first datagram again, if that is due.
  mutating func repeatInitiate(
    at now: Instant, counters: inout TransportCounters, into sink: inout some TransportSink & ~Copyable
  ) {
    guard let datagram = handshake?.datagram, let repeatAt = handshake?.repeatAt, repeatAt <= now else {
      return
    }
    handshake?.noteRepeated(at: now)
    counters.retransmissions += 1
    transmit(datagram, counters: &counters, into: &sink)
  }

  /// Handles the answer to the handshake's first datagram. One that does not authenticate changes nothing.
  mutating func receiveRespond(
    _ datagram: [UInt8], credentials: HandshakeCredentials, at now: Instant,
    counters: inout TransportCounters, into sink: inout some TransportSink & ~Copyable
  ) {
    guard var attempt = handshake else { return counters.drop(.handshakeRepeated) }
    guard let payload = try? attempt.noise.read(datagram[HandshakeDatagram.shortHeader...]),
      let peer = HandshakePayload(payload, staticKey: attempt.noise.remoteStatic)
    else { return counters.drop(.forged) }
    guard peer.key != credentials.publicKey else {
      ended = .ownKey
      return
    }
    guard attempt.expected.map({ $0 == peer.key }) ?? true else {
      ended = .unexpectedKey(peer.key)
      return
    }
    guard
      let last = try? attempt.noise.write(
        payload: credentials.payload(id: id, reassemblyBytes: limits.reassemblyBytes))
    else { return counters.drop(.forged) }
    // A repeated datagram does not tell which of its copies was answered (Karn's algorithm).
    if attempt.repeats == 0 { recovery.measured(now - attempt.startedAt) }
    let confirmation = HandshakeDatagram.message(.confirm, to: peer.id, last)
    self.confirmation = confirmation
    transmit(confirmation, counters: &counters, into: &sink)
    counters.handshakes += 1
    let keys = attempt.noise.split()
    establish(
      Session(peer: peer.key, peerID: peer.id, sending: keys.sending, receiving: keys.receiving),
      peerReassemblyBytes: peer.reassemblyBytes, initiated: true, at: now, into: &sink)
    flush(at: now, counters: &counters, into: &sink)
  }
}
