import StarlingCore
import StarlingLedger
import Testing

@Suite("Transfers")
struct TransferTests {
  private static let ledger = SHA256.hash(Array("a ledger".utf8))

  private static func transfer(
    sequence: UInt64 = 7, funds: UInt64 = 100, amounts: [UInt64] = [60, 40], memo: String = "für dich"
  ) -> Transfer {
    Transfer(
      account: key(1), sequence: sequence, funds: funds,
      destinations: amounts.enumerated().map { .init(account: key(2 + $0.offset), amount: $0.element) },
      memo: Array(memo.utf8))
  }

  @Test("A signed transfer survives encoding, and every shorter or longer form is refused")
  func codec() throws {
    let signed = SignedTransfer(transfer: TransferTests.transfer(), signature: noSignature)
    let bytes = signed.encoded
    #expect(bytes.count == signed.encodedByteCount)
    #expect(try SignedTransfer(encoded: bytes) == signed)
    for count in 0..<bytes.count {
      #expect(throws: WireError.self) { try SignedTransfer(encoded: Array(bytes.prefix(count))) }
    }
    #expect(throws: WireError.trailing(1)) { try SignedTransfer(encoded: bytes + [0]) }
  }

  @Test("Counts beyond the limits are refused before anything is read by them")
  func counts() {
    var bytes = SignedTransfer(transfer: TransferTests.transfer(), signature: noSignature).encoded
    for count in [UInt8(0), 17, 255] {
      bytes[48] = count
      #expect(throws: WireError.invalid("a transfer to \(count) destinations, where 1 to 16 are allowed")) {
        try SignedTransfer(encoded: bytes)
      }
    }
    bytes[48] = 2
    (bytes[129], bytes[130]) = (1, 1)
    #expect(throws: WireError.invalid("a memo of 257 bytes, where 256 are allowed")) {
      try SignedTransfer(encoded: bytes)
    }
  }

  @Test(
    "A transfer that can never be applied says why",
    arguments: [
      (transfer(), nil), (transfer(funds: 99), .overdraft), (transfer(amounts: []), .noDestination),
      (transfer(amounts: [UInt64](repeating: 1, count: 16)), nil),
      (transfer(amounts: [UInt64](repeating: 1, count: 17)), .tooManyDestinations),
      (transfer(amounts: [1, 0]), .zeroAmount), (transfer(funds: .max, amounts: [.max, 1]), .overflow),
      (transfer(funds: .max, amounts: [.max]), nil), (transfer(sequence: .max), .sequenceTooLarge),
      (transfer(memo: String(repeating: "é", count: 128)), nil),
      (transfer(memo: String(repeating: "é", count: 128) + "x"), .memoTooLong),
    ] as [(Transfer, TransferFault?)])
  func faults(transfer: Transfer, fault: TransferFault?) { #expect(transfer.fault == fault) }

  @Test("A memo that is no text is a fault, and every fault has a sentence of its own")
  func sentences() {
    let transfer = Transfer(
      account: key(1), sequence: 0, funds: 1, destinations: [.init(account: key(2), amount: 1)], memo: [0xFF])
    #expect(transfer.fault == .memoNoText)
    #expect(Set(TransferFault.allCases.map(\.sentence)).count == TransferFault.allCases.count)
  }

  @Test("A signature counts for its transfer, its owner and its ledger alone")
  func signatures() throws {
    let owner = try Identity(seed: [UInt8](repeating: 9, count: 32))
    let unsigned = Transfer(
      account: owner.publicKey, sequence: 0, funds: 5, destinations: [.init(account: key(2), amount: 5)])
    let signed = SignedTransfer(unsigned, in: TransferTests.ledger, by: owner)
    #expect(signed.isSigned(in: TransferTests.ledger))
    #expect(!signed.isSigned(in: SHA256.hash(Array("another".utf8))))
    let other = Transfer(
      account: owner.publicKey, sequence: 1, funds: 5, destinations: [.init(account: key(2), amount: 5)])
    #expect(!SignedTransfer(transfer: other, signature: signed.signature).isSigned(in: TransferTests.ledger))
    let stranger = try Identity(seed: [UInt8](repeating: 8, count: 32))
    #expect(
      !SignedTransfer(unsigned, in: TransferTests.ledger, by: stranger).isSigned(in: TransferTests.ledger))
    #expect(signed.identifier(in: TransferTests.ledger) != SHA256.hash(signed.encoded))
  }

  @Test("A batch survives encoding; too many transfers, and two of one number, are refused")
  func batches() throws {
    let transfers = (0..<5).map {
      SignedTransfer(transfer: TransferTests.transfer(sequence: $0), signature: noSignature)
    }
    let batch = TransferBatch(transfers)
    #expect(TransferBatch.isMeant(by: batch.encoded))
    #expect(try TransferBatch(encoded: batch.encoded, entryLimit: 5) == batch)
    #expect(throws: WireError.self) { try TransferBatch(encoded: batch.encoded, entryLimit: 4) }
    let twice = TransferBatch(transfers + [transfers[3]])
    #expect(throws: WireError.self) { try TransferBatch(encoded: twice.encoded, entryLimit: 9) }
    let byteLimit = batch.encoded.count - 1
    #expect(TransferBatch.count(fitting: transfers, entryLimit: 9, byteLimit: byteLimit) == 4)
    #expect(TransferBatch.count(fitting: transfers, entryLimit: 3, byteLimit: byteLimit) == 3)
    #expect(TransferBatch.count(fitting: transfers, entryLimit: 9, byteLimit: 1) == 1)
  }
}
