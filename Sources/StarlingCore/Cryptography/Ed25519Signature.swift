import CSodium

/// An Ed25519 signature (RFC 8032).
public struct Ed25519Signature: Hashable, Sendable, CustomStringConvertible {
  /// A signature has 64 bytes.
  public static var byteCount: Int { 64 }

  /// The signature's 64 bytes.
  public let bytes: [UInt8]

  /// The signature with these 64 bytes; `nil` for any other number of them. Whether it is a signature of
  /// anything shows when it is checked.
  public init?(_ bytes: some Collection<UInt8>) {
    guard bytes.count == Ed25519Signature.byteCount else { return nil }
    self.bytes = Array(bytes)
  }

  init(unchecked bytes: [UInt8]) { self.bytes = bytes }

  /// 128 lower-case hexadecimal digits.
  public var description: String { hexadecimal(bytes) }
}

extension PublicKey {
  /// Whether the holder of this key's secret signed exactly this message. Keys that are not points of large
  /// order, and signatures in non-canonical form, verify nothing.
  public func verifies(_ signature: Ed25519Signature, of message: [UInt8]) -> Bool {
    crypto_sign_verify_detached(signature.bytes, message, UInt64(message.count), bytes) == 0
  }
}
