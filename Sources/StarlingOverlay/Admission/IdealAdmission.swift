import StarlingCore

/// The ideal signature scheme: signatures that cost next to nothing and that only their owner can make,
/// because a simulator hands each process the admission of its own peer and no other. Everybody may join.
@frozen
public struct IdealAdmission: Admission {
  /// A keyed hash.
  public typealias Signature = UInt64

  @usableFromInline let owner: Peer

  /// The admission of one peer.
  @inlinable
  public init(owner: Peer) { self.owner = owner }

  /// Accounts for the 64 bytes of Ed25519.
  @inlinable
  public static var signatureByteCount: Int { 64 }

  /// Signs in the owner's name.
  @inlinable
  public func sign(_ statement: SubscriptionStatement) -> UInt64 {
    IdealAdmission.tag(statement, signer: owner)
  }

  /// Whether `signer` made the signature.
  @inlinable
  public func verifies(_ signature: UInt64, of statement: SubscriptionStatement, by signer: Peer) -> Bool {
    signature == IdealAdmission.tag(statement, signer: signer)
  }

  /// Lets everybody in.
  @inlinable
  public mutating func judge(subscriber: Peer, contact: Peer, at now: Instant) -> Misbehaviour? { nil }

  @inlinable
  static func tag(_ statement: SubscriptionStatement, signer: Peer) -> UInt64 {
    let contact = statement.contact.map { UInt64($0.index) } ?? .max
    let key = SplitMix64.mix(UInt64(signer.index) &+ 0x5355_4253_4352_4942)
    let subject = UInt64(statement.subscriber.index)
    return SplitMix64.mix(
      key ^ SplitMix64.mix(contact ^ SplitMix64.mix(subject ^ SplitMix64.mix(statement.number))))
  }
}
