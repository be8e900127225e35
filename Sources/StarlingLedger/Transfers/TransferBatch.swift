import StarlingCore

/// Transfers of any owners that travel together: one secure broadcast, with an entry for each.
public struct TransferBatch: Hashable, Sendable {
  /// Tells it from the other kinds of batches that nodes broadcast.
  static let kind: UInt8 = 4
  private static let headerByteCount = 1 + 2

  /// The transfers.
  public let entries: [SignedTransfer]

  /// A batch of these transfers.
  public init(_ transfers: [SignedTransfer]) { entries = transfers }

  /// Whether a payload is a batch of transfers, as far as its first byte tells.
  public static func isMeant(by payload: [UInt8]) -> Bool { payload.first == kind }

  /// How many transfers of a list one batch takes, from the first on.
  ///
  /// - Parameters:
  ///   - transfers: well-formed ones.
  ///   - entryLimit: the most transfers of a batch, 1 or more.
  ///   - byteLimit: the most bytes of one; every transfer fits one alone.
  public static func count(
    fitting transfers: some Sequence<SignedTransfer>, entryLimit: Int, byteLimit: Int
  ) -> Int {
    var (count, byteCount) = (0, headerByteCount)
    for transfer in transfers {
      byteCount += transfer.encodedByteCount
      if count == entryLimit || (count > 0 && byteCount > byteLimit) { break }
      count += 1
    }
    return count
  }

  /// The size of the encoded form.
  public var encodedByteCount: Int {
    entries.reduce(TransferBatch.headerByteCount) { $0 + $1.encodedByteCount }
  }

  /// The encoded form: a kind byte, a count, and the signed transfers.
  public var encoded: [UInt8] {
    var writer = WireWriter(capacity: encodedByteCount)
    writer.write(TransferBatch.kind)
    writer.write(integer: UInt16(clamping: entries.count))
    for transfer in entries { transfer.encode(into: &writer) }
    return writer.bytes
  }

  /// Takes a batch apart.
  ///
  /// - Parameters:
  ///   - payload: its encoded form.
  ///   - entryLimit: the most transfers that it may have.
  /// - Throws: ``WireError`` when it is none, has too many transfers, or names one (account, sequence number) twice.
  public init(encoded payload: [UInt8], entryLimit: Int) throws(WireError) {
    var reader = WireReader(payload)
    guard try reader.readByte() == TransferBatch.kind else { throw .invalid("a batch of unknown kind") }
    let count = Int(try reader.read(UInt16.self))
    guard count <= entryLimit else {
      throw .invalid("a batch of \(count) transfers, where \(entryLimit) are allowed")
    }
    var transfers: [SignedTransfer] = []
    var numbers: Set<TransferNumber> = []
    // What is claimed may be more than what is there.
    let room = min(count, reader.remaining / SignedTransfer.leastByteCount)
    transfers.reserveCapacity(room)
    numbers.reserveCapacity(room)
    for _ in 0..<count {
      let transfer = try SignedTransfer(from: &reader)
      guard numbers.insert(transfer.transfer.number).inserted else {
        throw .invalid("a batch with two transfers of one account and number")
      }
      transfers.append(transfer)
    }
    try reader.finish()
    self.init(transfers)
  }
}

/// What there is one transfer for at most: an account and a sequence number.
public struct TransferNumber: Hashable, Sendable {
  /// The account that is debited.
  public let account: PublicKey
  /// The transfer's number among the account's.
  public let sequence: UInt64

  /// The place of a transfer.
  public init(account: PublicKey, sequence: UInt64) {
    self.account = account
    self.sequence = sequence
  }
}

extension Transfer {
  /// Its account and sequence number.
  public var number: TransferNumber { TransferNumber(account: account, sequence: sequence) }
}
