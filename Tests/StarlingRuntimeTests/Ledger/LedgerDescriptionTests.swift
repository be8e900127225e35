import FoundationEssentials
import StarlingCore
import StarlingLedger
import Testing

@testable import StarlingRuntime

/// An operation of the description.
struct DescribedOperation {
  let path: String
  let method: String
  let value: JSONTree
  /// Those of the path and its own, resolved.
  let parameters: [JSONTree]

  /// Every operation of a document, in the order of their paths.
  static func all(in schema: SchemaChecker) -> [DescribedOperation] {
    schema.document["paths"].members.sorted { $0.key < $1.key }.flatMap { path, item in
      item.members.filter { $0.key != "parameters" }.sorted { $0.key < $1.key }.map { method, value in
        DescribedOperation(
          path: path, method: method.uppercased(), value: value,
          parameters: (item["parameters"].elements + value["parameters"].elements).map(schema.resolved))
      }
    }
  }

  /// What an answer has that the operation does not describe.
  func faults(of answer: RawAnswer, by schema: SchemaChecker) -> [String] {
    let response = schema.resolved(value["responses"]["\(answer.status)"])
    guard response != .null else { return ["status \(answer.status) is not described"] }
    guard let content = response["content"].members[answer.type] else {
      return ["type \(answer.type) is not described for \(answer.status)"]
    }
    guard answer.type == "application/json" else { return [] }
    guard let json = try? JSONTree(parsing: answer.body) else {
      return ["no JSON: \(answer.text.prefix(200))"]
    }
    return schema.faults(of: json, against: content["schema"])
  }
}

@Suite("The description of the ledger's interface")
struct LedgerDescriptionTests {
  private let server: LedgerTestServer
  private let schema: SchemaChecker
  private let operations: [DescribedOperation]

  init() throws {
    server = try LedgerTestServer()
    schema = SchemaChecker(
      document: try JSONTree(parsing: try server.get("/api/v1/openapi.json").body))
    operations = DescribedOperation.all(in: schema)
  }

  @Test("docs/openapi.json is what nodes serve")
  func file() throws {
    var root = URL(filePath: #filePath)
    for _ in 0..<4 { root = root.deletingLastPathComponent() }
    let file = try Data(contentsOf: root.appending(path: "docs/openapi.json"))
    #expect(
      Array(file) == LedgerDescription.bytes,
      "docs/openapi.json and Sources/StarlingRuntime/Ledger/LedgerDescription.swift must say the same")
    #expect(schema.document["openapi"] == .string("3.1.0"))
  }

  @Test("The checker finds what is wrong with a value")
  func checker() throws {
    let names = ["Account", "Entry", "History", "Receipt", "Error", "Amount", "Transfer"]
    let parts = schema.document["components"]["schemas"]
    func faults(_ name: String, _ json: String) throws -> Bool {
      #expect(names.contains(name) && parts[name] != .null)
      return try !schema.faults(of: JSONTree(parsing: Array(json.utf8)), against: parts[name]).isEmpty
    }
    let key = String(repeating: "a", count: 64)
    let account =
      "\"account\":\"\(key)\",\"next\":1,\"expected_balance\":\"1\",\"expected_next\":1,\"pending\":0"
    #expect(try !faults("Account", "{\(account),\"balance\":\"0\"}"))
    for balance in ["0", "\"\"", "\"01\"", "\"-1\"", "\"1.0\"", "null", "\"1\",\"more\":1"] {
      #expect(try faults("Account", "{\(account),\"balance\":\(balance)}"), "\(balance)")
    }
    #expect(try faults("Account", "{\(account)}"))
    #expect(try faults("Account", "[]"))
    #expect(try faults("Error", "{\"error\":\"\"}"))
    #expect(try !faults("Error", "{\"error\":\"x\"}"))
    #expect(try faults("History", "{\"account\":\"\(key)\",\"entries\":[1],\"next\":null}"))
    #expect(try !faults("History", "{\"account\":\"\(key)\",\"entries\":[],\"next\":null}"))
    #expect(try faults("History", "{\"account\":\"\(key)\",\"entries\":[],\"next\":\"1\"}"))
    #expect(try faults("Receipt", "{\"id\":\"\(key)-1\",\"state\":\"done\"}"))
    #expect(try !faults("Receipt", "{\"id\":\"\(key)-1\",\"state\":\"final\"}"))
    #expect(!schema.faults(of: .null, against: .object(["unheard": .null])).isEmpty)
  }

  @Test("Every operation that is described is served as described, and no other method is")
  func operationsAreServed() throws {
    let ledger = server.ledger
    let transfer = ledger.payment(to: ledger.owners[1].publicKey, 10, memo: "\"<b>\u{1F426}")
    let body = "{\"transfer\":\"\(hexadecimal(transfer.encoded))\"}"
    // In this order: what is asked about is there.
    let ordered = operations.sorted { $0.method > $1.method }
    #expect(ordered.count == 12)
    for operation in ordered {
      let path = operation.path.replacing("{account}", with: "\(ledger.owners[0].publicKey)")
        .replacing("{transfer}", with: transfer.transfer.number.description)
      let answer = try LedgerTestServer.ask(
        server.local, operation.method, path, body: operation.method == "POST" ? Array(body.utf8) : nil)
      #expect(answer.status == 200, "\(operation.method) \(path): \(answer.text)")
      #expect(operation.faults(of: answer, by: schema) == [], "\(operation.method) \(path): \(answer.text)")
      for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"] where method != operation.method {
        let refused = try LedgerTestServer.ask(
          server.local, method, path, body: method == "POST" ? [] : nil)
        #expect(refused.status == 405 && refused.headers["allow"] == operation.method, "\(method) \(path)")
      }
    }
    for reference in try references() {
      #expect(schema.resolved(.object(["$ref": .string(reference)])) != .null)
    }
  }

  private func references() throws -> Set<String> {
    func all(_ value: JSONTree) -> [String] {
      (value["$ref"].text.map { [$0] } ?? []) + value.members.values.flatMap(all)
        + value.elements.flatMap(all)
    }
    let references = Set(all(schema.document))
    #expect(references.count > 15)
    return references
  }

  @Test("Whatever is asked, the answer is one that is described, and the node answers afterwards")
  func fuzz() throws {
    var random = testRandom("ledger requests")
    var requests = RequestFuzzer(server: server, schema: schema)
    var statuses: [Int: Int] = [:]
    let submission = try #require(operations.first { $0.method == "POST" })
    for number in 0..<1_500 {
      let operation = random.oneIn(4) ? submission : operations[random.uniform(below: operations.count)]
      let request = requests.request(operation, &random)
      if number % 100 == 50 { server.ledger.hold(number % 200 == 50) }
      let answer = try LedgerTestServer.ask(
        server.local, request.method, request.path, headers: request.headers, body: request.body)
      statuses[answer.status, default: 0] += 1
      let what = "request \(number): \(request.method) \(request.path.prefix(300)) \(request.headers)"
      guard request.method == operation.method else {
        // Other refusals come first where there is more to refuse.
        #expect([400, 403, 405].contains(answer.status), "\(what): \(answer.status)")
        continue
      }
      let faults = operation.faults(of: answer, by: schema)
      #expect(faults == [], "\(what): \(answer.status) \(answer.text.prefix(300))")
      if request.isValid { #expect(answer.status != 400, "\(what): \(answer.text.prefix(300))") }
    }
    print("statuses: \(statuses.sorted { $0.key < $1.key })")
    #expect([200, 202, 400, 403, 405, 409].allSatisfy { statuses[$0, default: 0] > 10 })
    server.ledger.hold(false)
    let status = try ControlCoding.decode(
      LedgerStatus.self, from: try server.get("/api/v1/ledger").body)
    #expect(status.total == status.supply && status.supply.value == 3_000_000)
  }
}
