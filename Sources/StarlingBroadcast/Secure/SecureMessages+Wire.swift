import StarlingCore

/// A batch with an encoded form.
public protocol EncodedBatch: BatchPayload {
  /// The encoded form: ``BroadcastPayload/byteCount`` bytes.
  var encoded: [UInt8] { get }
  /// Takes a batch apart.
  ///
  /// - Throws: ``WireError`` when the bytes are no batch, or one with too many entries.
  init(encoded: [UInt8]) throws(WireError)
}

// MARK: - Sizes

extension SignedBatch: SizedMessage {
  /// The size of the encoded form.
  @inlinable
  public var encodedByteCount: Int {
    MessageIdentifier.encodedByteCount + 2 + Auth.signatureByteCount + 4 + payload.byteCount
  }
}

extension Vote: SizedMessage {
  /// The size of the encoded form.
  @inlinable
  public var encodedByteCount: Int {
    MessageIdentifier.encodedByteCount + 2 + Auth.digestByteCount + Auth.signatureByteCount + 2
      + 2 * refused.count
  }
}

// MARK: - Batches and votes

extension SignedBatch: WireMessage where Auth.Payload: EncodedBatch, Auth.Signature: WireBytes {
  /// Appends the identifier, the hops, the signature and the payload.
  public func encode(into writer: inout WireWriter, peers: borrowing some PeerDirectory) {
    identifier.encode(into: &writer, peers: peers)
    writer.write(integer: hops)
    writer.write(raw: signature.bytes)
    writer.write(counted: payload.encoded)
  }

  /// Takes a batch apart, and computes its digest. The signature is not checked yet.
  public static func decode(
    from reader: inout WireReader, peers: inout some PeerDirectory
  ) throws(WireError) -> SignedBatch {
    let identifier = try MessageIdentifier.decode(from: &reader, peers: &peers)
    let hops = try reader.read(UInt16.self)
    let signature = try reader.read(Auth.Signature.self)
    let payload = try Auth.Payload(encoded: try reader.readCounted(limit: Auth.Payload.byteLimit))
    return SignedBatch(identifier: identifier, payload: payload, signature: signature, hops: hops)
  }
}

extension Vote: WireMessage where Auth.Digest: WireBytes, Auth.Signature: WireBytes {
  /// Appends the identifier, the hops, the digest, the signature, and the positions that are refused.
  public func encode(into writer: inout WireWriter, peers: borrowing some PeerDirectory) {
    identifier.encode(into: &writer, peers: peers)
    writer.write(integer: hops)
    writer.write(raw: digest.bytes)
    writer.write(raw: signature.bytes)
    writer.write(integer: UInt16(refused.count))
    for position in refused { writer.write(integer: position) }
  }

  /// Takes a vote apart. The signature is not checked yet.
  public static func decode(
    from reader: inout WireReader, peers: inout some PeerDirectory
  ) throws(WireError) -> Vote {
    let identifier = try MessageIdentifier.decode(from: &reader, peers: &peers)
    let hops = try reader.read(UInt16.self)
    let digest = try reader.read(Auth.Digest.self)
    let signature = try reader.read(Auth.Signature.self)
    let count = Int(try reader.read(UInt16.self))
    guard count <= BatchLimits.entries, reader.remaining >= 2 * count else {
      throw .invalid("a vote that refuses \(count) entries, where \(BatchLimits.entries) are allowed")
    }
    var refused: [UInt16] = []
    refused.reserveCapacity(count)
    for _ in 0..<count {
      let position = try reader.read(UInt16.self)
      guard position < BatchLimits.entries, refused.last ?? 0 < position || refused.isEmpty else {
        throw .invalid("a vote whose refused entries are not in ascending order, or beyond a batch")
      }
      refused.append(position)
    }
    return Vote(identifier: identifier, digest: digest, signature: signature, refused: refused, hops: hops)
  }
}

// MARK: - Messages of the layers

extension ErdosRenyiGossip.Message: SizedMessage {
  /// The size of the encoded form.
  @inlinable
  public var encodedByteCount: Int {
    switch self {
    case .subscribe, .renew, .unsubscribe: 1
    case .gossip(let batch): 1 + batch.encodedByteCount
    }
  }
}

extension ErdosRenyiGossip.Message: WireMessage
where Auth.Payload: EncodedBatch, Auth.Signature: WireBytes, Auth.Digest: WireBytes {
  /// Appends a kind byte and the kind's fields.
  public func encode(into writer: inout WireWriter, peers: borrowing some PeerDirectory) {
    switch self {
    case .subscribe: writer.write(UInt8(0))
    case .gossip(let batch): writer.write(1, batch, peers: peers)
    case .renew: writer.write(UInt8(2))
    case .unsubscribe: writer.write(UInt8(3))
    }
  }

  /// Takes a message apart.
  public static func decode(
    from reader: inout WireReader, peers: inout some PeerDirectory
  ) throws(WireError) -> Self {
    switch try reader.readByte() {
    case 0: .subscribe
    case 1: .gossip(try SignedBatch.decode(from: &reader, peers: &peers))
    case 2: .renew
    case 3: .unsubscribe
    case let kind: throw .invalid("a gossip message of unknown kind \(kind)")
    }
  }
}

extension EchoBroadcast.Message: SizedMessage {
  /// The size of the encoded form.
  @inlinable
  public var encodedByteCount: Int {
    switch self {
    case .gossip(let message): 1 + message.encodedByteCount
    case .subscribe, .unsubscribe: 1
    case .echo(let vote): 1 + vote.encodedByteCount
    }
  }
}

extension EchoBroadcast.Message: WireMessage
where Auth.Payload: EncodedBatch, Auth.Signature: WireBytes, Auth.Digest: WireBytes {
  /// Appends a kind byte and the kind's fields.
  public func encode(into writer: inout WireWriter, peers: borrowing some PeerDirectory) {
    switch self {
    case .gossip(let message): writer.write(0, message, peers: peers)
    case .subscribe: writer.write(UInt8(1))
    case .echo(let vote): writer.write(2, vote, peers: peers)
    case .unsubscribe: writer.write(UInt8(3))
    }
  }

  /// Takes a message apart.
  public static func decode(
    from reader: inout WireReader, peers: inout some PeerDirectory
  ) throws(WireError) -> Self {
    switch try reader.readByte() {
    case 0: .gossip(try EchoBroadcast.Gossip.Message.decode(from: &reader, peers: &peers))
    case 1: .subscribe
    case 2: .echo(try Vote.decode(from: &reader, peers: &peers))
    case 3: .unsubscribe
    case let kind: throw .invalid("a message of Echo Broadcast of unknown kind \(kind)")
    }
  }
}

extension ReadyBroadcast.Message: SizedMessage {
  /// The size of the encoded form.
  @inlinable
  public var encodedByteCount: Int {
    switch self {
    case .echo(let message): 1 + message.encodedByteCount
    case .subscribe, .unsubscribe: 1
    case .ready(let vote): 1 + vote.encodedByteCount
    case .fetch: 1 + MessageIdentifier.encodedByteCount + Auth.digestByteCount
    case .supply(let batch): 1 + batch.encodedByteCount
    }
  }
}

extension ReadyBroadcast.Message: WireMessage
where Auth.Payload: EncodedBatch, Auth.Signature: WireBytes, Auth.Digest: WireBytes {
  /// Appends a kind byte and the kind's fields.
  public func encode(into writer: inout WireWriter, peers: borrowing some PeerDirectory) {
    switch self {
    case .echo(let message): writer.write(0, message, peers: peers)
    case .subscribe: writer.write(UInt8(1))
    case .ready(let vote): writer.write(2, vote, peers: peers)
    case .fetch(let identifier, let digest):
      writer.write(UInt8(3))
      identifier.encode(into: &writer, peers: peers)
      writer.write(raw: digest.bytes)
    case .supply(let batch): writer.write(4, batch, peers: peers)
    case .unsubscribe: writer.write(UInt8(5))
    }
  }

  /// Takes a message apart.
  public static func decode(
    from reader: inout WireReader, peers: inout some PeerDirectory
  ) throws(WireError) -> Self {
    switch try reader.readByte() {
    case 0: .echo(try ReadyBroadcast.Echo.Message.decode(from: &reader, peers: &peers))
    case 1: .subscribe
    case 2: .ready(try Vote.decode(from: &reader, peers: &peers))
    case 3: .fetch(try MessageIdentifier.decode(from: &reader, peers: &peers), try reader.read())
    case 4: .supply(try SignedBatch.decode(from: &reader, peers: &peers))
    case 5: .unsubscribe
    case let kind: throw .invalid("a message of Ready Broadcast of unknown kind \(kind)")
    }
  }
}

extension BrachaBroadcast.Message: SizedMessage {
  /// The size of the encoded form.
  @inlinable
  public var encodedByteCount: Int {
    switch self {
    case .renew: 1
    case .send(let batch), .supply(let batch): 1 + batch.encodedByteCount
    case .echo(let vote), .ready(let vote): 1 + vote.encodedByteCount
    case .fetch: 1 + MessageIdentifier.encodedByteCount + Auth.digestByteCount
    }
  }
}

extension BrachaBroadcast.Message: WireMessage
where Auth.Payload: EncodedBatch, Auth.Signature: WireBytes, Auth.Digest: WireBytes {
  /// Appends a kind byte and the kind's fields.
  public func encode(into writer: inout WireWriter, peers: borrowing some PeerDirectory) {
    switch self {
    case .send(let batch): writer.write(0, batch, peers: peers)
    case .echo(let vote): writer.write(1, vote, peers: peers)
    case .ready(let vote): writer.write(2, vote, peers: peers)
    case .fetch(let identifier, let digest):
      writer.write(UInt8(3))
      identifier.encode(into: &writer, peers: peers)
      writer.write(raw: digest.bytes)
    case .supply(let batch): writer.write(4, batch, peers: peers)
    case .renew: writer.write(UInt8(5))
    }
  }

  /// Takes a message apart.
  public static func decode(
    from reader: inout WireReader, peers: inout some PeerDirectory
  ) throws(WireError) -> Self {
    switch try reader.readByte() {
    case 0: .send(try SignedBatch.decode(from: &reader, peers: &peers))
    case 1: .echo(try Vote.decode(from: &reader, peers: &peers))
    case 2: .ready(try Vote.decode(from: &reader, peers: &peers))
    case 3: .fetch(try MessageIdentifier.decode(from: &reader, peers: &peers), try reader.read())
    case 4: .supply(try SignedBatch.decode(from: &reader, peers: &peers))
    case 5: .renew
    case let kind: throw .invalid("a message of Bracha's broadcast of unknown kind \(kind)")
    }
  }
}
