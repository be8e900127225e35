import StarlingCore
import StarlingLedger
import Testing

@testable import StarlingRuntime

@Suite struct LedgerClientTests {
  private let owner: Identity
  private let ledger = SHA256.hash(Array("ledger".utf8))
  private let signed: SignedTransfer

  init() throws {
    owner = try Identity(seed: [UInt8](repeating: 5, count: 32))
    signed = SignedTransfer(
      Transfer(
        account: owner.publicKey, sequence: .max - 1, funds: .max,
        destinations: [.init(account: owner.publicKey, amount: .max)], memo: Array("\"ä\"".utf8)), in: ledger,
      by: owner)
  }

  private func text(_ value: some Encodable) throws -> String {
    String(decoding: try ControlCoding.encode(value), as: UTF8.self)
  }

  @Test("Requests are those of the contract")
  func requests() throws {
    let key = owner.publicKey
    #expect(LedgerRequest.status.path == "/api/v1/ledger")
    #expect(LedgerRequest.genesis.path == "/api/v1/ledger/genesis")
    #expect(LedgerRequest.account(key).path == "/api/v1/accounts/\(key)")
    #expect(
      LedgerRequest.history(key, before: nil, limit: 50).path == "/api/v1/accounts/\(key)/history?limit=50")
    #expect(
      LedgerRequest.history(key, before: 7, limit: 1).path
        == "/api/v1/accounts/\(key)/history?before=7&limit=1")
    let number = signed.transfer.number
    #expect(LedgerRequest.transfer(number).path == "/api/v1/transfers/\(key)-\(number.sequence)")
    #expect(
      LedgerRequest.certificate(number).path == "/api/v1/transfers/\(key)-\(number.sequence)/certificate")
    let submission = try LedgerRequest.submit(signed, waiting: 0)
    #expect(submission.method == "POST" && submission.path == "/api/v1/transfers")
    #expect(submission.body == Array("{\"transfer\":\"\(hexadecimal(signed.encoded))\"}".utf8))
    #expect(try LedgerRequest.submit(signed, waiting: 5).path == "/api/v1/transfers?wait=5")
    let again = try ControlCoding.decode(LedgerSubmission.self, from: submission.body ?? [])
    #expect(again.signed == signed)
  }

  @Test("Amounts are strings of digits, numbers are numbers, and null is written")
  func objects() throws {
    let transfer = LedgerTransfer(id: "ab", state: .final, signed: signed)
    let json = try text(transfer)
    #expect(json.contains("\"amount\":\"18446744073709551615\""))
    #expect(json.contains("\"sequence\":18446744073709551614"))
    #expect(json.contains("\"reason\":null"))
    #expect(try ControlCoding.decode(LedgerTransfer.self, from: Array(json.utf8)) == transfer)
    let unknown = try text(LedgerTransfer(id: "ab", state: .unknown))
    #expect(unknown.contains("\"transfer\":null") && unknown.contains("\"memo\":null"))
    #expect(try text(LedgerHistory(account: "k", entries: [], next: nil)).contains("\"next\":null"))
    let account = try ControlCoding.decode(
      LedgerAccount.self,
      from: Array(
        #"{"account":"k","balance":"5","next":1,"expected_balance":"4","expected_next":2,"pending":1}"#.utf8))
    #expect(account.expected == Ledger.Account(balance: 4, next: 2) && account.known == nil)
    for bad in ["", "-1", "+1", "1.0", "1e3", " 1", "18446744073709551616", "0x1", "١"] {
      #expect(LedgerAmount(bad) == nil, "\(bad)")
    }
    for bad in ["5", "null", "\"-5\"", "[]"] {
      let json = #"{"account":"k","amount":\#(bad)}"#
      #expect(throws: HostError.self) {
        try ControlCoding.decode(LedgerDestination.self, from: Array(json.utf8))
      }
    }
  }

  @Test("Answers are taken for what they are")
  func answers() throws {
    func answer(_ status: Int, _ body: String) throws -> LedgerAnswer {
      try LedgerClient.answer(.init(status: status, body: Array(body.utf8)))
    }
    #expect(
      try answer(202, #"{"id":"ab","state":"pending"}"#) == .taken(LedgerReceipt(id: "ab", state: .pending)))
    #expect(
      try answer(200, #"{"id":"ab","state":"final"}"#) == .taken(LedgerReceipt(id: "ab", state: .final)))
    #expect(
      try answer(409, #"{"id":"ab","state":"refused","reason":"No."}"#)
        == .taken(LedgerReceipt(id: "ab", state: .refused, reason: "No.")))
    #expect(try answer(409, #"{"error":"Too late."}"#) == .refused(status: 409, reason: "Too late."))
    #expect(
      try answer(500, "oops") == .refused(status: 500, reason: "The node refused with status 500."))
    #expect(throws: HostError.self) { try answer(200, "{}") }
    let client = LedgerClient(try #require(SocketAddress("127.0.0.1:1")))
    let error = #expect(throws: HostError.self) {
      try client.body(.init(status: 404, body: Array(#"{"error":"There is nothing here."}"#.utf8)))
    }
    #expect(error?.description.contains("keeps no ledger") == true)
  }

  @Test("Digits that are no transfer are none")
  func submissions() throws {
    for digits in ["", "0", "zz", "00", String(repeating: "0", count: 100_000)] {
      let json = #"{"transfer":"\#(digits)"}"#
      #expect(try ControlCoding.decode(LedgerSubmission.self, from: Array(json.utf8)).signed == nil)
    }
  }
}

@Suite struct LedgerAuditTests {
  private let genesis: Genesis
  private let nodes: [SocketAddress]

  init() throws {
    let owner = try Identity(seed: [UInt8](repeating: 5, count: 32))
    genesis = try Genesis(
      network: "n", members: [owner.publicKey], byzantine: 0, balances: [owner.publicKey: 10])
    nodes = try ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"].map { try #require(SocketAddress($0)) }
  }

  private func status(_ state: String, _ transfers: UInt64 = 4, total: UInt64 = 10, waiting: Int = 0)
    -> LedgerStatus
  {
    LedgerStatus(
      ledger: genesis.hash.description, network: "n", members: [], byzantine: 0, supply: LedgerAmount(10),
      total: LedgerAmount(total), accounts: 1, transfers: transfers, stateHash: state, waiting: waiting)
  }

  private func audit(_ statuses: [LedgerStatus], before: [LedgerStatus] = [], by genesis: Genesis? = nil)
    -> LedgerAudit
  {
    LedgerAudit(Array(zip(nodes, statuses)).map { (node: $0, status: $1) }, before: before, genesis: genesis)
  }

  @Test("Equal states are sound; money that was made or lost is not")
  func supply() throws {
    let sound = audit([status("a"), status("a")], by: genesis)
    #expect(sound.faults.isEmpty && sound.isComplete)
    for total in [UInt64(9), 11] {
      #expect(audit([status("a"), status("a", total: total)]).faults.count == 1)
    }
    var poor = status("a", total: 9)
    poor.supply = LedgerAmount(9)
    #expect(audit([poor]).faults.isEmpty)
    #expect(audit([poor], by: genesis).faults.count == 1)
    var foreign = status("a")
    foreign.ledger = "ff"
    #expect(audit([status("a"), foreign]).faults.count == 1)
    #expect(audit([foreign], by: genesis).faults.count == 1)
  }

  @Test("Different states count once they last while nothing moves")
  func states() {
    let split = [status("a"), status("b")]
    #expect(audit(split).faults.isEmpty && audit(split).isDoubtful && !audit(split).isComplete)
    #expect(audit(split, before: [status("x", 3), status("b")]).faults.isEmpty)
    #expect(audit(split, before: split).faults.count == 1)
    let three = [status("a"), status("c", 5), status("b")]
    #expect(audit(three, before: three).faults.count == 1)
    // One that has not come as far has other accounts, and rightly so.
    let behind = [status("a"), status("b", 5)]
    #expect(audit(behind, before: behind).faults.isEmpty && !audit(behind, before: behind).isComplete)
    let holding = [status("a"), status("b", waiting: 1)]
    #expect(audit(holding, before: holding).faults.isEmpty && !audit(holding).isComplete)
  }
}
