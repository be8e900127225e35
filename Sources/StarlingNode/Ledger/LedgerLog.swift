import StarlingCore
import StarlingLedger

/// What a ledger's member keeps on stable storage beside what the broadcast does (`SecureLog`): accounts and what happened to
/// each, as of a point in each sender's batches. What was delivered after that is applied anew by the next life.
///
/// So the accounts are written now and then, all that changed at once and in the order of their keys, and a transfer costs little
/// beside its place in the batch. All keys begin with an account, so that the cost does not depend on how many transfers
/// there are.
struct LedgerLog {
  private enum Table: UInt8 {
    /// (): the numbers of the senders' batches that are delivered next, and how many transfers are applied.
    case point = 16
    /// (account): what it holds.
    case account
    /// (account, position): what happened to it.
    case event
    /// (account, number): a transfer that was applied.
    case transfer
    /// (account, number): a transfer that was delivered and waits for others.
    case held
    /// (account, number): a transfer that this node took from a client and has not applied.
    case taken
  }

  /// How many accounts and events may wait to be written (a guess: some megabytes).
  static let limit = 65_536
  /// For how long they may (a guess).
  static let interval = Interval.seconds(1)

  /// Accounts that changed since they were written last.
  private var changed: Set<PublicKey> = []
  private var rows: [(key: [UInt8], value: [UInt8])] = []
  private var keepsHeld = false
  /// How many transfers are applied.
  private(set) var applied: UInt64 = 0

  /// Whether something waits to be written.
  var isDirty: Bool { !rows.isEmpty }
  /// Whether so much waits that it should be written now.
  var isFull: Bool { rows.count >= LedgerLog.limit }

  private static func key(_ table: Table, _ account: PublicKey, _ number: UInt64? = nil) -> [UInt8] {
    var writer = WireWriter(capacity: 48)
    writer.write(table.rawValue)
    writer.write(account)
    if let number { writer.write(integer: number) }
    return writer.bytes
  }

  private static func all(_ table: Table) -> (from: [UInt8], below: [UInt8]) {
    ([table.rawValue], [table.rawValue + 1])
  }
}

// MARK: - Writing

extension LedgerLog {
  /// A transfer was applied.
  mutating func note(_ applied: Ledger.Applied) {
    let transfer = applied.transfer.transfer
    self.applied += 1
    rows.append((LedgerLog.key(.transfer, transfer.account, transfer.sequence), applied.transfer.encoded))
    for (index, event) in applied.events.enumerated() {
      changed.insert(event.account)
      let entry = AccountEvent(
        event, of: transfer, credit: index == 0 ? nil : transfer.destinations[index - 1].amount)
      rows.append((LedgerLog.key(.event, event.account, event.position), entry.encoded))
    }
  }

  /// A transfer of a client is taken.
  static func took(_ transfer: SignedTransfer) -> StableWrite {
    .put(
      key: key(.taken, transfer.transfer.account, transfer.transfer.sequence), value: transfer.encoded)
  }

  /// A transfer of a client is applied, or given up.
  static func letGo(_ number: TransferNumber) -> StableWrite {
    .remove(
      from: key(.taken, number.account, number.sequence),
      below: key(.taken, number.account, number.sequence + 1))
  }

  /// All that changed, as it is now.
  ///
  /// - Parameters:
  ///   - ledger: the accounts.
  ///   - delivered: the number of each sender's batch that is delivered next.
  mutating func flush(_ ledger: Ledger, delivered: [(sender: PublicKey, next: UInt64)]) -> [StableWrite] {
    var writes: [StableWrite] = []
    for account in changed.sorted() {
      let state = ledger[account]
      var writer = WireWriter(capacity: 24)
      for number in [state.balance, state.next, state.credits] { writer.write(integer: number) }
      writes.append(.put(key: LedgerLog.key(.account, account), value: writer.bytes))
    }
    rows.sort { $0.key.lexicographicallyPrecedes($1.key) }
    writes += rows.map { .put(key: $0.key, value: $0.value) }
    let held = ledger.held
    if keepsHeld || !held.isEmpty {
      let all = LedgerLog.all(.held)
      writes.append(.remove(from: all.from, below: all.below))
      writes += held.map {
        .put(key: LedgerLog.key(.held, $0.transfer.account, $0.transfer.sequence), value: $0.encoded)
      }
      keepsHeld = !held.isEmpty
    }
    var writer = WireWriter(capacity: 16 + 40 * delivered.count)
    writer.write(integer: applied)
    for (sender, next) in delivered {
      writer.write(sender)
      writer.write(integer: next)
    }
    writes.append(.put(key: [Table.point.rawValue], value: writer.bytes))
    changed = []
    rows = []
    return writes
  }
}

// MARK: - Reading

/// A ledger as an earlier life wrote it down.
struct LedgerRecollection {
  var ledger: Ledger
  /// Up to which batch of each sender it is applied.
  var delivered: [PublicKey: UInt64] = [:]
  /// Of clients, and not applied.
  var taken: [SignedTransfer] = []
}

extension LedgerLog {
  /// Takes what was written apart.
  ///
  /// - Parameters:
  ///   - genesis: how the ledger begins.
  ///   - read: answers questions for what is kept.
  /// - Throws: ``WireError`` for what no member wrote.
  mutating func recollection(
    of genesis: Genesis, reading read: (StableQuery) -> [StableValue]
  ) throws(WireError) -> LedgerRecollection {
    var recollection = LedgerRecollection(ledger: Ledger(genesis))
    recollection.taken = try LedgerLog.transfers(.taken, read)
    guard
      let point = read(StableQuery(from: [Table.point.rawValue], below: [Table.point.rawValue + 1], limit: 1))
        .first
    else { return recollection }
    var reader = WireReader(point.value)
    applied = try reader.read(UInt64.self)
    while reader.remaining > 0 {
      let sender = try reader.readKey()
      recollection.delivered[sender] = try reader.read(UInt64.self)
    }
    // What was never touched is as the genesis has it, and is not written.
    var accounts = recollection.ledger.accounts
    let all = LedgerLog.all(.account)
    try StableQuery(from: all.from, below: all.below).forEach(reading: read) { pair throws(WireError) in
      var (name, value) = (WireReader(pair.key), WireReader(pair.value))
      _ = try name.readByte()
      let key = try name.readKey()
      let (balance, next) = (try value.read(UInt64.self), try value.read(UInt64.self))
      accounts[key] = Ledger.Account(balance: balance, next: next, credits: try value.read(UInt64.self))
    }
    let held = try LedgerLog.transfers(.held, read)
    keepsHeld = !held.isEmpty
    recollection.ledger = Ledger(accounts: accounts, waiting: held)
    return recollection
  }

  private static func transfers(
    _ table: Table, _ read: (StableQuery) -> [StableValue]
  ) throws(WireError) -> [SignedTransfer] {
    var transfers: [SignedTransfer] = []
    let all = all(table)
    try StableQuery(from: all.from, below: all.below).forEach(reading: read) { pair throws(WireError) in
      transfers.append(try SignedTransfer(encoded: pair.value))
    }
    return transfers
  }
}

// MARK: - Questions

/// Something that happened to an account, as it is kept.
public struct AccountEvent: Hashable, Sendable {
  /// Its place among all that happened to the account, from 0 on, at this node.
  public let position: UInt64
  /// What the account held afterwards.
  public let balance: UInt64
  /// The account that paid.
  public let payer: PublicKey
  /// The number of the payer's transfer.
  public let sequence: UInt64
  /// What the account was paid; `nil` if it paid itself.
  public let credit: UInt64?

  /// What happened, as it is kept: the position is in the key.
  var encoded: [UInt8] {
    var writer = WireWriter(capacity: 64)
    writer.write(integer: balance)
    writer.write(payer)
    writer.write(integer: sequence)
    if let credit { writer.write(integer: credit) }
    return writer.bytes
  }

  /// Takes it apart.
  public init(_ kept: StableValue) throws(WireError) {
    var (name, value) = (WireReader(kept.key), WireReader(kept.value))
    _ = try name.read(count: 1 + PublicKey.byteCount)
    position = try name.read(UInt64.self)
    balance = try value.read(UInt64.self)
    payer = try value.readKey()
    sequence = try value.read(UInt64.self)
    credit = value.remaining > 0 ? try value.read(UInt64.self) : nil
  }

  /// Something that a transfer did to an account.
  public init(_ event: Ledger.Event, of transfer: Transfer, credit: UInt64?) {
    (position, balance) = (event.position, event.balance)
    (payer, sequence) = (transfer.account, transfer.sequence)
    self.credit = credit
  }
}

extension LedgerLog {
  /// Asks for what happened to an account before some position, the last first; answered by ``AccountEvent``s.
  static func events(of account: PublicKey, before position: UInt64?, limit: Int) -> StableQuery {
    StableQuery(
      from: key(.event, account, 0), below: key(.event, account, position ?? .max), limit: limit,
      isDescending: true)
  }

  /// Asks for an applied transfer; answered by its encoded form.
  static func transfer(_ number: TransferNumber) -> StableQuery {
    let key = key(.transfer, number.account, number.sequence)
    return StableQuery(from: key, below: key + [0], limit: 1)
  }
}
