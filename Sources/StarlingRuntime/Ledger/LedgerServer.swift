import StarlingCore
import StarlingLedger
import Synchronization

/// The ledger's part of the control interface: what `GET /api/v1/openapi.json` describes.
final class LedgerServer: Sendable {
  /// The most entries of a page of history.
  static let pageLimit = 1_000
  /// How many entries a page has that says nothing.
  static let pageDefault = 50
  /// The most seconds for which an answer waits until a transfer is final.
  static let patienceLimitSeconds: UInt64 = 60
  /// How many requests may wait so at once; more are answered at once. With the event streams, the uploads and the
  /// connections without a request they leave room for questions.
  static let waitingLimit = 24
  /// The most transfers that are handed in at once.
  static let submissionLimit = 1_024
  /// The most bytes of a body that hands them in: their digits, and quotation marks and a comma for each.
  static let bodyLimit = submissionLimit * (transferDigitLimit + 8) + 64
  /// The most hexadecimal digits of a transfer.
  static let transferDigitLimit = 2 * (Transfer.byteLimit + Ed25519Signature.byteCount)

  private let service: any LedgerService
  private let hub = LedgerEventHub()
  private let waiting = WaitingRequests()

  /// The part of the interface that `service` answers for.
  init(_ service: any LedgerService) { self.service = service }

  /// Tells everybody who follows the account; without anybody, the event is not even made.
  func publish(account: PublicKey, _ event: () -> LedgerEvent) {
    hub.publish(account) { event().bytes }
  }

  /// Sends a comment on all event streams.
  func keepAlive() { hub.keepAlive() }

  /// Ends the event streams.
  func finish() { hub.finish() }

  /// What is to be done about a request.
  func handle(_ request: HTTPRequest, _ path: LedgerPath) -> HTTPHandling {
    do {
      guard request.method == path.method else {
        var response = HTTPResponse(
          status: 405, error: "\(request.path) takes \(path.method) and not \(request.method).")
        response.headers = [("Allow", path.method)]
        return .answer(response)
      }
      return try answer(request, path, try LedgerQuery(request, taking: path.arguments))
    } catch {
      return .answer(HTTPResponse(status: error.status, error: error.sentence))
    }
  }

  private func answer(
    _ request: HTTPRequest, _ path: LedgerPath, _ query: LedgerQuery
  ) throws(LedgerFault) -> HTTPHandling {
    let service = service
    switch path {
    case .page: return .answer(LedgerPage.response)
    case .description: return .answer(HTTPResponse(json: LedgerDescription.bytes))
    case .ledger: return .ask { service.status(LedgerReply($0)) }
    case .genesis: return .answer(HTTPResponse(text: service.genesis.text))
    case .demoWallet: return .answer(try demoWallet())
    case .account(let name):
      let key = try LedgerServer.account(name)
      return .ask { service.account(key, LedgerReply($0)) }
    case .history(let name):
      let key = try LedgerServer.account(name)
      let before = try query.number("before", in: 0...(.max))
      let limit = Int(
        try query.number("limit", in: 1...UInt64(LedgerServer.pageLimit)) ?? UInt64(LedgerServer.pageDefault))
      return .ask { service.history(of: key, before: before, limit: limit, LedgerReply($0)) }
    case .events(let name): return try events(of: try LedgerServer.account(name))
    case .transfers: return .receive(try submission(request, query))
    case .transfer(let name):
      let number = try LedgerServer.transfer(name)
      return .ask { service.transfer(number, LedgerReply($0)) }
    case .confirmation(let name):
      let number = try LedgerServer.transfer(name)
      return .ask { service.confirmation(of: number, LedgerReply($0)) }
    case .certificate(let name):
      let number = try LedgerServer.transfer(name)
      return .ask { reply in
        service.certificate(of: number, LedgerReply(reply) { HTTPResponse(text: $0.text) })
      }
    }
  }

  private func demoWallet() throws(LedgerFault) -> HTTPResponse {
    guard let wallet = service.demoWallet else {
      throw LedgerFault(404, "This node gives no keys away: it was not started for demonstration.")
    }
    return HTTPResponse(wallet)
  }

  private func events(of account: PublicKey) throws(LedgerFault) -> HTTPHandling {
    let stream = EventStream(topic: nil)
    guard hub.add(stream, for: account) else {
      throw LedgerFault(
        503, "\(LedgerEventHub.limit) clients are following accounts already; end one of them.")
    }
    // Something must be sent for the client to see that it is being served.
    stream.push(Array(": listening\n\n".utf8))
    return .stream(stream)
  }

  private func submission(
    _ request: HTTPRequest, _ query: LedgerQuery
  ) throws(LedgerFault) -> LedgerSubmissionUpload {
    let seconds = try query.number("wait", in: 0...LedgerServer.patienceLimitSeconds) ?? 0
    guard let length = request.header("Content-Length") else {
      throw LedgerFault(411, "The request must state the body's size as its Content-Length.")
    }
    guard let byteCount = Int(length), (0...LedgerServer.bodyLimit).contains(byteCount) else {
      throw LedgerFault(
        413,
        "A body has at most \(LedgerServer.bodyLimit) bytes, which \(LedgerServer.submissionLimit) transfers fit."
      )
    }
    let ticket = seconds > 0 ? waiting.enter() : nil
    let patience = ticket == nil ? nil : Interval.seconds(Int(seconds))
    return LedgerSubmissionUpload(service, waitingFor: patience, ticket: ticket)
  }

  private static func account(_ name: String) throws(LedgerFault) -> PublicKey {
    guard name.utf8.count == 2 * PublicKey.byteCount, let key = PublicKey(hexadecimal: name.utf8),
      key.description == name
    else {
      throw LedgerFault(400, "An account is named by its key: 64 digits of 0-9 and a-f.")
    }
    return key
  }

  private static func transfer(_ name: String) throws(LedgerFault) -> TransferNumber {
    guard let number = TransferNumber(name) else {
      throw LedgerFault(
        400,
        "A transfer is named by its account and its number: 64 digits of 0-9 and a-f, a hyphen, and decimal digits."
      )
    }
    return number
  }
}

/// Why a request about the ledger is not answered.
struct LedgerFault: Error, Hashable {
  /// The status of HTTP.
  let status: UInt32
  /// What is wrong and what to do.
  let sentence: String

  /// A fault.
  init(_ status: UInt32, _ sentence: String) {
    self.status = status
    self.sentence = sentence
  }
}

/// The arguments of a query, of which each is known and comes once.
private struct LedgerQuery {
  private let request: HTTPRequest
  private let names: Set<String>

  init(_ request: HTTPRequest, taking known: Set<String>) throws(LedgerFault) {
    let given = request.queryNames
    guard known.isSuperset(of: given) else {
      let list = known.sorted().joined(separator: ", ")
      throw LedgerFault(
        400, "The query of this path takes " + (list.isEmpty ? "nothing." : "\(list) and nothing else."))
    }
    names = Set(given)
    guard names.count == given.count else { throw LedgerFault(400, "The query names an argument twice.") }
    self.request = request
  }

  /// A whole number in decimal digits; `nil` if the argument is not there.
  func number(_ name: String, in range: ClosedRange<UInt64>) throws(LedgerFault) -> UInt64? {
    guard names.contains(name) else { return nil }
    guard let text = request.query(name), let number = LedgerAmount(text)?.value, range.contains(number)
    else {
      throw LedgerFault(
        400, "\(name) is a whole number from \(range.lowerBound) to \(range.upperBound), in decimal digits.")
    }
    return number
  }
}

/// Counts the requests that wait until a transfer is final.
private final class WaitingRequests: Sendable {
  private let count = Mutex(0)

  /// A place, which is free again when what is returned is gone; `nil` if there is none.
  func enter() -> WaitingTicket? {
    let isFree = count.withLock { count in
      guard count < LedgerServer.waitingLimit else { return false }
      count += 1
      return true
    }
    return isFree ? WaitingTicket { [self] in count.withLock { $0 -= 1 } } : nil
  }
}

/// A place among those that wait.
final class WaitingTicket: Sendable {
  private let leave: @Sendable () -> Void

  fileprivate init(_ leave: @escaping @Sendable () -> Void) { self.leave = leave }

  deinit { leave() }
}
