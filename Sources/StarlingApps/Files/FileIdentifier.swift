import StarlingCore

/// Names a shared file: the SHA-256 of its encoded manifest, so that a name fixes every byte of the file.
public struct FileIdentifier: Hashable, Sendable, CustomStringConvertible {
  /// The digest that is the name.
  public let digest: SHA256Digest

  /// Names the file whose encoded manifest has this digest.
  public init(_ digest: SHA256Digest) { self.digest = digest }

  /// The identifier that is written with these 64 hexadecimal digits; `nil` if they are none.
  public init?(_ text: String) {
    let digits = text.utf8.map { Character(Unicode.Scalar($0)).hexDigitValue ?? 16 }
    guard digits.count == 64, digits.allSatisfy({ $0 < 16 }) else { return nil }
    let bytes = stride(from: 0, to: 64, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    guard let digest = SHA256Digest(bytes) else { return nil }
    self.init(digest)
  }

  /// 64 lower-case hexadecimal digits.
  public var description: String { digest.description }
}
