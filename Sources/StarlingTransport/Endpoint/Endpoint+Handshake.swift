import CSodium
import StarlingCore

/// The responder's part of the handshake.
extension Endpoint {
  /// Handles a handshake's first datagram.
  mutating func receiveInitiate(
    _ datagram: [UInt8], from address: SocketAddress, at now: Instant,
    into sink: inout some TransportSink & ~Copyable
  ) {
    guard let initiate = HandshakeDatagram.parseInitiate(datagram) else { return counters.drop(.malformed) }
    guard initiate.version == TransportVersion.current else {
      counters.drop(.unknownVersion)
      return reply(HandshakeDatagram.refuse(to: initiate.initiator, .version), to: address, into: &sink)
    }
    let tag = HandshakeDatagram.networkTag(
      network: configuration.network, ephemeral: initiate.ephemeral)
    guard sodium_memcmp(tag, Array(initiate.tag), tag.count) == 0 else {
      counters.drop(.otherNetwork)
      return reply(HandshakeDatagram.refuse(to: initiate.initiator, .network), to: address, into: &sink)
    }
    let opening = Opening(ephemeral: Array(initiate.ephemeral), address: address)
    if let id = openings[opening] {
      guard case .responder(let i) = routes[id] else { return counters.drop(.handshakeRepeated) }
      counters.retransmissions += 1
      return reply(responders[i].answer, to: address, into: &sink)
    }
    makeRoomForHandshake(with: address)
    guard
      let responder = ResponderHandshake(
        initiate, opening: opening, id: newID(), network: configuration.network, credentials: credentials,
        ephemeral: X25519KeyPair(random: &random), reassemblyBytes: configuration.reassemblyBytes,
        deadline: now + configuration.handshakeTimeout)
    else { return counters.drop(.forged) }
    add(responder)
    reply(responder.answer, to: address, into: &sink)
  }

  /// Handles a handshake's last datagram.
  mutating func receiveConfirm(
    _ datagram: [UInt8], by i: Int, at now: Instant, into sink: inout some TransportSink & ~Copyable
  ) {
    guard let (peer, session) = responders[i].confirm(datagram), peer.key != publicKey else {
      return counters.drop(.forged)
    }
    let responder = removeResponder(i, forgettingOpening: false)
    var connection = Connection(
      id: responder.id, address: responder.opening.address, opening: responder.opening,
      limits: configuration, at: now)
    guard connections.count < configuration.maximumConnections,
      !hasItsShare(responder.opening.address)
    else {
      counters.drop(.tablesFull)
      connection.session = session
      openings[responder.opening] = nil
      return sayGoodbye(&connection, .full, at: now, into: &sink)
    }
    counters.handshakes += 1
    connection.establish(
      session, peerReassemblyBytes: peer.reassemblyBytes, initiated: false, at: now, into: &sink)
    connection.flush(at: now, counters: &counters, into: &sink)
    add(connection)
  }

  /// The oldest gives way: whoever opens in earnest answers within a round trip, and a flood of openings must be
  /// fast to be ahead of that. Without this, a trickle would keep everybody out. A host that has its share makes
  /// way for itself, so that one host cannot be ahead of the others.
  private mutating func makeRoomForHandshake(with address: SocketAddress) {
    var own = 0
    var oldest: Int?
    for i in 0..<responders.count where responders[i].opening.address.isOnHost(of: address) {
      own += 1
      if oldest.map({ responders.deadlines[i] < responders.deadlines[$0] }) ?? true { oldest = i }
    }
    if own < configuration.maximumHandshakesPerHost {
      guard responders.count >= configuration.maximumHandshakes else { return }
      oldest = responders.deadlines.firstIndex(of: responders.earliest)
    }
    counters.drop(.tablesFull)
    if let oldest { removeResponder(oldest, forgettingOpening: true) }
  }

  /// Whether a host has opened as many connections as one host may.
  private func hasItsShare(_ address: SocketAddress) -> Bool {
    guard let limit = configuration.maximumConnectionsPerHost else { return false }
    var own = 0
    for i in 0..<connections.count {
      if let opening = connections[i].opening, opening.address.isOnHost(of: address) { own += 1 }
    }
    return own >= limit
  }

  private mutating func reply(
    _ datagram: [UInt8], to address: SocketAddress, into sink: inout some TransportSink & ~Copyable
  ) {
    counters.noteSent(datagram.count)
    sink.transmit(datagram, to: address)
  }
}
