import StarlingCore

extension Scamp {
  /// What peers that run SCAMP send each other.
  @frozen
  public enum Message: Sendable, Hashable {
    /// Joiner to a peer it knows: find me a contact. Signed by the joiner.
    case subscribe(number: UInt64, Door.Signature)
    /// A step of a random walk; see ``Walk``.
    case walk(Walk)
    /// A copy of a subscription: keep the subscriber in your partial view, or pass this on.
    case subscription(Subscription<Door.Signature>, hopsLeft: UInt16, GroupSize.News)
    /// Contact to subscriber: I introduced you, and signed it; take me into your partial view.
    case welcome(number: UInt64, Door.Signature, GroupSize.News)
    /// To a subscriber: the group's policy does not admit you.
    case refused(number: UInt64)
    /// Keeper to subscriber: you are in my partial view, so I belong in your in-view.
    case kept(GroupSize.News)
    /// I no longer have you in my partial view.
    case dropped
    /// Take me out of your partial view, and keep this peer in my place if there is one.
    case release(successor: Peer?)
    /// Keeper to member, in every round: are you there?
    case heartbeat(GroupSize.News)
    /// The answer to a heartbeat.
    case alive(GroupSize.News)
    /// To a neighbour that fell silent: are you there again?
    case probe
    /// The answer to a probe.
    case present(GroupSize.News)
    /// A peer with members to spare to one with a thin view: have this one, I gave it up.
    case donation(Peer)
    /// I cannot use your donation: have it back.
    case returned(Peer)
    /// What I have heard of the group's size.
    case size(GroupSize.News)
  }

  /// A Metropolis–Hastings random walk over arcs in both directions. A step from u to v is accepted with
  /// probability min(1, degree(u) / degree(v)) and otherwise returns to u, so the walk ends at every peer
  /// with the same probability, however uneven the views are.
  @frozen
  public struct Walk: Sendable, Hashable {
    /// What the peer at the end of the walk is wanted for.
    @frozen
    public enum Purpose: Sendable, Hashable {
      /// To be a new peer's contact (the paper's indirection): the number of its subscription, and its signature.
      case contact(number: UInt64, Door.Signature)
      /// To give a member of its partial view to a peer whose view is thin.
      case donation
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

extension Scamp.Message: WireMessage where Door.Signature: WireBytes {
  /// Appends a kind byte and the kind's fields.
  public func encode(into writer: inout WireWriter, peers: borrowing some PeerDirectory) {
    switch self {
    case .subscribe(let number, let signature):
      writer.write(UInt8(0))
      writer.write(integer: number)
      writer.write(raw: signature.bytes)
    case .walk(let walk):
      writer.write(UInt8(1))
      walk.encode(into: &writer, peers: peers)
    case .subscription(let subscription, let hopsLeft, let news):
      writer.write(UInt8(2))
      writer.write(integer: hopsLeft)
      subscription.encode(into: &writer, peers: peers)
      writer.write(news)
    case .welcome(let number, let countersignature, let news):
      writer.write(UInt8(3))
      writer.write(integer: number)
      writer.write(raw: countersignature.bytes)
      writer.write(news)
    case .refused(let number):
      writer.write(UInt8(4))
      writer.write(integer: number)
    case .kept(let news):
      writer.write(UInt8(5))
      writer.write(news)
    case .dropped: writer.write(UInt8(6))
    case .release(let successor):
      writer.write(UInt8(7))
      writer.write(UInt8(successor == nil ? 0 : 1))
      if let successor { writer.write(successor, from: peers) }
    case .heartbeat(let news):
      writer.write(UInt8(8))
      writer.write(news)
    case .alive(let news):
      writer.write(UInt8(9))
      writer.write(news)
    case .probe: writer.write(UInt8(10))
    case .present(let news):
      writer.write(UInt8(11))
      writer.write(news)
    case .donation(let member):
      writer.write(UInt8(12))
      writer.write(member, from: peers)
    case .returned(let member):
      writer.write(UInt8(13))
      writer.write(member, from: peers)
    case .size(let news):
      writer.write(UInt8(14))
      writer.write(news)
    }
  }

  /// Takes a message apart. Signatures are not checked yet.
  public static func decode(
    from reader: inout WireReader, peers: inout some PeerDirectory
  ) throws(WireError) -> Scamp.Message {
    switch try reader.readByte() {
    case 0: return .subscribe(number: try reader.read(), try reader.read())
    case 1: return .walk(try Scamp.Walk.decode(from: &reader, peers: &peers))
    case 2:
      let hopsLeft = try reader.read(UInt16.self)
      let subscription = try Subscription<Door.Signature>.decode(from: &reader, peers: &peers)
      return .subscription(subscription, hopsLeft: hopsLeft, try reader.readNews())
    case 3:
      let number = try reader.read(UInt64.self)
      let countersignature: Door.Signature = try reader.read()
      return .welcome(number: number, countersignature, try reader.readNews())
    case 4: return .refused(number: try reader.read())
    case 5: return .kept(try reader.readNews())
    case 6: return .dropped
    case 7:
      switch try reader.readByte() {
      case 0: return .release(successor: nil)
      case 1: return .release(successor: try reader.readPeer(into: &peers))
      default: throw .invalid("a release that neither names a successor nor none")
      }
    case 8: return .heartbeat(try reader.readNews())
    case 9: return .alive(try reader.readNews())
    case 10: return .probe
    case 11: return .present(try reader.readNews())
    case 12: return .donation(try reader.readPeer(into: &peers))
    case 13: return .returned(try reader.readPeer(into: &peers))
    case 14: return .size(try reader.readNews())
    case let kind: throw .invalid("a SCAMP message of unknown kind \(kind)")
    }
  }
}

extension Scamp.Message: SizedMessage {
  /// The size of the encoded form, with IPv4 addresses.
  @inlinable
  public var encodedByteCount: Int {
    let signature = Door.signatureByteCount
    let news = GroupSize.News.encodedByteCount
    return switch self {
    case .dropped, .probe: 1
    case .subscribe: 9 + signature
    case .walk(let walk): 1 + walk.encodedByteCount
    case .subscription: 43 + PeerRecord.encodedByteCount + 2 * signature + news
    case .welcome: 9 + signature + news
    case .refused: 9
    case .kept, .heartbeat, .alive, .present, .size: 1 + news
    case .release(let successor): 2 + (successor == nil ? 0 : PeerRecord.encodedByteCount)
    case .donation, .returned: 1 + PeerRecord.encodedByteCount
    }
  }
}

extension Scamp.Walk {
  @inlinable
  var encodedByteCount: Int {
    switch purpose {
    case .contact: 13 + Door.signatureByteCount + PeerRecord.encodedByteCount
    case .donation: 5 + PeerRecord.encodedByteCount
    }
  }
}

extension Scamp.Walk where Door.Signature: WireBytes {
  func encode(into writer: inout WireWriter, peers: borrowing some PeerDirectory) {
    switch purpose {
    case .contact(let number, let signature):
      writer.write(UInt8(0))
      writer.write(integer: number)
      writer.write(raw: signature.bytes)
    case .donation: writer.write(UInt8(1))
    }
    writer.write(UInt8(isReturned ? 1 : 0))
    writer.write(hopsLeft)
    writer.write(integer: degree)
    writer.write(requester, from: peers)
  }

  static func decode(
    from reader: inout WireReader, peers: inout some PeerDirectory
  ) throws(WireError) -> Scamp.Walk {
    let purpose: Purpose
    switch try reader.readByte() {
    case 0: purpose = .contact(number: try reader.read(), try reader.read())
    case 1: purpose = .donation
    default: throw .invalid("a walk without a known purpose")
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
