import StarlingCore

/// The sink into which an ``Endpoint`` pushes everything it wants done. The driver owns it.
///
/// A sink only notes things down: it cannot call the endpoint back while the endpoint is speaking.
public protocol TransportSink: ~Copyable {
  /// Sends a datagram from the endpoint's socket. It may be lost.
  mutating func transmit(_ datagram: [UInt8], to address: SocketAddress)

  /// A connection is ready and its peer has proved to hold `key`.
  ///
  /// - Parameters:
  ///   - connection: an identifier that ``Endpoint/connect(to:expecting:at:into:)`` has returned, or a new one.
  ///   - key: the peer's identity.
  ///   - address: where the peer's datagrams come from.
  ///   - initiated: whether this end asked for the connection.
  mutating func connected(
    _ connection: ConnectionID, to key: PublicKey, at address: SocketAddress, initiated: Bool)

  /// A whole message has come, exactly as the peer sent it. No message comes twice; messages need not come
  /// in the order in which they were sent.
  mutating func received(_ message: [UInt8], on connection: ConnectionID)

  /// A connection whose queue had refused a message has room again: at most half of it is taken.
  mutating func writable(_ connection: ConnectionID)

  /// A connection has ended; nothing more comes on it. Every connection that was asked for or reported as
  /// connected ends in exactly one such call, also when this end closed it.
  mutating func closed(_ connection: ConnectionID, _ reason: CloseReason)
}
