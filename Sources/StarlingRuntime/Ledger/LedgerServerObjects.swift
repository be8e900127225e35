import StarlingCore
import StarlingLedger

/// What became of a transfer that a client handed in, as a node tells its control interface.
struct LedgerSubmissionResult: Hashable, Sendable {
  /// How far it came.
  enum Outcome: Hashable, Sendable {
    /// It is under way.
    case pending
    /// It is applied.
    case final
    /// It was not taken.
    case refused(SubmissionRefusal)
    /// It was taken, and given up later: one sentence says why.
    case abandoned(String)
  }

  /// Which transfer.
  var number: TransferNumber
  /// How far it came.
  var outcome: Outcome
}

/// One of many transfers that were handed in at once: an element of ``LedgerReceipts``.
public struct LedgerReceiptItem: Codable, Hashable, Sendable {
  /// The transfer's identifier.
  public var id: String
  /// How far it is.
  public var state: LedgerTransferState
  /// Why it was not taken, or was given up, in one sentence.
  public var error: String?

  /// An item with these fields.
  public init(id: String, state: LedgerTransferState, error: String? = nil) {
    self.id = id
    self.state = state
    self.error = error
  }

  init(_ result: LedgerSubmissionResult) {
    id = result.number.description
    switch result.outcome {
    case .pending: state = .pending
    case .final: state = .final
    case .refused(let refusal): (state, error) = (.refused, refusal.sentence)
    case .abandoned(let reason): (state, error) = (.refused, reason)
    }
  }

  private enum CodingKeys: String, CodingKey { case id, state, error }

  /// Writes all fields, null where there is nothing.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(id, forKey: .id)
    try container.encode(state, forKey: .state)
    try container.encode(error, forKey: .error)
  }
}

/// What became of transfers that were handed in at once, in their order: the answer of `POST /api/v1/transfers` to
/// `{"transfers": …}`.
public struct LedgerReceipts: Codable, Hashable, Sendable {
  /// One for each.
  public var results: [LedgerReceiptItem]

  /// Receipts.
  public init(results: [LedgerReceiptItem]) { self.results = results }

  /// The same as an encoder writes, many times faster: receipts come in thousands.
  var json: [UInt8] {
    let items = results.map { item in
      JSONValue.object([
        ("error", item.error.map(JSONValue.string) ?? .null), ("id", .string(item.id)),
        ("state", .string(item.state.rawValue)),
      ])
    }
    return Array(JSONValue.object([("results", .array(items))]).text(indented: false).utf8)
  }
}

/// A key that a node gives away for demonstration: an element of ``LedgerDemoWallet``.
public struct LedgerDemoKey: Codable, Hashable, Sendable {
  /// What people call its account.
  public var name: String
  /// The account: the public half.
  public var account: String
  /// The secret half: 64 hexadecimal digits.
  public var seed: String

  /// A key with a name.
  public init(name: String, account: String, seed: String) {
    self.name = name
    self.account = account
    self.seed = seed
  }
}

/// The keys that a node gives away for demonstration: the answer of `GET /api/v1/demo/wallet`.
public struct LedgerDemoWallet: Codable, Hashable, Sendable {
  /// In the order in which they are shown.
  public var keys: [LedgerDemoKey]

  /// A wallet of these keys.
  public init(keys: [LedgerDemoKey]) { self.keys = keys }
}

/// What happened to an account: an event of `GET /api/v1/accounts/KEY/events`.
enum LedgerEvent: Sendable {
  /// A transfer from it or to it was applied.
  case applied(LedgerEntry)
  /// A transfer from it was given up.
  case refused(LedgerRefusal)

  /// As it is sent: a name, the object as JSON on one line, and an empty line.
  var bytes: [UInt8] {
    let (name, data) =
      switch self {
      case .applied(let entry): ("applied", try? ControlCoding.encode(entry))
      case .refused(let refusal): ("refused", try? ControlCoding.encode(refusal))
      }
    return data.map { Array("event: \(name)\ndata: ".utf8) + $0 + Array("\n\n".utf8) } ?? []
  }
}
