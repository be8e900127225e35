import Dispatch
import StarlingCore
import StarlingLedger
import Synchronization
import Testing

@testable import StarlingRuntime

@Suite("Events of an account")
struct LedgerEventTests {
  private func key(_ number: UInt8) throws -> PublicKey {
    try #require(PublicKey([UInt8](repeating: number, count: 32)))
  }

  private func text(of stream: EventStream) -> String {
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    let count = buffer.withUnsafeMutableBytes { stream.read(into: $0) }
    return String(decoding: buffer[..<max(0, count)], as: UTF8.self)
  }

  @Test("Who follows an account hears of it and of no other, and what nobody follows is not even made")
  func byAccount() throws {
    let hub = LedgerEventHub()
    let (mine, other) = (EventStream(topic: nil), EventStream(topic: nil))
    #expect(hub.add(mine, for: try key(1)))
    #expect(hub.add(other, for: try key(2)))
    hub.publish(try key(1)) { Array("one".utf8) }
    hub.publish(try key(3)) {
      Issue.record("an event was made that nobody follows")
      return []
    }
    other.push([UInt8(ascii: "-")])
    #expect(text(of: mine) == "one" && text(of: other) == "-")
  }

  @Test("Streams are limited, those that are gone make room, and a client that does not read is cut off")
  func limits() throws {
    let hub = LedgerEventHub()
    let streams = (0..<LedgerEventHub.limit).map { _ in EventStream(topic: nil) }
    for (i, stream) in streams.enumerated() { #expect(hub.add(stream, for: try key(UInt8(i % 3)))) }
    #expect(!hub.add(EventStream(topic: nil), for: try key(9)))
    streams[3].close()
    #expect(hub.add(EventStream(topic: nil), for: try key(9)))
    for _ in 0..<300 { hub.publish(try key(0)) { [UInt8](repeating: 1, count: 1_000) } }
    let count = text(of: streams[0]).utf8.count
    #expect(count <= EventStream.limit && count > EventStream.limit - 1_000)
    for stream in streams { stream.close() }
    hub.finish()
    #expect(!hub.add(EventStream(topic: nil), for: try key(1)))
  }

  @Test("What is applied and what is given up comes as the described objects, while it happens")
  func stream() throws {
    let server = try LedgerTestServer()
    let ledger = server.ledger
    let schema = SchemaChecker(document: try JSONTree(parsing: LedgerDescription.bytes))
    let key = ledger.owners[0].publicKey
    var http = try HTTPClient(connectingTo: server.local, timeout: .seconds(20))
    try http.sendHead("GET", "/api/v1/accounts/\(key)/events")
    #expect(try http.readStatus() == 200)
    #expect(try http.readLine() == ": listening")
    func submit(_ transfer: SignedTransfer) throws {
      let body = "{\"transfer\":\"\(hexadecimal(transfer.encoded))\"}"
      #expect(try server.post("/api/v1/transfers", body).status < 300)
    }
    let memo = "a\nb\u{2028}event: forged\r\n\r\ndata: {}"
    try submit(ledger.payment(to: ledger.owners[1].publicKey, 7, memo: memo))
    try submit(ledger.payment(from: 2, to: ledger.owners[1].publicKey, 8, memo: "of others"))
    ledger.hold(true)
    try submit(ledger.payment(to: ledger.owners[1].publicKey, 9))
    ledger.abandon()
    var lines: [String] = []
    while lines.count < 4, let line = try http.readLine() { if !line.isEmpty { lines.append(line) } }
    #expect(lines.count == 4 && lines[0] == "event: applied" && lines[2] == "event: refused")
    let components = schema.document["components"]["schemas"]
    for (line, name) in [(lines[1], "Entry"), (lines[3], "Refusal")] {
      #expect(line.hasPrefix("data: "))
      let data = try JSONTree(parsing: Array(line.utf8.dropFirst(6)))
      #expect(schema.faults(of: data, against: components[name]).isEmpty)
      if name == "Entry" { #expect(data["memo"] == .string(memo) && data["balance"] == .string("999993")) }
    }
  }
}
