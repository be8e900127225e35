import StarlingCore
import StarlingTransport

/// What a process host wants done. A sink only notes things down: it cannot call the host back.
public protocol ProcessHostSink<Hosted>: ~Copyable {
  /// The kind of process that is hosted.
  associatedtype Hosted: Process

  /// Send a datagram from the host's socket. It may be lost.
  mutating func transmit(_ datagram: [UInt8], to address: SocketAddress)
  /// The process tells the layer above.
  mutating func indicated(_ indication: Hosted.Indication)
  /// A handshake is done: this peer is at the other end.
  mutating func connected(_ connection: ConnectionID, to peer: Peer)
  /// A connection ended, or did not come about; then `peer` is `nil` if it was known by its address alone.
  mutating func closed(_ connection: ConnectionID, to peer: Peer?, _ reason: CloseReason)
  /// Something happened that an operator may want to know.
  mutating func report(_ event: HostEvent)
}
