/// Names a connection of an endpoint: 64 random bits, which this end chose and the peer writes into every
/// packet. Zero is never given out.
@frozen
public struct ConnectionID: Hashable, Sendable, CustomStringConvertible {
  /// The 64 bits.
  public let value: UInt64

  /// The identifier with these bits.
  public init(_ value: UInt64) { self.value = value }

  /// For example `connection 00c0ffee00c0ffee`.
  public var description: String {
    let digits = String(value, radix: 16)
    return "connection " + String(repeating: "0", count: 16 - digits.count) + digits
  }
}
