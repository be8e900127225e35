import Glibc
import StarlingCore
import StarlingLedger
import Testing

@testable import StarlingRuntime

@Suite struct WalletTests {
  private let directory: TemporaryDirectory
  private let ledger = SHA256.hash(Array("ledger".utf8))
  private let other = SHA256.hash(Array("other".utf8))
  private let owner: Identity

  init() throws {
    directory = try TemporaryDirectory()
    owner = try Identity(seed: [UInt8](repeating: 5, count: 32))
  }

  private func record() throws -> WalletRecord { try WalletRecord(at: directory("wallet.sqlite")) }

  private func payment(
    _ amount: UInt64, to name: UInt8 = 9
  ) throws -> (owner: Identity, destinations: [Transfer.Destination], memo: [UInt8]) {
    let key = try #require(PublicKey([UInt8](repeating: name, count: 32)))
    return (owner, [.init(account: key, amount: amount)], [])
  }

  private func known(_ balance: UInt64, _ next: UInt64) -> (PublicKey) -> Ledger.Account {
    { _ in Ledger.Account(balance: balance, next: next) }
  }

  @Test("Numbers follow what was signed, whatever the node says, and funds leave out what was signed before")
  func numbers() throws {
    let record = try record()
    let first = try record.sign([payment(30)], in: ledger, from: known(100, 5))
    #expect(first[0].transfer.sequence == 5 && first[0].transfer.funds == 100)
    #expect(first[0].isSigned(in: ledger))
    // The node has not heard of it.
    let second = try record.sign([payment(20), payment(10)], in: ledger, from: known(100, 5))
    #expect(second.map(\.transfer.sequence) == [6, 7] && second.map(\.transfer.funds) == [70, 50])
    // It has heard of the first alone.
    let third = try record.sign([payment(1)], in: ledger, from: known(70, 6))
    #expect(third[0].transfer.sequence == 8 && third[0].transfer.funds == 40)
    let elsewhere = try record.sign([payment(1)], in: other, from: known(9, 5))
    #expect(elsewhere[0].transfer.sequence == 5 && elsewhere[0].transfer.funds == 9)
    #expect(try record.unfinished(of: owner.publicKey, in: ledger) == first + second + third)
    try record.settle(first, in: ledger)
    #expect(try record.unfinished(of: owner.publicKey, in: ledger) == second + third)
    // What is final is used all the same.
    #expect(try record.sign([payment(1)], in: ledger, from: known(100, 5))[0].transfer.sequence == 9)
    #expect(try record.counts(of: owner.publicKey) == (6, 5))
  }

  @Test("Two records of one file, as two processes have them, never give one number out twice")
  func twoProcesses() throws {
    let records = [try record(), try record()]
    var signed: [SignedTransfer] = []
    for turn in 0..<20 {
      // Both have asked the node before either signed.
      signed += try records[turn % 2].sign([payment(1)], in: ledger, from: known(1_000, 0))
    }
    #expect(signed.map(\.transfer.sequence) == (0..<20).map { $0 })
    #expect(signed.map(\.transfer.funds) == (0..<20).map { 1_000 - $0 })
  }

  @Test("What was signed is there after the record was opened anew")
  func durable() throws {
    var transfers: [SignedTransfer] = []
    for turn in 0..<3 {
      transfers += try record().sign([payment(UInt64(turn) + 1)], in: ledger, from: known(100, 0))
    }
    #expect(try record().unfinished(of: owner.publicKey, in: ledger) == transfers)
    #expect(transfers.map(\.transfer.sequence) == [0, 1, 2])
    // A power cut cannot be tried here: what COMMIT answered is on the disk if SQLite waits for it (2: FULL).
    #expect(try record().database.run("PRAGMA synchronous") == [[.integer(2)]])
    var status = stat()
    #expect(stat(directory("wallet.sqlite"), &status) == 0 && status.st_mode & 0o777 == 0o600)
  }

  @Test("Of several payments all are signed or none, and an account's own word is enough to refuse")
  func refusals() throws {
    let record = try record()
    let error = #expect(throws: HostError.self) {
      try record.sign([payment(60), payment(60)], in: ledger, from: known(100, 0))
    }
    #expect(error?.description.contains("holds 40, less than the 60") == true)
    #expect(try record.unfinished(of: owner.publicKey, in: ledger).isEmpty)
    for (balance, next) in [(UInt64.max, UInt64.max), (100, UInt64(Int64.max) + 1)] {
      let error = #expect(throws: HostError.self) {
        try record.sign([payment(1)], in: ledger, from: known(balance, next))
      }
      #expect(error?.description.contains("no account ever reaches") == true)
    }
    let zero = #expect(throws: HostError.self) {
      try record.sign([payment(0)], in: ledger, from: known(100, 0))
    }
    #expect(zero?.description == TransferFault.zeroAmount.sentence)
    #expect(try record.counts(of: owner.publicKey) == (0, 0))
  }

  @Test("A damaged record, one of a newer version and another program's are refused and stay as they are")
  func damage() throws {
    directory.write(
      Array("this is no database, but long enough to be taken for one, or so it hopes".utf8), to: "a")
    let damaged = #expect(throws: HostError.self) { try WalletRecord(at: directory("a")) }
    #expect(damaged?.description.contains("is damaged") == true)
    #expect(contents(directory("a"))?.first == UInt8(ascii: "t"))
    do {
      _ = try record()
      let database = try Database(directory("wallet.sqlite"))
      try database.run("PRAGMA user_version = 2")
    }
    let newer = #expect(throws: HostError.self) { try record() }
    #expect(newer?.description.contains("upgrade starling") == true)
    _ = try StateStore(at: directory("state.sqlite"))
    let foreign = #expect(throws: HostError.self) { try WalletRecord(at: directory("state.sqlite")) }
    #expect(
      foreign?.description.contains("another program's") == true
        || foreign?.description.contains("version") == true)
  }

  @Test("A wallet has accounts by name, each key for its owner alone, and says so when its record is gone")
  func accounts() throws {
    let path = directory("deep/er/wallet")
    #expect(throws: HostError.self) { try Wallet(at: path) }
    let wallet = try Wallet(at: path, making: true)
    #expect(!wallet.hasLostRecord)
    let key = try wallet.addAccount("alice")
    #expect(try wallet.defaultName() == "alice")
    #expect(throws: HostError.self) { try wallet.addAccount("alice") }
    _ = try wallet.addAccount("bob")
    #expect(throws: HostError.self) { try wallet.defaultName() }
    #expect(try wallet.accounts().map(\.name) == ["alice", "bob"])
    #expect(try wallet.owner(of: "alice").publicKey == key)
    for name in ["", ".a", "a/b", "ä", String(repeating: "a", count: 65), key.description] {
      #expect(!Wallet.isName(name), "\(name)")
      #expect(throws: HostError.self) { try wallet.addAccount(name) }
    }
    var status = stat()
    #expect(stat(path + "/alice.key", &status) == 0 && status.st_mode & 0o777 == 0o600)
    #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o700)
    #expect(try !Wallet(at: path).hasLostRecord)
    unlink(path + "/wallet.sqlite")
    #expect(try Wallet(at: path).hasLostRecord)
    chmod(path, 0o770)
    let error = #expect(throws: HostError.self) { try Wallet(at: path) }
    #expect(error?.description.contains("chmod 700") == true)
  }

  @Test("A node is believed about its ledger once; a genesis file decides")
  func trust() throws {
    let wallet = try Wallet(at: directory("w"), making: true)
    let node = try #require(SocketAddress("127.0.0.1:4000"))
    let second = try #require(SocketAddress("127.0.0.1:4001"))
    #expect(try wallet.trust(ledger, of: node, genesis: nil))
    #expect(try !wallet.trust(ledger, of: node, genesis: nil))
    #expect(throws: HostError.self) { try wallet.trust(other, of: node, genesis: nil) }
    #expect(throws: HostError.self) { try wallet.trust(other, of: node, genesis: ledger) }
    #expect(throws: HostError.self) { try wallet.trust(other, of: second, genesis: ledger) }
    #expect(try !wallet.trust(other, of: node, genesis: other))
    #expect(try !wallet.trust(other, of: node, genesis: nil))
    #expect(try wallet.trust(other, of: second, genesis: nil))
  }
}
