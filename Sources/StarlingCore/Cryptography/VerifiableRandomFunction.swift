import CSodium

// ECVRF-EDWARDS25519-SHA512-TAI (S. Goldberg, L. Reyzin, D. Papadopoulos, J. Včelák, "Verifiable Random Functions
// (VRFs)", RFC 9381, section 5, ciphersuite of section 5.5), from libsodium's operations on the curve's points and
// scalars. The numbers of steps in the comments are those of the RFC.

/// What a verifiable random function gives for an input: 64 bytes that look random to whoever lacks the key's secret,
/// and that nobody, its owner included, can choose.
public struct VRFOutput: Hashable, Comparable, Sendable, WireBytes, CustomStringConvertible {
  /// An output has 64 bytes.
  public static var byteCount: Int { 64 }

  /// The bytes eight at a time, most significant first: outputs in their order are in that of their words.
  private let words: InlineArray<8, UInt64>

  /// The output with these 64 bytes; `nil` for any other number of them.
  public init?(_ bytes: [UInt8]) {
    guard bytes.count == VRFOutput.byteCount else { return nil }
    words = InlineArray { i in bytes[8 * i..<8 * i + 8].reduce(0) { $0 << 8 | UInt64($1) } }
  }

  /// The output's 64 bytes.
  public var bytes: [UInt8] {
    words.indices.flatMap { i in
      (0..<8).map { UInt8(truncatingIfNeeded: words[i] >> UInt64(56 - 8 * $0)) }
    }
  }

  /// The first eight bytes as a number, most significant first: uniform.
  public var prefix: UInt64 { words[0] }

  /// The same 64 bytes.
  public static func == (a: VRFOutput, b: VRFOutput) -> Bool {
    a.words.indices.allSatisfy { a.words[$0] == b.words[$0] }
  }

  /// Orders by bytes.
  public static func < (a: VRFOutput, b: VRFOutput) -> Bool {
    for i in a.words.indices where a.words[i] != b.words[i] { return a.words[i] < b.words[i] }
    return false
  }

  /// Feeds the bytes to a hasher.
  public func hash(into hasher: inout Hasher) { for i in words.indices { hasher.combine(words[i]) } }

  /// 128 lower-case hexadecimal digits.
  public var description: String { hexadecimal(bytes) }
}

/// The proof that an output is that of a key for an input (RFC 9381, section 5): a point Γ, a challenge c of 16 bytes
/// and a scalar s.
public struct VRFProof: Hashable, Sendable, WireBytes, CustomStringConvertible {
  /// A proof has 80 bytes.
  public static var byteCount: Int { 80 }

  /// The proof's 80 bytes.
  public let bytes: [UInt8]

  /// The proof with these 80 bytes; `nil` for any other number of them. Whether it proves anything shows when it is
  /// checked.
  public init?(_ bytes: [UInt8]) {
    guard bytes.count == VRFProof.byteCount else { return nil }
    self.bytes = bytes
  }

  /// The output that the proof is of *if* it proves anything (`ECVRF_proof_to_hash`, section 5.2); `nil` if its point
  /// is none. It costs a fraction of checking, so what would not count anyway need not be checked. Nothing else may be
  /// made of it: whoever likes can make a proof that claims any output and proves nothing.
  public var claimedOutput: VRFOutput? { EdwardsPoint(canonical: bytes[0..<32]).map(VRFOutput.init(gamma:)) }

  /// 160 lower-case hexadecimal digits.
  public var description: String { hexadecimal(bytes) }
}

extension Identity {
  /// The identity's output for an input, and the proof of it (`ECVRF_prove`, section 5.1). The same input always has
  /// the same output and proof.
  ///
  /// The nonce is made as those of signatures are (section 5.4.2.2), of a point instead of the message. If the identity
  /// signed 32 bytes that are this point, the two would share a nonce and give the secret away. Nothing that an
  /// identity signs is 32 bytes that somebody else chose: what it signs begins with a label that says what it is.
  public func prove(_ input: [UInt8]) -> VRFProof {
    // 1: the secret scalar x, and the half of the hash that nonces are made of.
    var expanded = secretHash()
    defer { sodium_memzero(&expanded, expanded.count) }
    var x = Array(expanded[0..<32])
    defer { sodium_memzero(&x, x.count) }
    x[0] &= 248
    x[31] = x[31] & 127 | 64
    // 2 to 4. One input in 2²⁵⁶ has no point; the point has the curve's prime order, and x is not a multiple of it.
    guard let h = EdwardsPoint(of: input, key: publicKey.bytes), let gamma = h.times(x) else {
      preconditionFailure("a point that exists for all but one input in 2²⁵⁶ is missing")
    }
    // 5: the nonce k.
    var seed = Array(expanded[32..<64]) + h.bytes
    defer { sodium_memzero(&seed, seed.count) }
    var k = Scalar.hash(seed)
    defer { sodium_memzero(&k, k.count) }
    guard let u = EdwardsPoint(baseTimes: k), let v = h.times(k) else {
      preconditionFailure("a hash that is no multiple of the curve's order but once in 2²⁵² is one")
    }
    // 6 to 8: s = k + c·x.
    let challenge = Scalar.challenge(publicKey.bytes, h, gamma, u, v)
    var product = [UInt8](repeating: 0, count: 32)
    defer { sodium_memzero(&product, product.count) }
    var s = product
    crypto_core_ed25519_scalar_mul(&product, Scalar.padded(challenge), x)
    crypto_core_ed25519_scalar_add(&s, k, product)
    guard let proof = VRFProof(gamma.bytes + challenge + s) else {
      preconditionFailure("32, 16 and 32 bytes are 80")
    }
    return proof
  }
}

extension PublicKey {
  /// The output of this key for an input, if a proof shows what it is; `nil` if it does not (`ECVRF_verify`, section
  /// 5.3, with the key validated as in section 5.4.5).
  ///
  /// Stricter than the RFC in one thing: the key and Γ must lie in the group of prime order, and not only outside the
  /// small one. Keys and proofs that are made as they should be do.
  ///
  /// - Returns: for any key and input, at most one output over all proofs.
  public func output(of proof: VRFProof, for input: [UInt8]) -> VRFOutput? {
    // 1 to 6: the key and the proof's three parts. `times` refuses points that are not of prime order.
    let challenge = Array(proof.bytes[32..<48])
    let s = Array(proof.bytes[48..<80])
    guard let key = EdwardsPoint(canonical: bytes[...]),
      let gamma = EdwardsPoint(canonical: proof.bytes[0..<32]),
      Scalar.isCanonical(s), let h = EdwardsPoint(of: input, key: key.bytes)
    else { return nil }
    // 7 to 9: U = s·B − c·Y and V = s·H − c·Γ.
    let c = Scalar.padded(challenge)
    guard let sB = EdwardsPoint(baseTimes: s), let cY = key.times(c), let sH = h.times(s),
      let cGamma = gamma.times(c), let u = sB.minus(cY), let v = sH.minus(cGamma)
    else { return nil }
    // 10: the challenge must come out.
    guard Scalar.challenge(key.bytes, h, gamma, u, v) == challenge else { return nil }
    return VRFOutput(gamma: gamma)
  }
}

/// The ciphersuite's number, and what tells its three hashes apart (section 5.5).
private enum Suite {
  static let number: UInt8 = 3
  static let encodeToCurve: UInt8 = 1
  static let challenge: UInt8 = 2
  static let proofToHash: UInt8 = 3
  static let back: UInt8 = 0
}

extension VRFOutput {
  /// The output that a proof's point stands for (`ECVRF_proof_to_hash`, section 5.2).
  fileprivate init(gamma: EdwardsPoint) {
    let text = [Suite.number, Suite.proofToHash] + gamma.timesCofactor.bytes + [Suite.back]
    guard let output = VRFOutput(sha512(text)) else { preconditionFailure("SHA-512 has 64 bytes") }
    self = output
  }
}

/// A point of the curve edwards25519.
private struct EdwardsPoint {
  let bytes: [UInt8]

  private static let neutral = [1] + [UInt8](repeating: 0, count: 31)

  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The point that 32 bytes encode, of whatever order; `nil` if they encode none, or one in another way than RFC 8032
  /// writes it (section 5.1.3). libsodium takes any way and writes that one: adding nothing tells.
  init?(canonical bytes: ArraySlice<UInt8>) {
    let encoded = Array(bytes)
    guard let same = EdwardsPoint.sum(encoded, EdwardsPoint.neutral), same == encoded else { return nil }
    self.bytes = encoded
  }

  /// The point of prime order for an input (`ECVRF_encode_to_curve_try_and_increment`, section 5.4.1.1): the first of
  /// 256 hashes that is a point, times the cofactor. It takes two tries on average, and how many is no secret. `nil`
  /// for one input in 2²⁵⁶.
  init?(of input: [UInt8], key: [UInt8]) {
    var text = [Suite.number, Suite.encodeToCurve] + key + input + [0, Suite.back]
    for attempt in UInt8.min...UInt8.max {
      text[text.count - 2] = attempt
      guard let found = EdwardsPoint(canonical: sha512(text)[0..<32])?.timesCofactor,
        found.bytes != EdwardsPoint.neutral
      else { continue }
      self = found
      return
    }
    return nil
  }

  /// The base point times a scalar below 2²⁵⁵, in constant time; `nil` for the neutral point.
  init?(baseTimes scalar: [UInt8]) {
    var product = [UInt8](repeating: 0, count: 32)
    guard crypto_scalarmult_ed25519_base_noclamp(&product, scalar) == 0 else { return nil }
    bytes = product
  }

  /// The point times a scalar below 2²⁵⁵, in constant time; `nil` for the neutral point, and if the point is not of
  /// prime order.
  func times(_ scalar: [UInt8]) -> EdwardsPoint? {
    var product = [UInt8](repeating: 0, count: 32)
    guard crypto_scalarmult_ed25519_noclamp(&product, scalar, bytes) == 0 else { return nil }
    return EdwardsPoint(product)
  }

  /// Eight times the point.
  var timesCofactor: EdwardsPoint {
    var multiple = bytes
    for _ in 0..<3 {
      guard let double = EdwardsPoint.sum(multiple, multiple) else {
        preconditionFailure("twice a point of the curve is a point of it")
      }
      multiple = double
    }
    return EdwardsPoint(multiple)
  }

  func minus(_ other: EdwardsPoint) -> EdwardsPoint? {
    var difference = [UInt8](repeating: 0, count: 32)
    guard crypto_core_ed25519_sub(&difference, bytes, other.bytes) == 0 else { return nil }
    return EdwardsPoint(difference)
  }

  private static func sum(_ a: [UInt8], _ b: [UInt8]) -> [UInt8]? {
    var sum = [UInt8](repeating: 0, count: 32)
    return crypto_core_ed25519_add(&sum, a, b) == 0 ? sum : nil
  }
}

/// Numbers modulo the order of the curve's large group, as 32 bytes, least significant first.
private enum Scalar {
  /// SHA-512 of some bytes, reduced.
  static func hash(_ bytes: [UInt8]) -> [UInt8] {
    var digest = sha512(bytes)
    defer { sodium_memzero(&digest, digest.count) }
    return reduced(digest)
  }

  /// 64 bytes, reduced.
  private static func reduced(_ bytes: [UInt8]) -> [UInt8] {
    var scalar = [UInt8](repeating: 0, count: 32)
    crypto_core_ed25519_scalar_reduce(&scalar, bytes)
    return scalar
  }

  /// Whether a number is below the order.
  static func isCanonical(_ scalar: [UInt8]) -> Bool {
    reduced(scalar + [UInt8](repeating: 0, count: 32)) == scalar
  }

  /// A challenge of 16 bytes as a scalar.
  static func padded(_ challenge: [UInt8]) -> [UInt8] { challenge + [UInt8](repeating: 0, count: 16) }

  /// The challenge over five points (`ECVRF_challenge_generation`, section 5.4.3): 16 bytes.
  static func challenge(
    _ key: [UInt8], _ h: EdwardsPoint, _ gamma: EdwardsPoint, _ u: EdwardsPoint, _ v: EdwardsPoint
  ) -> [UInt8] {
    let points = key + h.bytes + gamma.bytes + u.bytes + v.bytes
    return Array(sha512([Suite.number, Suite.challenge] + points + [Suite.back])[0..<16])
  }
}

private func sha512(_ bytes: [UInt8]) -> [UInt8] {
  var digest = [UInt8](repeating: 0, count: Int(crypto_hash_sha512_BYTES))
  crypto_hash_sha512(&digest, bytes, UInt64(bytes.count))
  return digest
}
