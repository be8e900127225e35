import StarlingCore
import StarlingLedger

/// A request of the ledger's part of the control interface, as it is sent.
struct LedgerRequest: Hashable, Sendable {
  let method: String
  /// The path with its query.
  let path: String
  let body: [UInt8]?

  private init(_ path: String, method: String = "GET", body: [UInt8]? = nil) {
    self.method = method
    self.path = "/api/v1/" + path
    self.body = body
  }

  static let status = LedgerRequest("ledger")
  static let genesis = LedgerRequest("ledger/genesis")

  static func account(_ key: PublicKey) -> LedgerRequest { LedgerRequest("accounts/\(key)") }

  static func history(_ key: PublicKey, before: UInt64?, limit: Int) -> LedgerRequest {
    LedgerRequest("accounts/\(key)/history?" + (before.map { "before=\($0)&" } ?? "") + "limit=\(limit)")
  }

  static func submit(_ transfer: SignedTransfer, waiting seconds: Int) throws(HostError) -> LedgerRequest {
    LedgerRequest(
      "transfers" + (seconds > 0 ? "?wait=\(seconds)" : ""), method: "POST",
      body: try ControlCoding.encode(LedgerSubmission(transfer)))
  }

  static func submit(_ transfers: [SignedTransfer], waiting seconds: Int) -> LedgerRequest {
    let digits = transfers.map { "\"\(hexadecimal($0.encoded))\"" }.joined(separator: ",")
    return LedgerRequest(
      "transfers" + (seconds > 0 ? "?wait=\(seconds)" : ""), method: "POST",
      body: Array("{\"transfers\":[\(digits)]}".utf8))
  }

  static func transfer(_ number: TransferNumber) -> LedgerRequest { LedgerRequest("transfers/\(number)") }

  static func certificate(_ number: TransferNumber) -> LedgerRequest {
    LedgerRequest("transfers/\(number)/certificate")
  }
}

/// What a node says to a transfer that is handed in.
public enum LedgerAnswer: Hashable, Sendable {
  /// It takes it, or had it already.
  case taken(LedgerReceipt)
  /// It does not: the status of HTTP, and one sentence.
  case refused(status: Int, reason: String)
}

/// The ledger's part of a node's control interface, from the other side. Every call blocks.
public struct LedgerClient: Sendable {
  /// The most seconds for which a node may be asked to wait with its answer.
  public static let longestWait = 60
  /// The most entries of a page of history.
  public static let longestPage = 1_000

  /// Where the node's control interface listens.
  public let address: SocketAddress
  /// How long an answer may take, apart from what the node was asked to wait.
  public var timeout = Interval.seconds(30)

  /// A client for the node whose control interface listens at `address`; nothing is sent yet.
  public init(_ address: SocketAddress) { self.address = address }

  /// The ledger as the node has it.
  ///
  /// - Throws: ``HostError`` when no node answers, or it keeps no ledger.
  public func status() throws(HostError) -> LedgerStatus {
    try decode(LedgerStatus.self, try ask(.status))
  }

  /// The text of the genesis file that the node was started with; whether it is the right one shows its hash.
  public func genesis() throws(HostError) -> String {
    String(decoding: try body(try ask(.genesis)), as: UTF8.self)
  }

  /// An account; one that nobody has credited holds nothing.
  public func account(_ key: PublicKey) throws(HostError) -> LedgerAccount {
    try decode(LedgerAccount.self, try ask(.account(key)))
  }

  /// A page of what happened to an account, newest first.
  ///
  /// - Parameters:
  ///   - key: the account.
  ///   - before: what the last page gave as `next`; the newest page if `nil`.
  ///   - limit: how many entries, 1 ... ``longestPage``.
  public func history(
    of key: PublicKey, before: UInt64? = nil, limit: Int
  ) throws(HostError) -> LedgerHistory {
    try decode(LedgerHistory.self, try ask(.history(key, before: before, limit: limit)))
  }

  /// Hands a transfer in.
  ///
  /// - Parameters:
  ///   - transfer: the transfer; handing in the same again does nothing.
  ///   - seconds: how long the node may wait with its answer until it is final, 0 ... ``longestWait``.
  /// - Throws: ``HostError`` when no node answers; that it refuses is an answer.
  public func submit(_ transfer: SignedTransfer, waiting seconds: Int = 0) throws(HostError) -> LedgerAnswer {
    let request = try LedgerRequest.submit(transfer, waiting: seconds)
    return try LedgerClient.answer(try ask(request, waiting: seconds))
  }

  /// Hands transfers in together.
  ///
  /// - Parameters:
  ///   - transfers: at most 1,024, each account's in their order.
  ///   - seconds: how long the node may wait with its answer until all are final, 0 ... ``longestWait``.
  /// - Returns: what became of each, in their order.
  /// - Throws: ``HostError`` when no node answers, or it takes none of them.
  public func submit(
    _ transfers: [SignedTransfer], waiting seconds: Int = 0
  ) throws(HostError) -> [LedgerReceiptItem] {
    let response = try ask(.submit(transfers, waiting: seconds), waiting: seconds)
    return try decode(LedgerReceipts.self, response).results
  }

  /// A transfer as the node knows it.
  public func transfer(_ number: TransferNumber) throws(HostError) -> LedgerTransfer {
    try LedgerClient.transfer(try ask(.transfer(number))) { response throws(HostError) in try body(response) }
  }

  /// The text of a certificate file for a transfer that is final; whether it proves anything shows
  /// `Certificate.verify(by:)`.
  public func certificate(_ number: TransferNumber) throws(HostError) -> String {
    String(decoding: try body(try ask(.certificate(number))), as: UTF8.self)
  }
}

extension LedgerClient {
  /// An answer as it came.
  struct Response: Hashable, Sendable {
    let status: Int
    let body: [UInt8]
  }

  private func ask(_ request: LedgerRequest, waiting seconds: Int = 0) throws(HostError) -> Response {
    var client = try HTTPClient(
      connectingTo: address,
      timeout: Interval(nanoseconds: timeout.nanoseconds + Int64(seconds) * 1_000_000_000))
    try client.sendHead(
      request.method, request.path, contentLength: request.body.map { UInt64($0.count) })
    // A server that has heard enough answers and closes; the answer says why.
    if let body = request.body { _ = try client.send(body[...]) }
    let status = try client.readStatus()
    return Response(status: status, body: try client.readBody())
  }

  private func decode<Value: Decodable>(
    _ type: Value.Type, _ response: Response
  ) throws(HostError) -> Value { try ControlCoding.decode(type, from: try body(response)) }

  /// The body of an answer that is no refusal.
  func body(_ response: Response) throws(HostError) -> [UInt8] {
    guard response.status >= 300 else { return response.body }
    // Every path of the contract is there at a node with a ledger, and none at others.
    guard response.status != 404 else {
      throw HostError(
        "The node at \(address) keeps no ledger: name the control address of a node that was started with --genesis FILE."
      )
    }
    throw HostError(LedgerClient.reason(response))
  }

  /// What a node says of a transfer. That it does not know it may come with the status of what is not there.
  static func transfer(
    _ response: Response, orThrow body: (Response) throws(HostError) -> [UInt8]
  ) throws(HostError) -> LedgerTransfer {
    if response.status == 404,
      let transfer = try? ControlCoding.decode(LedgerTransfer.self, from: response.body)
    {
      return transfer
    }
    return try ControlCoding.decode(LedgerTransfer.self, from: try body(response))
  }

  /// What a node said to a transfer.
  static func answer(_ response: Response) throws(HostError) -> LedgerAnswer {
    // A transfer that was given up while its client waited may come with either kind of status.
    if let receipt = try? ControlCoding.decode(LedgerReceipt.self, from: response.body) {
      return .taken(receipt)
    }
    guard response.status >= 300 else {
      throw HostError("The node's answer is not what this version of starling expects.")
    }
    return .refused(status: response.status, reason: reason(response))
  }

  private static func reason(_ response: Response) -> String {
    let failure = try? ControlCoding.decode(ControlFailure.self, from: response.body)
    return failure?.error ?? "The node refused with status \(response.status)."
  }
}
