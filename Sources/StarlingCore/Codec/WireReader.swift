/// Why received bytes are not a message.
public enum WireError: Error, Hashable, Sendable {
  /// The bytes end before the message does.
  case truncated
  /// Bytes are left over after the message.
  case trailing(Int)
  /// A field holds what it must not.
  case invalid(String)
}

/// Takes received bytes apart. Every count is checked against what is there before it is used.
public struct WireReader: Sendable {
  @usableFromInline let bytes: [UInt8]
  @usableFromInline var position: Int
  @usableFromInline let end: Int

  /// Reads all of `bytes`.
  public init(_ bytes: [UInt8]) {
    self.bytes = bytes
    position = 0
    end = bytes.count
  }

  /// Reads a slice.
  public init(_ slice: ArraySlice<UInt8>) { self.init(Array(slice)) }

  /// How many bytes are still unread.
  public var remaining: Int { end - position }

  /// Takes one byte.
  public mutating func readByte() throws(WireError) -> UInt8 {
    guard position < end else { throw .truncated }
    defer { position += 1 }
    return bytes[position]
  }

  /// Takes a big-endian integer.
  @inlinable
  public mutating func read<Integer: FixedWidthInteger>(
    _ type: Integer.Type = Integer.self
  ) throws(WireError) -> Integer {
    let width = MemoryLayout<Integer>.size
    guard end - position >= width else { throw .truncated }
    let offset = position
    position += width
    return Integer(
      bigEndian: bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Integer.self) })
  }

  /// Takes a public key.
  public mutating func readKey() throws(WireError) -> PublicKey {
    PublicKey(
      words: (
        try read(UInt64.self), try read(UInt64.self), try read(UInt64.self), try read(UInt64.self)
      ))
  }

  /// Takes a signature.
  public mutating func readSignature() throws(WireError) -> Ed25519Signature {
    let width = Ed25519Signature.byteCount
    guard remaining >= width else { throw .truncated }
    let offset = position
    position += width
    return bytes.withUnsafeBytes { bytes in
      Ed25519Signature(
        words: InlineArray { bytes.loadUnaligned(fromByteOffset: offset + 8 * $0, as: UInt64.self) })
    }
  }

  /// Takes exactly `count` bytes.
  public mutating func read(count: Int) throws(WireError) -> [UInt8] {
    guard count >= 0, remaining >= count else { throw .truncated }
    defer { position += count }
    return Array(bytes[position..<(position + count)])
  }

  /// Takes a 32-bit count, of at most `limit`, and that many bytes.
  public mutating func readCounted(limit: Int) throws(WireError) -> [UInt8] {
    let count = Int(try read(UInt32.self))
    guard count <= limit else { throw .invalid("a field of \(count) bytes, where \(limit) are allowed") }
    return try read(count: count)
  }

  /// Takes a text with a 16-bit count of at most `limit` bytes; its UTF-8 must be valid.
  public mutating func readText(limit: Int) throws(WireError) -> String {
    let count = Int(try read(UInt16.self))
    guard count <= limit else { throw .invalid("a text of \(count) bytes, where \(limit) are allowed") }
    guard let text = String(validating: try read(count: count), as: UTF8.self) else {
      throw .invalid("a text that is not UTF-8")
    }
    return text
  }

  /// Takes all that is left.
  public mutating func readRest() -> [UInt8] {
    defer { position = end }
    return Array(bytes[position..<end])
  }

  /// Insists that nothing is left over.
  public func finish() throws(WireError) {
    guard remaining == 0 else { throw .trailing(remaining) }
  }
}
