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
    return SHA256Digest { crypto_hash_sha256_final(&copy, $0) }
  }

  /// The digest of some bytes.
  public static func hash(_ bytes: [UInt8]) -> SHA256Digest {
    SHA256Digest { crypto_hash_sha256($0, bytes, UInt64(bytes.count)) }
  }

  /// The digest of some bytes.
  public static func hash(_ bytes: some Sequence<UInt8>) -> SHA256Digest { hash(Array(bytes)) }
}

/// What SHA-256 makes of some bytes.
public struct SHA256Digest: Hashable, Comparable, Sendable, WireBytes, CustomStringConvertible {
  /// A digest has 32 bytes.
  public static var byteCount: Int { 32 }

  /// The bytes as they lie in memory, eight at a time: without a heap object, because transfers come in thousands.
  private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

  /// The digest with these 32 bytes; `nil` for any other number of them.
  public init?(_ bytes: some Collection<UInt8>) {
    guard bytes.count == SHA256Digest.byteCount else { return nil }
    withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes) }
  }

  /// The digest that something is written as.
  fileprivate init(_ write: (UnsafeMutablePointer<UInt8>) -> Int32) {
    withUnsafeMutableBytes(of: &words) {
      if let start = $0.bindMemory(to: UInt8.self).baseAddress { _ = write(start) }
    }
  }

  /// The digest's 32 bytes.
  public var bytes: [UInt8] { withBytes { Array($0) } }

  /// The bytes as four numbers, most significant byte first.
  public var numbers: SIMD4<UInt64> {
    SIMD4(words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian)
  }

  /// Lends the 32 bytes.
  func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    withUnsafeBytes(of: words, body)
  }

  /// The same 32 bytes.
  public static func == (a: SHA256Digest, b: SHA256Digest) -> Bool { a.words == b.words }

  /// Feeds the bytes to a hasher.
  public func hash(into hasher: inout Hasher) { withBytes { hasher.combine(bytes: $0) } }

  /// Orders by bytes.
  public static func < (a: SHA256Digest, b: SHA256Digest) -> Bool {
    a.withBytes { a in b.withBytes { a.lexicographicallyPrecedes($0) } }
  }

  /// 64 lower-case hexadecimal digits.
  public var description: String { hexadecimal(bytes) }
}
