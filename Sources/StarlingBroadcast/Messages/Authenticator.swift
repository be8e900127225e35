import StarlingCore

/// Signs a peer's own broadcasts and checks everybody's. A compile-time parameter of the protocols: Ed25519
/// in a node, the ideal scheme of ``IdealAuthenticator`` in large simulations.
public protocol Authenticator: Sendable {
  /// What is signed.
  associatedtype Payload: BroadcastPayload & Sendable
  /// The signature.
  associatedtype Signature: Sendable

  /// The bytes a signature takes on the wire.
  static var signatureByteCount: Int { get }

  /// Signs a payload in this peer's own name.
  ///
  /// - Parameters:
  ///   - payload: what is broadcast.
  ///   - identifier: this peer as the origin, and the message's number.
  func sign(_ payload: Payload, as identifier: MessageIdentifier) -> Signature

  /// Whether messages of this origin are wanted at all. Asked before the signature is looked at.
  func admits(_ origin: Peer) -> Bool

  /// Whether the identifier's origin signed this payload under this identifier.
  func verifies(_ signature: Signature, of payload: Payload, as identifier: MessageIdentifier) -> Bool

  /// A number made of a signature, the same on every machine: stands for the message in summaries of what a
  /// peer has.
  static func fingerprint(of signature: Signature) -> UInt64
}

extension Authenticator where Signature: WireBytes {
  /// The signature's first eight bytes, mixed.
  public static func fingerprint(of signature: Signature) -> UInt64 {
    SplitMix64.mix(signature.bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
  }
}

extension Authenticator {
  /// True.
  @inlinable
  public func admits(_ origin: Peer) -> Bool { true }
}

/// A payload without contents: a number and a size, for simulation.
@frozen
public struct SyntheticPayload: BroadcastPayload, Hashable, Sendable {
  /// Tells payloads apart; stands for their contents.
  public let number: UInt32
  @usableFromInline let size: UInt32

  /// - Parameters:
  ///   - number: stands for the contents.
  ///   - byteCount: the size to account for, 0 ... 2³² − 1 bytes.
  @inlinable
  public init(number: UInt32, byteCount: Int) {
    self.number = number
    size = UInt32(byteCount)
  }

  /// The size to account for.
  @inlinable
  public var byteCount: Int { Int(size) }

  /// Whatever can be accounted for: no network carries it.
  @inlinable
  public static var byteLimit: Int { Int(UInt32.max) }
}

/// The ideal signature scheme: signatures that cost next to nothing and that only their owner can make,
/// because a simulator hands each process the authenticator of its own peer and no other.
@frozen
public struct IdealAuthenticator: Authenticator {
  /// The payloads of simulations.
  public typealias Payload = SyntheticPayload
  /// A keyed hash.
  public typealias Signature = UInt64

  @usableFromInline let owner: Peer

  /// The authenticator of one peer.
  @inlinable
  public init(owner: Peer) { self.owner = owner }

  /// Accounts for the 64 bytes of Ed25519.
  @inlinable
  public static var signatureByteCount: Int { 64 }

  /// Signs in the owner's name, whatever origin the identifier claims.
  @inlinable
  public func sign(_ payload: SyntheticPayload, as identifier: MessageIdentifier) -> UInt64 {
    IdealAuthenticator.tag(payload, identifier, signer: owner)
  }

  /// Whether the identifier's origin made the signature.
  @inlinable
  public func verifies(
    _ signature: UInt64, of payload: SyntheticPayload, as identifier: MessageIdentifier
  ) -> Bool {
    signature == IdealAuthenticator.tag(payload, identifier, signer: identifier.origin)
  }

  /// The signature itself: it is a hash already.
  @inlinable
  public static func fingerprint(of signature: UInt64) -> UInt64 { signature }

  @inlinable
  static func tag(_ payload: SyntheticPayload, _ identifier: MessageIdentifier, signer: Peer) -> UInt64 {
    let contents = UInt64(payload.number) << 32 | UInt64(payload.byteCount)
    let key = SplitMix64.mix(UInt64(signer.index) &+ 0x5354_4152_4C49_4E47)
    return SplitMix64.mix(key ^ SplitMix64.mix(contents ^ SplitMix64.mix(identifier.sequence)))
  }
}
