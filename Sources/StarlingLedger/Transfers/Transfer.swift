import StarlingCore

/// What an account's owner signs: amounts that leave the account, and for whom.
public struct Transfer: Hashable, Sendable {
  /// Who gets how much of a transfer.
  public struct Destination: Hashable, Sendable {
    /// The account that is credited. One that nobody has heard of begins with this.
    public let account: PublicKey
    /// In the smallest unit, 1 or more.
    public let amount: UInt64

    /// A credit of an amount to an account.
    public init(account: PublicKey, amount: UInt64) {
      self.account = account
      self.amount = amount
    }
  }

  /// The account that is debited: its owner's key.
  public let account: PublicKey
  /// Its number among the account's transfers, from 0 on without gaps (Algorithm 5: s, which begins with 1).
  public let sequence: UInt64
  /// What the account holds before this transfer as its owner knows, in the smallest unit: the transfer depends on the
  /// credits that this is made of (Algorithm 5: the set h; README.md says why their sum does).
  public let funds: UInt64
  /// Who is credited, 1 ... ``destinationLimit``.
  public let destinations: [Destination]
  /// A note for the receivers, in UTF-8, at most ``memoByteLimit`` bytes.
  public let memo: [UInt8]

  /// The most destinations of a transfer (a guess: a payroll takes a few transfers).
  public static let destinationLimit = 16
  /// The most bytes of a memo (a guess: a sentence or two).
  public static let memoByteLimit = 256
  /// The most bytes of the encoded form.
  public static let byteLimit = fixedByteCount + destinationLimit * Destination.byteCount + memoByteLimit

  /// The bytes of the encoded form of a transfer to one destination without a memo.
  static let leastByteCount = fixedByteCount + Destination.byteCount

  /// The key, two integers, and the counts of destinations and of the memo's bytes.
  private static let fixedByteCount = PublicKey.byteCount + 8 + 8 + 1 + 2

  /// A transfer as it is stated: nothing is checked.
  public init(
    account: PublicKey, sequence: UInt64, funds: UInt64, destinations: [Destination], memo: [UInt8] = []
  ) {
    self.account = account
    self.sequence = sequence
    self.funds = funds
    self.destinations = destinations
    self.memo = memo
  }

  /// What leaves the account; `nil` if it is more than there can be.
  public var total: UInt64? {
    var sum: UInt64 = 0
    for destination in destinations {
      let (next, overflow) = sum.addingReportingOverflow(destination.amount)
      if overflow { return nil }
      sum = next
    }
    return sum
  }

  /// What is wrong with it by its own words, whatever the state of any account; `nil` if nothing is. One that is
  /// malformed has no effect anywhere: nobody votes for it.
  public var fault: TransferFault? {
    if destinations.isEmpty { return .noDestination }
    if destinations.count > Transfer.destinationLimit { return .tooManyDestinations }
    if destinations.contains(where: { $0.amount == 0 }) { return .zeroAmount }
    if memo.count > Transfer.memoByteLimit { return .memoTooLong }
    if !memo.isEmpty, String(validating: memo, as: UTF8.self) == nil { return .memoNoText }
    // Where numbers end an account would, too.
    if sequence == .max { return .sequenceTooLarge }
    guard let total else { return .overflow }
    return total > funds ? .overdraft : nil
  }
}

/// Why a transfer can never be applied.
public enum TransferFault: Hashable, Sendable, CaseIterable {
  /// Nobody is credited.
  case noDestination
  /// More are credited than one transfer may.
  case tooManyDestinations
  /// A destination gets nothing.
  case zeroAmount
  /// The memo has too many bytes.
  case memoTooLong
  /// The memo is no UTF-8.
  case memoNoText
  /// The sequence number has no successor.
  case sequenceTooLarge
  /// The amounts add up to more than 64 bits hold.
  case overflow
  /// The amounts are more than the account holds by the transfer's own word.
  case overdraft

  /// One sentence that says what is wrong and what to do.
  public var sentence: String {
    switch self {
    case .noDestination:
      "The transfer credits nobody: give it 1 to \(Transfer.destinationLimit) destinations."
    case .tooManyDestinations:
      "The transfer has more than \(Transfer.destinationLimit) destinations: split it into several."
    case .zeroAmount: "The transfer gives a destination nothing: amounts are 1 or more."
    case .memoTooLong: "The memo has more than \(Transfer.memoByteLimit) bytes: shorten it."
    case .memoNoText: "The memo is not UTF-8: write it as text."
    case .sequenceTooLarge:
      "The sequence number is the greatest there is: an account's transfers are numbered from 0 on."
    case .overflow: "The amounts add up to more than there can be: make them smaller."
    case .overdraft:
      "The amounts add up to more than the account's funds as the transfer states them: pay less."
    }
  }
}

extension Transfer.Destination {
  static let byteCount = PublicKey.byteCount + 8
}

extension Transfer {
  /// The size of the encoded form.
  public var encodedByteCount: Int {
    Transfer.fixedByteCount + destinations.count * Destination.byteCount + memo.count
  }

  /// Appends the encoded form: the key, the sequence number, the funds, the destinations, the memo.
  public func encode(into writer: inout WireWriter) {
    writer.write(account)
    writer.write(integer: sequence)
    writer.write(integer: funds)
    writer.write(UInt8(clamping: destinations.count))
    for destination in destinations {
      writer.write(destination.account)
      writer.write(integer: destination.amount)
    }
    writer.write(integer: UInt16(clamping: memo.count))
    writer.write(raw: memo)
  }

  /// Takes a transfer apart. Its counts are within bounds; ``fault`` may find something else.
  public init(from reader: inout WireReader) throws(WireError) {
    let account = try reader.readKey()
    let sequence = try reader.read(UInt64.self)
    let funds = try reader.read(UInt64.self)
    let count = Int(try reader.readByte())
    guard (1...Transfer.destinationLimit).contains(count) else {
      throw .invalid(
        "a transfer to \(count) destinations, where 1 to \(Transfer.destinationLimit) are allowed")
    }
    var destinations: [Destination] = []
    destinations.reserveCapacity(count)
    for _ in 0..<count {
      let account = try reader.readKey()
      destinations.append(Destination(account: account, amount: try reader.read(UInt64.self)))
    }
    let memoByteCount = Int(try reader.read(UInt16.self))
    guard memoByteCount <= Transfer.memoByteLimit else {
      throw .invalid("a memo of \(memoByteCount) bytes, where \(Transfer.memoByteLimit) are allowed")
    }
    self.init(
      account: account, sequence: sequence, funds: funds, destinations: destinations,
      memo: try reader.read(count: memoByteCount))
  }
}
