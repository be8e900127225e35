import StarlingLedger

/// Where the answer to a question about the ledger is left, by any thread and once.
struct LedgerReply<Answer: Sendable>: Sendable {
  private let reply: HTTPReply
  private let response: @Sendable (Answer) -> HTTPResponse

  /// An answer that `response` writes down.
  init(_ reply: HTTPReply, as response: @escaping @Sendable (Answer) -> HTTPResponse) {
    self.reply = reply
    self.response = response
  }

  /// Leaves the answer.
  func send(_ answer: Answer) { reply.send(response(answer)) }

  /// Leaves a refusal.
  ///
  /// - Parameters:
  ///   - status: of HTTP, 400 or more, and one that the interface's description has for the path.
  ///   - sentence: what is wrong and what to do.
  func refuse(_ status: UInt32, _ sentence: String) {
    reply.send(HTTPResponse(status: status, error: sentence))
  }
}

extension LedgerReply where Answer: Encodable {
  /// An answer that is written down as JSON.
  init(_ reply: HTTPReply) {
    self.init(reply) { HTTPResponse($0) }
  }
}

extension SubmissionRefusal {
  /// The status of HTTP that says as much.
  var status: UInt32 {
    switch self {
    case .fault: 400
    case .unsigned: 403
    case .numberUsed, .numberInUse, .gap, .insufficient: 409
    case .accountBusy: 429
    case .overloaded: 503
    }
  }
}
