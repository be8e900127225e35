import StarlingBroadcast
import StarlingCore
import StarlingLedger

/// What a member of a ledger reads from its stable storage, for itself and for others, and how much each other may have it read:
/// a liar must not keep the disk busy.
struct HistoryDesk {
  /// What is done with what was read.
  enum Purpose {
    /// A member wants to know what was delivered.
    case words(Peer, HistoryRange)
    /// A member wants batches.
    case batches(Peer, HistoryRange)
    /// A member wants to know that a transfer is final.
    case confirmation(Peer, TransferNumber)
    /// A client of this node does.
    case certificate(TransferNumber)
    /// This node delivers more of a batch of long ago: all but these entries.
    case completion(MessageIdentifier, refused: [UInt16])

    var asker: Peer? {
      switch self {
      case .words(let peer, _), .batches(let peer, _), .confirmation(let peer, _): peer
      case .certificate, .completion: nil
      }
    }
  }

  private struct Allowance {
    var bytes: Int
    var updatedAt: Instant
    var open = 0
  }

  /// How many bytes a member may have read a second, and at once. Guesses: many times a sender's live traffic, and a few
  /// percent of what a disk gives.
  static let bytesPerSecond = 4 << 20
  static let burst = 4 << 20
  /// What a question costs beside what it finds.
  static let questionCost = 256
  /// What a confirmation costs beside what it finds: a signature, and perhaps a write.
  static let confirmationCost = 32 << 10
  /// How many readings of one member may be open. A correct one has no more (``CatchUp/openLimit``, of each kind).
  static let openLimit = 2 * CatchUp.openLimit + 4
  /// And of all, this node's own among them.
  static let totalLimit = 256

  private var open: [UInt64: Purpose] = [:]
  private var allowances: [Peer: Allowance] = [:]
  private var nextToken: UInt64 = 0
  private var recalls: [StableRecall] = []

  /// Has something read, if there is room, and whoever wants it has not had too much read.
  ///
  /// - Parameters:
  ///   - question: what is asked.
  ///   - purpose: what is done with the answers.
  ///   - cost: what is charged beside the questions and answers, in bytes.
  /// - Returns: whether it is done.
  mutating func read(
    _ question: StableRecall.Question, for purpose: Purpose, cost: Int = 0, at now: Instant
  ) -> Bool {
    guard open.count < HistoryDesk.totalLimit else { return false }
    if let peer = purpose.asker {
      var allowance = allowance(of: peer, at: now)
      let isAllowed = allowance.bytes > 0 && allowance.open < HistoryDesk.openLimit
      if isAllowed {
        allowance.bytes -= cost + question.count * HistoryDesk.questionCost
        allowance.open += 1
      }
      allowances[peer] = allowance
      if !isAllowed { return false }
    }
    recalls.append(StableRecall(token: nextToken, question: question))
    open[nextToken] = purpose
    nextToken += 1
    return true
  }

  /// Takes what was read.
  ///
  /// - Returns: what it is for; `nil` if it was not asked for.
  mutating func take(_ values: [StableValue], for token: UInt64) -> Purpose? {
    guard let purpose = open.removeValue(forKey: token) else { return nil }
    if let peer = purpose.asker {
      allowances[peer]?.open -= 1
      allowances[peer]?.bytes -= values.reduce(0) { $0 + $1.value.count }
    }
    return purpose
  }

  /// Takes the readings that were not taken yet.
  mutating func takeRecalls() -> [StableRecall] {
    if recalls.isEmpty { return [] }
    defer { recalls = [] }
    return recalls
  }

  private func allowance(of peer: Peer, at now: Instant) -> Allowance {
    guard var allowance = allowances[peer] else { return Allowance(bytes: HistoryDesk.burst, updatedAt: now) }
    // A burst is refilled in a second, so that longer silences need not be told apart.
    let elapsed = min(1_000_000, max(0, (now - allowance.updatedAt).nanoseconds / 1_000))
    allowance.bytes = min(
      HistoryDesk.burst, allowance.bytes + Int(elapsed) * HistoryDesk.bytesPerSecond / 1_000_000)
    allowance.updatedAt = now
    return allowance
  }
}
