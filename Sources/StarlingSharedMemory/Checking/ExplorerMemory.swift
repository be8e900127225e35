import StarlingCore
import StarlingLedger

/// A memory whose every step an `Explorer` decides on. It holds numbers: each cell numbers the values it ever held, so a
/// state of the whole memory is a list of small numbers.
///
/// A process cannot be copied in the middle of an operation, so it is run again from the operation's beginning: it is told
/// once more what its steps told it, then takes one step that is new, and is stopped before the next.
public final class ExplorerMemory: SharedMemory, @unchecked Sendable {
  // An explorer and its memory belong to one thread, which is what is unchecked.

  /// A step that a process is about to take.
  struct Step: Hashable {
    let cell: Int
    /// Whether what the cell holds matters to the process; not if it overwrites it.
    let isObserving: Bool
  }

  /// For each cell the number of what it holds.
  private(set) var state: [Int32] = []
  /// The step before which the process was stopped.
  private(set) var awaited: Step?
  private var replayed: ArraySlice<Int32> = []
  private var mayStep = false

  /// A memory with nothing in it.
  public init() {}

  /// Makes an atomic register that one process writes and all read.
  public func makeRegister<Value: Hashable & Sendable>(
    _ initial: Value, writer: Peer
  ) -> any AtomicRegister<Value> {
    ExplorerRegister(ExplorerCell(initial, in: self))
  }

  /// Makes a list of k-consensus objects without an end, and returns its first.
  public func makeConsensus<Value: Hashable & Sendable>(
    of type: Value.Type, among k: Int
  ) -> any ConsensusObject<Value> {
    ExplorerConsensus<Value>(among: k, in: self)
  }

  /// Makes a snapshot object that is given: an update or a snapshot of it is one step.
  public func makeSnapshot<Element: Hashable & Sendable>(
    _ initial: Element, processes: Int
  ) -> any SnapshotObject<Element> {
    ExplorerSnapshot(
      ExplorerCell([Element](repeating: initial, count: processes), in: self))
  }

  /// Makes an asset-transfer object that is given: a transfer or a read is one step.
  public func makeAssetTransfer(_ type: AssetTransferObject) -> GivenAssetTransfer.Object {
    GivenAssetTransfer.Object(type: type, balances: ExplorerCell(type.initialBalances, in: self))
  }

  /// Tells what is to happen: the memory's state, the steps to repeat, and whether one more may be taken.
  func prepare(_ state: [Int32], repeating steps: [Int32], mayStep: Bool) {
    // Cells may have been added since.
    self.state = state + [Int32](repeating: 0, count: self.state.count - state.count)
    replayed = steps[...]
    self.mayStep = mayStep
    awaited = nil
  }

  fileprivate func addCell() -> Int {
    state.append(0)
    return state.count - 1
  }

  /// A process takes a step: the number of what the cell held, and whether the step is new.
  fileprivate func take(_ step: Step) throws(ProcessStopped) -> (value: Int32, isNew: Bool) {
    if let value = replayed.popFirst() { return (value, false) }
    guard mayStep else {
      awaited = step
      throw ProcessStopped()
    }
    mayStep = false
    return (state[step.cell], true)
  }

  fileprivate func set(_ cell: Int, to value: Int32) { state[cell] = value }
}

/// A place in an explorer's memory.
final class ExplorerCell<Value: Hashable & Sendable>: @unchecked Sendable {
  // As its memory, it belongs to one thread.
  private let memory: ExplorerMemory
  private let index: Int
  private var values: [Value]
  private var numbers: [Value: Int32]

  init(_ initial: Value, in memory: ExplorerMemory) {
    self.memory = memory
    index = memory.addCell()
    values = [initial]
    numbers = [initial: 0]
  }

  /// One atomic step. One that does not observe must not depend on the value.
  func access<Result>(
    isObserving: Bool = true, _ body: (inout Value) -> Result
  ) throws(ProcessStopped) -> Result {
    let (number, isNew) = try memory.take(ExplorerMemory.Step(cell: index, isObserving: isObserving))
    var value = values[Int(number)]
    let result = body(&value)
    if isNew { memory.set(index, to: self.number(of: value)) }
    return result
  }

  private func number(of value: Value) -> Int32 {
    if let number = numbers[value] { return number }
    let number = Int32(values.count)
    values.append(value)
    numbers[value] = number
    return number
  }
}

private struct ExplorerRegister<Value: Hashable & Sendable>: AtomicRegister {
  private let cell: ExplorerCell<Value>

  init(_ cell: ExplorerCell<Value>) { self.cell = cell }

  func read(by process: SteppingProcess) throws(ProcessStopped) -> Value { try cell.access { $0 } }

  func write(_ value: Value, by process: SteppingProcess) throws(ProcessStopped) {
    try cell.access(isObserving: false) { $0 = value }
  }
}

private final class ExplorerConsensus<Value: Hashable & Sendable>: ConsensusObject, @unchecked Sendable {
  private struct Ballot: Hashable {
    var decision: Value?
    var proposals = 0
  }

  private let k: Int
  private let memory: ExplorerMemory
  private let ballot: ExplorerCell<Ballot>
  // As its memory, it belongs to one thread.
  private lazy var following = ExplorerConsensus(among: k, in: memory)

  init(among k: Int, in memory: ExplorerMemory) {
    self.k = k
    self.memory = memory
    ballot = ExplorerCell(Ballot(), in: memory)
  }

  func propose(_ value: Value, by process: SteppingProcess) throws(ProcessStopped) -> Value? {
    try ballot.access { ballot in
      guard ballot.proposals < k else { return nil }
      ballot.proposals += 1
      ballot.decision = ballot.decision ?? value
      return ballot.decision
    }
  }

  var next: any ConsensusObject<Value> { following }
}

private struct ExplorerSnapshot<Element: Hashable & Sendable>: SnapshotObject {
  private let entries: ExplorerCell<[Element]>

  init(_ entries: ExplorerCell<[Element]>) { self.entries = entries }

  func update(_ element: Element, by process: SteppingProcess) throws(ProcessStopped) {
    try entries.access { $0[process.index] = element }
  }

  func snapshot(by process: SteppingProcess) throws(ProcessStopped) -> [Element] {
    try entries.access { $0 }
  }
}

/// A process of an asset-transfer object that is given, in an explorer's memory.
public struct GivenAssetTransfer: AssetTransferProcess {
  /// The object that is given.
  public struct Object: Sendable {
    let type: AssetTransferObject
    let balances: ExplorerCell<AssetTransferObject.Balances>
  }

  private let object: Object
  private let process: SteppingProcess

  /// A process that uses that object.
  public init(_ object: Object, _ process: SteppingProcess) {
    self.object = object
    self.process = process
  }

  /// Nothing is remembered.
  public var variables: Bool { true }

  /// transfer(a, b, x), in one step.
  public mutating func transfer(
    from source: AssetTransferObject.Account, to credits: [AssetTransferObject.Credit]
  ) throws(ProcessStopped) -> Bool {
    try object.balances.access {
      object.type.apply(.transfer(from: source, to: credits), by: process.peer, to: &$0) == .transferred(true)
    }
  }

  /// read(a), in one step.
  public mutating func read(_ account: AssetTransferObject.Account) throws(ProcessStopped) -> UInt64 {
    try object.balances.access { $0[account.index] }
  }
}
