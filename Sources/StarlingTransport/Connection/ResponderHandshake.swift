import StarlingCore

/// By what a repeated first datagram is known: the initiator's ephemeral key and its address.
struct Opening: Hashable {
  let ephemeral: [UInt8]
  let address: SocketAddress
}

/// What a responder keeps until the initiator has confirmed, so that no connection is made for somebody who
/// does not receive at the address claimed.
struct ResponderHandshake {
  let id: ConnectionID
  let opening: Opening
  let initiator: ConnectionID
  var noise: NoiseHandshake
  /// The answer, sent again whenever the first datagram comes again and at no other time: so what goes to an
  /// address that nobody has validated is less than what came from it.
  let answer: [UInt8]
  let deadline: Instant

  /// Reads the first datagram and makes the answer.
  ///
  /// - Returns: `nil` when the initiator's key is no good.
  init?(
    _ initiate: HandshakeDatagram.Initiate, opening: Opening, id: ConnectionID, network: [UInt8],
    credentials: HandshakeCredentials, ephemeral: X25519KeyPair, reassemblyBytes: Int, deadline: Instant
  ) {
    var noise = NoiseHandshake(
      isInitiator: false,
      prologue: HandshakeCredentials.prologue(network: network, initiator: initiate.initiator),
      ownStatic: credentials.staticPair, ephemeral: ephemeral)
    guard (try? noise.read(initiate.ephemeral)) != nil,
      let message = try? noise.write(payload: credentials.payload(id: id, reassemblyBytes: reassemblyBytes))
    else { return nil }
    self.id = id
    self.opening = opening
    self.initiator = initiate.initiator
    self.noise = noise
    answer = HandshakeDatagram.message(.respond, to: initiate.initiator, message)
    self.deadline = deadline
  }

  /// Reads the last datagram.
  ///
  /// - Returns: who the initiator is and the keys; `nil`, with nothing changed, for a forgery.
  func confirm(_ datagram: [UInt8]) -> (peer: HandshakePayload, session: Connection.Session)? {
    var attempt = noise
    guard let payload = try? attempt.read(datagram[HandshakeDatagram.shortHeader...]),
      let peer = HandshakePayload(payload, staticKey: attempt.remoteStatic), peer.id == initiator
    else { return nil }
    let keys = attempt.split()
    return (
      peer,
      Connection.Session(
        peer: peer.key, peerID: initiator, sending: keys.sending, receiving: keys.receiving)
    )
  }
}
