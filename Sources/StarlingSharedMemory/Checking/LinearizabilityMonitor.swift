import StarlingCore

/// Follows a history event by event, without knowing what is to come, and says whether it is linearizable so far (M. Herlihy
/// and J. Wing, "Linearizability: A Correctness Condition for Concurrent Objects", ACM TOPLAS 12(3), 1990).
///
/// It keeps every configuration that could be: a state, and which of the pending operations have taken effect, with what
/// answer. When an operation returns, others that are pending are tried before it, in every order, and what does not lead
/// to its answer goes. Small histories only: an `Explorer` shares what it knows among all schedules that agree on it.
/// Recorded histories are for a `LinearizabilityChecker`.
public struct LinearizabilityMonitor<T: SequentialType>: Hashable, Sendable {
  /// One way in which the history may have gone.
  private struct Configuration: Hashable, Sendable {
    var state: T.State
    /// For each process, the answer of its pending operation if that has taken effect.
    var answers: [T.Response?]
  }

  private var configurations: Set<Configuration>
  /// For each process the operation that has not returned.
  private var pending: [T.Operation?]

  /// Nothing has happened among so many processes.
  public init(_ type: T, processes: Int) {
    pending = [T.Operation?](repeating: nil, count: processes)
    let answers = [T.Response?](repeating: nil, count: processes)
    configurations = [Configuration(state: type.initialState, answers: answers)]
  }

  /// A process, which has no operation pending, invokes one.
  public mutating func invoke(_ operation: T.Operation, by process: Int) {
    precondition(pending[process] == nil, "process \(process) invokes an operation while another is pending")
    pending[process] = operation
  }

  /// A process's pending operation returns.
  ///
  /// - Returns: whether the history is linearizable with that.
  public mutating func respond(_ response: T.Response, to process: Int, of type: T) -> Bool {
    var next: Set<Configuration> = []
    var seen = configurations
    var open = Array(configurations)
    while let configuration = open.popLast() {
      if let answer = configuration.answers[process] {
        guard answer == response else { continue }
        var kept = configuration
        kept.answers[process] = nil
        next.insert(kept)
        continue
      }
      for other in pending.indices where configuration.answers[other] == nil {
        guard let operation = pending[other] else { continue }
        var successor = configuration
        let answer = type.apply(operation, by: Peer(other), to: &successor.state)
        if other == process {
          if answer == response { next.insert(successor) }
        } else {
          successor.answers[other] = answer
          if seen.insert(successor).inserted { open.append(successor) }
        }
      }
    }
    configurations = next
    pending[process] = nil
    return !next.isEmpty
  }
}
