import StarlingCore

extension Scamp {
  /// What peers that run SCAMP send each other.
  @frozen
  public enum Message: Sendable, Hashable {
    /// Joiner to the peer it knows: find me a contact.
    case subscribe
    /// A step of a random walk; see ``Walk``.
    case walk(Walk)
    /// A copy of a subscription: keep the subscriber in your partial view, or pass this on.
    case subscription(subscriber: Peer, hopsLeft: UInt16, SizeSketch)
    /// Contact to subscriber: take me into your partial view.
    case welcome(SizeSketch)
    /// Keeper to subscriber: you are in my partial view, so I belong in your in-view.
    case kept(SizeSketch)
    /// I no longer have you in my partial view.
    case dropped
    /// A peer with members to spare to one with a thin view: have this one, I gave it up.
    case donation(Peer)
    /// I cannot use your donation: have it back.
    case returned(Peer)
    /// What I have heard of the group's size.
    case size(SizeSketch)
  }

  /// A Metropolis–Hastings random walk over arcs in both directions. A step from u to v is accepted with
  /// probability min(1, degree(u) / degree(v)) and otherwise returns to u, so the walk ends at every peer
  /// with the same probability, however uneven the views are.
  @frozen
  public struct Walk: Sendable, Hashable {
    /// What the peer at the end of the walk is wanted for.
    @frozen
    public enum Purpose: UInt8, Sendable {
      /// To be a new peer's contact (the paper's indirection).
      case contact = 0
      /// To give a member of its partial view to a peer whose view is thin.
      case donation = 1
    }

    /// What the peer at the end is wanted for.
    public var purpose: Purpose
    /// Whether the step was refused and the walk is back where it was.
    public var isReturned: Bool
    /// Steps that remain.
    public var hopsLeft: UInt8
    /// The degree of the peer that sent this step.
    public var degree: UInt16
    /// Who asked for the walk.
    public var requester: Peer

    @inlinable
    init(_ purpose: Purpose, for requester: Peer, hopsLeft: UInt8) {
      self.purpose = purpose
      self.requester = requester
      self.hopsLeft = hopsLeft
      isReturned = false
      degree = 0
    }
  }
}

extension Scamp.Message: WireMessage where Door.Signature: WireSignature {
  /// Appends a kind byte and the kind's fields.
  public func encode(into writer: inout WireWriter, peers: borrowing some PeerDirectory) {
    switch self {
    case .subscribe: writer.write(UInt8(0))
    case .walk(let walk):
      writer.write(UInt8(1))
      writer.write(walk.purpose.rawValue)
      writer.write(UInt8(walk.isReturned ? 1 : 0))
      writer.write(walk.hopsLeft)
      writer.write(integer: walk.degree)
      writer.write(walk.requester, from: peers)
    case .subscription(let subscriber, let hopsLeft, let size):
      writer.write(UInt8(2))
      writer.write(integer: hopsLeft)
      writer.write(subscriber, from: peers)
      writer.write(size)
    case .welcome(let size):
      writer.write(UInt8(3))
      writer.write(size)
    case .kept(let size):
      writer.write(UInt8(4))
      writer.write(size)
    case .dropped: writer.write(UInt8(5))
    case .donation(let member):
      writer.write(UInt8(6))
      writer.write(member, from: peers)
    case .returned(let member):
      writer.write(UInt8(7))
      writer.write(member, from: peers)
    case .size(let size):
      writer.write(UInt8(8))
      writer.write(size)
    }
  }

  /// Takes a message apart.
  public static func decode(
    from reader: inout WireReader, peers: inout some PeerDirectory
  ) throws(WireError) -> Scamp.Message {
    switch try reader.readByte() {
    case 0: return .subscribe
    case 1: return .walk(try Scamp.Walk.decode(from: &reader, peers: &peers))
    case 2:
      let hopsLeft = try reader.read(UInt16.self)
      let subscriber = try reader.readPeer(into: &peers)
      return .subscription(subscriber: subscriber, hopsLeft: hopsLeft, try reader.readSketch())
    case 3: return .welcome(try reader.readSketch())
    case 4: return .kept(try reader.readSketch())
    case 5: return .dropped
    case 6: return .donation(try reader.readPeer(into: &peers))
    case 7: return .returned(try reader.readPeer(into: &peers))
    case 8: return .size(try reader.readSketch())
    case let kind: throw .invalid("a SCAMP message of unknown kind \(kind)")
    }
  }

}

extension Scamp.Message: SizedMessage {
  /// The size of the encoded form, with IPv4 addresses.
  @inlinable
  public var encodedByteCount: Int {
    switch self {
    case .subscribe, .dropped: 1
    case .walk: 6 + PeerRecord.encodedByteCount
    case .subscription: 3 + PeerRecord.encodedByteCount + SizeSketch.encodedByteCount
    case .welcome, .kept, .size: 1 + SizeSketch.encodedByteCount
    case .donation, .returned: 1 + PeerRecord.encodedByteCount
    }
  }
}

extension Scamp.Walk {
  static func decode(
    from reader: inout WireReader, peers: inout some PeerDirectory
  ) throws(WireError) -> Scamp.Walk {
    guard let purpose = Purpose(rawValue: try reader.readByte()) else {
      throw .invalid("a walk without a known purpose")
    }
    let isReturned = try reader.readByte() != 0
    let hopsLeft = try reader.readByte()
    let degree = try reader.read(UInt16.self)
    var walk = Scamp.Walk(purpose, for: try reader.readPeer(into: &peers), hopsLeft: hopsLeft)
    walk.isReturned = isReturned
    walk.degree = degree
    return walk
  }
}
