import StarlingCore
import Testing

private func bytes(hex: String) -> [UInt8] {
  let digits = hex.utf8.map { $0 < 0x3A ? $0 - 0x30 : $0 - 0x57 }
  return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

@Suite struct CryptographyTests {
  @Test("Keys and signatures are those of RFC 8032, section 7.1, tests 1 to 3")
  func ed25519() throws {
    let vectors: [(seed: String, key: String, message: String, signature: String)] = [
      (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
          + "d25bf5f0595bbe24655141438e7a100b"
      ),
      (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
          + "387b2eaeb4302aeeb00d291612bb0c00"
      ),
      (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
          + "4a7c15e9716ed28dc027beceea1ec40a"
      ),
    ]
    for vector in vectors {
      let identity = try Identity(seed: bytes(hex: vector.seed))
      let message = bytes(hex: vector.message)
      #expect(identity.publicKey.description == vector.key)
      let signature = identity.sign(message)
      #expect(signature.description == vector.signature)
      #expect(identity.publicKey.verifies(signature, of: message))
      #expect(!identity.publicKey.verifies(signature, of: message + [0]))
      #expect(identity.exportSeed() == bytes(hex: vector.seed))
    }
  }

  @Test("A signature with any bit flipped, or of another key, verifies nothing")
  func forgedSignatures() throws {
    let identity = try Identity(seed: [UInt8](repeating: 1, count: 32))
    let other = try Identity(seed: [UInt8](repeating: 2, count: 32))
    let signature = identity.sign([1, 2, 3])
    #expect(!other.publicKey.verifies(signature, of: [1, 2, 3]))
    for bit in 0..<512 {
      var flipped = signature.bytes
      flipped[bit / 8] ^= 1 << UInt8(bit % 8)
      let forged = try #require(Ed25519Signature(flipped))
      #expect(!identity.publicKey.verifies(forged, of: [1, 2, 3]))
    }
    // The neutral point, which would verify everything, is no key.
    let neutral = try #require(PublicKey([1] + [UInt8](repeating: 0, count: 31)))
    let trivial = try #require(Ed25519Signature([1] + [UInt8](repeating: 0, count: 63)))
    #expect(!neutral.verifies(trivial, of: [1, 2, 3]))
  }

  @Test("Wrong lengths are refused, and nothing shows a secret")
  func lengthsAndDescriptions() throws {
    #expect(throws: IdentityError.seedLength(31)) { try Identity(seed: [UInt8](repeating: 0, count: 31)) }
    #expect(Ed25519Signature([UInt8](repeating: 0, count: 63)) == nil)
    #expect(SHA256Digest([UInt8](repeating: 0, count: 33)) == nil)
    #expect(ChaChaRandom(seed: []) == nil)
    let seed = [UInt8](repeating: 0xAB, count: 32)
    let identity = try Identity(seed: seed)
    var shown = ""
    dump(identity, to: &shown)
    shown += "\(identity)" + String(reflecting: identity)
    #expect(!shown.contains(hexadecimal(seed)) && !shown.contains("171"))
    #expect("\(identity)" == "identity \(identity.publicKey)")
  }

  @Test("Hashes are those of FIPS 180-4, at once and piece by piece")
  func sha256() {
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    #expect(SHA256.hash([]).description == empty)
    #expect(SHA256.hash(Array("abc".utf8)).description == abc)
    #expect(SHA256.hash("abc".utf8).description == abc)
    var pieces = SHA256()
    #expect(pieces.finish().description == empty)
    pieces.update(Array("a".utf8))
    pieces.update(Array("xbcx".utf8)[1...2])
    pieces.update([UInt8]()[...])
    #expect(pieces.finish().description == abc)
    let copy = pieces
    pieces.update([0])
    #expect(copy.finish().description == abc && pieces.finish().description != abc)
  }

  @Test("The generator is the ChaCha20 keystream under its seed, whose first 32 bytes are the next key")
  func generator() throws {
    // RFC 8439, appendix A.1, test vector 1: the keystream under the zero key, nonce and counter.
    let keystream =
      "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
      + "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"
    var random = try #require(ChaChaRandom(seed: [UInt8](repeating: 0, count: 32)))
    #expect(hexadecimal(random.bytes(32)) == String(keystream.suffix(64)))
    _ = random.bytes(480 - 32)
    // The next block is under a key of its own: that of the first 32 bytes.
    var second = try #require(ChaChaRandom(seed: bytes(hex: String(keystream.prefix(64)))))
    #expect(random.bytes(1_000) == second.bytes(1_000))
    #expect(random.next() == second.next())
  }

  @Test("A generator can be split, and gives the same numbers for the same seed")
  func splitting() throws {
    let seed = [UInt8](repeating: 7, count: 32)
    var a = try #require(ChaChaRandom(seed: seed))
    var b = try #require(ChaChaRandom(seed: seed))
    var part = a.split()
    var otherPart = b.split()
    let numbers = (0..<200).map { _ in a.next() }
    #expect(numbers == (0..<200).map { _ in b.next() })
    #expect(Set(numbers).count == 200)
    let parts = (0..<200).map { _ in part.next() }
    #expect(parts == (0..<200).map { _ in otherPart.next() })
    #expect(Set(parts).isDisjoint(with: numbers))
    #expect("\(a)" == "ChaCha20 generator")
  }
}
