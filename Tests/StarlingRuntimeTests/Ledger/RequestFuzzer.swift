import StarlingCore
import StarlingLedger

@testable import StarlingRuntime

/// Makes requests out of a description: valid ones, and ones with something broken.
struct RequestFuzzer {
  struct Request {
    var method: String
    var path: String
    var headers: [String: String] = [:]
    var body: [UInt8]?
    /// Whether nothing in it was broken.
    var isValid = true
  }

  private let server: LedgerTestServer
  private let schema: SchemaChecker
  private var known: [SignedTransfer] = []

  init(server: LedgerTestServer, schema: SchemaChecker) {
    self.server = server
    self.schema = schema
  }

  mutating func request(_ operation: DescribedOperation, _ random: inout Xoshiro256) -> Request {
    var request = Request(method: operation.method, path: operation.path)
    // About half of the requests have nothing broken.
    let badness = random.uniform(below: 2) == 0 ? 0 : 3
    func isBroken(_ random: inout Xoshiro256) -> Bool { random.uniform(below: 10) < badness }
    var query: [String] = []
    for parameter in operation.parameters {
      let name = parameter["name"].text ?? ""
      let isBad = isBroken(&random)
      if parameter["in"] == .string("path") {
        let value = isBad ? junk(&random) : pathValue(name, &random)
        request.path = request.path.replacing("{\(name)}", with: value)
      } else if isBad || random.uniform(below: 2) == 0 {
        query.append("\(name)=\(isBad ? junk(&random) : number(parameter["schema"], &random))")
      }
      if isBad { request.isValid = false }
    }
    if isBroken(&random) {
      query.append(
        ["x=1", "limit=1", "", "&", "=", "%ff", "wait=0&wait=0", "before"][random.uniform(below: 8)])
      request.isValid = false
    }
    if !query.isEmpty { request.path += "?" + query.joined(separator: "&") }
    if operation.value["requestBody"] != .null { request.body = body(isBroken(&random), &request, &random) }
    if isBroken(&random) {
      request.headers = badHeaders[random.uniform(below: badHeaders.count)]
      request.isValid = false
    }
    if isBroken(&random) {
      request.method =
        ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get", "BREW"][
          random.uniform(below: 9)]
    }
    return request
  }

  private let badHeaders: [[String: String]] = [
    ["Origin": "http://a.example"], ["Host": "a.example"], ["Host": ""], ["Sec-Fetch-Site": "cross-site"],
    ["Content-Length": "5", "content-length": "6"], ["Accept": "\u{FF}\u{FE}"],
  ]

  private func pathValue(_ name: String, _ random: inout Xoshiro256) -> String {
    if name == "transfer", !known.isEmpty, random.uniform(below: 2) == 0 {
      return known[random.uniform(below: known.count)].transfer.number.description
    }
    let owners = server.ledger.owners
    let key =
      random.uniform(below: 2) == 0
      ? owners[random.uniform(below: owners.count)].publicKey.description
      : hexadecimal((0..<32).map { _ in UInt8(random.uniform(below: 256)) })
    return name == "account" ? key : "\(key)-\(random.uniform(below: 1 << 20))"
  }

  private func number(_ schema: JSONTree, _ random: inout Xoshiro256) -> String {
    let (least, most) = (schema["minimum"].whole ?? 0, schema["maximum"].whole ?? .max)
    // A long wait would only make the test long.
    if most == 60 { return "0" }
    return "\([least, most, least + random.next() % min(most, 100)][random.uniform(below: 3)])"
  }

  private func junk(_ random: inout Xoshiro256) -> String {
    switch random.uniform(below: 8) {
    case 0: return ""
    case 1:
      return ["-1", "1.5", "+1", "0x10", "1e9", "NaN", "%20", "%EF%BC%91", "18446744073709551616"][
        random.uniform(below: 9)]
    case 2: return String(repeating: "a", count: random.uniform(below: 3_000))
    case 3: return hexadecimal((0..<32).map { _ in UInt8(random.uniform(below: 256)) }).uppercased() + "A"
    case 4: return String(repeating: "0", count: 63)
    default:
      // Nothing that would lead to another path: no slash, no question mark, no dot alone.
      return "j"
        + (0..<random.uniform(below: 40)).map { _ in
          let byte = UInt8(random.uniform(below: 256))
          return byte == UInt8(ascii: "/") || byte == 0 ? "j" : "%" + hexadecimal([byte])
        }.joined()
    }
  }

  private mutating func body(
    _ isBroken: Bool, _ request: inout Request, _ random: inout Xoshiro256
  ) -> [UInt8] {
    let ledger = server.ledger
    let owner = random.uniform(below: ledger.owners.count)
    let to = ledger.owners[random.uniform(below: ledger.owners.count)].publicKey
    var transfer = ledger.payment(
      from: owner, to: to, UInt64(1 + random.uniform(below: 50)),
      after: UInt64(random.uniform(below: 4) == 0 ? 1 : 0))
    if random.uniform(below: 4) == 0, let old = known.last { transfer = old }
    known.append(transfer)
    var encoded = transfer.encoded
    let one = "\"\(hexadecimal(encoded))\""
    let whole =
      random.uniform(below: 2) == 0
      ? "{\"transfer\":\(one)}"
      : "{\"transfers\":[\([String](repeating: one, count: 1 + random.uniform(below: 5)).joined(separator: ","))]}"
    guard isBroken else { return Array(whole.utf8) }
    request.isValid = false
    var bytes = Array(whole.utf8)
    switch random.uniform(below: 6) {
    case 0:
      // A bit of the transfer.
      encoded[random.uniform(below: encoded.count)] ^= UInt8(1 << random.uniform(below: 8))
      return Array("{\"transfer\":\"\(hexadecimal(encoded))\"}".utf8)
    case 1:
      encoded = Array(encoded.prefix(random.uniform(below: encoded.count)))
      return Array("{\"transfer\":\"\(hexadecimal(encoded))\"}".utf8)
    case 2: return Array(bytes.prefix(random.uniform(below: bytes.count)))
    case 3:
      bytes[random.uniform(below: bytes.count)] = UInt8(random.uniform(below: 256))
      return bytes
    case 4: return (0..<random.uniform(below: 500)).map { _ in UInt8(random.uniform(below: 256)) }
    default:
      let values = [
        "null", "1", "[]", "{}", "\"\"", "true", "[[\(one)]]", "[null]", "-0.1e999", "\"\\ud800\"",
      ]
      let names = ["transfer", "transfers", "x", "", "transfer\\u0000"]
      return Array(
        "{\"\(names[random.uniform(below: 5)])\":\(values[random.uniform(below: values.count)])}".utf8)
    }
  }
}
