import StarlingCore

extension BroadcastTree {
  /// What peers of the tree send each other.
  @frozen
  public enum Message: Sendable, SizedMessage, PayloadCarrying {
    /// Eager push: the message itself.
    case push(Broadcast<Auth>)
    /// Lazy push: I have this message (Plumtree's IHAVE).
    case announce(MessageIdentifier)
    /// Send me this message, and push to me from now on.
    case graft(MessageIdentifier)
    /// Only announce to me from now on.
    case prune
    /// Send me this message; the link stays as it is.
    case fetch(MessageIdentifier)
    /// The message that was fetched. It says nothing about the link.
    case supply(Broadcast<Auth>)
    /// I no longer have this message.
    case gone(MessageIdentifier)
    /// I am here: you pushed to me lately, and that is all I have to say.
    case alive
    /// This is what I have; if you do not have just the same, tell me what you have.
    case summary(Summary)
    /// I have these messages of one origin.
    case digest(Digest)

    /// The broadcast whose payload a push or a supply carries.
    @inlinable
    public var carriedBroadcast: Broadcast<Auth>? {
      switch self {
      case .push(let broadcast), .supply(let broadcast): broadcast
      default: nil
      }
    }

    /// The size of the encoded form.
    @inlinable
    public var encodedByteCount: Int {
      switch self {
      case .push(let broadcast), .supply(let broadcast): 1 + broadcast.encodedByteCount
      case .announce, .graft, .fetch, .gone: 1 + MessageIdentifier.encodedByteCount
      case .prune, .alive: 1
      case .summary: 1 + 12
      case .digest(let digest): 1 + digest.encodedByteCount
      }
    }
  }
}

extension BroadcastTree.Message: WireMessage
where Auth.Payload == [UInt8], Auth.Signature: WireBytes {
  /// Appends a kind byte and the kind's fields.
  public func encode(into writer: inout WireWriter, peers: borrowing some PeerDirectory) {
    writer.write(kind)
    switch self {
    case .push(let broadcast), .supply(let broadcast): broadcast.encode(into: &writer, peers: peers)
    case .announce(let identifier), .graft(let identifier), .fetch(let identifier), .gone(let identifier):
      identifier.encode(into: &writer, peers: peers)
    case .prune, .alive: break
    case .summary(let summary):
      writer.write(integer: summary.count)
      writer.write(integer: summary.fingerprint)
    case .digest(let digest): digest.encode(into: &writer, peers: peers)
    }
  }

  private var kind: UInt8 {
    switch self {
    case .push: 0
    case .announce: 1
    case .graft: 2
    case .prune: 3
    case .fetch: 4
    case .supply: 5
    case .gone: 6
    case .alive: 7
    case .summary: 8
    case .digest: 9
    }
  }

  /// Takes a message apart.
  public static func decode(
    from reader: inout WireReader, peers: inout some PeerDirectory
  ) throws(WireError) -> Self {
    switch try reader.readByte() {
    case 0: .push(try Broadcast.decode(from: &reader, peers: &peers))
    case 1: .announce(try MessageIdentifier.decode(from: &reader, peers: &peers))
    case 2: .graft(try MessageIdentifier.decode(from: &reader, peers: &peers))
    case 3: .prune
    case 4: .fetch(try MessageIdentifier.decode(from: &reader, peers: &peers))
    case 5: .supply(try Broadcast.decode(from: &reader, peers: &peers))
    case 6: .gone(try MessageIdentifier.decode(from: &reader, peers: &peers))
    case 7: .alive
    case 8: .summary(Summary(count: try reader.read(), fingerprint: try reader.read()))
    case 9: .digest(try Digest.decode(from: &reader, peers: &peers))
    case let kind: throw .invalid("a tree message of unknown kind \(kind)")
    }
  }
}
