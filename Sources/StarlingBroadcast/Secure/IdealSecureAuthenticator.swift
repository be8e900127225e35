import StarlingCore

/// A batch without contents but its entries: for simulation.
@frozen
public struct SyntheticBatch: BatchPayload, Hashable, Sendable {
  /// Tells batches apart; stands for their contents.
  public let number: UInt32
  /// The size to account for, in bytes.
  public let byteCount: Int
  /// Its entries.
  public let entries: [BatchEntry<UInt32, UInt32>]

  /// - Parameters:
  ///   - number: stands for the contents.
  ///   - byteCount: the size to account for, 0 or more.
  ///   - entries: at most ``BatchLimits/entries``.
  @inlinable
  public init(number: UInt32, byteCount: Int, entries: [BatchEntry<UInt32, UInt32>] = []) {
    self.number = number
    self.byteCount = byteCount
    self.entries = entries
  }

  /// Whatever can be accounted for: no network carries it.
  @inlinable
  public static var byteLimit: Int { Int(UInt32.max) }

  /// How many entries there are.
  @inlinable
  public var entryCount: Int { entries.count }

  /// The entry at a position.
  @inlinable
  public func entry(at position: Int) -> BatchEntry<UInt32, UInt32> { entries[position] }
}

/// The ideal hash and signature scheme: they cost next to nothing, nobody finds two batches of one digest, and only
/// its owner signs in a peer's name, because a simulator hands each process the authenticator of its own peer.
@frozen
public struct IdealSecureAuthenticator: SecureAuthenticator {
  @usableFromInline let owner: Peer

  /// The authenticator of one peer.
  @inlinable
  public init(owner: Peer) { self.owner = owner }

  /// Accounts for the 32 bytes of SHA-256.
  @inlinable
  public static var digestByteCount: Int { 32 }

  /// Accounts for the 64 bytes of Ed25519.
  @inlinable
  public static var signatureByteCount: Int { 64 }

  /// A mixture of the batch's number and entries.
  @inlinable
  public static func digest(of payload: SyntheticBatch) -> UInt64 {
    var digest = SplitMix64.mix(
      UInt64(payload.number) << 32 | UInt64(UInt32(truncatingIfNeeded: payload.byteCount)))
    for entry in payload.entries {
      digest = SplitMix64.mix(digest ^ UInt64(entry.author) << 32 ^ UInt64(entry.contents))
      digest = SplitMix64.mix(digest ^ entry.sequence)
    }
    return digest
  }

  /// Signs in the owner's name, whatever origin the identifier claims.
  @inlinable
  public func sign(_ digest: UInt64, as identifier: MessageIdentifier) -> UInt64 {
    Self.tag(digest, identifier, signer: owner)
  }

  /// Everybody's.
  @inlinable
  public func admits(_ sender: Peer) -> Bool { true }

  /// Whether the identifier's origin made the signature.
  @inlinable
  public func verifies(_ signature: UInt64, of digest: UInt64, as identifier: MessageIdentifier) -> Bool {
    signature == Self.tag(digest, identifier, signer: identifier.origin)
  }

  @inlinable
  static func tag(_ digest: UInt64, _ identifier: MessageIdentifier, signer: Peer) -> UInt64 {
    let key = SplitMix64.mix(UInt64(signer.index) &+ 0x5345_4355_5245_4221)
    return SplitMix64.mix(key ^ SplitMix64.mix(digest ^ SplitMix64.mix(identifier.sequence)))
  }
}
