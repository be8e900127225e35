import StarlingCore
import StarlingLedger

// The JSON objects of the ledger's part of the control interface. Keys, identifiers, hashes and signatures are lower-case
// hexadecimal digits.

/// An amount in the ledger's smallest unit. In JSON a string of decimal digits: readers that hold numbers as doubles lose
/// those above 2⁵³.
public struct LedgerAmount: Codable, Hashable, Sendable, CustomStringConvertible {
  /// How much.
  public let value: UInt64

  /// So much.
  public init(_ value: UInt64) { self.value = value }

  /// The amount that these decimal digits stand for; `nil` for anything else, and for more than 64 bits hold.
  public init?(_ text: some StringProtocol) {
    guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      let value = UInt64(text)
    else { return nil }
    self.value = value
  }

  /// Takes it from a string of digits.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let amount = LedgerAmount(try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "no amount")
    }
    self = amount
  }

  /// Writes a string of digits.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }

  /// Its decimal digits.
  public var description: String { String(value) }
}

/// A ledger as a node has it: the answer of `GET /api/v1/ledger`.
public struct LedgerStatus: Codable, Hashable, Sendable {
  /// What names the ledger: its genesis' hash.
  public var ledger: String
  /// The network's name.
  public var network: String
  /// The keys of the nodes that keep it, ascending.
  public var members: [String]
  /// How many of them may lie.
  public var byzantine: Int
  /// All there ever is, by the genesis.
  public var supply: LedgerAmount
  /// The sum of all balances, as the node has counted them.
  public var total: LedgerAmount
  /// How many accounts there are.
  public var accounts: Int
  /// How many transfers the node has applied.
  public var transfers: UInt64
  /// The hash of all accounts and of what waits: equal at nodes that were delivered the same.
  public var stateHash: String
  /// How many transfers were delivered and wait for others before they are applied.
  public var waiting: Int

  /// A status with these fields.
  public init(
    ledger: String, network: String, members: [String], byzantine: Int, supply: LedgerAmount,
    total: LedgerAmount,
    accounts: Int, transfers: UInt64, stateHash: String, waiting: Int
  ) {
    self.ledger = ledger
    self.network = network
    self.members = members
    self.byzantine = byzantine
    self.supply = supply
    self.total = total
    self.accounts = accounts
    self.transfers = transfers
    self.stateHash = stateHash
    self.waiting = waiting
  }
}

/// An account as a node has it: the answer of `GET /api/v1/accounts/KEY`.
public struct LedgerAccount: Codable, Hashable, Sendable {
  /// The account: its owner's key.
  public var account: String
  /// What it holds.
  public var balance: LedgerAmount
  /// The number of its next transfer.
  public var next: UInt64
  /// What it will hold when what is under way at this node is applied.
  public var expectedBalance: LedgerAmount
  /// The number of its next transfer then: what a wallet signs next from.
  public var expectedNext: UInt64
  /// How many of its transfers are under way at this node.
  public var pending: Int
  /// False when nobody has credited it yet.
  public var known: Bool?

  /// An account with these fields.
  public init(
    account: String, balance: LedgerAmount, next: UInt64, expectedBalance: LedgerAmount, expectedNext: UInt64,
    pending: Int, known: Bool? = nil
  ) {
    self.account = account
    self.balance = balance
    self.next = next
    self.expectedBalance = expectedBalance
    self.expectedNext = expectedNext
    self.pending = pending
    self.known = known
  }

  /// What a wallet signs next from.
  public var expected: Ledger.Account { Ledger.Account(balance: expectedBalance.value, next: expectedNext) }
}

/// Who gets how much of a transfer.
public struct LedgerDestination: Codable, Hashable, Sendable {
  /// The account that is credited.
  public var account: String
  /// How much.
  public var amount: LedgerAmount

  /// So much for an account.
  public init(account: String, amount: LedgerAmount) {
    self.account = account
    self.amount = amount
  }

  /// As a transfer has it.
  public init(_ destination: Transfer.Destination) {
    self.init(account: destination.account.description, amount: LedgerAmount(destination.amount))
  }
}

/// A transfer as one account sees it: an element of ``LedgerHistory``, and the data of an event `applied`.
public struct LedgerEntry: Codable, Hashable, Sendable {
  /// Which way it went.
  public enum Direction: String, Codable, Hashable, Sendable {
    /// The account paid.
    case out
    /// The account was paid.
    case `in`
  }

  /// Its place in the order in which this node applied transfers.
  public var position: UInt64
  /// The transfer's identifier.
  public var id: String
  /// Which way it went.
  public var direction: Direction
  /// Who paid.
  public var account: String
  /// Its number among the payer's transfers.
  public var sequence: UInt64
  /// What left the account, or what came into it.
  public var amount: LedgerAmount
  /// Who was paid.
  public var destinations: [LedgerDestination]
  /// The payer's note.
  public var memo: String
  /// What the account held afterwards.
  public var balance: LedgerAmount

  /// An entry with these fields.
  public init(
    position: UInt64, id: String, direction: Direction, account: String, sequence: UInt64,
    amount: LedgerAmount,
    destinations: [LedgerDestination], memo: String, balance: LedgerAmount
  ) {
    self.position = position
    self.id = id
    self.direction = direction
    self.account = account
    self.sequence = sequence
    self.amount = amount
    self.destinations = destinations
    self.memo = memo
    self.balance = balance
  }
}

/// What happened to an account, newest first: the answer of `GET /api/v1/accounts/KEY/history`.
public struct LedgerHistory: Codable, Hashable, Sendable {
  /// The account.
  public var account: String
  /// A page of it.
  public var entries: [LedgerEntry]
  /// What to pass as `before` for the next page; null when there is none.
  public var next: UInt64?

  /// A page.
  public init(account: String, entries: [LedgerEntry], next: UInt64?) {
    self.account = account
    self.entries = entries
    self.next = next
  }

  private enum CodingKeys: String, CodingKey { case account, entries, next }

  /// Writes all fields, null where there is nothing.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(account, forKey: .account)
    try container.encode(entries, forKey: .entries)
    try container.encode(next, forKey: .next)
  }
}

/// A transfer that is handed in: the body of `POST /api/v1/transfers`.
public struct LedgerSubmission: Codable, Hashable, Sendable {
  /// The encoded signed transfer in hexadecimal digits.
  public var transfer: String

  /// A signed transfer to be handed in.
  public init(_ transfer: SignedTransfer) { self.transfer = hexadecimal(transfer.encoded) }

  /// The transfer; `nil` if these digits are none.
  public var signed: SignedTransfer? {
    guard transfer.utf8.count <= 2 * (Transfer.byteLimit + Ed25519Signature.byteCount) else { return nil }
    return bytes(hexadecimal: transfer.utf8).flatMap { try? SignedTransfer(encoded: $0) }
  }
}

/// How far a transfer is.
public enum LedgerTransferState: String, Codable, Hashable, Sendable {
  /// Under way.
  case pending
  /// Applied: it stays so.
  case final
  /// Given up by this node.
  case refused
  /// This node has not heard of it.
  case unknown
}

/// What became of a transfer that was handed in: the answer of `POST /api/v1/transfers`.
public struct LedgerReceipt: Codable, Hashable, Sendable {
  /// The transfer's identifier.
  public var id: String
  /// How far it is.
  public var state: LedgerTransferState
  /// Why it is refused, in one sentence.
  public var reason: String?

  /// A receipt with these fields.
  public init(id: String, state: LedgerTransferState, reason: String? = nil) {
    self.id = id
    self.state = state
    self.reason = reason
  }
}

/// A transfer as a node knows it: the answer of `GET /api/v1/transfers/ID`. What it does not know is null.
public struct LedgerTransfer: Codable, Hashable, Sendable {
  /// The transfer's identifier.
  public var id: String
  /// How far it is.
  public var state: LedgerTransferState
  /// Why it is refused, in one sentence.
  public var reason: String?
  /// The encoded signed transfer in hexadecimal digits.
  public var transfer: String?
  /// Who pays.
  public var account: String?
  /// Its number among the payer's transfers.
  public var sequence: UInt64?
  /// Who is paid.
  public var destinations: [LedgerDestination]?
  /// The payer's note.
  public var memo: String?

  /// What a node knows of a transfer.
  public init(id: String, state: LedgerTransferState, reason: String? = nil, signed: SignedTransfer? = nil) {
    self.id = id
    self.state = state
    self.reason = reason
    guard let signed else { return }
    transfer = hexadecimal(signed.encoded)
    account = signed.transfer.account.description
    sequence = signed.transfer.sequence
    destinations = signed.transfer.destinations.map(LedgerDestination.init)
    memo = String(decoding: signed.transfer.memo, as: UTF8.self)
  }

  private enum CodingKeys: String, CodingKey {
    case id, state, reason, transfer, account, sequence, destinations, memo
  }

  /// Writes all fields, null where nothing is known.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(id, forKey: .id)
    try container.encode(state, forKey: .state)
    try container.encode(reason, forKey: .reason)
    try container.encode(transfer, forKey: .transfer)
    try container.encode(account, forKey: .account)
    try container.encode(sequence, forKey: .sequence)
    try container.encode(destinations, forKey: .destinations)
    try container.encode(memo, forKey: .memo)
  }
}

/// One member's word that a transfer is final: the answer of `GET /api/v1/transfers/ID/confirmation`.
public struct LedgerConfirmation: Codable, Hashable, Sendable {
  /// The member's key.
  public var member: String
  /// What it signed, as a certificate has it.
  public var signature: String
  /// The encoded signed transfer in hexadecimal digits.
  public var transfer: String

  /// A member's word.
  public init(member: String, signature: String, transfer: String) {
    self.member = member
    self.signature = signature
    self.transfer = transfer
  }
}

/// A transfer that was given up: the data of an event `refused` of `GET /api/v1/accounts/KEY/events`.
public struct LedgerRefusal: Codable, Hashable, Sendable {
  /// The transfer's identifier.
  public var id: String
  /// Why, in one sentence.
  public var reason: String

  /// A refusal.
  public init(id: String, reason: String) {
    self.id = id
    self.reason = reason
  }
}
