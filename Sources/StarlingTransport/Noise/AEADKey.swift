import CSodium

/// A key of the authenticated cipher ChaCha20-Poly1305 (RFC 8439) with the nonces that Noise gives it:
/// 32 zero bits, then the 64-bit counter, least significant byte first (Noise, section 12.3).
struct AEADKey: Sendable, CustomStringConvertible {
  /// How many bytes longer a ciphertext is than its plaintext.
  static let tagByteCount = 16

  private let bytes: [UInt8]

  init(_ bytes: [UInt8]) {
    precondition(bytes.count == Int(crypto_aead_chacha20poly1305_ietf_KEYBYTES), "an AEAD key has 32 bytes")
    self.bytes = bytes
  }

  /// Encrypts.
  ///
  /// - Parameters:
  ///   - nonce: never used twice with one key for different plaintexts.
  ///   - associated: authenticated, but not encrypted.
  ///   - prefix: what comes before the ciphertext in the result, as it is.
  func seal(_ plaintext: [UInt8], nonce: UInt64, associated: [UInt8], prefix: [UInt8] = []) -> [UInt8] {
    let length = prefix.count + plaintext.count + AEADKey.tagByteCount
    let nonce = AEADKey.encode(nonce)
    return [UInt8](unsafeUninitializedCapacity: length) { target, count in
      guard let start = target.baseAddress else { return }
      start.update(from: prefix, count: prefix.count)
      _ = crypto_aead_chacha20poly1305_ietf_encrypt(
        start + prefix.count, nil, plaintext, UInt64(plaintext.count), associated, UInt64(associated.count),
        nil, nonce, bytes)
      count = length
    }
  }

  /// Decrypts; `nil` unless the ciphertext and what is associated with it are authentic.
  func open(_ ciphertext: ArraySlice<UInt8>, nonce: UInt64, associated: ArraySlice<UInt8>) -> [UInt8]? {
    guard ciphertext.count >= AEADKey.tagByteCount else { return nil }
    let length = ciphertext.count - AEADKey.tagByteCount
    let nonce = AEADKey.encode(nonce)
    var authentic = false
    let plaintext = [UInt8](unsafeUninitializedCapacity: length) { target, count in
      authentic = ciphertext.withUnsafeBufferPointer { source in
        associated.withUnsafeBufferPointer { context in
          guard let start = source.baseAddress else { return false }
          return crypto_aead_chacha20poly1305_ietf_decrypt(
            target.baseAddress, nil, nil, start, UInt64(source.count), context.baseAddress,
            UInt64(context.count), nonce, bytes) == 0
        }
      }
      count = authentic ? length : 0
    }
    return authentic ? plaintext : nil
  }

  /// Says what it is, not its bytes.
  var description: String { "AEAD key" }

  private static func encode(_ nonce: UInt64) -> [UInt8] {
    var encoded = [UInt8](repeating: 0, count: 12)
    for i in 0..<8 { encoded[4 + i] = UInt8(truncatingIfNeeded: nonce >> UInt64(8 * i)) }
    return encoded
  }
}
