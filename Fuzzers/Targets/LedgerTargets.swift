import StarlingCore
import StarlingLedger

@testable import StarlingRuntime

let ledgerTargets = [
  FuzzTarget("transfer") {
    [FuzzLedger.signed.encoded, TransferBatch([FuzzLedger.signed]).encoded]
  } run: { bytes in
    if let signed = try? SignedTransfer(encoded: bytes) {
      promise(signed.encoded == bytes, "a transfer is written as it is read")
      promise(bytes.count == signed.encodedByteCount, "a transfer knows its size")
      if signed.transfer.fault == nil {
        promise(
          signed.transfer.total.map { $0 <= signed.transfer.funds } == true, "a sound transfer is covered")
        promise(bytes.count <= Transfer.byteLimit + Ed25519Signature.byteCount, "a transfer is bounded")
      }
    }
    if let batch = try? TransferBatch(encoded: bytes, entryLimit: 1_024) {
      promise(batch.encoded == bytes, "a batch is written as it is read")
      promise(
        Set(batch.entries.map(\.transfer.number)).count == batch.entries.count, "a batch has a number once")
    }
  },
  FuzzTarget("genesis") {
    [Array(FuzzLedger.genesis?.text.utf8 ?? "".utf8)]
  } run: { bytes in
    guard let genesis = try? Genesis(parsing: String(decoding: bytes, as: UTF8.self)) else { return }
    promise((try? Genesis(parsing: genesis.text)) == genesis, "a genesis is read as it is written")
    promise(3 * genesis.byzantine < genesis.members.count, "fewer than a third may lie")
    promise(Ledger(genesis).total == genesis.supply, "the balances are the supply")
  },
  FuzzTarget("certificate") {
    [Array(FuzzLedger.certificate.text.utf8)]
  } run: { bytes in
    guard let certificate = try? Certificate(parsing: String(decoding: bytes, as: UTF8.self)) else { return }
    promise(
      (try? Certificate(parsing: certificate.text)) == certificate, "a certificate is read as it is written")
    guard let genesis = FuzzLedger.genesis, (try? certificate.verify(by: genesis)) != nil else { return }
    // Nobody but its maker knows the keys.
    promise(certificate.transfer.transfer == FuzzLedger.signed.transfer, "only what was signed is proven")
  },
  FuzzTarget("ledger") {
    let objects: [any Encodable] = [
      LedgerAccount(
        account: "a", balance: LedgerAmount(.max), next: .max, expectedBalance: LedgerAmount(0),
        expectedNext: 0,
        pending: 1),
      LedgerTransfer(id: "b", state: .final, signed: FuzzLedger.signed), LedgerSubmission(FuzzLedger.signed),
      LedgerHistory(account: "a", entries: [], next: 7), LedgerReceipt(id: "b", state: .pending),
    ]
    return objects.compactMap { try? ControlCoding.encode($0) }
  } run: { bytes in
    FuzzLedger.check(LedgerStatus.self, bytes)
    FuzzLedger.check(LedgerAccount.self, bytes)
    FuzzLedger.check(LedgerHistory.self, bytes)
    FuzzLedger.check(LedgerTransfer.self, bytes)
    FuzzLedger.check(LedgerConfirmation.self, bytes)
    if let signed = (try? ControlCoding.decode(LedgerSubmission.self, from: bytes))?.signed {
      promise(LedgerSubmission(signed).signed == signed, "a submission is read as it is written")
    }
    for status in [200, 409, 500] { _ = try? LedgerClient.answer(.init(status: status, body: bytes)) }
  },
]

/// A small ledger whose keys follow from numbers.
private enum FuzzLedger {
  static let identities = (0..<4).compactMap { try? Identity(seed: [UInt8](repeating: $0, count: 32)) }
  static let genesis = try? Genesis(
    network: "n", members: identities.map(\.publicKey), byzantine: 1,
    balances: [identities[0].publicKey: 5, identities[1].publicKey: .max - 5])
  static let hash = genesis?.hash ?? SHA256.hash([])
  static let signed = SignedTransfer(
    Transfer(
      account: identities[0].publicKey, sequence: 0, funds: 5,
      destinations: [.init(account: identities[1].publicKey, amount: 3)], memo: Array("rent".utf8)),
    in: hash, by: identities[0])
  static let certificate = Certificate(
    ledger: hash, transfer: signed,
    signatures: Dictionary(
      uniqueKeysWithValues: identities[..<2].map {
        ($0.publicKey, Certificate.sign(signed, in: hash, by: $0))
      }))

  /// What decodes must be read as it is written.
  static func check<Object: Codable & Equatable>(_ type: Object.Type, _ bytes: [UInt8]) {
    guard let object = try? ControlCoding.decode(type, from: bytes) else { return }
    let again = (try? ControlCoding.encode(object)).flatMap { try? ControlCoding.decode(type, from: $0) }
    promise(again == object, "the ledger's objects are read as they are written")
  }
}
