import StarlingCore
import StarlingLedger

/// What a ledger's member keeps on stable storage beside what the broadcast does (`SecureLog`): the transfers as it applied them,
/// and the accounts, as of a point in each sender's batches. What was delivered after that is applied anew by the next life.
///
/// Nothing here costs more the more transfers there were. A transfer is one value at the end of the others, with what it did to
/// each account and which transfer changed that account before; so an account's history is a chain from its latest transfer back,
/// and every 32nd thing that happened to it leaves a mark from which to go (``AccountTrail``). Values under each account's key
/// instead would lie everywhere: each would cost the disk a page, and the more pages there are the longer.
///
/// Of the accounts each flush writes those of one part that have changed, a part being a range of keys. What the others have
/// become since they were written the next life reads off the transfers.
struct LedgerLog {
  enum Table: UInt8 {
    // 16 to 20 were earlier builds'; without a point the next life applies all that was delivered anew.
    /// (account, number): a transfer that this node took from a client and has not applied.
    case taken = 21
    /// (): how many transfers are applied, up to which of them each part's accounts are written, and the numbers of the
    /// senders' batches that are delivered next.
    case point
    /// (account): what it holds.
    case account
    /// (number): a transfer that was applied, and what it did.
    case entry
    /// (account, position): which transfer did that to the account, and the number of the account's next one after it.
    case mark
    /// (account, number): a transfer that was delivered and waits for others.
    case held
  }

  /// How many transfers may wait to be written (a guess: some megabytes).
  static let limit = 16_384
  /// For how long they may (a guess).
  static let interval = Interval.seconds(1)
  /// How many parts the accounts are written in: one for each value of the first four bits of their keys. A guess: changed accounts of a part lie close together, and the
  /// next life reads at most 16 times ``limit`` transfers for the others.
  static let parts = 16

  /// In each part the accounts that changed since they were written.
  private var changed = [Set<PublicKey>](repeating: [], count: parts)
  /// Up to which transfer each part's accounts are written.
  private var written = [UInt64](repeating: 0, count: parts)
  private var entries: [StableWrite] = []
  private var marks: [(key: [UInt8], value: [UInt8])] = []
  /// What is kept of those that wait for others.
  private var held: [SignedTransfer] = []
  /// How many transfers are applied and noted.
  private var applied: UInt64 = 0

  /// Whether something waits to be written.
  var isDirty: Bool { !entries.isEmpty }
  /// Whether so much waits that it should be written now.
  var isFull: Bool { entries.count >= LedgerLog.limit }

  private static func key(_ table: Table, _ account: PublicKey?, _ number: UInt64? = nil) -> [UInt8] {
    var writer = WireWriter(capacity: 48)
    writer.write(table.rawValue)
    if let account { writer.write(account) }
    if let number { writer.write(integer: number) }
    return writer.bytes
  }

  private static func all(_ table: Table) -> StableQuery {
    StableQuery(from: [table.rawValue], below: [table.rawValue + 1])
  }

  /// What is kept under a key; `nil` if nothing is.
  static func value(
    _ table: Table, _ account: PublicKey?, _ number: UInt64, _ read: (StableQuery) -> [StableValue]
  ) -> StableValue? {
    let key = key(table, account, number)
    return read(StableQuery(from: key, below: key + [0], limit: 1)).first
  }

  /// The part of an account: neighbours in the order of keys are in the same.
  static func part(of account: PublicKey) -> Int { Int(account.prefix >> 60) }
}

// MARK: - Writing

extension LedgerLog {
  /// A transfer was applied.
  mutating func note(_ applied: Ledger.Applied) {
    self.applied = applied.number
    entries.append(
      .put(
        key: LedgerLog.key(.entry, nil, applied.number),
        value: KeptTransfer(applied.transfer, applied.events).encoded))
    for event in applied.events {
      changed[LedgerLog.part(of: event.account)].insert(event.account)
      if AccountTrail.isMarked(event.position) {
        marks.append(
          (
            LedgerLog.key(.mark, event.account, event.position),
            AccountTrail.Mark(number: applied.number, next: event.next).encoded
          ))
      }
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

  /// What waits to be written, and the accounts of the part that was written longest ago.
  ///
  /// - Parameters:
  ///   - ledger: the accounts.
  ///   - delivered: the number of each sender's batch that is delivered next.
  mutating func flush(_ ledger: Ledger, delivered: [(sender: PublicKey, next: UInt64)]) -> [StableWrite] {
    // What did not change is written.
    for part in 0..<LedgerLog.parts where changed[part].isEmpty { written[part] = applied }
    let part = (0..<LedgerLog.parts).min { written[$0] < written[$1] } ?? 0
    var writes = entries
    // In the order of their keys, so that neighbours share their way to the disk.
    marks.sort { $0.key.lexicographicallyPrecedes($1.key) }
    writes += marks.map { .put(key: $0.key, value: $0.value) }
    for account in changed[part].sorted() {
      let state = ledger[account]
      var writer = WireWriter(capacity: 32)
      for number in [state.balance, state.next, state.credits, state.latest] { writer.write(integer: number) }
      writes.append(.put(key: LedgerLog.key(.account, account), value: writer.bytes))
    }
    changed[part] = []
    written[part] = applied
    let held = ledger.held
    if held != self.held {
      let all = LedgerLog.all(.held)
      writes.append(.remove(from: all.from, below: all.below))
      writes += held.map {
        .put(key: LedgerLog.key(.held, $0.transfer.account, $0.transfer.sequence), value: $0.encoded)
      }
      self.held = held
    }
    var writer = WireWriter(capacity: 256 + 40 * delivered.count)
    writer.write(integer: applied)
    for number in written { writer.write(integer: number) }
    for (sender, next) in delivered {
      writer.write(sender)
      writer.write(integer: next)
    }
    writes.append(.put(key: [Table.point.rawValue], value: writer.bytes))
    entries = []
    marks = []
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
    let taken = try LedgerLog.transfers(.taken, read)
    guard let point = read(LedgerLog.all(.point)).first else {
      return LedgerRecollection(ledger: Ledger(genesis), taken: taken)
    }
    var reader = WireReader(point.value)
    applied = try reader.read(UInt64.self)
    for part in 0..<LedgerLog.parts { written[part] = try reader.read(UInt64.self) }
    var delivered: [PublicKey: UInt64] = [:]
    while reader.remaining > 0 {
      let sender = try reader.readKey()
      delivered[sender] = try reader.read(UInt64.self)
    }
    held = try LedgerLog.transfers(.held, read)
    return LedgerRecollection(
      ledger: Ledger(accounts: try accounts(genesis, read), waiting: held, applied: applied),
      delivered: delivered, taken: taken)
  }

  private mutating func accounts(
    _ genesis: Genesis, _ read: (StableQuery) -> [StableValue]
  ) throws(WireError) -> [PublicKey: Ledger.Account] {
    // What was never touched is as the genesis has it, and is not written.
    var accounts = genesis.balances.mapValues { Ledger.Account(balance: $0, next: 0) }
    try LedgerLog.all(.account).forEach(reading: read) { pair throws(WireError) in
      var (name, value) = (WireReader(pair.key), WireReader(pair.value))
      _ = try name.readByte()
      let key = try name.readKey()
      let (balance, next) = (try value.read(UInt64.self), try value.read(UInt64.self))
      let (credits, latest) = (try value.read(UInt64.self), try value.read(UInt64.self))
      accounts[key] = Ledger.Account(balance: balance, next: next, credits: credits, latest: latest)
    }
    // Whatever changed after its part was written has its last change among these.
    let first = (written.min() ?? 0) + 1
    var number = first
    let tail = StableQuery(
      from: LedgerLog.key(.entry, nil, first), below: LedgerLog.key(.entry, nil, applied + 1))
    try tail.forEach(reading: read) { pair throws(WireError) in
      for event in try KeptTransfer(pair).events {
        accounts[event.account] = Ledger.Account(
          balance: event.balance, next: event.next, credits: event.position + 1 - event.next, latest: number)
        let part = LedgerLog.part(of: event.account)
        if number > written[part] { changed[part].insert(event.account) }
      }
      number += 1
    }
    guard number == applied + 1 else { throw .invalid("transfers of which some are missing") }
    return accounts
  }

  private static func transfers(
    _ table: Table, _ read: (StableQuery) -> [StableValue]
  ) throws(WireError) -> [SignedTransfer] {
    var transfers: [SignedTransfer] = []
    try all(table).forEach(reading: read) { pair throws(WireError) in
      transfers.append(try SignedTransfer(encoded: pair.value))
    }
    return transfers
  }
}

// MARK: - History

/// A transfer that was applied, as it is kept.
struct KeptTransfer {
  let transfer: SignedTransfer
  /// What it did to the account that is debited, and to each destination in order.
  let events: [Ledger.Event]

  init(_ transfer: SignedTransfer, _ events: [Ledger.Event]) {
    self.transfer = transfer
    self.events = events
  }

  /// The transfer, and the numbers of each event: whose it is the transfer says.
  var encoded: [UInt8] {
    var writer = WireWriter(capacity: transfer.encodedByteCount + 32 * events.count)
    transfer.encode(into: &writer)
    for event in events {
      writer.write(integer: event.position)
      writer.write(integer: event.balance)
      writer.write(integer: event.next)
      writer.write(integer: event.previous)
    }
    return writer.bytes
  }

  /// Takes it apart.
  init(_ kept: StableValue) throws(WireError) {
    var reader = WireReader(kept.value)
    transfer = try SignedTransfer(from: &reader)
    var events: [Ledger.Event] = []
    for account in [transfer.transfer.account] + transfer.transfer.destinations.map(\.account) {
      let (position, balance) = (try reader.read(UInt64.self), try reader.read(UInt64.self))
      let (next, previous) = (try reader.read(UInt64.self), try reader.read(UInt64.self))
      guard next <= position + 1 else { throw .invalid("more transfers of an account than happened to it") }
      events.append(
        Ledger.Event(account: account, position: position, balance: balance, next: next, previous: previous))
    }
    try reader.finish()
    self.events = events
  }
}

/// Something that happened to an account.
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

  /// Something that a transfer did to an account.
  public init(_ event: Ledger.Event, of transfer: Transfer, credit: UInt64?) {
    (position, balance) = (event.position, event.balance)
    (payer, sequence) = (transfer.account, transfer.sequence)
    self.credit = credit
  }
}
