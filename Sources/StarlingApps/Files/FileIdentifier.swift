import StarlingCore

/// Names a shared file: the SHA-256 of its encoded manifest, so that a name fixes every byte of the file.
public struct FileIdentifier: Hashable, Sendable, CustomStringConvertible {
  /// The digest that is the name.
  public let digest: SHA256Digest

  /// Names the file whose encoded manifest has this digest.
  public init(_ digest: SHA256Digest) { self.digest = digest }

  /// 64 lower-case hexadecimal digits.
  public var description: String { digest.description }
}
