import StarlingCore

/// Searches a recorded history for a linearization: the search of J. Wing and C. Gong ("Testing and Verifying Concurrent
/// Objects", Journal of Parallel and Distributed Computing 17, 1993), as G. Lowe improved it ("Testing for
/// linearizability", Concurrency and Computation 29(4), 2017).
///
/// It goes from event to event. An operation takes effect just in time: when it returns, or when another returns with an
/// answer that needs it. A configuration is where it is, the state, and which pending operations have taken effect (a bit
/// for each process, as a process has but one pending); none is searched twice. Operations that leave the state alone take
/// effect as soon as their answer is right, and no other time need be tried.
struct LinearizationSearch<T: SequentialType> {
  typealias History = ConcurrentHistory<T.Operation, T.Response>

  /// What may be the case between two events.
  struct Configuration: Hashable {
    var state: T.State
    /// A bit for each process whose pending operation has taken effect.
    var taken: UInt64 = 0
  }

  private struct Node: Hashable {
    var event: Int
    var configuration: Configuration
  }

  private let type: T
  private let calls: [History.Call]
  private let events: [History.Event]
  /// Before each event, and after the last, the pending call of each process, or none.
  private let pending: [[Int?]]

  /// - Parameters:
  ///   - type: what the history is held against.
  ///   - history: all calls.
  ///   - events: those to search, in order.
  ///   - pendingAtFirst: calls that began before.
  init(_ type: T, _ history: History, _ events: [History.Event], pendingAtFirst: [Int] = []) {
    precondition(history.processes <= 64, "a history of \(history.processes) processes, where 64 are allowed")
    self.type = type
    calls = history.calls
    self.events = events
    var current = [Int?](repeating: nil, count: history.processes)
    for call in pendingAtFirst { current[Int(history.calls[call].process.index)] = call }
    var pending = [current]
    for event in events {
      current[Int(history.calls[event.call].process.index)] = event.isResponse ? nil : event.call
      pending.append(current)
    }
    self.pending = pending
  }

  /// The index of the first event that no linearization gets past; nil if there is one of all.
  func firstViolation(from start: Configuration) -> Int? {
    var farthest = -1
    var isFound = false
    visit(from: [start]) { node in
      farthest = max(farthest, node.event)
      isFound = node.event == events.count
      return !isFound
    }
    return isFound ? nil : farthest
  }

  /// Every configuration that there may be after the last event.
  func ends(from starts: [Configuration]) -> [Configuration] {
    var ends: [Configuration] = []
    visit(from: starts) { node in
      if node.event == events.count { ends.append(node.configuration) }
      return true
    }
    return ends
  }

  /// The calls that are pending after the last event.
  var pendingAtLast: [Int] { pending[events.count].compactMap { $0 } }

  /// Visits what can be reached, depth first, each once: configurations before a response that has to be made possible, and
  /// at the end. Stops when it is told to.
  private func visit(from starts: [Configuration], _ shouldGoOn: (Node) -> Bool) {
    var seen: Set<Node> = []
    var open: [Node] = []
    func add(_ node: Node) {
      let node = advanced(node)
      if seen.insert(node).inserted { open.append(node) }
    }
    for start in starts { add(Node(event: 0, configuration: start)) }
    while let node = open.popLast(), shouldGoOn(node) {
      guard node.event < events.count else { continue }
      let returning = Int(calls[events[node.event].call].process.index)
      // The one that returns comes last, so that it is tried first.
      for process in pending[node.event].indices where process != returning {
        if let next = taking(process, node) { add(next) }
      }
      if let next = taking(returning, node) { add(next) }
    }
  }

  /// Goes on over events that need no choice.
  private func advanced(_ node: Node) -> Node {
    var node = node
    absorb(&node)
    while node.event < events.count {
      let event = events[node.event]
      let bit = UInt64(1) << UInt64(calls[event.call].process.index)
      if event.isResponse {
        guard node.configuration.taken & bit != 0 else { break }
        node.configuration.taken &= ~bit
      }
      node.event += 1
      if !event.isResponse { absorb(&node) }
    }
    return node
  }

  /// Lets operations take effect that never change the state and whose answer is right.
  private func absorb(_ node: inout Node) {
    for process in pending[node.event].indices {
      let bit = UInt64(1) << UInt64(process)
      guard node.configuration.taken & bit == 0, let call = pending[node.event][process],
        let response = calls[call].response,
        !type.mayChangeState(calls[call].operation, answeredBy: response)
      else { continue }
      var state = node.configuration.state
      if type.apply(calls[call].operation, by: calls[call].process, to: &state) == response {
        node.configuration.taken |= bit
      }
    }
  }

  /// The node after a process's pending operation took effect, if that is possible here and changes anything.
  private func taking(_ process: Int, _ node: Node) -> Node? {
    let bit = UInt64(1) << UInt64(process)
    guard node.configuration.taken & bit == 0, let index = pending[node.event][process] else { return nil }
    let call = calls[index]
    var next = node
    let answer = type.apply(call.operation, by: call.process, to: &next.configuration.state)
    if let response = call.response {
      guard response == answer, type.mayChangeState(call.operation, answeredBy: response) else { return nil }
    } else if next.configuration.state == node.configuration.state {
      return nil
    }
    next.configuration.taken |= bit
    return next
  }
}
