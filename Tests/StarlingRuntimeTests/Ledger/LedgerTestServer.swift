import StarlingCore
import Testing

@testable import StarlingRuntime

/// What a server said.
struct RawAnswer {
  var status = 0
  /// By their names in lower case.
  var headers: [String: String] = [:]
  var body: [UInt8] = []

  var text: String { String(decoding: body, as: UTF8.self) }
  var type: String { headers["content-type"].map { String($0.prefix { $0 != ";" }) } ?? "" }
  var json: JSONTree { (try? JSONTree(parsing: body)) ?? .null }
}

/// Answers nothing but the ledger's questions.
private struct NoService: ControlService {
  func status(_ reply: HTTPReply) { reply.send(ControlStatus()) }
  func peers(_ reply: HTTPReply) { reply.send(ControlPeers(peers: [])) }
  func members(_ reply: HTTPReply) { reply.send(ControlMembers(members: [])) }
  func files(_ reply: HTTPReply) { reply.send(ControlFiles(files: [])) }
  func posts(batchLimit: Int) -> any HTTPUpload { Nothing() }
  func upload(name: String, topic: String) throws(HostError) -> any HTTPUpload { Nothing() }

  private final class Nothing: HTTPUpload {
    func write(_ bytes: UnsafeRawBufferPointer) throws(HostError) {}
    func finish(_ reply: HTTPReply) { reply.send(ControlStatus()) }
    func cancel() {}
  }
}

/// A control server with a ledger behind it.
final class LedgerTestServer {
  let ledger: LedgerServiceDouble
  let control: ControlServer
  var local: SocketAddress { control.local }

  init(owners: Int = 3, isDemo: Bool = true) throws {
    ledger = try LedgerServiceDouble(owners: owners, isDemo: isDemo)
    control = try ControlServer(
      listeningOn: try #require(SocketAddress("127.0.0.1:0")), service: NoService(), ledger: ledger)
    ledger.attach(control)
  }

  /// A server whose node keeps no ledger.
  static func withoutLedger() throws -> ControlServer {
    try ControlServer(listeningOn: try #require(SocketAddress("127.0.0.1:0")), service: NoService())
  }

  deinit {
    ledger.detach()
    control.stop()
  }

  func get(_ path: String, _ headers: [String: String] = [:]) throws -> RawAnswer {
    try LedgerTestServer.ask(local, "GET", path, headers: headers)
  }

  func post(_ path: String, _ body: String, _ headers: [String: String] = [:]) throws -> RawAnswer {
    try LedgerTestServer.ask(local, "POST", path, headers: headers, body: Array(body.utf8))
  }

  /// Sends a request and takes the answer; of a stream, what comes first.
  ///
  /// - Parameter headers: replace those that a program sends; an empty value leaves one out.
  static func ask(
    _ address: SocketAddress, _ method: String, _ path: String, headers: [String: String] = [:],
    body: [UInt8]? = nil
  ) throws -> RawAnswer {
    var all = ["Host": "\(address)", "Connection": "close"]
    if let body { all["Content-Length"] = "\(body.count)" }
    all.merge(headers) { $1 }
    let lines = all.filter { !$0.value.isEmpty }.map { "\($0.key): \($0.value)\r\n" }.sorted().joined()
    var http = try HTTPClient(connectingTo: address, timeout: .seconds(20))
    _ = try http.send((Array("\(method) \(path) HTTP/1.1\r\n\(lines)\r\n".utf8) + (body ?? []))[...])
    var answer = RawAnswer()
    guard let first = try http.readLine() else { return answer }
    answer.status = first.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    while let line = try http.readLine(), line != "\r" {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let value = line[line.index(after: colon)...].drop { $0 == " " }
      answer.headers[line[..<colon].lowercased()] = String(value.prefix { !$0.isNewline })
    }
    if answer.type == "text/event-stream" {
      // Whatever frames the pieces of the stream.
      while answer.body.isEmpty, let line = try http.readLine() {
        if line.hasPrefix(":") { answer.body = Array(line.utf8) }
      }
      return answer
    }
    answer.body = try http.readBody()
    return answer
  }
}
