import StarlingCore

/// The limits and times of an ``Endpoint``. Every default is a guess unless it names its source.
public struct TransportConfiguration: Sendable {
  /// The name of the network. Only endpoints with the same name can connect.
  public var network: [UInt8]
  /// How long a handshake may take, positive.
  public var handshakeTimeout: Interval = .seconds(10)
  /// How long a connection lasts without an authentic packet, counted from the last one or, if that is
  /// later, from the first packet since that asked for an answer; positive.
  public var idleTimeout: Interval = .seconds(30)
  /// After how long a silence a connection asks for a sign of life; less than half of ``idleTimeout`` keeps
  /// connections up. `nil` for never.
  public var keepAlive: Interval? = .seconds(10)
  /// How many bytes of datagrams a connection may have in flight: fixed, until congestion control adapts
  /// it. At least two datagrams; the default is 32.
  public var windowBytes = 32 * 1_200
  /// The largest datagram in bytes, 1,200 ... 1,452. 1,200 pass everywhere (RFC 9000, section 14).
  public var datagramBytes = 1_200
  /// The largest message that may be sent, in bytes, 1 ... 65,536. What comes may always have 65,536.
  public var maximumMessageBytes = 65_536
  /// How many bytes of messages may wait for their acknowledgement on one connection; at least one message
  /// of the largest size.
  public var sendQueueBytes = 1 << 20
  /// How many messages may wait for their acknowledgement on one connection, at least 1.
  public var sendQueueMessages = 4_096
  /// How many bytes of messages of which parts are missing a connection holds, at least 65,536. The peer
  /// is told and begins no message that would not fit; one that does it all the same is closed.
  public var reassemblyBytes = 1 << 19
  /// How many connections may be up or being asked for, at least 1.
  public var maximumConnections = 256
  /// How many of them this end may have asked for, at least 1. The rest is kept for those that others open, so
  /// that whoever makes this end open many keeps nobody out. The default is half.
  public var maximumOutgoingConnections = 128
  /// How many handshakes begun by others may be pending, at least 1; beyond that the oldest gives way.
  public var maximumHandshakes = 256
  /// How many of these one host may have pending, at least 1; beyond that its own oldest gives way. A host is
  /// an IPv4 address or the first half of an IPv6 one, which is what one customer has. The default is a
  /// quarter.
  public var maximumHandshakesPerHost = 64
  /// How many connections that one host has opened may be up, at least 1; `nil` for as many as there is room
  /// for. A network on one machine, or behind one router, has but one host.
  public var maximumConnectionsPerHost: Int?

  /// The defaults, for a network of this name.
  ///
  /// - Parameter network: the network's name, 0 ... 255 bytes.
  public init(network: [UInt8]) { self.network = network }

  /// Insists on the documented ranges: a configuration is this program's, so a wrong one is a bug.
  func validate() {
    precondition(network.count <= 255, "a network's name has at most 255 bytes")
    precondition(handshakeTimeout > .zero && idleTimeout > .zero, "timeouts are positive")
    precondition(keepAlive.map { $0 > .zero } ?? true, "the keep-alive interval is positive")
    precondition((1_200...1_452).contains(datagramBytes), "a datagram has 1,200 ... 1,452 bytes")
    precondition(windowBytes >= 2 * datagramBytes, "the window holds two datagrams at least")
    precondition((1...65_536).contains(maximumMessageBytes), "a message has 1 ... 65,536 bytes")
    precondition(sendQueueBytes >= maximumMessageBytes, "the send queue holds the largest message")
    precondition(sendQueueMessages >= 1, "the send queue holds a message")
    precondition((65_536...(1 << 30)).contains(reassemblyBytes), "reassembly holds the largest message")
    precondition(maximumConnections >= 1 && maximumHandshakes >= 1, "an endpoint holds a connection")
    precondition(maximumOutgoingConnections >= 1, "an endpoint may ask for a connection")
    precondition(
      maximumHandshakesPerHost >= 1 && maximumConnectionsPerHost ?? 1 >= 1, "a host has a share")
  }
}
