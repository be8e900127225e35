import StarlingCore

/// A transfer with its owner's signature, which counts in one ledger alone.
public struct SignedTransfer: Hashable, Sendable {
  /// What is signed.
  public let transfer: Transfer
  /// The owner's signature.
  public let signature: Ed25519Signature

  /// A transfer as it came: whether the signature is the owner's shows ``isSigned(in:)``.
  public init(transfer: Transfer, signature: Ed25519Signature) {
    self.transfer = transfer
    self.signature = signature
  }

  /// Signs a transfer.
  ///
  /// - Parameters:
  ///   - transfer: whose account is the identity's.
  ///   - ledger: the hash of the genesis.
  ///   - owner: the account's owner.
  public init(_ transfer: Transfer, in ledger: SHA256Digest, by owner: Identity) {
    self.transfer = transfer
    signature = owner.sign(SignedTransfer.statement(transfer, in: ledger))
  }

  /// Whether the owner of the account signed it for this ledger. Every node, wallet and certificate check asks here, and
  /// so by one rule, which ``SignatureRule`` states: the equation of RFC 8032, section 5.1.7, without its cofactor, and
  /// neither the key nor the signature's point R is of small order or in non-canonical form, and S is below the group's
  /// order.
  public func isSigned(in ledger: SHA256Digest) -> Bool {
    transfer.account.verifies(signature, of: SignedTransfer.statement(transfer, in: ledger))
  }

  /// What names the transfer: the hash of what its owner signs. Two of one account and number with different contents have
  /// different names.
  public func identifier(in ledger: SHA256Digest) -> SHA256Digest {
    SHA256.hash(SignedTransfer.statement(transfer, in: ledger))
  }

  /// What is signed. The label keeps it apart from everything else that a key signs, and the genesis from other ledgers.
  static func statement(_ transfer: Transfer, in ledger: SHA256Digest) -> [UInt8] {
    var writer = WireWriter(capacity: 64 + transfer.encodedByteCount)
    writer.write(text: "starling transfer 1")
    writer.write(ledger)
    transfer.encode(into: &writer)
    return writer.bytes
  }
}

extension SignedTransfer {
  /// The bytes of the shortest encoded form.
  static let leastByteCount = Transfer.leastByteCount + Ed25519Signature.byteCount

  /// The size of the encoded form.
  public var encodedByteCount: Int { transfer.encodedByteCount + Ed25519Signature.byteCount }

  /// Appends the transfer and the signature.
  public func encode(into writer: inout WireWriter) {
    transfer.encode(into: &writer)
    writer.write(signature)
  }

  /// Takes a signed transfer apart.
  public init(from reader: inout WireReader) throws(WireError) {
    let transfer = try Transfer(from: &reader)
    self.init(transfer: transfer, signature: try reader.readSignature())
  }

  /// The encoded form alone.
  public var encoded: [UInt8] {
    var writer = WireWriter(capacity: encodedByteCount)
    encode(into: &writer)
    return writer.bytes
  }

  /// Takes the encoded form of one signed transfer apart.
  public init(encoded bytes: [UInt8]) throws(WireError) {
    var reader = WireReader(bytes)
    try self.init(from: &reader)
    try reader.finish()
  }
}
