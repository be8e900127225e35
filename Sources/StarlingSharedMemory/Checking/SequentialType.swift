import StarlingCore
import StarlingLedger

/// A sequential object type T = (Q, q₀, O, R, Δ) of the thesis (section 2.2.1) whose Δ is a function: what concurrent
/// implementations are held against.
public protocol SequentialType<Operation, Response>: Sendable {
  /// Q.
  associatedtype State: Hashable & Sendable
  /// O.
  associatedtype Operation: Hashable & Sendable
  /// R.
  associatedtype Response: Hashable & Sendable

  /// q₀.
  var initialState: State { get }

  /// Δ: what an operation of a process makes of the state, and what the process is told.
  func apply(_ operation: Operation, by process: Peer, to state: inout State) -> Response

  /// Whether an operation that was answered so may have changed the state. For explanations, which leave out the others.
  func mayChangeState(_ operation: Operation, answeredBy response: Response) -> Bool
}

extension AssetTransferObject: SequentialType {
  /// q₀.
  public var initialState: Balances { initialBalances }

  /// Whether it was a transfer that succeeded.
  public func mayChangeState(_ operation: Operation, answeredBy response: Response) -> Bool {
    response == .transferred(true)
  }
}

/// The type of an atomic snapshot: an entry for each process.
public struct SnapshotType<Element: Hashable & Sendable>: SequentialType {
  /// What a process may ask for.
  public enum Operation: Hashable, Sendable {
    /// Put this into the process's own entry.
    case update(Element)
    /// Tell all entries.
    case snapshot
  }

  /// What a process is told.
  public enum Response: Hashable, Sendable {
    /// An update was made.
    case done
    /// All entries.
    case view([Element])
  }

  /// The entries at first.
  public let initialState: [Element]

  /// A snapshot with an entry for each of so many processes.
  public init(_ initial: Element, processes: Int) {
    initialState = [Element](repeating: initial, count: processes)
  }

  /// Updates the process's entry, or tells all.
  public func apply(_ operation: Operation, by process: Peer, to state: inout [Element]) -> Response {
    switch operation {
    case .update(let element):
      state[Int(process.index)] = element
      return .done
    case .snapshot:
      return .view(state)
    }
  }

  /// Whether it was an update.
  public func mayChangeState(_ operation: Operation, answeredBy response: Response) -> Bool {
    operation != .snapshot
  }
}

extension SnapshotType.Operation: CustomStringConvertible {
  /// For example `update 3`.
  public var description: String {
    switch self {
    case .update(let element): "update \(element)"
    case .snapshot: "snapshot"
    }
  }
}

extension SnapshotType.Response: CustomStringConvertible {
  /// `done`, or the entries.
  public var description: String {
    switch self {
    case .done: "done"
    case .view(let view): "\(view)"
    }
  }
}

/// The type of a consensus object: an operation is a proposal, and all are told the first.
public struct ConsensusType<Value: Hashable & Sendable>: SequentialType {
  /// Nothing is decided at first.
  public var initialState: Value? { nil }

  /// An object that nobody has proposed to.
  public init() {}

  /// Decides the first proposal.
  public func apply(_ operation: Value, by process: Peer, to state: inout Value?) -> Value {
    let decided = state ?? operation
    state = decided
    return decided
  }

  /// Any proposal may have been the first.
  public func mayChangeState(_ operation: Value, answeredBy response: Value) -> Bool { true }
}
