import StarlingBroadcast
import StarlingCore
import StarlingNode
import StarlingTestSupport
import Testing

@testable import StarlingLedger
@testable import StarlingSimulator

/// That the checker of simulated payments sees what it is there for: each way in which a ledger could be wrong.
@Suite("Ledger: what the checker sees")
struct LedgerMeterTests {
  private typealias Inner = BrachaBroadcast<CountingTransferAuthenticator>
  private typealias Replica = LedgerMember<OrderedBroadcast<Inner>>
  private typealias Meter = LedgerMeter<Replica>

  private static func account(_ number: UInt8) -> PublicKey {
    guard let key = PublicKey([UInt8](repeating: number, count: 32)) else { preconditionFailure() }
    return key
  }

  /// Three accounts with 10 each.
  private static var ledger: Ledger {
    Ledger(
      accounts: Dictionary(uniqueKeysWithValues: (0..<3).map { (account($0), .init(balance: 10, next: 0)) }),
      waiting: [])
  }

  private static func pay(_ payer: UInt8, _ sequence: UInt64, _ amount: UInt64, to payee: UInt8)
    -> SignedTransfer
  {
    IdealTransferAuthenticator.sign(
      Transfer(
        account: account(payer), sequence: sequence, funds: amount,
        destinations: [.init(account: account(payee), amount: amount)]))
  }

  private var meter = Meter(
    accounts: (0..<3).map { LedgerMeterTests.account($0) }, balance: 10, correct: 2, crashing: nil)

  /// A process tells that it has applied a transfer, and what each account in it holds now.
  private mutating func apply(_ transfer: SignedTransfer, leaving balances: [UInt64], by process: UInt32) {
    let accounts = [transfer.transfer.account] + transfer.transfer.destinations.map(\.account)
    let events = zip(accounts, balances).map {
      Ledger.Event(account: $0, position: 0, balance: $1, next: 1, previous: 0)
    }
    let applied = Ledger.Applied(transfer: transfer, number: 1, events: events)
    meter.indicated(.init(told: .applied(applied), at: .zero), by: Peer(process), at: .zero)
  }

  private var violations: [Int] { [meter.consistencyViolations, meter.overdrafts, meter.falseBalances] }

  @Test("It has nothing against a ledger that is kept")
  mutating func sound() {
    for process in [0, 1] as [UInt32] {
      apply(LedgerMeterTests.pay(0, 0, 4, to: 1), leaving: [6, 14], by: process)
      apply(LedgerMeterTests.pay(1, 0, 14, to: 1), leaving: [0, 14], by: process)
      apply(LedgerMeterTests.pay(1, 1, 14, to: 2), leaving: [0, 24], by: process)
    }
    #expect(violations == [0, 0, 0] && meter.applications == 6)
    #expect(meter.fates.joined().allSatisfy { $0.appliers == 2 })
  }

  @Test("It sees two transfers of one number, at one process or at two")
  mutating func doubleSpend() {
    apply(LedgerMeterTests.pay(0, 0, 4, to: 1), leaving: [6, 14], by: 0)
    apply(LedgerMeterTests.pay(0, 0, 4, to: 2), leaving: [6, 14], by: 1)
    #expect(violations == [1, 0, 0])
    apply(LedgerMeterTests.pay(0, 0, 4, to: 2), leaving: [2, 14], by: 0)
    #expect(violations[0] == 2 && violations[1] == 1, "and it was out of its turn there")
  }

  @Test("It sees what takes more than there is, though another process has more by then")
  mutating func overdraft() {
    apply(LedgerMeterTests.pay(0, 0, 10, to: 1), leaving: [0, 20], by: 0)
    apply(LedgerMeterTests.pay(1, 0, 20, to: 2), leaving: [0, 30], by: 0)
    #expect(violations == [0, 0, 0])
    apply(LedgerMeterTests.pay(1, 0, 20, to: 2), leaving: [0, 30], by: 1)
    #expect(violations[1] == 1, "the second has not applied what it depends on")
  }

  @Test("It sees a transfer that is out of its turn, or is applied again")
  mutating func turns() {
    apply(LedgerMeterTests.pay(0, 1, 1, to: 1), leaving: [9, 11], by: 0)
    #expect(meter.overdrafts == 1)
    apply(LedgerMeterTests.pay(2, 0, 1, to: 1), leaving: [9, 11], by: 0)
    apply(LedgerMeterTests.pay(2, 0, 1, to: 1), leaving: [8, 12], by: 0)
    #expect(meter.overdrafts == 2)
  }

  @Test("It sees money that a process makes or loses with a transfer, and in the end with none")
  mutating func supply() {
    apply(LedgerMeterTests.pay(0, 0, 4, to: 1), leaving: [6, 15], by: 0)
    #expect(violations == [0, 0, 1])
    apply(LedgerMeterTests.pay(0, 1, 4, to: 0), leaving: [2, 2], by: 0)
    #expect(violations == [0, 0, 2])
    meter.compare(LedgerMeterTests.ledger, of: Peer(0))
    #expect(violations == [0, 0, 4], "two accounts changed, and that ledger has neither change")
    meter.compare(LedgerMeterTests.ledger, of: Peer(1))
    #expect(violations == [0, 0, 4])
  }

  @Test("After each input of a correct process its balances are added up")
  func looks() {
    let auth = CountingTransferAuthenticator(
      IdealTransferAuthenticator(owner: Peer(0), members: 1), checks: CheckCounter())
    for (supply, violations) in [(30, 0), (31, 2)] as [(UInt64, Int)] {
      let inner = Inner(
        identity: Peer(0), auth: auth,
        members: MultisetSample(all: NumberedMembership(population: 1)),
        byzantine: 0, entries: EntryLog(authorLimit: 8, windowLimit: 8))
      let member = Replica(
        identity: Peer(0), auth: auth,
        broadcast: OrderedBroadcast(identity: Peer(0), auth: auth, inner: inner),
        ledger: LedgerMeterTests.ledger)
      var participant = LedgerParticipant(correct: member, supply: supply)
      var effects = RecordingEffects(LedgerParticipant<Replica>.self, random: Xoshiro256(seed: 1))
      participant.start(at: .zero, into: &effects)
      participant.handle(.submit(LedgerMeterTests.pay(0, 0, 1, to: 1)), at: .zero, into: &effects)
      #expect(participant.looks == 2 && participant.supplyViolations == violations)
    }
  }
}
