import StarlingCore

/// Questions for what a node keeps (``NodeSink/recall(_:)``), asked while it runs: it cannot read a disk itself.
public struct StableRecall: Sendable {
  /// Names it, for ``Node/supply(_:for:at:into:)``.
  public let token: UInt64
  /// The questions.
  public let queries: [StableQuery]
  /// When the answers have come to so many bytes, no other question is asked.
  public let byteLimit: Int

  /// Asks the questions in order.
  ///
  /// - Parameter read: answers one.
  /// - Returns: the answers, one after another.
  public func values(
    reading read: (StableQuery) -> [StableValue]
  ) -> [StableValue] {
    var values: [StableValue] = []
    var byteCount = 0
    for query in queries {
      if byteCount >= byteLimit { break }
      let answer = read(query)
      byteCount += answer.reduce(0) { $0 + $1.value.count }
      values += answer
    }
    return values
  }
}
