/// The Noise specification's CipherState (revision 34, section 5.1): a key, once there is one, and a counter.
struct CipherState: Sendable {
  private(set) var key: AEADKey?
  private var nonce: UInt64 = 0

  init(key: AEADKey? = nil) { self.key = key }

  /// EncryptWithAd: the plaintext itself while there is no key.
  mutating func encrypt(_ plaintext: [UInt8], associated: [UInt8]) throws(NoiseError) -> [UInt8] {
    guard let key else { return plaintext }
    guard nonce < .max else { throw .exhausted }
    defer { nonce += 1 }
    return key.seal(plaintext, nonce: nonce, associated: associated)
  }

  /// DecryptWithAd: the ciphertext itself while there is no key. A forgery does not move the counter.
  mutating func decrypt(
    _ ciphertext: ArraySlice<UInt8>, associated: [UInt8]
  ) throws(NoiseError) -> [UInt8] {
    guard let key else { return Array(ciphertext) }
    guard nonce < .max else { throw .exhausted }
    guard let plaintext = key.open(ciphertext, nonce: nonce, associated: associated[...]) else {
      throw .notAuthentic
    }
    nonce += 1
    return plaintext
  }
}

/// Why a Noise message cannot be written or read.
enum NoiseError: Error, Hashable, Sendable {
  /// The message is shorter than its fields.
  case truncated
  /// A part does not authenticate.
  case notAuthentic
  /// A public key makes the shared secret all zeros.
  case weakKey
  /// The counter has run out, after 2⁶⁴ − 1 messages.
  case exhausted
}
