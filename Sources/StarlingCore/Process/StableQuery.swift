/// A question for what is kept on stable storage (``StableWrite``): *retrieve*.
public struct StableQuery: Hashable, Sendable {
  /// The first key.
  public var from: [UInt8]
  /// What all keys are below.
  public var below: [UInt8]
  /// The most values that are wanted, 1 or more.
  public var limit: Int
  /// Whether the last keys are wanted, in descending order, instead of the first.
  public var isDescending: Bool

  /// A question for what is kept under the keys from one to below another.
  public init(from: [UInt8], below: [UInt8], limit: Int = .max, isDescending: Bool = false) {
    self.from = from
    self.below = below
    self.limit = limit
    self.isDescending = isDescending
  }
}

extension StableQuery {
  /// How many values ``forEach(reading:_:)`` asks for at once.
  private static let page = 4_096

  /// Looks at all values in ascending order, some at a time.
  ///
  /// - Parameters:
  ///   - read: answers a question.
  ///   - body: is given each value.
  public func forEach<Failure: Error>(
    reading read: (StableQuery) -> [StableValue], _ body: (StableValue) throws(Failure) -> Void
  ) throws(Failure) {
    var query = self
    query.limit = StableQuery.page
    while true {
      let values = read(query)
      for value in values { try body(value) }
      guard values.count == query.limit, let last = values.last else { return }
      query.from = last.key + [0]
    }
  }
}
