/// A message whose size on the wire is known without encoding it: for metrics and limits.
public protocol SizedMessage {
  /// How many bytes the encoded form has. A peer's record counts with an IPv4 address,
  /// ``PeerRecord/encodedByteCount``.
  var encodedByteCount: Int { get }
}

/// A message with an encoded form. Handles mean nothing to another machine, so a peer named in a message
/// travels as its record and is interned again on arrival.
public protocol WireMessage: SizedMessage {
  /// Appends the encoded form.
  ///
  /// - Parameter peers: looks up the records of the peers that the message names.
  func encode(into writer: inout WireWriter, peers: borrowing some PeerDirectory)

  /// Takes an encoded message apart.
  ///
  /// - Parameter peers: gives out handles for the peers that the message names.
  /// - Throws: ``WireError`` when the bytes are not a message; nothing is interned then that stays.
  static func decode(
    from reader: inout WireReader, peers: inout some PeerDirectory
  ) throws(WireError) -> Self
}

/// What is known of a peer outside this machine: its key, and where it can be reached.
public struct PeerRecord: Hashable, Sendable {
  /// The peer's Ed25519 public key.
  public let key: PublicKey
  /// Where it listens, as far as is known: `nil` for an origin that is known by its key alone.
  public let address: SocketAddress?

  /// The bytes a record with an IPv4 address takes on the wire: key, family, address, port.
  @inlinable
  public static var encodedByteCount: Int { 32 + 1 + 4 + 2 }

  /// - Parameters:
  ///   - key: the peer's public key.
  ///   - address: where it listens, if known.
  public init(key: PublicKey, address: SocketAddress?) {
    self.key = key
    self.address = address
  }
}

/// The edge's table of handles and records.
public protocol PeerDirectory: ~Copyable {
  /// The record of a peer that has a handle.
  func record(of peer: Peer) -> PeerRecord
  /// The handle of the peer with this key, given out now if it is new. A known address is kept unless the
  /// record brings one and none was known.
  ///
  /// - Throws: ``WireError/invalid(_:)`` when the table is full.
  mutating func intern(_ record: PeerRecord) throws(WireError) -> Peer
}

extension WireWriter {
  /// Appends a byte that says what follows, and a message.
  public mutating func write(
    _ kind: UInt8, _ message: some WireMessage, peers: borrowing some PeerDirectory
  ) {
    write(kind)
    message.encode(into: &self, peers: peers)
  }

  /// Appends a peer as its record: key, address family (0, 4 or 6), address and port.
  public mutating func write(_ peer: Peer, from peers: borrowing some PeerDirectory) {
    let record = peers.record(of: peer)
    write(raw: record.key.bytes)
    guard let address = record.address else { return write(UInt8(0)) }
    write(UInt8(address.host.count == 4 ? 4 : 6))
    write(raw: address.host)
    write(integer: address.port)
  }

  /// Appends a peer by its key alone: for an origin, which need not be reachable.
  public mutating func write(keyOf peer: Peer, from peers: borrowing some PeerDirectory) {
    write(raw: peers.record(of: peer).key.bytes)
  }
}

extension WireReader {
  /// Takes a peer's record and interns it.
  public mutating func readPeer(into peers: inout some PeerDirectory) throws(WireError) -> Peer {
    let key = try readKey()
    let address: SocketAddress?
    switch try readByte() {
    case 0: address = nil
    case 4: address = SocketAddress(host: try read(count: 4), port: try read())
    case 6: address = SocketAddress(host: try read(count: 16), port: try read())
    case let family: throw .invalid("an address of family \(family), where 0, 4 or 6 is known")
    }
    return try peers.intern(PeerRecord(key: key, address: address))
  }

  /// Takes a peer's key and interns it without an address.
  public mutating func readPeerKey(into peers: inout some PeerDirectory) throws(WireError) -> Peer {
    try peers.intern(PeerRecord(key: try readKey(), address: nil))
  }
}
