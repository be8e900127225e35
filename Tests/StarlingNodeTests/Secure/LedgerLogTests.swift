import StarlingCore
import StarlingLedger
import StarlingTestSupport
import Testing

@testable import StarlingNode

@Suite("What a ledger's member keeps on disk")
struct LedgerLogTests {
  /// A ledger that is paid in and written down, and what happened to each account, noted down apart from it.
  private struct Bookkeeping {
    var ledger: Ledger
    var log = LedgerLog()
    var memory = StableMemory()
    var events: [PublicKey: [(AccountEvent, SignedTransfer)]] = [:]
    /// How much each flush has written.
    var flushes: [Int] = []

    init(_ genesis: Genesis) { ledger = Ledger(genesis) }

    mutating func deliver(_ signed: SignedTransfer) {
      for applied in ledger.deliver(signed) {
        log.note(applied)
        let transfer = applied.transfer.transfer
        for (index, event) in applied.events.enumerated() {
          let credit = index == 0 ? nil : transfer.destinations[index - 1].amount
          events[event.account, default: []].append(
            (AccountEvent(event, of: transfer, credit: credit), applied.transfer))
        }
      }
    }

    mutating func flush() {
      let writes = log.flush(ledger, delivered: [(key(0), ledger.applied)])
      flushes.append(writes.count)
      for write in writes { memory.apply(write) }
    }
  }

  private static func key(_ number: Int) -> PublicKey {
    guard let key = PublicKey(SHA256.hash([UInt8(number >> 8), UInt8(number & 255)]).bytes) else {
      preconditionFailure("a key of 32 bytes")
    }
    return key
  }

  private static func genesis(_ accounts: Int) throws -> Genesis {
    try Genesis(
      network: "n", members: [key(0)], byzantine: 0,
      balances: Dictionary(uniqueKeysWithValues: (0..<accounts).map { (key($0), 1_000_000) }))
  }

  private static func payment(
    _ ledger: Ledger, from payer: Int, to payees: [Int], ahead: UInt64 = 0
  ) throws -> SignedTransfer {
    let account = ledger[key(payer)]
    return SignedTransfer(
      transfer: Transfer(
        account: key(payer), sequence: account.next + ahead, funds: account.balance,
        destinations: payees.map { .init(account: key($0), amount: 1) }),
      signature: try #require(Ed25519Signature([UInt8](repeating: 0, count: 64))))
  }

  /// Random payments among some accounts, most of them of the first: to others, to several, to themselves, some ahead of their
  /// turn; written down now and then, with a new life after some.
  private static func books(_ count: Int, random: inout Xoshiro256) throws -> Bookkeeping {
    let genesis = try genesis(40)
    var books = Bookkeeping(genesis)
    for _ in 0..<count {
      let payer = random.uniform(below: 3) == 0 ? random.uniform(below: 40) : 0
      let payees = (0...random.uniform(below: 3)).map { _ in random.uniform(below: 45) }
      if random.uniform(below: 30) == 0 {
        let early = try payment(books.ledger, from: payer, to: payees, ahead: 1)
        books.deliver(early)
      }
      books.deliver(try payment(books.ledger, from: payer, to: payees))
      guard random.uniform(below: 25) == 0 else { continue }
      books.flush()
      guard random.uniform(below: 3) == 0 else { continue }
      var log = LedgerLog()
      let again = try log.recollection(of: genesis, reading: books.memory.read)
      #expect(again.ledger.accounts == books.ledger.accounts, "\(replay)")
      #expect(again.ledger.held == books.ledger.held, "\(replay)")
      #expect(again.ledger.applied == books.ledger.applied, "\(replay)")
      #expect(again.delivered == [key(0): books.ledger.applied], "\(replay)")
      (books.log, books.ledger) = (log, again.ledger)
    }
    books.flush()
    return books
  }

  @Test(
    "The next life has every account as it was, however often lives end, and whichever part was written last")
  func recollects() throws {
    var random = testRandom()
    for _ in 0..<3 { _ = try LedgerLogTests.books(300, random: &random) }
  }

  @Test(
    "Whatever happened to an account can be asked for, from any position, and each of its transfers by number"
  )
  func history() throws {
    var random = testRandom()
    let books = try LedgerLogTests.books(1_500, random: &random)
    #expect(books.events[LedgerLogTests.key(0)]?.count ?? 0 > 1_000)
    for (account, events) in books.events {
      let state = books.ledger[account]
      for _ in 0..<20 {
        let position = random.uniform(below: events.count + 5)
        let limit = 1 + random.uniform(below: 70)
        let found = try LedgerQuestion.events(
          of: account, state, before: UInt64(position), limit: limit, reading: books.memory.read)
        let expected = events.prefix(position).suffix(limit).reversed()
        #expect(found.map(\.event) == expected.map(\.0), "\(replay)")
        #expect(found.map(\.transfer) == expected.map(\.1), "\(replay)")
      }
      let all = try LedgerQuestion.events(
        of: account, state, before: nil, limit: .max, reading: books.memory.read)
      #expect(all.map(\.event) == events.reversed().map(\.0), "\(replay)")
      for sequence in 0..<state.next {
        let number = TransferNumber(account: account, sequence: sequence)
        let found = try LedgerQuestion.transfer(number, state, reading: books.memory.read)
        #expect(found?.transfer.number == number, "\(replay)")
      }
      let next = TransferNumber(account: account, sequence: state.next)
      #expect(try LedgerQuestion.transfer(next, state, reading: books.memory.read) == nil)
    }
    let nobody = TransferNumber(account: LedgerLogTests.key(300), sequence: 0)
    #expect(
      try LedgerQuestion.transfer(nobody, books.ledger[nobody.account], reading: books.memory.read) == nil)
  }

  @Test(
    "However much happened, a question is answered in a few steps, and a transfer writes as much as the first"
  )
  func constantCost() throws {
    let genesis = try LedgerLogTests.genesis(2)
    var books = Bookkeeping(genesis)
    var flushes: [Int] = []
    for _ in 0..<50 {
      for _ in 0..<200 { books.deliver(try LedgerLogTests.payment(books.ledger, from: 0, to: [1])) }
      books.flush()
      flushes.append(books.flushes.last ?? 0)
    }
    // The transfers, 2 x 200 / 32 marks, an account, the point.
    #expect(flushes.allSatisfy { $0 <= 200 + 14 + 2 + 1 }, "\(flushes)")
    var steps = 0
    func read(_ query: StableQuery) -> [StableValue] {
      steps += 1
      return books.memory.read(query)
    }
    let state = books.ledger[LedgerLogTests.key(0)]
    for sequence in stride(from: UInt64(0), to: 10_000, by: 97) {
      steps = 0
      let number = TransferNumber(account: LedgerLogTests.key(0), sequence: sequence)
      #expect(try LedgerQuestion.transfer(number, state, reading: read) != nil)
      #expect(steps <= AccountTrail.steps)
      steps = 0
      _ = try LedgerQuestion.events(
        of: number.account, state, before: sequence + 1, limit: 50, reading: read)
      #expect(steps <= 50 + AccountTrail.steps)
    }
    // What happened to the account before the oldest part was written is not read by the next life.
    steps = 0
    var log = LedgerLog()
    _ = try log.recollection(of: genesis, reading: read)
    #expect(steps < 12)
  }

  @Test("Each flush writes the accounts of one part, which lie together, and after sixteen all are written")
  func parts() throws {
    #expect(Set((0..<200).map { LedgerLog.part(of: LedgerLogTests.key($0)) }) == Set(0..<LedgerLog.parts))
    let genesis = try LedgerLogTests.genesis(400)
    var books = Bookkeeping(genesis)
    var rows: [Int] = []
    for _ in 0..<2 * LedgerLog.parts {
      for payer in 0..<400 { books.deliver(try LedgerLogTests.payment(books.ledger, from: payer, to: [0])) }
      let before = books.memory.read(StableQuery(from: [23], below: [24]))
      books.flush()
      let after = books.memory.read(StableQuery(from: [23], below: [24]))
      let written = Set(after).subtracting(before).compactMap { PublicKey($0.key.dropFirst()) }
      #expect(Set(written.map { LedgerLog.part(of: $0) }).count == 1)
      rows.append(written.count)
    }
    #expect(rows.reduce(0, +) == 800 && rows.allSatisfy { $0 < 60 }, "\(rows)")
  }

  @Test("A history that was damaged is told of, and does not keep anybody going round")
  func damaged() throws {
    var random = testRandom()
    var books = try LedgerLogTests.books(300, random: &random)
    let (account, state) = (LedgerLogTests.key(0), books.ledger[LedgerLogTests.key(0)])
    let last = books.ledger.applied
    let query = StableQuery(from: [24], below: [25])
    let entries = books.memory.read(query)
    #expect(entries.count == Int(last))
    // The newest in the place of each: its trail leads to where it is.
    let newest = try #require(entries.last).value
    for entry in entries { books.memory.apply(.put(key: entry.key, value: newest)) }
    #expect(throws: WireError.self) {
      try LedgerQuestion.events(of: account, state, before: nil, limit: .max, reading: books.memory.read)
    }
    books.memory.apply(.remove(from: [24], below: [25]))
    #expect(throws: WireError.self) {
      try LedgerQuestion.events(of: account, state, before: nil, limit: 1, reading: books.memory.read)
    }
    var log = LedgerLog()
    #expect(throws: WireError.self) {
      try log.recollection(of: try LedgerLogTests.genesis(40), reading: books.memory.read)
    }
  }
}
