import StarlingCore
import StarlingLedger
import StarlingTestSupport
import Testing

@Suite("Ledger")
struct LedgerTests {
  /// Ten accounts with 1,000 each.
  private static func ledger() throws -> Ledger {
    let balances = Dictionary(uniqueKeysWithValues: (0..<10).map { (key($0), UInt64(1_000)) })
    return Ledger(try Genesis(network: "n", members: [key(100)], byzantine: 0, balances: balances))
  }

  private static func pay(
    _ from: Int, _ sequence: UInt64, funds: UInt64, to destinations: [(Int, UInt64)]
  ) -> SignedTransfer {
    SignedTransfer(
      transfer: Transfer(
        account: key(from), sequence: sequence, funds: funds,
        destinations: destinations.map { .init(account: key($0.0), amount: $0.1) }),
      signature: noSignature)
  }

  @Test("A transfer moves what it says, to several at once, and to its own account too")
  func applies() throws {
    var ledger = try LedgerTests.ledger()
    let several = LedgerTests.pay(0, 0, funds: 1_000, to: [(1, 10), (2, 20), (1, 1), (77, 5)])
    #expect(ledger.deliver(several).map(\.transfer) == [several])
    #expect([0, 1, 2, 77].map { ledger[key($0)].balance } == [964, 1_011, 1_020, 5])
    let own = LedgerTests.pay(0, 1, funds: 964, to: [(0, 964)])
    #expect(ledger.deliver(own).map(\.transfer) == [own])
    #expect(ledger[key(0)] == .init(balance: 964, next: 2, credits: 1, latest: 2))
    #expect(ledger.total == 10_000)
  }

  @Test("A transfer waits for the one before it and for the credits that it depends on")
  func waits() throws {
    var ledger = try LedgerTests.ledger()
    let first = LedgerTests.pay(0, 0, funds: 1_000, to: [(1, 1_000)])
    let second = LedgerTests.pay(0, 1, funds: 1_500, to: [(2, 300)])
    let third = LedgerTests.pay(0, 2, funds: 1_200, to: [(3, 1_200)])
    let credit = LedgerTests.pay(1, 0, funds: 2_000, to: [(0, 1_500)])
    #expect(ledger.deliver(third) == [])
    #expect(ledger.deliver(second) == [])
    // 1 has 1,000 only until 0 has paid it.
    #expect(ledger.deliver(credit) == [])
    #expect(ledger.held == [credit, second, third].sorted { $0.transfer.account < $1.transfer.account })
    #expect(ledger.deliver(first).map(\.transfer) == [first, credit, second, third])
    #expect(ledger.held.isEmpty && ledger[key(0)] == .init(balance: 0, next: 3, credits: 1, latest: 4))
  }

  @Test("Funds that never come hold up their account and no other")
  func neverFunded() throws {
    var ledger = try LedgerTests.ledger()
    #expect(ledger.deliver(LedgerTests.pay(0, 0, funds: 1_001, to: [(1, 1)])) == [])
    let later = LedgerTests.pay(0, 1, funds: 1, to: [(1, 1)])
    #expect(ledger.deliver(later) == [])
    #expect(ledger.deliver(LedgerTests.pay(1, 0, funds: 1_000, to: [(2, 1_000)])).count == 1)
    #expect(ledger[key(0)].balance == 1_000)
  }

  @Test("What is delivered again, or is malformed, changes nothing")
  func ignores() throws {
    var ledger = try LedgerTests.ledger()
    let once = LedgerTests.pay(0, 0, funds: 1_000, to: [(1, 1)])
    #expect(ledger.deliver(once).count == 1)
    let before = ledger.stateHash
    #expect(ledger.deliver(once).isEmpty)
    #expect(ledger.deliver(LedgerTests.pay(0, 1, funds: 5, to: [(1, 6)])).isEmpty)
    #expect(ledger.deliver(LedgerTests.pay(0, 1, funds: .max, to: [(1, .max), (2, .max)])).isEmpty)
    #expect(ledger.stateHash == before)
  }

  @Test("The hash follows accounts that change by the thousand, and comes back with them")
  func digestFollows() throws {
    let accounts = Dictionary(
      uniqueKeysWithValues: (0..<6_000).map { (key($0), Ledger.Account(balance: 10, next: 0)) })
    var ledger = Ledger(accounts: accounts, waiting: [])
    let before = ledger.digest()
    // More than wait to be hashed.
    for number in 0..<6_000 {
      _ = ledger.deliver(LedgerTests.pay(number, 0, funds: 10, to: [((number + 1) % 6_000, 1)]))
    }
    #expect(ledger.accounts.values.allSatisfy { $0.balance == 10 && $0.next == 1 })
    #expect(ledger.digest() == Ledger(accounts: ledger.accounts, waiting: []).stateHash)
    #expect(ledger.digest() != before)
    #expect(Ledger(accounts: accounts, waiting: []).stateHash == before)
    let missing = Ledger(accounts: accounts.filter { $0.key != key(7) }, waiting: [])
    #expect(missing.stateHash != before, "an account that nobody knows is not one without money")
  }

  @Test("A ledger goes on from what was kept of it")
  func restores() throws {
    var ledger = try LedgerTests.ledger()
    _ = ledger.deliver(LedgerTests.pay(0, 0, funds: 1_000, to: [(1, 1)]))
    _ = ledger.deliver(LedgerTests.pay(0, 2, funds: 1, to: [(1, 1)]))
    var again = Ledger(accounts: ledger.accounts, waiting: ledger.held)
    #expect(again.stateHash == ledger.stateHash)
    #expect(again.deliver(LedgerTests.pay(0, 1, funds: 999, to: [(1, 1)])).count == 2)
  }

  /// Owners that each know one node's ledger and spend what they see there.
  private static func history(_ length: Int, random: inout Xoshiro256) throws -> [SignedTransfer] {
    var seen = try LedgerTests.ledger()
    var transfers: [SignedTransfer] = []
    while transfers.count < length {
      let from = random.uniform(below: 14)
      let account = seen[key(from)]
      guard account.balance > 0 else { continue }
      let amounts = (0...random.uniform(below: 3)).map { _ in UInt64(random.uniform(below: 400) + 1) }
      guard amounts.reduce(0, +) <= account.balance else { continue }
      let transfer = pay(
        from, account.next, funds: account.balance, to: amounts.map { (random.uniform(below: 14), $0) })
      #expect(seen.deliver(transfer).map(\.transfer) == [transfer])
      transfers.append(transfer)
    }
    return transfers
  }

  @Test("In whatever order transfers are delivered, all end alike, supply is kept and nothing is below zero")
  func converges() throws {
    var random = testRandom()
    for _ in 0..<20 {
      let transfers = try LedgerTests.history(200, random: &random)
      var hashes: Set<SHA256Digest> = []
      for _ in 0..<5 {
        var ledger = try LedgerTests.ledger()
        var order = transfers
        for i in order.indices.reversed() { order.swapAt(i, random.uniform(below: i + 1)) }
        var applied: [SignedTransfer] = []
        for transfer in order {
          applied += ledger.deliver(transfer).map(\.transfer)
          #expect(ledger.total == 10_000, "\(replay)")
          #expect(ledger.total == ledger.accounts.values.reduce(0) { $0 + $1.balance }, "\(replay)")
          // Some ask in the midst of it, and what they are told is what a new ledger of the same would tell.
          if random.uniform(below: 20) == 0 {
            let fresh = Ledger(accounts: ledger.accounts, waiting: ledger.held)
            #expect(ledger.digest() == fresh.stateHash && fresh.stateHash == ledger.stateHash, "\(replay)")
          }
        }
        #expect(applied.count == transfers.count && ledger.held.isEmpty, "\(replay)")
        #expect(LedgerTests.isLegal(applied), "\(replay)")
        hashes.insert(ledger.stateHash)
      }
      #expect(hashes.count == 1, "\(replay)")
    }
  }

  /// Whether transfers in this order take from no account what it does not hold.
  private static func isLegal(_ transfers: [SignedTransfer]) -> Bool {
    var balances: [PublicKey: Int] = [:]
    for i in 0..<10 { balances[key(i)] = 1_000 }
    for transfer in transfers.map(\.transfer) {
      balances[transfer.account, default: 0] -= transfer.destinations.reduce(0) { $0 + Int($1.amount) }
      if balances[transfer.account, default: 0] < 0 { return false }
      for destination in transfer.destinations {
        balances[destination.account, default: 0] += Int(destination.amount)
      }
    }
    return true
  }

  @Test("A transfer is as large after a thousand credits as after none")
  func dependenciesAreCompact() throws {
    var ledger = try LedgerTests.ledger()
    let before = LedgerTests.pay(1, 0, funds: ledger[key(1)].balance, to: [(2, 1)])
    for number in 0..<1_000 {
      _ = ledger.deliver(LedgerTests.pay(0, UInt64(number), funds: UInt64(1_000 - number), to: [(1, 1)]))
    }
    let after = LedgerTests.pay(1, 0, funds: ledger[key(1)].balance, to: [(2, 2_000)])
    #expect(after.encodedByteCount == before.encodedByteCount)
    #expect(ledger.deliver(after).map(\.transfer) == [after])
  }
}
