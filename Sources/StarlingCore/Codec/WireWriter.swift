/// Builds the encoded form of a message: big-endian integers and length-prefixed bytes.
@frozen
public struct WireWriter: Sendable {
  /// What was written so far.
  public internal(set) var bytes: [UInt8]

  /// An empty writer with room for `capacity` bytes.
  public init(capacity: Int = 64) {
    bytes = []
    bytes.reserveCapacity(capacity)
  }

  /// Appends one byte.
  public mutating func write(_ value: UInt8) { bytes.append(value) }

  /// Appends an integer, most significant byte first.
  @inlinable
  public mutating func write<Integer: FixedWidthInteger>(integer value: Integer) {
    withUnsafeBytes(of: value.bigEndian) { append($0) }
  }

  /// Appends bytes as they are.
  @inlinable
  public mutating func write(raw: some Collection<UInt8>) {
    if raw.withContiguousStorageIfAvailable({ append(UnsafeRawBufferPointer($0)) }) == nil {
      for byte in raw { write(byte) }
    }
  }

  @usableFromInline
  mutating func append(_ raw: UnsafeRawBufferPointer) { bytes.append(contentsOf: raw) }

  /// Appends a key's bytes.
  public mutating func write(_ key: PublicKey) {
    write(integer: key.words.0)
    write(integer: key.words.1)
    write(integer: key.words.2)
    write(integer: key.words.3)
  }

  /// Appends a signature's bytes.
  public mutating func write(_ signature: Ed25519Signature) { signature.withBytes { append($0) } }

  /// Appends a digest's bytes.
  public mutating func write(_ digest: SHA256Digest) { digest.withBytes { append($0) } }

  /// Appends a 32-bit count and the bytes.
  public mutating func write(counted: some Collection<UInt8>) {
    write(integer: UInt32(counted.count))
    write(raw: counted)
  }

  /// Appends a 16-bit count and the text's UTF-8, of which at most 65,535 bytes may be there.
  public mutating func write(text: String) {
    let utf8 = Array(text.utf8)
    precondition(utf8.count <= Int(UInt16.max), "a text on the wire has at most 65,535 bytes")
    write(integer: UInt16(utf8.count))
    write(raw: utf8)
  }
}
