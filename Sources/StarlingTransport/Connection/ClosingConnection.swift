import StarlingCore

/// What is left of a connection that this end closed: the word for the peer, said again if the peer goes on
/// sending because it has missed it (RFC 9000, section 10.2.1).
struct ClosingConnection {
  /// How often it is said again.
  private static let repeats = 4

  let id: ConnectionID
  let address: SocketAddress
  let opening: Opening?
  let datagram: [UInt8]
  let deadline: Instant
  private var remaining = repeats

  init(
    id: ConnectionID, address: SocketAddress, opening: Opening?, datagram: [UInt8], until deadline: Instant
  ) {
    self.id = id
    self.address = address
    self.opening = opening
    self.datagram = datagram
    self.deadline = deadline
  }

  /// Whether to answer a datagram of the peer's; never with more than what came.
  mutating func answers(_ datagram: [UInt8]) -> Bool {
    guard remaining > 0, datagram.count >= self.datagram.count else { return false }
    remaining -= 1
    return true
  }
}
