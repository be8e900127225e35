import CSodium
import StarlingCore

/// The Noise specification's SymmetricState (revision 34, section 5.2) with SHA-256 and ChaCha20-Poly1305.
struct SymmetricState: Sendable {
  private var cipher = CipherState()
  private var chainingKey: [UInt8]
  /// The hash of everything both ends have seen.
  private(set) var hash: [UInt8]

  /// InitializeSymmetric.
  init(protocolName: String) {
    let name = Array(protocolName.utf8)
    hash =
      name.count <= SHA256Digest.byteCount
      ? name + [UInt8](repeating: 0, count: SHA256Digest.byteCount - name.count)
      : SHA256.hash(name).bytes
    chainingKey = hash
  }

  /// Whether a key has been mixed in, so that what follows is encrypted.
  var hasKey: Bool { cipher.key != nil }

  /// MixHash.
  mutating func mix(hash data: some Sequence<UInt8>) {
    hash = SHA256.hash(hash + Array(data)).bytes
  }

  /// MixKey.
  mutating func mix(key material: [UInt8]) {
    let (next, key) = SymmetricState.derive(chainingKey, material)
    chainingKey = next
    cipher = CipherState(key: AEADKey(key))
  }

  /// EncryptAndHash.
  mutating func encryptAndHash(_ plaintext: [UInt8]) throws(NoiseError) -> [UInt8] {
    let ciphertext = try cipher.encrypt(plaintext, associated: hash)
    mix(hash: ciphertext)
    return ciphertext
  }

  /// DecryptAndHash.
  mutating func decryptAndHash(_ ciphertext: ArraySlice<UInt8>) throws(NoiseError) -> [UInt8] {
    let plaintext = try cipher.decrypt(ciphertext, associated: hash)
    mix(hash: ciphertext)
    return plaintext
  }

  /// Split: the key of the initiator's messages, and that of the responder's.
  func split() -> (initiator: AEADKey, responder: AEADKey) {
    let (first, second) = SymmetricState.derive(chainingKey, [])
    return (AEADKey(first), AEADKey(second))
  }

  /// HKDF with two outputs (section 4.3).
  private static func derive(_ key: [UInt8], _ material: [UInt8]) -> ([UInt8], [UInt8]) {
    let temporary = HMACSHA256.authenticate(material, key: key)
    let first = HMACSHA256.authenticate([1], key: temporary)
    return (first, HMACSHA256.authenticate(first + [2], key: temporary))
  }
}

/// HMAC-SHA256 (RFC 2104).
enum HMACSHA256 {
  /// The 32 bytes that authenticate `message` to holders of `key`.
  static func authenticate(_ message: [UInt8], key: [UInt8]) -> [UInt8] {
    var state = crypto_auth_hmacsha256_state()
    var result = [UInt8](repeating: 0, count: Int(crypto_auth_hmacsha256_BYTES))
    crypto_auth_hmacsha256_init(&state, key, key.count)
    crypto_auth_hmacsha256_update(&state, message, UInt64(message.count))
    crypto_auth_hmacsha256_final(&state, &result)
    return result
  }
}
