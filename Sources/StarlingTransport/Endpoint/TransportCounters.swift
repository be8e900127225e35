/// What an endpoint has done since it was made.
public struct TransportCounters: Hashable, Sendable {
  /// Datagrams handed to the socket.
  public var datagramsSent: UInt64 = 0
  /// Datagrams taken from the socket.
  public var datagramsReceived: UInt64 = 0
  /// Bytes of the datagrams handed to the socket.
  public var bytesSent: UInt64 = 0
  /// Bytes of the datagrams taken from the socket.
  public var bytesReceived: UInt64 = 0
  /// Messages taken from the layer above.
  public var messagesSent: UInt64 = 0
  /// Messages given to the layer above.
  public var messagesReceived: UInt64 = 0
  /// Packets declared lost.
  public var packetsLost: UInt64 = 0
  /// Parts of messages sent more than once, and handshake datagrams likewise.
  public var retransmissions: UInt64 = 0
  /// Parts of messages that had come before.
  public var duplicateFragments: UInt64 = 0
  /// Handshakes that led to a connection.
  public var handshakes: UInt64 = 0
  /// Connections that ended.
  public var closes: UInt64 = 0

  private var drops = [UInt64](repeating: 0, count: DropReason.allCases.count)

  /// Nothing done yet.
  public init() {}

  /// Datagrams dropped for this reason.
  public func dropped(_ reason: DropReason) -> UInt64 { drops[reason.rawValue] }

  /// Datagrams dropped for any reason.
  public var dropped: UInt64 { drops.reduce(0, +) }

  mutating func noteSent(_ byteCount: Int) {
    datagramsSent += 1
    bytesSent += UInt64(byteCount)
  }

  mutating func drop(_ reason: DropReason) { drops[reason.rawValue] += 1 }
}

/// Why a datagram that came was dropped without a trace other than a counter.
public enum DropReason: Int, CaseIterable, Hashable, Sendable {
  /// It is no datagram of this protocol.
  case malformed
  /// It opens a handshake in an unknown version.
  case unknownVersion
  /// It opens a handshake of another network.
  case otherNetwork
  /// It belongs to no connection that is there.
  case unknownConnection
  /// It does not authenticate.
  case forged
  /// Its packet has come before, or is too old to tell.
  case replayed
  /// It opens a handshake, and the tables are full.
  case tablesFull
  /// It repeats a step of a handshake that is done.
  case handshakeRepeated

  /// The reason in snake case, as reports name it.
  public var name: String {
    switch self {
    case .malformed: "malformed"
    case .unknownVersion: "unknown_version"
    case .otherNetwork: "other_network"
    case .unknownConnection: "unknown_connection"
    case .forged: "forged"
    case .replayed: "replayed"
    case .tablesFull: "tables_full"
    case .handshakeRepeated: "handshake_repeated"
    }
  }
}
