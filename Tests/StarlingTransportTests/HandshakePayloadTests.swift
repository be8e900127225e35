import StarlingCore
import Testing

@testable import StarlingTransport

@Suite struct HandshakePayloadTests {
  private let id = ConnectionID(0x0102_0304_0506_0708)

  private func credentials(_ i: Int) throws -> HandshakeCredentials {
    var random = try testRandom(UInt64(i))
    return HandshakeCredentials(identity: try testIdentity(i), random: &random)
  }

  @Test("A payload says who its sender is, and nobody else can say so")
  func binding() throws {
    let own = try credentials(1)
    let payload = own.payload(id: id, reassemblyBytes: 70_000)
    let read = try #require(HandshakePayload(payload, staticKey: own.staticPair.publicKey))
    #expect(read.key == own.publicKey && read.id == id && read.reassemblyBytes == 70_000)

    // The same words from the holder of another static key, or with another identity's key, are worth nothing.
    let thief = try credentials(2)
    #expect(HandshakePayload(payload, staticKey: thief.staticPair.publicKey) == nil)
    let stolen = own.publicKey.bytes + thief.payload(id: id, reassemblyBytes: 70_000).dropFirst(32)
    #expect(HandshakePayload(stolen, staticKey: thief.staticPair.publicKey) == nil)
    for i in 0..<96 {
      var flipped = payload
      flipped[i] ^= 4
      #expect(HandshakePayload(flipped, staticKey: own.staticPair.publicKey) == nil)
    }
  }

  @Test("A payload of another length, or of a peer that could not take the largest message, is refused")
  func malformed() throws {
    let own = try credentials(1)
    let key = own.staticPair.publicKey
    let payload = own.payload(id: id, reassemblyBytes: 65_536)
    #expect(HandshakePayload(payload, staticKey: key) != nil)
    #expect(HandshakePayload(payload + [0], staticKey: key) == nil)
    #expect(HandshakePayload(payload.dropLast(), staticKey: key) == nil)
    #expect(HandshakePayload([], staticKey: key) == nil)
    #expect(HandshakePayload(own.payload(id: id, reassemblyBytes: 65_535), staticKey: key) == nil)
  }

  @Test("The prologue holds version, network and initiator, so that ends which differ in one do not agree")
  func prologue() {
    let base = HandshakeCredentials.prologue(network: [1, 2], initiator: id)
    #expect(base == HandshakeCredentials.prologue(network: [1, 2], initiator: id))
    #expect(base != HandshakeCredentials.prologue(network: [1, 3], initiator: id))
    #expect(base != HandshakeCredentials.prologue(network: [1], initiator: id))
    #expect(base != HandshakeCredentials.prologue(network: [1, 2], initiator: ConnectionID(1)))
    #expect(base[18] == TransportVersion.current)
  }

  @Test("An initiator that confirms under another connection identifier is refused")
  func otherIdentifier() throws {
    let initiator = try credentials(1)
    let responder = try credentials(2)
    var random = try testRandom(3)
    for claimed in [id, ConnectionID(9)] {
      var noise = NoiseHandshake(
        isInitiator: true, prologue: HandshakeCredentials.prologue(network: [], initiator: id),
        ownStatic: initiator.staticPair, ephemeral: X25519KeyPair(random: &random))
      let first = HandshakeDatagram.initiate(
        from: id, ephemeral: try noise.write(payload: []), tag: [UInt8](repeating: 0, count: 16),
        byteCount: 1_200)
      let initiate = try #require(HandshakeDatagram.parseInitiate(first))
      let opening = Opening(ephemeral: Array(initiate.ephemeral), address: VirtualNetwork.address(0))
      let handshake = try #require(
        ResponderHandshake(
          initiate, opening: opening, id: ConnectionID(5), network: [], credentials: responder,
          ephemeral: X25519KeyPair(random: &random), reassemblyBytes: 65_536, deadline: .zero))
      _ = try noise.read(handshake.answer[HandshakeDatagram.shortHeader...])
      let last = try noise.write(payload: initiator.payload(id: claimed, reassemblyBytes: 65_536))
      let confirmed = handshake.confirm(HandshakeDatagram.message(.confirm, to: ConnectionID(5), last))
      #expect((confirmed != nil) == (claimed == id))
      #expect(confirmed.map { $0.session.peer == initiator.publicKey } ?? true)
    }
  }
}
