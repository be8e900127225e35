import StarlingCore

/// What peers of the rings send each other.
public enum RingsMessage: Sendable {
  /// Find the ring of a level for this seat: up to the top, and down by locality.
  case seek(RingSeat, level: UInt8, isGoingUp: Bool, hops: UInt8)
  /// Give me this seat in the ring that you are in too.
  case enter(ring: UInt64, RingSeat)
  /// You have a seat in this ring, which takes the place of another of its level (0: of none).
  case adopt(from: UInt64, RingState, guides: [Peer])
  /// Seats of a ring changed.
  case change(ring: UInt64, taken: [RingSeat], left: [LeftSeat])
  /// I am here, and know this of the ring.
  case beat(ring: UInt64, fingerprint: UInt64)
  /// This is what I know of the ring.
  case state(RingState)
  /// I have no seat in this ring.
  case absent(ring: UInt64)
  /// Is this member dead for you too?
  case doubt(ring: UInt64, Peer)
  /// I have heard that member lately.
  case vouch(ring: UInt64, Peer)
  /// Take in all that are left of my ring, which has too few.
  case absorb(ring: UInt64, level: UInt8, into: UInt64, [RingSeat])
  /// These are in the ring above.
  case guides(ring: UInt64, [Peer])
  /// Is this the top ring? Passed up to the top.
  case probe(top: UInt64, level: UInt8, count: UInt16, by: Peer, hops: UInt8)
  /// That is not the top ring, since there is a greater one, in which I am.
  case island(top: UInt64)
  /// Some peers that I know, for some that you know (Cyclon).
  case shuffle([Peer])
  /// Some for those.
  case shuffled([Peer])
}

extension RingSeat {
  /// The bytes that a seat takes on the wire: a key, an address, and four fields.
  static var encodedByteCount: Int { 32 + 19 + 8 + 4 + 4 + 12 + 8 }
}

extension RingsMessage: SizedMessage {
  /// The bytes of a peer's key and address.
  private static var peerByteCount: Int { 32 + 19 }

  /// The size of the encoded form.
  public var encodedByteCount: Int {
    switch self {
    case .seek: 1 + RingSeat.encodedByteCount + 3
    case .enter: 1 + 8 + RingSeat.encodedByteCount
    case .adopt(_, let state, let guides):
      1 + 8 + state.encodedByteCount + 1 + RingsMessage.peerByteCount * guides.count
    case .change(_, let taken, let left):
      1 + 8 + 2 + RingSeat.encodedByteCount * taken.count + LeftSeat.encodedByteCount * left.count
    case .beat: 1 + 16
    case .state(let state): 1 + state.encodedByteCount
    case .absent: 1 + 8
    case .doubt, .vouch: 1 + 8 + 32
    case .absorb(_, _, _, let seats): 1 + 17 + 1 + RingSeat.encodedByteCount * seats.count
    case .guides(_, let peers): 1 + 8 + 1 + RingsMessage.peerByteCount * peers.count
    case .probe: 1 + 8 + 1 + 2 + RingsMessage.peerByteCount + 1
    case .island: 1 + 8
    case .shuffle(let peers), .shuffled(let peers): 1 + 1 + RingsMessage.peerByteCount * peers.count
    }
  }
}

extension LeftSeat {
  static var encodedByteCount: Int { 32 + 4 }
}

extension RingState {
  var encodedByteCount: Int {
    8 + 1 + 4 + 4 + 12 + 2 + RingSeat.encodedByteCount * seats.count + LeftSeat.encodedByteCount * left.count
  }
}
