import StarlingCore
import StarlingLedger

/// What a ledger's member keeps on stable storage beside what the broadcast does (`SecureLog`): accounts and what happened to
/// each, as of a point in each sender's batches. What was delivered after that is applied anew by the next life.
///
/// So the accounts are written now and then, all that changed at once and in the order of their keys, and a transfer costs little
/// beside its place in the batch. All keys begin with an account, so that the cost does not depend on how many transfers
/// there are; and what happened to an account meanwhile is one value, which is written once and not again.
struct LedgerLog {
  private enum Table: UInt8 {
    /// (): the numbers of the senders' batches that are delivered next, and how many transfers are applied.
    case point = 16
    /// (account): what it holds.
    case account
    /// (account, how many transfers it had made, position): what happened to it from that position on, in a row.
    case history
    /// (account, number): a transfer that was delivered and waits for others.
    case held = 20
    /// (account, number): a transfer that this node took from a client and has not applied.
    case taken = 21
  }

  /// How many payments and credits may wait to be written (a guess: some megabytes).
  static let limit = 65_536
  /// For how long they may (a guess). The longer, the more of what is written together lies together; a node that starts
  /// again applies anew what was not.
  static let interval = Interval.seconds(5)

  /// How many payments and credits one value has at most (a guess: some kilobytes, which a question for one of them reads).
  static let rowLimit = 16

  /// What happened to an account: a payment, or a credit by a destination of a transfer.
  private struct Note {
    let event: Ledger.Event
    /// Which of the transfers did it.
    let transfer: Int
    /// Which of the transfer's destinations the account is; `nil` if it paid.
    let destination: Int?
  }

  private var notes: [Note] = []
  private var transfers: [SignedTransfer] = []
  private var keepsHeld = false
  /// How many transfers are applied.
  private(set) var applied: UInt64 = 0

  /// Whether something waits to be written.
  var isDirty: Bool { !notes.isEmpty }
  /// Whether so much waits that it should be written now.
  var isFull: Bool { notes.count >= LedgerLog.limit }

  private static func key(
    _ table: Table, _ account: PublicKey, _ first: UInt64? = nil, _ second: UInt64? = nil
  ) -> [UInt8] {
    var writer = WireWriter(capacity: 64)
    writer.write(table.rawValue)
    writer.write(account)
    if let first { writer.write(integer: first) }
    if let second { writer.write(integer: second) }
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
    self.applied += 1
    for (index, event) in applied.events.enumerated() {
      notes.append(
        Note(event: event, transfer: transfers.count, destination: index == 0 ? nil : index - 1))
    }
    transfers.append(applied.transfer)
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
    notes.sort { ($0.event.account, $0.event.position) < ($1.event.account, $1.event.position) }
    var (writes, rows): ([StableWrite], [StableWrite]) = ([], [])
    var rest = notes[...]
    while let first = rest.first?.event {
      let row = rest.prefix(LedgerLog.rowLimit).prefix { $0.event.account == first.account }
      rest = rest[row.endIndex...]
      rows.append(
        .put(
          key: LedgerLog.key(.history, first.account, first.paymentsBefore, first.position),
          value: value(of: row)))
      if rest.first?.event.account == first.account { continue }
      let state = ledger[first.account]
      var writer = WireWriter(capacity: 24)
      for number in [state.balance, state.next, state.credits] { writer.write(integer: number) }
      writes.append(.put(key: LedgerLog.key(.account, first.account), value: writer.bytes))
    }
    (notes, transfers) = ([], [])
    writes += rows
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
    return writes
  }

  private func value(of row: ArraySlice<Note>) -> [UInt8] {
    var writer = WireWriter(capacity: 256)
    for note in row {
      let transfer = transfers[note.transfer]
      if let destination = note.destination {
        writer.write(LedgerLog.creditKind)
        writer.write(transfer.transfer.account)
        writer.write(integer: transfer.transfer.sequence)
        writer.write(integer: transfer.transfer.destinations[destination].amount)
      } else {
        writer.write(LedgerLog.paymentKind)
        transfer.encode(into: &writer)
      }
      writer.write(integer: note.event.balance)
    }
    return writer.bytes
  }

  private static let (paymentKind, creditKind): (UInt8, UInt8) = (0, 1)
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

extension LedgerLog {
  /// What happened to an account before some position, the last first.
  ///
  /// - Parameters:
  ///   - limit: the most that is wanted.
  ///   - read: answers a question for what is kept.
  /// - Returns: `nil` if that cannot be read.
  static func events<Failure: Error>(
    of account: PublicKey, before position: UInt64?, limit: Int,
    reading read: (StableQuery) throws(Failure) -> [StableValue]
  ) throws(Failure) -> [AccountEvent]? {
    func last(_ count: Int, below key: [UInt8]) throws(Failure) -> [StableValue] {
      try read(
        StableQuery(from: LedgerLog.key(.history, account), below: key, limit: count, isDescending: true))
    }
    var end = key(.history, account, .max)
    if let position {
      // Rows lie in the order of their positions, but their keys begin with the number of payments: the greatest is sought that
      // only rows before the position have less than.
      var (low, high): (UInt64, UInt64) = (0, position)
      while low < high {
        let middle = low + (high - low) / 2 + 1
        let row = try last(1, below: key(.history, account, middle)).first
        // Where there is none, all are before it.
        guard let first = row.map({ LedgerLog.position(of: $0) }) ?? 0 else { return nil }
        if first < position { low = middle } else { high = middle - 1 }
      }
      end = key(.history, account, low, position)
    }
    var events: [AccountEvent] = []
    // A row has one at least.
    for row in try last(limit, below: end) {
      guard let entries = try? LedgerLog.entries(in: row, of: account) else { return nil }
      events += entries.map(\.event).filter { $0.position < position ?? .max }.reversed()
      if events.count >= limit { break }
    }
    return Array(events.prefix(limit))
  }

  /// Asks for an applied transfer; answered by what ``transfer(_:in:)`` takes apart.
  static func transfer(_ number: TransferNumber) -> StableQuery {
    let end = number.sequence == .max ? .max : number.sequence + 1
    return StableQuery(
      from: key(.history, number.account), below: key(.history, number.account, end), limit: 1,
      isDescending: true)
  }

  /// The transfer with a number; `nil` if it is not among what is kept there.
  static func transfer(_ number: TransferNumber, in row: StableValue) -> SignedTransfer? {
    (try? entries(in: row, of: number.account))?.lazy.compactMap(\.payment)
      .first { $0.transfer.number == number }
  }

  private static func position(of row: StableValue) -> UInt64? {
    var name = WireReader(row.key)
    guard (try? name.read(count: 1 + PublicKey.byteCount + 8)) != nil else { return nil }
    return try? name.read(UInt64.self)
  }

  /// What a row says.
  private static func entries(
    in row: StableValue, of account: PublicKey
  ) throws(WireError) -> [(event: AccountEvent, payment: SignedTransfer?)] {
    guard var position = position(of: row) else { throw .truncated }
    var entries: [(event: AccountEvent, payment: SignedTransfer?)] = []
    var reader = WireReader(row.value)
    while reader.remaining > 0 {
      var (payer, sequence, credit, payment) = (account, UInt64(0), UInt64?.none, SignedTransfer?.none)
      switch try reader.readByte() {
      case paymentKind:
        let transfer = try SignedTransfer(from: &reader)
        (payment, sequence) = (transfer, transfer.transfer.sequence)
      case creditKind:
        payer = try reader.readKey()
        sequence = try reader.read(UInt64.self)
        credit = try reader.read(UInt64.self)
      case let kind: throw .invalid("an event of unknown kind \(kind)")
      }
      let event = AccountEvent(
        position: position, balance: try reader.read(UInt64.self), payer: payer, sequence: sequence,
        credit: credit)
      entries.append((event, payment))
      position &+= 1
    }
    return entries
  }
}

extension AccountEvent {
  fileprivate init(position: UInt64, balance: UInt64, payer: PublicKey, sequence: UInt64, credit: UInt64?) {
    self.position = position
    self.balance = balance
    self.payer = payer
    self.sequence = sequence
    self.credit = credit
  }
}
