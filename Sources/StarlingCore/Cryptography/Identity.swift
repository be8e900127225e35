import CSodium

/// Why there is no identity.
public enum IdentityError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A seed has 32 bytes; this one has another number.
  case seedLength(Int)
  /// The system has no memory in which to guard the secret.
  case outOfMemory

  /// One sentence.
  public var description: String {
    switch self {
    case .seedLength(let count): "an identity's seed has 32 bytes, not \(count)"
    case .outOfMemory: "there is no memory left to keep the identity's secret in"
    }
  }
}

/// A peer's long-term name and its proof: an Ed25519 key pair (RFC 8032).
///
/// The secret lives in guarded memory that is wiped with the last copy of the identity, and no description
/// or reflection shows it.
public struct Identity: Sendable, CustomStringConvertible {
  /// A seed has 32 bytes.
  public static var seedByteCount: Int { 32 }

  /// The public half: the peer's name.
  public let publicKey: PublicKey
  private let secret: GuardedBytes

  /// The key pair that follows from a seed.
  ///
  /// - Parameter seed: 32 uniformly random bytes, from the operating system's entropy or the key file.
  /// - Throws: ``IdentityError`` when the seed has another length, or no memory is left.
  public init(seed: [UInt8]) throws(IdentityError) {
    guard seed.count == Identity.seedByteCount else { throw .seedLength(seed.count) }
    guard Sodium.isReady else { throw .outOfMemory }
    var publicBytes = [UInt8](repeating: 0, count: PublicKey.byteCount)
    var secretBytes = [UInt8](repeating: 0, count: Int(crypto_sign_SECRETKEYBYTES))
    crypto_sign_seed_keypair(&publicBytes, &secretBytes, seed)
    defer { sodium_memzero(&secretBytes, secretBytes.count) }
    guard let publicKey = PublicKey(publicBytes), let secret = GuardedBytes(secretBytes) else {
      throw .outOfMemory
    }
    self.publicKey = publicKey
    self.secret = secret
  }

  /// Signs a message; the same message always has the same signature.
  ///
  /// - Parameter message: begins with a label that says what is signed. Never 32 bytes that somebody else chose; see
  ///   ``prove(_:)``.
  public func sign(_ message: [UInt8]) -> Ed25519Signature {
    var words = InlineArray<8, UInt64>(repeating: 0)
    var span = words.mutableSpan
    span.withUnsafeMutableBytes { signature in
      guard let signature = signature.bindMemory(to: UInt8.self).baseAddress else { return }
      secret.withBytes { key in
        _ = crypto_sign_detached(signature, nil, message, UInt64(message.count), key)
      }
    }
    return Ed25519Signature(words: words)
  }

  /// SHA-512 of the seed, of which RFC 8032 (section 5.1.5) makes the secret scalar and the nonces: 64 bytes, to be
  /// wiped by whoever asked.
  func secretHash() -> [UInt8] {
    var hash = [UInt8](repeating: 0, count: Int(crypto_hash_sha512_BYTES))
    secret.withBytes { key in _ = crypto_hash_sha512(&hash, key, UInt64(Identity.seedByteCount)) }
    return hash
  }

  /// The seed from which the identity was made: for its key file and nothing else.
  public func exportSeed() -> [UInt8] {
    var seed = [UInt8](repeating: 0, count: Identity.seedByteCount)
    secret.withBytes { key in _ = crypto_sign_ed25519_sk_to_seed(&seed, key) }
    return seed
  }

  /// The public key; never the secret.
  public var description: String { "identity \(publicKey)" }
}
