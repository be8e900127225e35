import StarlingCore

/// What processes asked of an object and were told, and when.
public struct ConcurrentHistory<Operation: Hashable & Sendable, Response: Hashable & Sendable>: Sendable {
  /// An operation: its invocation, and its response unless its process stopped.
  public struct Call: Sendable {
    /// Whose it is.
    public let process: Peer
    /// What was asked.
    public let operation: Operation
    /// What was answered; nil if nothing ever was.
    public let response: Response?
    /// When it was invoked. No two events of a history have the same time.
    public let invokedAt: Int
    /// When it was answered; nil if it never was.
    public let respondedAt: Int?

    /// An operation that was answered.
    public init(
      _ process: Peer, _ operation: Operation, _ response: Response, from invokedAt: Int, to respondedAt: Int
    ) {
      self.process = process
      self.operation = operation
      self.response = response
      self.invokedAt = invokedAt
      self.respondedAt = respondedAt
    }

    /// An operation that never returned.
    public init(_ process: Peer, _ operation: Operation, from invokedAt: Int) {
      self.process = process
      self.operation = operation
      response = nil
      self.invokedAt = invokedAt
      respondedAt = nil
    }
  }

  /// A call's beginning or its end.
  struct Event {
    let call: Int
    let isResponse: Bool
    let time: Int
  }

  /// All calls, in any order.
  public var calls: [Call]

  /// A history of these calls.
  public init(_ calls: [Call] = []) { self.calls = calls }

  /// How many processes there may be: one more than the highest index.
  var processes: Int { calls.map { Int($0.process.index) + 1 }.max() ?? 0 }

  /// Invocations and responses in the order of time.
  var events: [Event] {
    var events: [Event] = []
    events.reserveCapacity(2 * calls.count)
    for (index, call) in calls.enumerated() {
      events.append(Event(call: index, isResponse: false, time: call.invokedAt))
      if let end = call.respondedAt { events.append(Event(call: index, isResponse: true, time: end)) }
    }
    return events.sorted { $0.time < $1.time }
  }
}
