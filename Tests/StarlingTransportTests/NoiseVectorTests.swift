import StarlingCore
import Testing

@testable import StarlingTransport

/// The published vector of cacophony for Noise_XX_25519_ChaChaPoly_SHA256, as carried by snow
/// (github.com/mcginty/snow, tests/vectors/cacophony.txt).
private enum Vector {
  static let prologue = "4a6f686e2047616c74"
  static let initiatorStatic = "e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1"
  static let initiatorEphemeral = "893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a"
  static let responderStatic = "4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893"
  static let responderEphemeral = "bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b"
  static let hash = "c8e5f64e846193be2a834104c2a009868d6c9f3bd3c186299888b488b2f1f58e"
  static let messages: [(payload: String, ciphertext: String)] = [
    (
      "4c756477696720766f6e204d69736573",
      "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c7944"
        + "4c756477696720766f6e204d69736573"
    ),
    (
      "4d757272617920526f746862617264",
      "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f14480884381cbad1f276e038c48378ffce2b65285"
        + "e08d6b68aaa3629a5a8639392490e5b9bd5269c2f1e4f488ed8831161f19b7815528f8982ffe09be9b5c412f8a0db50f"
        + "8814c7194e83f23dbd8d162c9326ad"
    ),
    (
      "462e20412e20486179656b",
      "c7195ffacac1307ff99046f219750fc47693e23c3cb08b89c2af808b444850a80ae475b9df0f169ae80a89be0865b57f"
        + "58c9fea0d4ec82a286427402f113e4b6ae769a1d95941d49b25030"
    ),
    ("4361726c204d656e676572", "96763ed773f8e47bb3712f0e29b3060ffc956ffc146cee53d5e1df"),
    (
      "4a65616e2d426170746973746520536179",
      "3e40f15f6f3a46ae446b253bf8b1d9ffb6ed9b174d272328ff91a7e2e5c79c07f5"
    ),
    (
      "457567656e2042f6686d20766f6e2042617765726b",
      "eb3f3515110702e047a6c9da4478b6ead94873c11c0f2d710ddb3f09fce024b3a58502ae3f"
    ),
  ]
}

private func pair(_ secret: String) throws -> X25519KeyPair {
  try #require(X25519KeyPair(secret: bytes(hex: secret)))
}

private func handshakes(
  responderPrologue: String = Vector.prologue
) throws -> (initiator: NoiseHandshake, responder: NoiseHandshake) {
  (
    NoiseHandshake(
      isInitiator: true, prologue: bytes(hex: Vector.prologue), ownStatic: try pair(Vector.initiatorStatic),
      ephemeral: try pair(Vector.initiatorEphemeral)),
    NoiseHandshake(
      isInitiator: false, prologue: bytes(hex: responderPrologue),
      ownStatic: try pair(Vector.responderStatic), ephemeral: try pair(Vector.responderEphemeral))
  )
}

@Suite struct NoiseVectorTests {
  @Test("The handshake's messages, hash and keys are those of the published vector, byte for byte")
  func publishedVector() throws {
    var (initiator, responder) = try handshakes()
    for (i, vector) in Vector.messages.prefix(3).enumerated() {
      let payload = bytes(hex: vector.payload)
      let message: [UInt8]
      let read: [UInt8]
      if i % 2 == 0 {
        message = try initiator.write(payload: payload)
        read = try responder.read(message[...])
      } else {
        message = try responder.write(payload: payload)
        read = try initiator.read(message[...])
      }
      #expect(hexadecimal(message) == vector.ciphertext)
      #expect(read == payload)
    }
    #expect(hexadecimal(initiator.hash) == Vector.hash && hexadecimal(responder.hash) == Vector.hash)
    #expect(initiator.remoteStatic == (try pair(Vector.responderStatic).publicKey))
    #expect(responder.remoteStatic == (try pair(Vector.initiatorStatic).publicKey))

    // The vector goes on in turns: the fourth message is the responder's first under the final keys.
    let ends = [responder.split(), initiator.split()]
    for (i, vector) in Vector.messages.dropFirst(3).enumerated() {
      let nonce = UInt64(i / 2)
      let sealed = ends[i % 2].sending.seal(bytes(hex: vector.payload), nonce: nonce, associated: [])
      #expect(hexadecimal(sealed) == vector.ciphertext)
      let opened = ends[(i + 1) % 2].receiving.open(sealed[...], nonce: nonce, associated: [])
      #expect(opened == bytes(hex: vector.payload))
    }
  }

  @Test("Ends with different prologues do not come together")
  func differentPrologues() throws {
    var (initiator, responder) = try handshakes(responderPrologue: "00")
    _ = try responder.read(try initiator.write(payload: [])[...])
    let answer = try responder.write(payload: [])
    #expect(throws: NoiseError.notAuthentic) { _ = try initiator.read(answer[...]) }
  }

  @Test("A forged message leaves the handshake able to read the true one")
  func forgeryChangesNothing() throws {
    var (initiator, responder) = try handshakes()
    _ = try responder.read(try initiator.write(payload: [])[...])
    let answer = try responder.write(payload: [1, 2, 3])
    for i in answer.indices {
      var forged = answer
      forged[i] ^= 0x10
      #expect(throws: NoiseError.self) { _ = try initiator.read(forged[...]) }
    }
    for count in answer.indices {
      #expect(throws: NoiseError.self) { _ = try initiator.read(answer[..<count]) }
    }
    #expect(try initiator.read(answer[...]) == [1, 2, 3])
  }

  @Test("Keys of small order, which make the shared secret zero, are refused")
  func smallOrderKeys() throws {
    let own = try pair(Vector.initiatorStatic)
    for weak in [
      String(repeating: "00", count: 32), "01" + String(repeating: "00", count: 31),
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    ] { #expect(own.agree(with: bytes(hex: weak)) == nil) }
    var (initiator, responder) = try handshakes()
    _ = try initiator.write(payload: [])
    _ = try responder.read([UInt8](repeating: 0, count: 32)[...])
    #expect(throws: NoiseError.weakKey) { _ = try responder.write(payload: []) }
  }

  @Test("Nothing prints a key")
  func descriptions() throws {
    let own = try pair(Vector.initiatorStatic)
    #expect(!"\(own)".contains(Vector.initiatorStatic))
    #expect("\(AEADKey(bytes(hex: Vector.initiatorStatic)))" == "AEAD key")
  }
}
