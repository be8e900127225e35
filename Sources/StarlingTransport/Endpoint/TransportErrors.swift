import StarlingCore

/// Why a message was not taken.
public enum SendError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The message has more bytes than a message may have.
  case messageTooLarge(limit: Int)
  /// The connection's queue is full; ``TransportSink/writable(_:)`` tells when it is worth another try.
  case queueFull
  /// There is no such connection, or it has ended.
  case closed

  /// One sentence.
  public var description: String {
    switch self {
    case .messageTooLarge(let limit): "a message may have at most \(limit) bytes"
    case .queueFull: "the connection's send queue is full"
    case .closed: "the connection is closed"
    }
  }
}

/// Why no connection was begun.
public enum ConnectError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The endpoint has as many connections as its configuration allows.
  case tooManyConnections(limit: Int)
  /// The key expected at the other end is this endpoint's own.
  case ownKey

  /// One sentence.
  public var description: String {
    switch self {
    case .tooManyConnections(let limit): "there are \(limit) connections already, which is the limit"
    case .ownKey: "the peer to connect to is this node itself"
    }
  }
}

/// Why a connection ended.
public enum CloseReason: Hashable, Sendable, CustomStringConvertible {
  /// This end closed it.
  case local
  /// The peer closed it.
  case peer
  /// The peer has no room for another connection.
  case peerFull
  /// The peer's network does not admit this end's key.
  case notAdmitted
  /// This end's network does not admit the peer's key.
  case inadmissible
  /// The peer did not answer the handshake in time.
  case handshakeTimedOut
  /// The peer did not answer in time, and somebody at its address says that it speaks another version of
  /// the protocol. That word is not authenticated.
  case version(theirs: UInt8, ours: UInt8)
  /// The peer did not answer in time, and somebody at its address says that it belongs to another network.
  /// That word is not authenticated.
  case network
  /// Who answered holds another key than was expected.
  case unexpectedKey(PublicKey)
  /// Who answered is this endpoint itself.
  case ownKey
  /// Who answered is another endpoint with this one's key.
  case keyInUse
  /// Nothing was heard for longer than the idle timeout, although nothing was asked either.
  case idle
  /// The peer no longer acknowledges what is sent to it.
  case unresponsive
  /// The peer broke the protocol, in this way.
  case violation(String)
  /// The peer says that this end broke the protocol.
  case violationReported

  /// One sentence, without a full stop, that says what happened and, where it helps, what to do.
  public var description: String {
    switch self {
    case .local: "this node closed the connection"
    case .peer: "the peer closed the connection"
    case .peerFull: "the peer has no room for another connection; try another peer or later"
    case .notAdmitted:
      "the peer's network does not admit this node's key; ask its operator to admit it, or use a key that is"
    case .inadmissible:
      "this node's own policy does not admit the key there; admit it here, or connect to another peer"
    case .handshakeTimedOut:
      "the peer did not answer; check its address and that it is running"
    case .version(let theirs, let ours):
      "the peer speaks protocol version \(theirs) and this node version \(ours); upgrade "
        + (theirs > ours ? "this node" : "the peer")
    case .network:
      "the peer belongs to another network; start both with the same network name, or the same genesis"
    case .unexpectedKey(let key): "the peer at that address has another key than expected: \(key)"
    case .ownKey: "the address is this node's own"
    case .keyInUse:
      "another node runs there with this node's key; stop it, or give one a key of its own: starling keys new"
    case .idle: "nothing was heard from the peer for longer than the idle timeout"
    case .unresponsive: "the peer stopped acknowledging what is sent to it"
    case .violation(let how): "the peer broke the protocol: \(how)"
    case .violationReported: "the peer says that this node broke the protocol"
    }
  }
}
