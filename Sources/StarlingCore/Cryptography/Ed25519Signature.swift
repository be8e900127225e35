import CSodium

/// An Ed25519 signature (RFC 8032).
public struct Ed25519Signature: Hashable, Sendable, CustomStringConvertible {
  /// A signature has 64 bytes.
  public static var byteCount: Int { 64 }

  /// The bytes as they lie in memory, eight at a time: without a heap object, because transfers come in thousands.
  private let words: InlineArray<8, UInt64>

  /// The signature with these 64 bytes; `nil` for any other number of them. Whether it is a signature of
  /// anything shows when it is checked.
  public init?(_ bytes: some Collection<UInt8>) {
    guard bytes.count == Ed25519Signature.byteCount else { return nil }
    var reader = WireReader(Array(bytes))
    guard let signature = try? reader.readSignature() else { return nil }
    self = signature
  }

  init(words: InlineArray<8, UInt64>) { self.words = words }

  /// The signature's 64 bytes.
  public var bytes: [UInt8] { withBytes { Array($0) } }

  /// Lends the 64 bytes.
  func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    words.span.withUnsafeBytes(body)
  }

  /// The same 64 bytes.
  public static func == (a: Ed25519Signature, b: Ed25519Signature) -> Bool {
    a.words.indices.allSatisfy { a.words[$0] == b.words[$0] }
  }

  /// Feeds the bytes to a hasher.
  public func hash(into hasher: inout Hasher) { withBytes { hasher.combine(bytes: $0) } }

  /// 128 lower-case hexadecimal digits.
  public var description: String { hexadecimal(bytes) }
}

extension PublicKey {
  /// Whether the holder of this key's secret signed exactly this message. Keys that are not points of large
  /// order, and signatures in non-canonical form, verify nothing.
  public func verifies(_ signature: Ed25519Signature, of message: [UInt8]) -> Bool {
    signature.withBytes { signature in
      withBytes { key in
        guard let signature = signature.bindMemory(to: UInt8.self).baseAddress,
          let key = key.bindMemory(to: UInt8.self).baseAddress
        else { return false }
        return crypto_sign_verify_detached(signature, message, UInt64(message.count), key) == 0
      }
    }
  }
}
