import StarlingCore
import StarlingLedger

/// A question for what a node keeps (``NodeSink/recall(_:)``), asked while it runs: it cannot read a disk itself.
public struct StableRecall: Sendable {
  /// What is asked.
  enum Question {
    /// These in order; when the answers have come to so many bytes, no other is asked.
    case queries([StableQuery], byteLimit: Int)
    /// A transfer that was applied, of an account in this state; answered by its encoded form.
    case transfer(TransferNumber, of: Ledger.Account)

    /// How many questions it is, about.
    var count: Int {
      switch self {
      case .queries(let queries, _): queries.count
      case .transfer: AccountTrail.steps
      }
    }
  }

  /// Names it, for ``Node/supply(_:for:at:into:)``.
  public let token: UInt64
  let question: Question

  /// Finds the answers.
  ///
  /// - Parameter read: answers one question.
  /// - Returns: the answers, one after another; none to what cannot be read.
  public func values(
    reading read: (StableQuery) -> [StableValue]
  ) -> [StableValue] {
    switch question {
    case .queries(let queries, let byteLimit):
      var values: [StableValue] = []
      var byteCount = 0
      for query in queries {
        if byteCount >= byteLimit { break }
        let answer = read(query)
        byteCount += answer.reduce(0) { $0 + $1.value.count }
        values += answer
      }
      return values
    case .transfer(let number, let state):
      let trail = AccountTrail(of: number.account, state)
      guard let transfer = try? trail.transfer(number.sequence, reading: read) else { return [] }
      return [StableValue(key: [], value: transfer.encoded)]
    }
  }
}
