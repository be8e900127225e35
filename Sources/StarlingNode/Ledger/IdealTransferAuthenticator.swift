import StarlingBroadcast
import StarlingCore
import StarlingLedger

/// The ideal signature scheme for batches of transfers: it costs next to nothing, and only its owner signs in a peer's or an
/// account's name, because a simulator hands each its own.
public struct IdealTransferAuthenticator: TransferAuthenticator {
  private let owner: Peer
  /// How many processes there are: nobody else may speak.
  private let members: Int

  /// The authenticator of one peer, among the processes 0 ..< `members`.
  public init(owner: Peer, members: Int) {
    self.owner = owner
    self.members = members
  }

  /// Accounts for the 32 bytes of SHA-256.
  public static var digestByteCount: Int { 32 }
  /// Accounts for the 64 bytes of Ed25519.
  public static var signatureByteCount: Int { 64 }

  /// The SHA-256 of the encoded batch.
  public static func digest(of payload: TransferBatch) -> SIMD4<UInt64> {
    SHA256.hash(payload.encoded).numbers
  }

  /// Signs in the owner's name, whatever origin the identifier claims.
  public func sign(_ digest: SIMD4<UInt64>, as identifier: MessageIdentifier) -> UInt64 {
    Self.tag(digest, identifier, signer: owner)
  }

  /// Whether it is a process.
  public func admits(_ sender: Peer) -> Bool { Int(sender.index) < members }

  /// Whether the identifier's origin made the signature.
  public func verifies(
    _ signature: UInt64, of digest: SIMD4<UInt64>, as identifier: MessageIdentifier
  ) -> Bool { signature == Self.tag(digest, identifier, signer: identifier.origin) }

  /// Whether a transfer is well-formed and its owner's.
  public func admits(entryAt position: Int, of batch: SignedBatch<IdealTransferAuthenticator>) -> Bool {
    let transfer = batch.payload.entries[position]
    return transfer.transfer.fault == nil && isSigned(transfer)
  }

  /// Whether the signature is one that ``sign(_:)`` makes.
  public func isSigned(_ transfer: SignedTransfer) -> Bool {
    Self.signature(of: transfer.transfer) == transfer.signature
  }

  /// Signs a transfer in its owner's name.
  public static func sign(_ transfer: Transfer) -> SignedTransfer {
    SignedTransfer(transfer: transfer, signature: signature(of: transfer))
  }

  private static func signature(of transfer: Transfer) -> Ed25519Signature {
    let words = transfer.contentsDigest
    var writer = WireWriter(capacity: Ed25519Signature.byteCount)
    for i in 0..<8 { writer.write(integer: SplitMix64.mix(words[i % 4] ^ UInt64(i))) }
    guard let signature = Ed25519Signature(writer.bytes) else {
      preconditionFailure("a signature of 64 bytes")
    }
    return signature
  }

  private static func tag(_ digest: SIMD4<UInt64>, _ identifier: MessageIdentifier, signer: Peer) -> UInt64 {
    let key = SplitMix64.mix(UInt64(signer.index) &+ 0x4C45_4447_4552_2131)
    return SplitMix64.mix(key ^ SplitMix64.mix(digest[0] ^ SplitMix64.mix(identifier.sequence)))
  }
}
