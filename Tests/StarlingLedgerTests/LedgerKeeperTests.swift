import StarlingCore
import StarlingLedger
import Testing

@Suite("Ledger: what a node brings for its clients")
struct LedgerKeeperTests {
  /// Three accounts with 100 each.
  private static func keeper() throws -> LedgerKeeper {
    let balances = Dictionary(uniqueKeysWithValues: (0..<3).map { (key($0), UInt64(100)) })
    return LedgerKeeper(
      Ledger(try Genesis(network: "n", members: [key(100)], byzantine: 0, balances: balances)))
  }

  private static func pay(_ sequence: UInt64, funds: UInt64, amount: UInt64 = 1, memo: String = "")
    -> SignedTransfer
  {
    SignedTransfer(
      transfer: Transfer(
        account: key(0), sequence: sequence, funds: funds,
        destinations: [.init(account: key(1), amount: amount)],
        memo: Array(memo.utf8)), signature: noSignature)
  }

  @Test("What cannot be brought is refused for its own reason")
  func refusals() throws {
    var keeper = try LedgerKeeperTests.keeper()
    var checks = 0
    func submit(_ transfer: SignedTransfer, signed: Bool = true) -> SubmissionRefusal? {
      keeper.submit(transfer) { _ in
        checks += 1
        return signed
      }
    }
    #expect(submit(LedgerKeeperTests.pay(0, funds: 100, amount: 101)) == .fault(.overdraft))
    #expect(submit(LedgerKeeperTests.pay(0, funds: 101)) == .insufficient(holds: 100))
    #expect(submit(LedgerKeeperTests.pay(1, funds: 100)) == .gap(next: 0))
    #expect(checks == 0)
    #expect(submit(LedgerKeeperTests.pay(0, funds: 100), signed: false) == .unsigned)
    #expect(submit(LedgerKeeperTests.pay(0, funds: 100)) == nil)
    #expect(submit(LedgerKeeperTests.pay(0, funds: 100)) == nil, "the same again is no fault")
    #expect(checks == 2)
    #expect(submit(LedgerKeeperTests.pay(0, funds: 100, memo: "another")) == .numberInUse)
    #expect(submit(LedgerKeeperTests.pay(1, funds: 100)) == .insufficient(holds: 99))
    #expect(submit(LedgerKeeperTests.pay(1, funds: 99)) == nil)
    let batch = keeper.takeBatch(entryLimit: 10, byteLimit: 10_000)
    #expect(batch.map(\.transfer.sequence) == [0, 1])
    #expect(keeper.deliver(batch, refused: [], isOwn: true).applied.map(\.transfer) == batch)
    #expect(submit(LedgerKeeperTests.pay(0, funds: 100)) == .numberUsed(next: 2))
    #expect(submit(LedgerKeeperTests.pay(3, funds: 98)) == .gap(next: 2))
  }

  @Test("An account has so many transfers under way at most")
  func window() throws {
    var keeper = try LedgerKeeperTests.keeper()
    for number in 0..<UInt64(LedgerKeeper.accountWindow) {
      #expect(keeper.submit(LedgerKeeperTests.pay(number, funds: 100 - number)) { _ in true } == nil)
    }
    let next = UInt64(LedgerKeeper.accountWindow)
    #expect(keeper.submit(LedgerKeeperTests.pay(next, funds: 100 - next)) { _ in true } == .accountBusy)
  }

  @Test("A node has so many transfers to bring at most, and takes others when some are final")
  func bound() throws {
    let accounts = Dictionary(
      uniqueKeysWithValues: (0...LedgerKeeper.carriedLimit).map {
        (key($0), Ledger.Account(balance: 5, next: 0))
      })
    var keeper = LedgerKeeper(Ledger(accounts: accounts, waiting: []))
    func pay(_ number: Int) -> SignedTransfer {
      SignedTransfer(
        transfer: Transfer(
          account: key(number), sequence: 0, funds: 5, destinations: [.init(account: key(0), amount: 1)]),
        signature: noSignature)
    }
    for number in 0..<LedgerKeeper.carriedLimit { #expect(keeper.submit(pay(number)) { _ in true } == nil) }
    #expect(keeper.submit(pay(LedgerKeeper.carriedLimit)) { _ in true } == .overloaded)
    let batch = keeper.takeBatch(entryLimit: 10, byteLimit: 10_000)
    _ = keeper.deliver(batch, refused: [], isOwn: true)
    #expect(keeper.submit(pay(LedgerKeeper.carriedLimit)) { _ in true } == nil)
  }

  @Test("What others refuse is tried again, and given up after so many times")
  func retries() throws {
    var keeper = try LedgerKeeperTests.keeper()
    let transfer = LedgerKeeperTests.pay(0, funds: 100)
    #expect(keeper.submit(transfer) { _ in true } == nil)
    for round in 1...LedgerKeeper.refusalLimit {
      #expect(keeper.takeBatch(entryLimit: 10, byteLimit: 10_000) == [transfer])
      let outcome = keeper.deliver([transfer], refused: [0], isOwn: true)
      #expect(outcome.hasRefused && outcome.applied.isEmpty && keeper.batchesUnderWay == 0)
      #expect(keeper.retry() == (round == LedgerKeeper.refusalLimit ? [transfer] : []))
    }
    #expect(keeper.carriedCount == 0 && !keeper.hasOutbox)
    // Its number is free again here.
    #expect(keeper.submit(LedgerKeeperTests.pay(0, funds: 100, memo: "another")) { _ in true } == nil)
  }

  @Test("What another node brought meanwhile is not brought again")
  func broughtByOthers() throws {
    var keeper = try LedgerKeeperTests.keeper()
    let transfer = LedgerKeeperTests.pay(0, funds: 100)
    #expect(keeper.submit(transfer) { _ in true } == nil)
    #expect(keeper.deliver([transfer], refused: [], isOwn: false).applied.map(\.transfer) == [transfer])
    #expect(keeper.takeBatch(entryLimit: 10, byteLimit: 10_000).isEmpty && keeper.batchesUnderWay == 0)
  }

  @Test("What is in two own batches that others refuse is brought once again, and not twice in one batch")
  func refusedTwice() throws {
    var keeper = try LedgerKeeperTests.keeper()
    let transfer = LedgerKeeperTests.pay(0, funds: 100)
    #expect(keeper.submit(transfer) { _ in true } == nil)
    #expect(keeper.takeBatch(entryLimit: 10, byteLimit: 10_000) == [transfer])
    for _ in 0..<2 { _ = keeper.deliver([transfer], refused: [0], isOwn: true) }
    #expect(keeper.retry() == [])
    _ = keeper.deliver([transfer], refused: [0], isOwn: true)
    #expect(keeper.retry() == [])
    #expect(keeper.takeBatch(entryLimit: 10, byteLimit: 10_000) == [transfer])
  }

  @Test("A refused entry of somebody else's batch is not this node's to bring")
  func foreignRefusals() throws {
    var keeper = try LedgerKeeperTests.keeper()
    let outcome = keeper.deliver([LedgerKeeperTests.pay(0, funds: 100)], refused: [0], isOwn: false)
    #expect(outcome.applied.isEmpty && !outcome.hasRefused)
  }
}
