import StarlingCore

/// The first byte of a datagram.
enum DatagramKind: UInt8 {
  /// The first message of a handshake.
  case initiate = 1
  /// The second message of a handshake.
  case respond = 2
  /// The third message of a handshake.
  case confirm = 3
  /// A handshake is refused.
  case refuse = 4
  /// A packet of an established connection.
  case packet = 5
}

/// The version of everything this module puts on the wire.
enum TransportVersion {
  static let current: UInt8 = 1
}

/// The handshake's datagrams.
///
///     initiate: kind, version, initiator's id 8, ephemeral key 32, network tag 16, zeros up to 1,200 bytes
///     respond:  kind, initiator's id 8, Noise message 2
///     confirm:  kind, responder's id 8, Noise message 3
///     refuse:   kind, initiator's id 8, version, why 1
///
/// Kind, version and identifier of `initiate`, and all of `refuse`, stay the same in every version.
enum HandshakeDatagram {
  /// The smallest datagram that opens a handshake, as in RFC 9000, section 14.1: whoever claims another's
  /// address cannot have us send it more than was spent.
  static let initiateByteCount = 1_200
  /// Kind and connection identifier, or kind, version and identifier.
  static let shortHeader = 9
  private static let tagByteCount = 16

  /// What opens a handshake.
  struct Initiate {
    let version: UInt8
    let initiator: ConnectionID
    let ephemeral: ArraySlice<UInt8>
    let tag: ArraySlice<UInt8>
  }

  static func initiate(from id: ConnectionID, ephemeral: [UInt8], tag: [UInt8], byteCount: Int) -> [UInt8] {
    var writer = WireWriter(capacity: byteCount)
    writer.write(DatagramKind.initiate.rawValue)
    writer.write(TransportVersion.current)
    writer.write(integer: id.value)
    writer.write(raw: ephemeral)
    writer.write(raw: tag)
    writer.write(raw: [UInt8](repeating: 0, count: byteCount - writer.bytes.count))
    return writer.bytes
  }

  static func parseInitiate(_ datagram: [UInt8]) -> Initiate? {
    guard datagram.count >= initiateByteCount else { return nil }
    let keyEnd = 10 + X25519KeyPair.byteCount
    return Initiate(
      version: datagram[1], initiator: identifier(datagram, at: 2), ephemeral: datagram[10..<keyEnd],
      tag: datagram[keyEnd..<(keyEnd + tagByteCount)])
  }

  static func message(_ kind: DatagramKind, to id: ConnectionID, _ message: [UInt8]) -> [UInt8] {
    var writer = WireWriter(capacity: shortHeader + message.count)
    writer.write(kind.rawValue)
    writer.write(integer: id.value)
    writer.write(raw: message)
    return writer.bytes
  }

  static func refuse(to id: ConnectionID, _ refusal: Refusal) -> [UInt8] {
    message(.refuse, to: id, [TransportVersion.current, refusal.rawValue])
  }

  /// What a refusal says, if it is one.
  static func parseRefuse(_ datagram: [UInt8]) -> CloseReason? {
    guard datagram.count == shortHeader + 2 else { return nil }
    switch Refusal(rawValue: datagram[shortHeader + 1]) {
    case .version:
      let theirs = datagram[shortHeader]
      let ours = TransportVersion.current
      return theirs == ours ? nil : .version(theirs: theirs, ours: ours)
    case .network: return .network
    case nil: return nil
    }
  }

  /// The receiver's identifier in every datagram but `initiate`.
  static func receiver(of datagram: [UInt8]) -> ConnectionID? {
    datagram.count >= shortHeader ? identifier(datagram, at: 1) : nil
  }

  /// Proves knowledge of the network's name, and is different every time: whoever does not know the name
  /// does not learn from datagrams which of them belong to one network.
  static func networkTag(network: [UInt8], ephemeral: some Sequence<UInt8>) -> [UInt8] {
    let key = SHA256.hash(Array("starling network tag".utf8) + network).bytes
    return Array(HMACSHA256.authenticate(Array(ephemeral), key: key).prefix(tagByteCount))
  }

  private static func identifier(_ datagram: [UInt8], at start: Int) -> ConnectionID {
    ConnectionID(datagram[start..<(start + 8)].reduce(0) { $0 << 8 | UInt64($1) })
  }
}

/// Why a handshake is refused.
enum Refusal: UInt8 {
  case version = 1
  case network = 2
}
