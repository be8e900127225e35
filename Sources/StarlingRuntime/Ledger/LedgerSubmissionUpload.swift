import FoundationEssentials
import StarlingCore
import StarlingLedger

/// The body of a request that hands in transfers. The request's head has bounded it.
final class LedgerSubmissionUpload: HTTPUpload {
  private let service: any LedgerService
  private let patience: Interval?
  private let ticket: WaitingTicket?
  private var body: [UInt8] = []

  /// - Parameters:
  ///   - service: who takes the transfers.
  ///   - patience: how long the answer may wait until all are final or refused; not at all if `nil`.
  ///   - ticket: a place among those that wait, held until the answer is there.
  init(_ service: any LedgerService, waitingFor patience: Interval?, ticket: WaitingTicket?) {
    self.service = service
    self.patience = patience
    self.ticket = ticket
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws(HostError) { body += bytes }

  func finish(_ reply: HTTPReply) {
    do {
      let submission = try LedgerSubmissionBody(parsing: body)
      body = []
      let isSingle = submission.isSingle
      service.submit(
        submission.transfers, waitingFor: patience,
        LedgerReply(reply) { [ticket] results in
          withExtendedLifetime(ticket) {
            isSingle && results.count == 1
              ? LedgerSubmissionUpload.response(to: results[0])
              : HTTPResponse(json: LedgerReceipts(results: results.map(LedgerReceiptItem.init)).json)
          }
        })
    } catch {
      reply.send(HTTPResponse(status: error.status, error: error.sentence))
    }
  }

  func cancel() { body = [] }

  private static func response(to result: LedgerSubmissionResult) -> HTTPResponse {
    let id = result.number.description
    switch result.outcome {
    case .pending: return HTTPResponse(status: 202, LedgerReceipt(id: id, state: .pending))
    case .final: return HTTPResponse(LedgerReceipt(id: id, state: .final))
    case .refused(let refusal): return HTTPResponse(status: refusal.status, error: refusal.sentence)
    case .abandoned(let reason): return HTTPResponse(status: 409, error: reason)
    }
  }
}

/// `{"transfer": …}` or `{"transfers": […]}`, and nothing else.
private struct LedgerSubmissionBody: Decodable {
  let transfers: [SignedTransfer]
  let isSingle: Bool

  init(parsing body: [UInt8]) throws(LedgerFault) {
    do {
      self = try JSONDecoder().decode(LedgerSubmissionBody.self, from: Data(body))
    } catch let fault as LedgerFault {
      throw fault
    } catch {
      throw LedgerSubmissionBody.shapeless
    }
  }

  init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: FieldName.self)
    guard fields.allKeys.count == 1, let field = fields.allKeys.first else {
      throw LedgerSubmissionBody.shapeless
    }
    isSingle = field.stringValue == "transfer"
    if isSingle {
      transfers = [
        try LedgerSubmissionBody.transfer(try fields.decode(String.self, forKey: field), "transfer")
      ]
      return
    }
    guard field.stringValue == "transfers" else { throw LedgerSubmissionBody.shapeless }
    let texts = try fields.decode([String].self, forKey: field)
    guard (1...LedgerServer.submissionLimit).contains(texts.count) else {
      throw LedgerFault(
        400,
        "\(texts.count) transfers are handed in at once, where 1 to \(LedgerServer.submissionLimit) may be: none was taken."
      )
    }
    transfers = try texts.enumerated().map { try LedgerSubmissionBody.transfer($1, "transfers[\($0)]") }
  }

  private static func transfer(_ text: String, _ place: String) throws(LedgerFault) -> SignedTransfer {
    guard text.utf8.count <= LedgerServer.transferDigitLimit,
      !text.utf8.contains(where: { (UInt8(ascii: "A")...UInt8(ascii: "F")).contains($0) }),
      let encoded = bytes(hexadecimal: text.utf8)
    else { throw unreadable(place) }
    do throws(WireError) {
      return try SignedTransfer(encoded: encoded)
    } catch {
      guard case .invalid(let what) = error else { throw unreadable(place) }
      throw LedgerFault(400, "\(place) holds \(what): nothing was taken.")
    }
  }

  private static func unreadable(_ place: String) -> LedgerFault {
    LedgerFault(400, "\(place) is no encoded signed transfer in digits of 0-9 and a-f: nothing was taken.")
  }

  private static let shapeless = LedgerFault(
    400, "The body must be JSON with one field: {\"transfer\":HEX} or {\"transfers\":[HEX,…]}.")

  private struct FieldName: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
}
