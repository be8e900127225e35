import StarlingCore

extension MessageIdentifier {
  /// Appends the origin's key and the sequence number.
  public func encode(into writer: inout WireWriter, peers: borrowing some PeerDirectory) {
    writer.write(keyOf: origin, from: peers)
    writer.write(integer: sequence)
  }

  /// Takes an identifier apart.
  public static func decode(
    from reader: inout WireReader, peers: inout some PeerDirectory
  ) throws(WireError) -> MessageIdentifier {
    let origin = try reader.readPeerKey(into: &peers)
    return MessageIdentifier(origin: origin, sequence: try reader.read())
  }
}

extension Broadcast: WireMessage where Auth.Payload == [UInt8], Auth.Signature: WireBytes {
  /// The largest payload that is accepted from the wire: a broadcast must fit one transport message.
  public static var payloadLimit: Int { [UInt8].byteLimit }

  /// Appends the identifier, the hops, the signature and the payload.
  public func encode(into writer: inout WireWriter, peers: borrowing some PeerDirectory) {
    identifier.encode(into: &writer, peers: peers)
    writer.write(integer: hops)
    writer.write(raw: signature.bytes)
    writer.write(counted: payload)
  }

  /// Takes a broadcast apart. The signature is not checked yet.
  public static func decode(
    from reader: inout WireReader, peers: inout some PeerDirectory
  ) throws(WireError) -> Broadcast {
    let identifier = try MessageIdentifier.decode(from: &reader, peers: &peers)
    let hops = try reader.read(UInt16.self)
    let signature = try reader.read(Auth.Signature.self)
    let payload = try reader.readCounted(limit: payloadLimit)
    return Broadcast(identifier: identifier, hops: hops, payload: payload, signature: signature)
  }
}
