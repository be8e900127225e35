import Dispatch
import Glibc
import StarlingCore
import StarlingLedger
import Synchronization
import Testing

@testable import StarlingRuntime

@Suite("The ledger's part of the control interface")
struct LedgerServerTests {
  private let server: LedgerTestServer
  private let stranger: PublicKey

  init() throws {
    server = try LedgerTestServer()
    stranger = try Identity(seed: [UInt8](repeating: 99, count: 32)).publicKey
  }

  private func submission(_ transfers: SignedTransfer...) -> String {
    transfers.count == 1
      ? "{\"transfer\":\"\(hexadecimal(transfers[0].encoded))\"}"
      : "{\"transfers\":[\(transfers.map { "\"\(hexadecimal($0.encoded))\"" }.joined(separator: ","))]}"
  }

  private func id(_ transfer: SignedTransfer) -> String { transfer.transfer.number.description }

  private func isRefusal(_ answer: RawAnswer, _ status: Int, _ words: String = "") -> Bool {
    let sentence = answer.json["error"].text ?? ""
    return answer.status == status && sentence.hasSuffix(".") && sentence.contains(words)
      && answer.json.members.count == 1
  }

  @Test("Receipts are written as an encoder writes them")
  func receipts() throws {
    let id = "\(String(repeating: "0f", count: 32))-7"
    let receipts = LedgerReceipts(results: [
      LedgerReceiptItem(id: id, state: .final), LedgerReceiptItem(id: id, state: .pending),
      LedgerReceiptItem(id: id, state: .refused, error: "The \"memo\" is no text:\nwrite it\\ again."),
    ])
    #expect(receipts.json == (try ControlCoding.encode(receipts)))
    #expect(LedgerReceipts(results: []).json == (try ControlCoding.encode(LedgerReceipts(results: []))))
  }

  @Test("A payment is final, and account, history, transfer, certificate and supply say so")
  func payment() throws {
    let ledger = server.ledger
    let transfer = ledger.payment(to: stranger, 250, memo: "für dich\u{202E}")
    let receipt = try server.post("/api/v1/transfers", submission(transfer))
    #expect(receipt.status == 200 && receipt.json["state"] == .string("final"))
    #expect(receipt.json["id"] == .string(id(transfer)))
    // The same again does nothing.
    #expect(try server.post("/api/v1/transfers", submission(transfer)).status == 200)
    let account = try ControlCoding.decode(
      LedgerAccount.self, from: server.get("/api/v1/accounts/\(ledger.owners[0].publicKey)").body)
    #expect(account.balance.value == 999_750 && account.next == 1 && account.pending == 0)
    let history = try ControlCoding.decode(
      LedgerHistory.self, from: server.get("/api/v1/accounts/\(stranger)/history").body)
    #expect(history.entries.map(\.memo) == ["für dich\u{202E}"] && history.next == nil)
    let status = try ControlCoding.decode(
      LedgerStatus.self, from: server.get("/api/v1/ledger").body)
    #expect(status.supply.value == 3_000_000 && status.total == status.supply && status.accounts == 4)
    #expect(status.transfers == 1)
    let known = try ControlCoding.decode(
      LedgerTransfer.self, from: server.get("/api/v1/transfers/\(id(transfer))").body)
    #expect(known == LedgerTransfer(id: id(transfer), state: .final, signed: transfer))
    let certificate = try server.get("/api/v1/transfers/\(id(transfer))/certificate")
    #expect(certificate.type == "text/plain")
    try Certificate(parsing: certificate.text).verify(by: ledger.genesis)
    let genesis = try server.get("/api/v1/ledger/genesis")
    #expect(genesis.text == ledger.genesis.text && genesis.type == "text/plain")
    let unknown = try server.get("/api/v1/accounts/\(ledger.genesis.members[0])").json
    #expect(unknown["known"] == .bool(false) && unknown["balance"] == .string("0"))
  }

  @Test("An amount above 2⁵³ keeps every digit")
  func largeAmounts() throws {
    let digits = "18446744073709551615"
    let entry = LedgerDestination(account: "a", amount: try #require(LedgerAmount(digits)))
    let json = String(decoding: try ControlCoding.encode(entry), as: UTF8.self)
    #expect(json.contains("\"amount\":\"\(digits)\""))
  }

  @Test("Each reason for which a transfer is not taken has its status")
  func refusals() throws {
    let ledger = server.ledger
    func refused(_ transfer: SignedTransfer, _ status: Int) throws {
      let answer = try server.post("/api/v1/transfers", submission(transfer))
      #expect(isRefusal(answer, status), "\(answer.status) \(answer.text)")
    }
    ledger.hold(true)
    let first = ledger.payment(to: stranger, 10)
    // Signed by another.
    let forged = SignedTransfer(first.transfer, in: ledger.genesis.hash, by: ledger.owners[1])
    try refused(forged, 403)
    try refused(ledger.payment(to: stranger, 0), 400)
    try refused(ledger.payment(to: stranger, 2_000_000), 400)
    try refused(ledger.payment(to: stranger, 1, after: 3), 409)
    #expect(try server.post("/api/v1/transfers", submission(first)).status == 202)
    // Another of the number that is under way.
    let other = SignedTransfer(
      Transfer(
        account: first.transfer.account, sequence: 0, funds: 1_000_000,
        destinations: [Transfer.Destination(account: stranger, amount: 11)]),
      in: ledger.genesis.hash, by: ledger.owners[0])
    try refused(other, 409)
    for _ in 1..<LedgerKeeper.accountWindow {
      #expect(
        try server.post("/api/v1/transfers", submission(ledger.payment(to: stranger, 10))).status == 202)
    }
    try refused(ledger.payment(to: stranger, 10), 429)
    ledger.hold(false)
    try refused(other, 409)
    let poor = SignedTransfer(
      Transfer(
        account: ledger.owners[1].publicKey, sequence: 0, funds: 1_000_001,
        destinations: [Transfer.Destination(account: stranger, amount: 1)]),
      in: ledger.genesis.hash, by: ledger.owners[1])
    try refused(poor, 409)
    #expect(SubmissionRefusal.overloaded.status == 503)
  }

  @Test("A body that is not exactly one of the two forms is refused, and nothing of it is taken")
  func bodies() throws {
    let good = hexadecimal(server.ledger.payment(to: stranger, 1).encoded)
    let deep = String(repeating: "[", count: 100_000)
    let many = [String](repeating: "\"\(good)\"", count: LedgerServer.submissionLimit + 1).joined(
      separator: ",")
    let bodies = [
      "", "{", "null", "[]", "{}", "\"\(good)\"", "{\"transfer\":1}", "{\"transfer\":null}",
      "{\"transfers\":{}}",
      "{\"transfers\":[]}", "{\"transfers\":[1]}", "{\"transfer\":\"\(good)\",\"x\":1}",
      "{\"transfer\":\"\(good)\"}}",
      "{\"transfer\":\"\(good)\",\"transfers\":[]}", "{\"Transfer\":\"\(good)\"}",
      "{\"transfer\":\"\(good)0\"}",
      "{\"transfer\":\"\(good.dropLast())\"}", "{\"transfer\":\"\(good)00\"}",
      "{\"transfer\":\"\(good.uppercased())\"}",
      "{\"transfer\":\"zz\"}", "{\"transfers\":[\"\(good)\",\"00\"]}", "{\"transfers\":[\(many)]}", deep,
      "{\"transfer\":\(deep)",
    ]
    // Which field a reader sees first is chance.
    let extra = (0..<16).map { "{\"transfer\":\"\(good)\",\"extra\($0)\":1}" }
    for body in bodies + extra {
      let answer = try server.post("/api/v1/transfers", body)
      #expect(isRefusal(answer, 400), "\(body.prefix(80)): \(answer.status) \(answer.text)")
    }
    let binary = try LedgerTestServer.ask(
      server.local, "POST", "/api/v1/transfers", body: Array("{\"transfer\":\"".utf8) + [0xFF, 0x22, 0x7D])
    #expect(isRefusal(binary, 400))
    #expect(try server.get("/api/v1/ledger").json["transfers"] == .whole(0))
  }

  @Test("A gigabyte is refused before it comes, and so is a body of unknown length")
  func largeBodies() throws {
    let head = "POST /api/v1/transfers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    for (length, status) in [
      ("Content-Length: 1073741824", 413), ("Content-Length: \(LedgerServer.bodyLimit + 1)", 413),
      ("Transfer-Encoding: chunked", 411),
    ] {
      var http = try HTTPClient(connectingTo: server.local, timeout: .seconds(4))
      _ = try http.send(Array("\(head)\(length)\r\n\r\n".utf8)[...])
      #expect(try http.readStatus() == status)
      #expect(String(decoding: try http.readBody(), as: UTF8.self).hasPrefix("{\"error\":\""))
    }
    #expect(try server.get("/api/v1/ledger").status == 200)
  }

  @Test("Many transfers at once are answered one by one, in their order")
  func manyAtOnce() throws {
    let ledger = server.ledger
    let first = ledger.payment(to: stranger, 5)
    let second = ledger.payment(to: stranger, 5, after: 1)
    let gap = ledger.payment(to: stranger, 5, after: 9)
    let other = ledger.payment(from: 1, to: stranger, 5)
    let answer = try server.post("/api/v1/transfers", submission(first, second, gap, other))
    let results = try ControlCoding.decode(LedgerReceipts.self, from: answer.body).results
    #expect(answer.status == 200 && results.map(\.id) == [first, second, gap, other].map(id))
    #expect(results.map(\.state) == [.final, .final, .refused, .final])
    #expect(results[2].error == SubmissionRefusal.gap(next: 2).sentence && results[0].error == nil)
    // A list of one is a list.
    let one = try server.post(
      "/api/v1/transfers", "{\"transfers\":[\"\(hexadecimal(ledger.payment(to: stranger, 1).encoded))\"]}")
    #expect(one.json["results"].elements.count == 1)
  }

  @Test("An answer waits until the transfer is final or given up, or its time is over")
  func waiting() throws {
    let ledger = server.ledger
    ledger.hold(true)
    let server = server
    func wait(_ transfer: SignedTransfer, then work: @escaping @Sendable () -> Void) throws -> RawAnswer {
      DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(100), execute: work)
      return try server.post("/api/v1/transfers?wait=20", submission(transfer))
    }
    let final = try wait(ledger.payment(to: stranger, 1)) { ledger.hold(false) }
    #expect(final.status == 200 && final.json["state"] == .string("final"))
    ledger.hold(true)
    let lost = try wait(ledger.payment(to: stranger, 1)) { ledger.abandon() }
    #expect(lost.status == 409 && lost.json["error"] == .string(LedgerServiceDouble.refusal))
    let late = ledger.payment(to: stranger, 1)
    #expect(try server.post("/api/v1/transfers?wait=1", submission(late)).status == 202)
    #expect(isRefusal(try server.get("/api/v1/transfers/\(id(late))/certificate"), 409))
    #expect(isRefusal(try server.get("/api/v1/transfers/\(id(late))/confirmation"), 409))
    let state = try server.get("/api/v1/transfers/\(id(late))").json["state"]
    #expect(state == .string("pending"))
  }

  @Test(
    "However many wait for theirs to be final, others are answered, and whoever is one too many is answered at once"
  )
  func crowdOfWaiting() throws {
    let ledger = server.ledger
    ledger.hold(true)
    let body = submission(ledger.payment(to: stranger, 1))
    let head =
      "POST /api/v1/transfers?wait=60 HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
    var crowd: [Crowd] = []
    for _ in 0..<100 { crowd.append(try Crowd(at: server.local, saying: head + body)) }
    // Whatever else was held: a place among the uploads is free again when a body has come.
    for _ in 0..<(2 * HTTPUploads.limit) {
      #expect(try server.post("/api/v1/transfers?wait=60", body).status == 202)
    }
    #expect(try server.get("/api/v1/ledger").status == 200)
    ledger.hold(false)
    crowd.removeAll()
  }

  @Test("History comes in pages, each of which says where the next one begins")
  func pages() throws {
    let ledger = server.ledger
    let key = ledger.owners[0].publicKey
    for amount in 1...25 {
      _ = try server.post("/api/v1/transfers", submission(ledger.payment(to: stranger, UInt64(amount))))
    }
    var seen: [UInt64] = []
    var query = "?limit=10"
    while true {
      let page = try ControlCoding.decode(
        LedgerHistory.self, from: try server.get("/api/v1/accounts/\(key)/history\(query)").body)
      seen += page.entries.map(\.position)
      guard let next = page.next else { break }
      query = "?before=\(next)&limit=10"
    }
    #expect(seen == (0..<25).reversed())
  }

  @Test("Paths, arguments and methods that are not described are refused with one sentence")
  func malformed() throws {
    let key = "\(server.ledger.owners[0].publicKey)"
    let history = "/api/v1/accounts/\(key)/history"
    for path in [
      "/api/v1/accounts/\(key.uppercased())", "/api/v1/accounts/\(key)0",
      "/api/v1/accounts/\(key.dropLast())",
      "/api/v1/accounts/", "/api/v1/accounts/%00", "/api/v1/accounts/\(key.dropLast())%C3%BC",
      "/api/v1/accounts//history",
      "/api/v1/transfers/\(key)", "/api/v1/transfers/\(key)-", "/api/v1/transfers/\(key)-01",
      "/api/v1/transfers/\(key)-+1", "/api/v1/transfers/\(key)-18446744073709551616",
      "/api/v1/transfers/\(key)_1",
      history + "?limit=0", history + "?limit=1001", history + "?limit=", history + "?limit",
      history + "?limit=1e3",
      history + "?limit=5&limit=5", history + "?before=-1", history + "?before=18446744073709551616",
      history + "?before=1%00", history + "?before=%ff", history + "?after=1", history + "?%ff=1", "/?x=1",
      "/api/v1/ledger?x", "/api/v1/accounts/\(key)?limit=5",
    ] {
      #expect(isRefusal(try server.get(path), 400), "\(path)")
    }
    for wait in ["61", "-1", "1.5", "", "+1", "99999999999999999999"] {
      #expect(isRefusal(try server.post("/api/v1/transfers?wait=\(wait)", "{}"), 400, "wait"), "\(wait)")
    }
    for path in [
      "/api/v1/accounts", "/api/v1/accounts/\(key)/x", "/api/v1/ledger/", "/x", "//", "/api/v1/demo",
    ] {
      #expect(isRefusal(try server.get(path), 404), "\(path)")
    }
    let get = try server.get("/api/v1/transfers")
    #expect(isRefusal(get, 405) && get.headers["allow"] == "POST")
    #expect(isRefusal(try server.post("/api/v1/ledger", "{}"), 405))
    #expect(try server.get("/api/v1/accounts/\(key)/history?before=18446744073709551615").status == 200)
  }

  @Test("A node without a ledger says how to start one with it")
  func noLedger() throws {
    let server = try LedgerTestServer.withoutLedger()
    defer { server.stop() }
    for (method, path) in [("GET", "/"), ("GET", "/api/v1/ledger"), ("POST", "/api/v1/transfers")] {
      let answer = try LedgerTestServer.ask(server.local, method, path, body: method == "POST" ? [1] : nil)
      #expect(isRefusal(answer, 404, "--genesis FILE"))
    }
    #expect(try LedgerTestServer.ask(server.local, "GET", "/api/v1/status").status == 200)
  }

  @Test("Keys are given away by a node for demonstration, and by no other")
  func demoWallet() throws {
    let wallet = try ControlCoding.decode(
      LedgerDemoWallet.self, from: try server.get("/api/v1/demo/wallet").body)
    #expect(wallet.keys.map(\.account) == server.ledger.owners.map(\.publicKey.description))
    let real = try LedgerTestServer(isDemo: false)
    #expect(isRefusal(try real.get("/api/v1/demo/wallet"), 404, "demonstration"))
  }

  @Test(
    "The page's own requests pass; those of any other page, and of names that a stranger made point here, do not"
  )
  func otherPages() throws {
    let host = "\(server.local)"
    let port = server.local.port
    let body = submission(server.ledger.payment(to: stranger, 1))
    func status(_ headers: [String: String]) throws -> [Int] {
      [
        try server.get("/api/v1/ledger", headers).status,
        try server.get("/api/v1/accounts/\(stranger)/events", headers).status,
        try server.post("/api/v1/transfers", body, headers).status,
        try server.get("/api/v1/demo/wallet", headers).status,
      ]
    }
    for headers in [
      ["Origin": "http://\(host)", "Sec-Fetch-Site": "same-origin"], ["Sec-Fetch-Site": "same-origin"],
      ["Sec-Fetch-Site": "none"],
      ["Host": "localhost:\(port)", "Origin": "http://localhost:\(port)", "Sec-Fetch-Site": "same-origin"],
    ] { #expect(try status(headers) == [200, 200, 200, 200], "\(headers)") }
    for headers in [
      ["Origin": "https://a.example"], ["Origin": "null"], ["Origin": "https://\(host)"],
      ["Origin": "http://\(host)0"],
      ["Origin": "http://127.0.0.1"], ["Origin": "http://localhost:\(port)"], ["Origin": "http://\(host)/"],
      ["Sec-Fetch-Site": "cross-site"], ["Sec-Fetch-Site": "same-site"], ["Sec-Fetch-Site": "Same-Origin"],
      ["Origin": "http://\(host)", "Sec-Fetch-Site": "cross-site"],
      ["Origin": "http://\(host)", "origin": "https://a.example"],
      ["Sec-Fetch-Site": "none", "sec-fetch-site": "cross-site"],
      ["Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"],
      ["Host": "rebound.example:\(port)"], ["Host": "rebound.example", "Origin": "http://rebound.example"],
      ["Host": "127.0.0.1.example", "Sec-Fetch-Site": "same-origin"],
    ] { #expect(try status(headers) == [403, 403, 403, 403], "\(headers)") }
    // What else the control interface does is for no page, not even for this one.
    for headers in [["Origin": "http://\(host)"], ["Sec-Fetch-Site": "same-origin"]] {
      #expect(try server.get("/api/v1/status", headers).status == 403)
      #expect(try server.post("/api/v1/files?name=x", "x", headers).status == 403)
      #expect(try server.post("/api/v1/posts", "x", headers).status == 403)
    }
    // A link from elsewhere shows the page, and nothing embeds it.
    let link = ["Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"]
    let page = try server.get("/", link)
    #expect(page.status == 200 && page.type == "text/html")
    #expect(try server.get("/", link.merging(["Sec-Fetch-Dest": "iframe"]) { $1 }).status == 403)
    #expect(try server.get("/", ["Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"]).status == 403)
    let policy = page.headers["content-security-policy"] ?? ""
    #expect(policy.hasPrefix("default-src 'none';") && policy.contains("frame-ancestors 'none'"))
    #expect(!policy.contains("unsafe") && !policy.contains("*") && page.headers["x-frame-options"] == "DENY")
    #expect(page.headers["x-content-type-options"] == "nosniff")
  }

  @Test("Whoever holds all that can be held, all of it at once, keeps nobody from paying")
  func heldConnections() throws {
    let ledger = server.ledger
    let host = " HTTP/1.1\r\nHost: localhost\r\n"
    ledger.hold(true)
    let body = submission(ledger.payment(from: 1, to: stranger, 1))
    let heads = [
      "POST /api/v1/transfers?wait=60\(host)Content-Length: \(body.utf8.count)\r\n\r\n\(body)",
      "POST /api/v1/transfers\(host)Content-Length: 400\r\n\r\n{", "GET /api/v1/events\(host)\r\n",
      "GET /api/v1/posts\(host)\r\n", "GET /api/v1/accounts/\(stranger)/events\(host)\r\n",
      "GET /api/v1/ledger\(host)\r\n", "GET /api/v1/led", "",
    ]
    var crowd: [Crowd] = []
    for head in heads { for _ in 0..<48 { crowd.append(try Crowd(at: server.local, saying: head)) } }
    // Half a body holds a place among the uploads for two seconds; then the slowest gives way.
    var answer = RawAnswer(status: 503)
    for _ in 0..<100 where answer.status == 503 {
      answer = try server.post("/api/v1/transfers", submission(ledger.payment(to: stranger, 1)))
      if answer.status == 503 { usleep(100_000) }
    }
    #expect(answer.status == 202, "\(answer.text)")
    #expect(try server.get("/api/v1/ledger").status == 200)
    crowd.removeAll()
    ledger.hold(false)
  }

  /// A connection on which something was said and no more comes.
  private final class Crowd {
    private let client: HTTPClient

    init(at address: SocketAddress, saying text: String) throws {
      client = try HTTPClient(connectingTo: address, timeout: .seconds(10))
      _ = try client.send(Array(text.utf8)[...])
    }
  }
}
