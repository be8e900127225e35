import StarlingCore

/// What each end tells the other under the handshake's cipher: who it is, with the proof, and what it takes
/// to talk to it.
///
/// As in libp2p's noise, the identity signs a label and the Noise static key; the handshake proves that the
/// static key's secret is at hand.
struct HandshakePayload {
  static let byteCount = PublicKey.byteCount + Ed25519Signature.byteCount + 8 + 4
  private static let label = Array("starling noise static key 1:".utf8)

  let key: PublicKey
  let id: ConnectionID
  /// Bytes of unfinished messages that the sender of this holds.
  let reassemblyBytes: Int

  /// - Returns: `nil` unless the identity has signed the static key.
  init?(_ payload: [UInt8], staticKey: [UInt8]) {
    guard payload.count == HandshakePayload.byteCount else { return nil }
    var reader = WireReader(payload)
    guard let key = (try? reader.read(count: PublicKey.byteCount)).flatMap({ PublicKey($0) }),
      let signature = (try? reader.read(count: Ed25519Signature.byteCount)).flatMap({ Ed25519Signature($0) }),
      let id = try? reader.read(UInt64.self), let reassemblyBytes = try? reader.read(UInt32.self),
      reassemblyBytes >= UInt32(Fragment.maximumMessageBytes),
      key.verifies(signature, of: HandshakePayload.statement(staticKey))
    else { return nil }
    self.key = key
    self.id = ConnectionID(id)
    self.reassemblyBytes = Int(reassemblyBytes)
  }

  /// What an identity signs.
  static func statement(_ staticKey: [UInt8]) -> [UInt8] { label + staticKey }
}

/// What an endpoint brings into all its handshakes.
struct HandshakeCredentials {
  let publicKey: PublicKey
  /// Made for this endpoint and forgotten with it.
  let staticPair: X25519KeyPair
  private let signature: Ed25519Signature

  init(identity: Identity, random: inout ChaChaRandom) {
    publicKey = identity.publicKey
    staticPair = X25519KeyPair(random: &random)
    signature = identity.sign(HandshakePayload.statement(staticPair.publicKey))
  }

  /// The payload that introduces this endpoint.
  func payload(id: ConnectionID, reassemblyBytes: Int) -> [UInt8] {
    var writer = WireWriter(capacity: HandshakePayload.byteCount)
    writer.write(raw: publicKey.bytes)
    writer.write(raw: signature.bytes)
    writer.write(integer: id.value)
    writer.write(integer: UInt32(reassemblyBytes))
    return writer.bytes
  }

  /// What both ends must agree on before they begin.
  static func prologue(network: [UInt8], initiator: ConnectionID) -> [UInt8] {
    var writer = WireWriter()
    writer.write(raw: "starling transport".utf8)
    writer.write(TransportVersion.current)
    writer.write(UInt8(network.count))
    writer.write(raw: network)
    writer.write(integer: initiator.value)
    return writer.bytes
  }
}
