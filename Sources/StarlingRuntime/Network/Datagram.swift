import StarlingCore

/// Bytes on their way to an address, or from one.
public struct Datagram: Sendable {
  /// The bytes.
  public let bytes: [UInt8]
  /// The other end.
  public let address: SocketAddress

  /// Bytes for an address, or from one.
  public init(bytes: [UInt8], address: SocketAddress) {
    self.bytes = bytes
    self.address = address
  }
}
