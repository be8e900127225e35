import CSodium

/// The hash function SHA-256 (FIPS 180-4), at once or piece by piece.
public struct SHA256: Sendable {
  private var state = crypto_hash_sha256_state()

  /// A hash of nothing yet.
  public init() { crypto_hash_sha256_init(&state) }

  /// Appends bytes to what is hashed.
  public mutating func update(_ bytes: [UInt8]) {
    crypto_hash_sha256_update(&state, bytes, UInt64(bytes.count))
  }

  /// Appends bytes to what is hashed.
  public mutating func update(_ bytes: ArraySlice<UInt8>) {
    bytes.withUnsafeBufferPointer { buffer in
      guard let start = buffer.baseAddress else { return }
      crypto_hash_sha256_update(&state, start, UInt64(buffer.count))
    }
  }

  /// The digest of everything appended so far; more may be appended after it.
  public func finish() -> SHA256Digest {
    var copy = state
    var digest = [UInt8](repeating: 0, count: SHA256Digest.byteCount)
    crypto_hash_sha256_final(&copy, &digest)
    return SHA256Digest(unchecked: digest)
  }

  /// The digest of some bytes.
  public static func hash(_ bytes: [UInt8]) -> SHA256Digest {
    var digest = [UInt8](repeating: 0, count: SHA256Digest.byteCount)
    crypto_hash_sha256(&digest, bytes, UInt64(bytes.count))
    return SHA256Digest(unchecked: digest)
  }

  /// The digest of some bytes.
  public static func hash(_ bytes: some Sequence<UInt8>) -> SHA256Digest { hash(Array(bytes)) }
}

/// What SHA-256 makes of some bytes.
public struct SHA256Digest: Hashable, Comparable, Sendable, WireBytes, CustomStringConvertible {
  /// A digest has 32 bytes.
  public static var byteCount: Int { 32 }

  /// The digest's 32 bytes.
  public let bytes: [UInt8]

  /// The digest with these 32 bytes; `nil` for any other number of them.
  public init?(_ bytes: some Collection<UInt8>) {
    guard bytes.count == SHA256Digest.byteCount else { return nil }
    self.bytes = Array(bytes)
  }

  init(unchecked bytes: [UInt8]) { self.bytes = bytes }

  /// Orders by bytes.
  public static func < (a: SHA256Digest, b: SHA256Digest) -> Bool {
    a.bytes.lexicographicallyPrecedes(b.bytes)
  }

  /// 64 lower-case hexadecimal digits.
  public var description: String { hexadecimal(bytes) }
}
