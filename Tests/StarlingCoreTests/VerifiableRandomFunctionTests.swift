import StarlingCore
import StarlingTestSupport
import Testing

private func bytes(hex: String) -> [UInt8] {
  let digits = hex.utf8.map { $0 < 0x3A ? $0 - 0x30 : $0 - 0x57 }
  return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

@Suite struct VerifiableRandomFunctionTests {
  private let identity: Identity
  private let input: [UInt8] = Array("an input".utf8)

  init() throws { identity = try Identity(seed: [UInt8](repeating: 1, count: 32)) }

  @Test("Proofs and outputs are those of RFC 9381, appendix B.3, examples 16 to 18")
  func vectors() throws {
    let vectors: [(seed: String, key: String, input: String, proof: String, output: String)] = [
      (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
        "8657106690b5526245a92b003bb079ccd1a92130477671f6fc01ad16f26f723f26f8a57ccaed74ee1b190bed1f479d97"
          + "27d2d0f9b005a6e456a35d4fb0daab1268a1b0db10836d9826a528ca76567805",
        "90cf1df3b703cce59e2a35b925d411164068269d7b2d29f3301c03dd757876ff66b71dda49d2de59d03450451af02679"
          + "8e8f81cd2e333de5cdf4f3e140fdd8ae"
      ),
      (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
        "f3141cd382dc42909d19ec5110469e4feae18300e94f304590abdced48aed5933bf0864a62558b3ed7f2fea45c92a465"
          + "301b3bbf5e3e54ddf2d935be3b67926da3ef39226bbc355bdc9850112c8f4b02",
        "eb4440665d3891d668e7e0fcaf587f1b4bd7fbfe99d0eb2211ccec90496310eb5e33821bc613efb94db5e5b54c70a848"
          + "a0bef4553a41befc57663b56373a5031"
      ),
      (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
        "9bc0f79119cc5604bf02d23b4caede71393cedfbb191434dd016d30177ccbf8096bb474e53895c362d8628ee9f9ea3c0"
          + "e52c7a5c691b6c18c9979866568add7a2d41b00b05081ed0f58ee5e31b3a970e",
        "645427e5d00c62a23fb703732fa5d892940935942101e456ecca7bb217c61c452118fec1219202a0edcf038bb6373241"
          + "578be7217ba85a2687f7a0310b2df19f"
      ),
    ]
    for vector in vectors {
      let identity = try Identity(seed: bytes(hex: vector.seed))
      #expect(identity.publicKey.description == vector.key)
      let input = bytes(hex: vector.input)
      let proof = identity.prove(input)
      #expect(proof.description == vector.proof)
      let output = try #require(identity.publicKey.output(of: proof, for: input))
      #expect(output.description == vector.output)
      #expect(proof.claimedOutput == output)
      #expect(VRFOutput(output.bytes) == output)
      #expect(VRFProof(proof.bytes) == proof)
    }
  }

  @Test("What is proved verifies, for inputs of many lengths, and for no other input or key")
  func roundTrip() throws {
    var random = testRandom()
    var outputs: Set<VRFOutput> = []
    for length in 0..<100 {
      let input = (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      let proof = identity.prove(input)
      outputs.insert(try #require(identity.publicKey.output(of: proof, for: input)))
      #expect(identity.publicKey.output(of: proof, for: input + [0]) == nil)
    }
    #expect(outputs.count == 100)
    let other = try Identity(seed: [UInt8](repeating: 2, count: 32))
    #expect(other.publicKey.output(of: identity.prove(input), for: input) == nil)
  }

  @Test("A proof with any bit flipped proves nothing")
  func tampered() throws {
    let proof = identity.prove(input)
    for bit in 0..<8 * VRFProof.byteCount {
      var flipped = proof.bytes
      flipped[bit / 8] ^= 1 << UInt8(bit % 8)
      let forged = try #require(VRFProof(flipped))
      #expect(identity.publicKey.output(of: forged, for: input) == nil, "bit \(bit)")
    }
    #expect(VRFProof(Array(proof.bytes.dropLast())) == nil)
    #expect(VRFProof(proof.bytes + [0]) == nil)
    #expect(VRFOutput(proof.bytes) == nil)
  }

  /// The same number modulo the order, and so the same point, but another proof: an output has one proof only.
  @Test("A proof whose scalar is not below the order proves nothing")
  func nonCanonicalScalar() throws {
    let order = bytes(hex: "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
    let proof = identity.prove(input)
    var sum = proof.bytes
    var carry = 0
    for i in 0..<32 {
      carry += Int(sum[48 + i]) + Int(order[i])
      sum[48 + i] = UInt8(truncatingIfNeeded: carry)
      carry >>= 8
    }
    #expect(identity.publicKey.output(of: try #require(VRFProof(sum)), for: input) == nil)
  }

  /// Of a key of small order everybody knows a secret that goes with it, and can choose among its outputs.
  @Test("Keys and points of small order, in whatever form, and what is no point, prove nothing")
  func smallOrder() throws {
    let zeros = String(repeating: "00", count: 31)
    let points = [
      "01" + zeros, "00" + zeros, "00" + String(repeating: "00", count: 30) + "80",
      "ec" + String(repeating: "ff", count: 30) + "7f",
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
      // The first two once more, as RFC 8032 does not write them: plus the field's order, and with the sign of 0.
      "ee" + String(repeating: "ff", count: 30) + "7f", "ed" + String(repeating: "ff", count: 30) + "7f",
      "01" + String(repeating: "00", count: 30) + "80",
      // No point at all.
      "02" + zeros,
    ]
    let proof = identity.prove(input)
    for (i, point) in points.map(bytes(hex:)).enumerated() {
      let key = try #require(PublicKey(point))
      let scalars = Array(proof.bytes[32...])
      let forged = try #require(VRFProof(point + scalars))
      for candidate in [proof, forged] { #expect(key.output(of: candidate, for: input) == nil, "\(i)") }
      #expect(identity.publicKey.output(of: forged, for: input) == nil, "\(i)")
      // Points that are written as they should be claim an output, and others do not.
      #expect((forged.claimedOutput != nil) == (i < 8), "\(i)")
    }
  }

  @Test("Outputs order as their bytes do, and their prefix is the first eight")
  func order() throws {
    let outputs = (0..<50).compactMap { identity.prove([$0]).claimedOutput }
    #expect(outputs.count == 50)
    let sorted = outputs.sorted()
    for (a, b) in zip(sorted, sorted.dropFirst()) {
      #expect(a.bytes.lexicographicallyPrecedes(b.bytes))
      #expect(a.prefix <= b.prefix)
    }
    #expect(sorted[0].prefix == sorted[0].bytes[0..<8].reduce(0) { $0 << 8 | UInt64($1) })
  }
}
