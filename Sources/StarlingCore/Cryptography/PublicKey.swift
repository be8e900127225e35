/// An Ed25519 public key (RFC 8032): a peer's name outside its own machine.
@frozen
public struct PublicKey: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// A key has 32 bytes.
  @inlinable
  public static var byteCount: Int { 32 }

  @usableFromInline let words: (UInt64, UInt64, UInt64, UInt64)

  /// The key with these 32 bytes; `nil` for any other number of them. Whether the bytes are a point of the
  /// curve shows when a signature is checked.
  public init?(_ bytes: some Collection<UInt8>) {
    guard bytes.count == PublicKey.byteCount else { return nil }
    var reader = WireReader(Array(bytes))
    guard let key = try? reader.readKey() else { return nil }
    self = key
  }

  init(words: (UInt64, UInt64, UInt64, UInt64)) { self.words = words }

  /// The key's 32 bytes.
  public var bytes: [UInt8] { withBytes { Array($0) } }

  /// Lends the key's 32 bytes.
  func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    withUnsafeBytes(
      of: (words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian), body)
  }

  /// The first eight bytes as a number, the most significant first: keys in their order are in that of their prefixes.
  @inlinable
  public var prefix: UInt64 { words.0 }

  /// The first 16 digits: enough to tell peers apart, and short enough to be read. What logs and messages say of
  /// peers.
  public var short: String { String(description.prefix(16)) }

  /// The same 32 bytes.
  @inlinable
  public static func == (a: PublicKey, b: PublicKey) -> Bool { a.words == b.words }

  /// Orders by bytes, so that two ends of a connection agree on who comes first.
  @inlinable
  public static func < (a: PublicKey, b: PublicKey) -> Bool { a.words < b.words }

  /// Feeds the key to a hasher.
  @inlinable
  public func hash(into hasher: inout Hasher) {
    hasher.combine(words.0)
    hasher.combine(words.1)
    hasher.combine(words.2)
    hasher.combine(words.3)
  }

  /// 64 lower-case hexadecimal digits.
  public var description: String { hexadecimal(bytes) }
}

extension PublicKey {
  /// The key with these 64 hexadecimal digits, in either case; `nil` for anything else.
  public init?(hexadecimal digits: some Sequence<UInt8>) {
    var bytes: [UInt8] = []
    var high: UInt8?
    for digit in digits {
      guard bytes.count < PublicKey.byteCount, let value = PublicKey.value(ofDigit: digit) else { return nil }
      if let known = high {
        bytes.append(known << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    guard high == nil else { return nil }
    self.init(bytes)
  }

  /// What a hexadecimal digit stands for, in either case.
  static func value(ofDigit digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}

/// Lower-case hexadecimal digits, two a byte.
public func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  let digits = Array("0123456789abcdef".utf8)
  var text: [UInt8] = []
  text.reserveCapacity(2 * bytes.underestimatedCount)
  for byte in bytes {
    text.append(digits[Int(byte >> 4)])
    text.append(digits[Int(byte & 15)])
  }
  return String(decoding: text, as: UTF8.self)
}
