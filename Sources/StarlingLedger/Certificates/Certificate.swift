import StarlingCore

/// The word of enough of a ledger's members that a transfer is final, which anybody who has the genesis can check without
/// asking anyone.
///
/// Enough is b + 1, one more than may lie: one of them is correct, and what one correct member has applied, every correct one
/// will. A member says so once it has applied the transfer and could not forget it, and never of two transfers of one
/// number; so no two certificates contradict each other as long as no more than b members lie.
public struct Certificate: Hashable, Sendable {
  /// The ledger: its genesis' hash.
  public let ledger: SHA256Digest
  /// What is final.
  public let transfer: SignedTransfer
  /// What members have signed, each once.
  public let signatures: [PublicKey: Ed25519Signature]

  /// The version of the file's format, and of what is signed.
  public static let version = 1

  /// A certificate as it came: whether it proves anything shows ``verify(by:)``.
  public init(ledger: SHA256Digest, transfer: SignedTransfer, signatures: [PublicKey: Ed25519Signature]) {
    self.ledger = ledger
    self.transfer = transfer
    self.signatures = signatures
  }

  /// A member's word that a transfer is final.
  public static func sign(
    _ transfer: SignedTransfer, in ledger: SHA256Digest, by member: Identity
  ) -> Ed25519Signature { member.sign(statement(transfer, in: ledger)) }

  /// Whether a member gave its word for a transfer.
  public static func isSigned(
    _ signature: Ed25519Signature, of transfer: SignedTransfer, in ledger: SHA256Digest, by member: PublicKey
  ) -> Bool { member.verifies(signature, of: statement(transfer, in: ledger)) }

  /// What a member signs. The label keeps it apart from everything else that a key signs.
  private static func statement(_ transfer: SignedTransfer, in ledger: SHA256Digest) -> [UInt8] {
    var writer = WireWriter(capacity: 128)
    writer.write(text: "starling certificate \(version)")
    writer.write(raw: ledger.bytes)
    writer.write(raw: transfer.identifier(in: ledger).bytes)
    return writer.bytes
  }

  /// Checks that the transfer is final in the ledger of a genesis.
  ///
  /// - Throws: ``QuantityError`` with one sentence that says what is missing.
  public func verify(by genesis: Genesis) throws(QuantityError) {
    guard ledger == genesis.hash else {
      throw QuantityError(
        "The certificate is of another ledger: it names genesis \(ledger), and this one is \(genesis.hash).")
    }
    if let fault = transfer.transfer.fault { throw QuantityError(fault.sentence) }
    guard transfer.isSigned(in: ledger) else {
      throw QuantityError(
        "The transfer is not signed by its account's owner: the certificate proves nothing.")
    }
    let members = Set(genesis.members)
    let valid = signatures.count {
      members.contains($0.key) && Certificate.isSigned($0.value, of: transfer, in: ledger, by: $0.key)
    }
    guard valid > genesis.byzantine else {
      throw QuantityError(
        "\(Quantity.count(valid, "member has", "members have")) signed, and \(genesis.byzantine + 1) must: ask more members."
      )
    }
  }
}

extension Certificate {
  /// The file's text.
  public var text: String {
    var lines = [
      "# Proof that a transfer is final, to be checked with the ledger's genesis.",
      "starling-certificate \(Certificate.version)", "ledger \(ledger)",
      "transfer \(hexadecimal(transfer.encoded))",
    ]
    lines += signatures.sorted { $0.key < $1.key }.map { "final \($0.key) \($0.value)" }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Parses a file's text. Blank lines and what follows a `#` mean nothing.
  ///
  /// - Throws: ``QuantityError`` with one sentence that names the line.
  public init(parsing text: String) throws(QuantityError) {
    var version: Int?
    var ledger: SHA256Digest?
    var transfer: SignedTransfer?
    var signatures: [PublicKey: Ed25519Signature] = [:]
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .enumerated()
    {
      let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
      if words.isEmpty { continue }
      switch (words[0], words.count) {
      case ("starling-certificate", 2) where version == nil:
        version = Int(words[1])
        guard version == Certificate.version else {
          throw QuantityError(
            "The certificate is of version \(words[1].prefix(20)) and this program knows version \(Certificate.version):"
              + " use a newer program.")
        }
      case ("ledger", 2) where version != nil && ledger == nil:
        ledger = bytes(hexadecimal: words[1]).flatMap { SHA256Digest($0) }
      case ("transfer", 2) where version != nil && transfer == nil:
        transfer = bytes(hexadecimal: words[1]).flatMap { try? SignedTransfer(encoded: $0) }
      case ("final", 3) where version != nil:
        if let key = PublicKey(hexadecimal: words[1].utf8), signatures[key] == nil,
          let signature = bytes(hexadecimal: words[2]).flatMap({ Ed25519Signature($0) })
        {
          signatures[key] = signature
          continue
        }
        throw QuantityError(
          "Line \(index + 1) is no signature: write 'final', a member's key and its signature in hexadecimal digits, each"
            + " member once.")
      default:
        throw QuantityError(
          "Line \(index + 1) of the certificate says nothing that is known, or says it again: "
            + "\(words[0].prefix(40).debugDescription).")
      }
    }
    guard version != nil else {
      throw QuantityError(
        "A certificate begins with the line 'starling-certificate \(Certificate.version)', and this file does not."
      )
    }
    guard let ledger, let transfer else {
      throw QuantityError(
        "The certificate lacks its ledger's hash or its transfer, or one of them is no such thing.")
    }
    self.init(ledger: ledger, transfer: transfer, signatures: signatures)
  }
}

/// The bytes that hexadecimal digits stand for; `nil` for anything else, and for more than any field of a certificate has.
private func bytes(hexadecimal digits: Substring) -> [UInt8]? {
  guard digits.utf8.count <= 2 * (Transfer.byteLimit + Ed25519Signature.byteCount) else { return nil }
  return StarlingCore.bytes(hexadecimal: digits.utf8)
}
