import StarlingCore

/// Says whether recorded histories are linearizable, and explains those that are not.
public struct LinearizabilityChecker<T: SequentialType>: Sendable {
  /// What a history of the type is made of.
  public typealias History = ConcurrentHistory<T.Operation, T.Response>
  private typealias Search = LinearizationSearch<T>

  private let type: T

  /// A checker of histories of that type.
  public init(_ type: T) { self.type = type }

  /// Why a history is not linearizable, in a few lines; nil if it is. It may be of 64 processes at most.
  public func violation(in history: History) -> String? {
    let events = history.events
    let start = Search.Configuration(state: type.initialState)
    return Search(type, history, events).firstViolation(from: start).map {
      explain(history, events, failing: $0)
    }
  }

  /// Why a history of many independent objects is not linearizable; nil if it is. It is if and only if each object's part
  /// is (Herlihy and Wing's locality), which is much less to search.
  ///
  /// - Parameter object: the object that an operation is on. Operations on different objects must neither see nor change
  ///   the same part of the state.
  public func violation<Object: Hashable & Comparable>(
    in history: History, partitionedBy object: (T.Operation) -> Object
  ) -> String? {
    let parts = Dictionary(grouping: history.calls) { object($0.operation) }
    for (object, calls) in parts.sorted(by: { $0.key < $1.key }) {
      if let violation = violation(in: History(calls)) { return "Of \(object): \(violation)" }
    }
    return nil
  }

  /// Shows the operations around a violation: from the last moment before it at which nothing was going on, with the states
  /// that there may have been then, and without operations that change nothing and without which it is a violation all the
  /// same.
  private func explain(_ history: History, _ events: [History.Event], failing: Int) -> String {
    let culprit = events[failing].call
    let first = quietMoment(history, events, before: culprit)
    let past = Search(type, history, Array(events[..<first]))
    let starts = past.ends(from: [Search.Configuration(state: type.initialState)])
    var window = Array(events[first...failing])
    for call in Set(window.map(\.call)).sorted() where call != culprit {
      let (operation, response) = (history.calls[call].operation, history.calls[call].response)
      guard let response, !type.mayChangeState(operation, answeredBy: response) else { continue }
      let rest = window.filter { $0.call != call }
      let search = Search(type, history, rest, pendingAtFirst: past.pendingAtLast)
      if search.ends(from: starts).isEmpty { window = rest }
    }
    let states = Set(starts.map { "\($0.state)" }).sorted()
    let shown = states.prefix(4).joined(separator: " or ") + (states.count > 4 ? " or …" : "")
    let stopped = past.pendingAtLast.map { call in
      let (process, operation) = (history.calls[call].process.index, history.calls[call].operation)
      return "Before them p\(process) began \(operation), which may or may not have taken effect."
    }
    return
      ([
        "Not linearizable: no order of these operations gives the answer of the last one to return.",
        "The state before them: \(shown)",
      ] + stopped + draw(window, of: history)).joined(separator: "\n")
  }

  /// The last event up to the failing call's invocation before which only operations were pending that never return.
  private func quietMoment(_ history: History, _ events: [History.Event], before failing: Int) -> Int {
    var running = 0
    var quiet = 0
    for index in events.indices {
      if running == 0 { quiet = index }
      let event = events[index]
      if event.call == failing { break }
      if history.calls[event.call].response != nil { running += event.isResponse ? -1 : 1 }
    }
    return quiet
  }

  /// A line for each operation, with a bar from its invocation to its response.
  private func draw(_ window: [History.Event], of history: History) -> [String] {
    var first: [Int: Int] = [:]
    var last: [Int: Int] = [:]
    for (column, event) in window.enumerated() {
      if event.isResponse { last[event.call] = column } else { first[event.call] = column }
    }
    let bars = first.sorted { $0.value < $1.value }.map { index, start in
      let end = last[index]
      let line = String(repeating: "─", count: (end ?? window.count) - start - 1)
      return (index, String(repeating: " ", count: start) + "├" + line + (end == nil ? "…" : "┤"))
    }
    let width = bars.map(\.1.count).max() ?? 0
    return bars.map { index, bar in
      let call = history.calls[index]
      let answer = last[index] == nil ? "" : call.response.map { " → \($0)" } ?? ""
      let padding = String(repeating: " ", count: width - bar.count)
      return "  p\(call.process.index)  \(bar)\(padding)  \(call.operation)\(answer)"
    }
  }
}
