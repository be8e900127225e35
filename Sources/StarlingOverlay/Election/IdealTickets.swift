import StarlingCore

/// The number on an ideal ticket.
@frozen
public struct IdealTicketValue: TicketValue {
  /// All of it.
  public let prefix: UInt64

  /// - Parameter prefix: all of it.
  @inlinable
  public init(_ prefix: UInt64) { self.prefix = prefix }

  /// Orders by number.
  @inlinable
  public static func < (a: IdealTicketValue, b: IdealTicketValue) -> Bool { a.prefix < b.prefix }

  /// A mixture of value and epoch.
  @inlinable
  public func successor(in epoch: UInt64) -> IdealTicketValue {
    IdealTicketValue(SplitMix64.mix(prefix ^ SplitMix64.mix(epoch &+ 0x5355_4343_4553_534F)))
  }
}

/// Ideal tickets: they cost next to nothing, and only their owner can draw them, because a simulator hands each process
/// the source of its own peer and no other.
@frozen
public struct IdealTickets: TicketSource {
  /// A number of 64 bits.
  public typealias Value = IdealTicketValue
  /// A keyed hash, of which the number is another.
  public typealias Proof = UInt64

  @usableFromInline let owner: Peer

  /// The tickets of one peer.
  @inlinable
  public init(owner: Peer) { self.owner = owner }

  /// Accounts for the 80 bytes of ``VRFProof``.
  @inlinable
  public static var proofByteCount: Int { VRFProof.byteCount }

  /// Draws in the owner's name.
  @inlinable
  public func draw(_ draw: Draw<IdealTicketValue>) -> UInt64 { IdealTickets.tag(draw, signer: owner) }

  /// The number that belongs to the proof.
  @inlinable
  public func claim(of proof: UInt64) -> IdealTicketValue? {
    IdealTicketValue(SplitMix64.mix(proof ^ 0x5449_434B_4554_5321))
  }

  /// Whether the peer drew it.
  @inlinable
  public func verifies(_ proof: UInt64, of draw: Draw<IdealTicketValue>, by peer: Peer) -> Bool {
    proof == IdealTickets.tag(draw, signer: peer)
  }

  @inlinable
  static func tag(_ draw: Draw<IdealTicketValue>, signer: Peer) -> UInt64 {
    let key = SplitMix64.mix(UInt64(signer.index) &+ 0x454C_4543_5449_4F4E)
    switch draw {
    case .contact(let ring, let epoch, let beacon):
      return SplitMix64.mix(
        key ^ SplitMix64.mix(ring ^ SplitMix64.mix(epoch ^ SplitMix64.mix(beacon.prefix &+ 1))))
    case .beacon(let epoch, let previous):
      return SplitMix64.mix(key ^ SplitMix64.mix(epoch ^ SplitMix64.mix(previous.prefix &+ 2)))
    }
  }
}
