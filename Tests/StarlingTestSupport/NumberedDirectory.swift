import StarlingCore

/// A directory in which peer n has a key made of n and listens at port n of an IPv4 address.
package struct NumberedDirectory: PeerDirectory {
  /// Records that were interned, in order.
  package private(set) var interned: [PeerRecord] = []

  package init() {}

  package func record(of peer: Peer) -> PeerRecord {
    var bytes = [UInt8](repeating: 7, count: 32)
    for i in 0..<4 { bytes[i] = UInt8(truncatingIfNeeded: peer.index >> UInt32(8 * i)) }
    guard let key = PublicKey(bytes) else { preconditionFailure("a key has 32 bytes") }
    return PeerRecord(
      key: key, address: SocketAddress(host: [10, 0, 0, 1], port: UInt16(truncatingIfNeeded: peer.index)))
  }

  package mutating func intern(_ record: PeerRecord) throws(WireError) -> Peer {
    interned.append(record)
    let bytes = Array(record.key.bytes)
    guard bytes.dropFirst(4).allSatisfy({ $0 == 7 }) else { throw .invalid("an unknown peer") }
    return Peer((0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[$1]) << UInt32(8 * $1) })
  }
}

/// The encoded form of a message that names peers of a ``NumberedDirectory``.
package func encoded(_ message: some WireMessage) -> [UInt8] {
  var writer = WireWriter()
  message.encode(into: &writer, peers: NumberedDirectory())
  return writer.bytes
}

/// The message that bytes encode, with nothing left over.
package func decoded<Message: WireMessage>(
  _ type: Message.Type, from bytes: [UInt8]
) throws(WireError) -> Message {
  var reader = WireReader(bytes)
  var peers = NumberedDirectory()
  let message = try Message.decode(from: &reader, peers: &peers)
  try reader.finish()
  return message
}
