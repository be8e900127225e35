import CSodium
import StarlingCore

/// A Diffie–Hellman key pair on Curve25519 (RFC 7748).
struct X25519KeyPair: Sendable, CustomStringConvertible {
  /// Keys and shared secrets have 32 bytes: the Noise specification's DHLEN.
  static let byteCount = 32

  let publicKey: [UInt8]
  private let secret: [UInt8]

  /// - Returns: `nil` when the secret has not 32 bytes.
  init?(secret: [UInt8]) {
    guard secret.count == X25519KeyPair.byteCount else { return nil }
    var publicKey = [UInt8](repeating: 0, count: X25519KeyPair.byteCount)
    guard crypto_scalarmult_base(&publicKey, secret) == 0 else { return nil }
    self.publicKey = publicKey
    self.secret = secret
  }

  /// A fresh pair.
  init(random: inout ChaChaRandom) {
    guard let pair = X25519KeyPair(secret: random.bytes(X25519KeyPair.byteCount)) else {
      preconditionFailure("32 bytes of any value are an X25519 secret")
    }
    self = pair
  }

  /// The secret shared with the holder of another key; `nil` when it would be all zeros, which a key of
  /// small order brings about and RFC 7748, section 6.1, advises to refuse.
  func agree(with other: [UInt8]) -> [UInt8]? {
    guard other.count == X25519KeyPair.byteCount else { return nil }
    var shared = [UInt8](repeating: 0, count: X25519KeyPair.byteCount)
    guard crypto_scalarmult(&shared, secret, other) == 0 else { return nil }
    return shared
  }

  var description: String { "X25519 key pair with public key \(hexadecimal(publicKey))" }
}
