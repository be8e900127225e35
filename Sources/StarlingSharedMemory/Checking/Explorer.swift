import StarlingCore

/// What an exploration found.
public struct Exploration<Response: Hashable & Sendable>: Sendable {
  /// How many states were met: of the memory, of every process, and of what is known about the history.
  public internal(set) var states = 0
  /// In how many orders the processes can take their steps until all have finished; at most 2¹²⁸ − 1.
  public internal(set) var schedules: UInt128 = 0
  /// The most steps that any process took for each of its operations.
  public internal(set) var longestOperations: [[Int]] = []
  /// What was answered to each operation of each process, in any schedule.
  public internal(set) var responses: [[Set<Response>]] = []
  /// The first schedule that breaks a promise, explained; nil if every one keeps them.
  public internal(set) var violation: String?

  /// Nothing has been explored.
  public init() {}
}

/// Runs the processes of an implementation in every order of their steps: each read, write and proposal is a step, and
/// after each any process may be next.
///
/// It promises, if it finds no violation, for every schedule: the history is linearizable after every event; no operation
/// takes more steps of its process than the given limit, whatever the others do. So both hold as well where any processes
/// stop for ever at any point: such a run is a schedule in which they are not next again, and a linearizable beginning of
/// a history with their last operations pending.
///
/// Schedules that lead to the same state are followed once. A state is what the cells hold; for each process its variables
/// before its operation and what it has been told in it, which is all that it knows; and what a `LinearizabilityMonitor`
/// knows about the history.
public final class Explorer<T: SequentialType, P: Participant>
where P.Operation == T.Operation, P.Response == T.Response {
  /// Where one process is: in the middle of an operation, or between two.
  private struct Place {
    /// The process's variables when its operation began.
    var participant: P
    /// The number of its operation in its program.
    var operation: Int
    /// What each step of the operation found, as the memory numbers it.
    var steps: [Int32] = []
    var next = Next.finished
  }

  private enum Next {
    case step(ExplorerMemory.Step)
    /// The operation needs no step at all.
    case returnAtOnce
    case finished
  }

  /// What comes of a process's next step.
  private struct Move {
    let place: Int32
    /// The cell that was written, and the number of what it holds.
    let effect: (cell: Int, value: Int32)?
    /// What the operation returned, if this was its end.
    let response: T.Response?
  }

  /// Between two operations a process's steps are forgotten but for what it remembers of them itself.
  private struct PauseKey: Hashable {
    let process: Int
    let operation: Int
    let variables: P.Variables
  }

  private struct MoveKey: Hashable {
    let process: Int
    let place: Int32
    let observed: Int32
  }

  private struct MonitorKey: Hashable {
    let monitor: Int32
    let move: MoveKey
  }

  /// A state of the whole run.
  private struct State: Hashable {
    var cells: [Int32]
    var places: [Int32]
    var monitor: Int32
  }

  private struct Violation: Error { let reason: String? }

  private let type: T
  private let memory: ExplorerMemory
  private let programs: [[T.Operation]]
  private let stepsLimit: Int
  private var places: [[Place]] = []
  private var pauses: [PauseKey: Int32] = [:]
  private var moves: [MoveKey: Move] = [:]
  private var monitors: [LinearizabilityMonitor<T>] = []
  private var monitorNumbers: [LinearizabilityMonitor<T>: Int32] = [:]
  private var monitorMoves: [MonitorKey: Int32] = [:]
  private var visited: [State: UInt128] = [:]
  private var schedule: [Int] = []
  private var result = Exploration<T.Response>()

  /// An exploration that has not begun.
  ///
  /// - Parameters:
  ///   - type: what is implemented.
  ///   - memory: where the implementation's registers and objects have been made.
  ///   - programs: for each process the operations it performs, one after another.
  ///   - stepsLimit: the most steps that an operation may take.
  ///   - participant: makes a process of the implementation.
  public init(
    _ type: T, in memory: ExplorerMemory, programs: [[T.Operation]], stepsLimit: Int,
    participant: (SteppingProcess) -> P
  ) {
    self.type = type
    self.memory = memory
    self.programs = programs
    self.stepsLimit = stepsLimit
    result.longestOperations = programs.map { $0.map { _ in 0 } }
    result.responses = programs.map { $0.map { _ in [] } }
    for process in programs.indices {
      let place = Place(participant: participant(SteppingProcess(Peer(process))), operation: 0)
      places.append([withNext(place, of: process)])
    }
    let monitor = LinearizabilityMonitor(type, processes: programs.count)
    monitors.append(monitor)
    monitorNumbers[monitor] = 0
  }

  /// Follows every schedule, up to the first that breaks a promise.
  public func explore() -> Exploration<T.Response> {
    let start = State(cells: [], places: programs.map { _ in 0 }, monitor: 0)
    do {
      result.schedules = try follow(start)
    } catch {
      result.violation = explain(error, from: start)
    }
    result.states = visited.count
    return result
  }

  /// Follows every schedule from a state on, and returns how many there are.
  private func follow(_ state: State) throws(Violation) -> UInt128 {
    if let known = visited[state] { return known }
    var schedules: UInt128 = 0
    var isEnd = true
    for process in programs.indices {
      if case .finished = places[process][Int(state.places[process])].next { continue }
      isEnd = false
      schedule.append(process)
      let (sum, overflow) = schedules.addingReportingOverflow(try follow(try successor(state, process)))
      schedules = overflow ? .max : sum
      schedule.removeLast()
    }
    if isEnd { schedules = 1 }
    visited[state] = schedules
    return schedules
  }

  /// The state after a process's next step.
  private func successor(_ state: State, _ process: Int) throws(Violation) -> State {
    let key = moveKey(state, process)
    let move = try move(key, state)
    var successor = state
    successor.places[process] = move.place
    if let (cell, value) = move.effect {
      // Zeros at the end are left out, so that a state looks the same however many cells there are by then.
      while successor.cells.count <= cell { successor.cells.append(0) }
      successor.cells[cell] = value
      while successor.cells.last == 0 { successor.cells.removeLast() }
    }
    successor.monitor = try monitor(after: move, MonitorKey(monitor: state.monitor, move: key))
    return successor
  }

  private func moveKey(_ state: State, _ process: Int) -> MoveKey {
    let place = state.places[process]
    var observed: Int32 = 0
    if case .step(let step) = places[process][Int(place)].next, step.isObserving,
      step.cell < state.cells.count
    {
      observed = state.cells[step.cell]
    }
    return MoveKey(process: process, place: place, observed: observed)
  }

  /// What comes of a process's next step, for the first time by running it.
  private func move(_ key: MoveKey, _ state: State) throws(Violation) -> Move {
    if let known = moves[key] { return known }
    let place = places[key.process][Int(key.place)]
    var participant = place.participant
    memory.prepare(state.cells, repeating: place.steps, mayStep: true)
    let response = try? participant.perform(programs[key.process][place.operation])
    var effect: (cell: Int, value: Int32)?
    var steps = place.steps
    if case .step(let step) = place.next {
      effect = (step.cell, memory.state[step.cell])
      steps.append(key.observed)
    }
    let longest = result.longestOperations[key.process][place.operation]
    result.longestOperations[key.process][place.operation] = max(longest, steps.count)
    guard steps.count < stepsLimit || (response != nil && steps.count == stepsLimit) else {
      throw Violation(
        reason:
          "\(programs[key.process][place.operation]) of p\(key.process) takes more than \(stepsLimit) steps.")
    }
    let after: Int32
    if let response {
      result.responses[key.process][place.operation].insert(response)
      after = pause(of: key.process, before: place.operation + 1, participant)
    } else {
      var next = place
      next.steps = steps
      next.next = memory.awaited.map(Next.step) ?? .finished
      after = add(next, of: key.process)
    }
    let move = Move(place: after, effect: effect, response: response)
    moves[key] = move
    return move
  }

  /// The number of the place between two operations.
  private func pause(of process: Int, before operation: Int, _ participant: P) -> Int32 {
    let key = PauseKey(process: process, operation: operation, variables: participant.variables)
    if let known = pauses[key] { return known }
    let number = add(
      withNext(Place(participant: participant, operation: operation), of: process), of: process)
    pauses[key] = number
    return number
  }

  private func add(_ place: Place, of process: Int) -> Int32 {
    places[process].append(place)
    return Int32(places[process].count - 1)
  }

  /// A place between two operations, with what the next one begins with.
  private func withNext(_ place: Place, of process: Int) -> Place {
    var place = place
    guard place.operation < programs[process].count else { return place }
    var trial = place.participant
    memory.prepare([], repeating: [], mayStep: false)
    let response = try? trial.perform(programs[process][place.operation])
    place.next = response == nil ? memory.awaited.map(Next.step) ?? .finished : .returnAtOnce
    return place
  }

  /// The number of the monitor after a move: an operation is invoked as late as can be, just before its first step, and
  /// returns as early, just after its last. Any other times would leave more orders open.
  private func monitor(after move: Move, _ key: MonitorKey) throws(Violation) -> Int32 {
    let place = places[key.move.process][Int(key.move.place)]
    guard place.steps.isEmpty || move.response != nil else { return key.monitor }
    if let known = monitorMoves[key] { return known }
    var monitor = monitors[Int(key.monitor)]
    if place.steps.isEmpty {
      monitor.invoke(programs[key.move.process][place.operation], by: key.move.process)
    }
    if let response = move.response, !monitor.respond(response, to: key.move.process, of: type) {
      throw Violation(reason: nil)
    }
    let number = monitorNumbers[monitor] ?? Int32(monitors.count)
    if Int(number) == monitors.count {
      monitors.append(monitor)
      monitorNumbers[monitor] = number
    }
    monitorMoves[key] = number
    return number
  }

  /// Goes through the schedule that led to a violation once more, and tells its history.
  private func explain(_ violation: Violation, from start: State) -> String {
    var calls: [ConcurrentHistory<T.Operation, T.Response>.Call] = []
    var begun: [Int?] = programs.map { _ in nil }
    var state = start
    for (time, process) in schedule.enumerated() {
      let key = moveKey(state, process)
      let place = places[process][Int(key.place)]
      guard place.operation < programs[process].count else { break }
      let operation = programs[process][place.operation]
      let invokedAt = begun[process] ?? 2 * time
      begun[process] = invokedAt
      if let response = moves[key]?.response {
        calls.append(.init(Peer(process), operation, response, from: invokedAt, to: 2 * time + 1))
        begun[process] = nil
      }
      guard time + 1 < schedule.count, let next = try? successor(state, process) else { break }
      state = next
    }
    for (process, invokedAt) in begun.enumerated() {
      guard let invokedAt else { continue }
      let place = places[process][Int(state.places[process])]
      calls.append(.init(Peer(process), programs[process][place.operation], from: invokedAt))
    }
    let reason =
      violation.reason ?? LinearizabilityChecker(type).violation(in: .init(calls)) ?? "Not linearizable."
    return reason + "\nWhose steps, in order: " + schedule.map { "p\($0)" }.joined(separator: " ")
  }
}
