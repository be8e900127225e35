import StarlingCore

/// An atomic snapshot object: an entry for each process, which it alone updates, and which all read together.
public protocol SnapshotObject<Element>: Sendable {
  /// What an entry holds.
  associatedtype Element: Hashable & Sendable

  /// Puts a value into the process's own entry.
  func update(_ element: Element, by process: SteppingProcess) throws(ProcessStopped)

  /// All entries, as they were at one moment of the call.
  func snapshot(by process: SteppingProcess) throws(ProcessStopped) -> [Element]
}

/// The wait-free atomic snapshot of Y. Afek, H. Attiya, D. Dolev, E. Gafni, M. Merritt and N. Shavit, "Atomic Snapshots of
/// Shared Memory", Journal of the ACM 40(4), 1993: the version with unbounded sequence numbers, on one-writer registers.
public struct WaitFreeSnapshot<Element: Hashable & Sendable>: SnapshotObject {
  /// What a process's register holds: its entry, how often it was updated, and what the process saw on its last update.
  private struct Cell: Hashable, Sendable {
    var element: Element
    var sequence: UInt64
    var view: [Element]
  }

  private let registers: [any AtomicRegister<Cell>]

  /// An object with an entry for each of so many processes.
  public init(_ initial: Element, processes: Int, in memory: some SharedMemory) {
    let view = [Element](repeating: initial, count: processes)
    registers = (0..<processes).map {
      memory.makeRegister(Cell(element: initial, sequence: 0, view: view), writer: Peer($0))
    }
  }

  /// The most steps that a snapshot among N processes takes: N + 1 collects. After N − 1 collects that differ from the one
  /// before, each of the others has moved, and another difference means that one has moved twice.
  public static func snapshotStepsLimit(processes: Int) -> Int { (processes + 1) * processes }

  /// The most steps that an update takes: a snapshot's, and one write.
  public static func updateStepsLimit(processes: Int) -> Int {
    snapshotStepsLimit(processes: processes) + 1
  }

  /// Puts a value into the process's own entry.
  public func update(_ element: Element, by process: SteppingProcess) throws(ProcessStopped) {
    let (view, cells) = try scan(by: process)
    let sequence = cells[process.index].sequence + 1
    try registers[process.index].write(Cell(element: element, sequence: sequence, view: view), by: process)
  }

  /// All entries, as they were at one moment of the call.
  public func snapshot(by process: SteppingProcess) throws(ProcessStopped) -> [Element] {
    try scan(by: process).view
  }

  /// Collects until two collects in a row are equal, or until somebody has moved twice: its second update began after this
  /// scan did, so what it saw then lies within.
  private func scan(by process: SteppingProcess) throws(ProcessStopped) -> (view: [Element], cells: [Cell]) {
    var moved = [Bool](repeating: false, count: registers.count)
    var before = try collect(by: process)
    while true {
      let after = try collect(by: process)
      var isClean = true
      for other in registers.indices where before[other].sequence != after[other].sequence {
        if moved[other] { return (after[other].view, after) }
        moved[other] = true
        isClean = false
      }
      if isClean { return (after.map(\.element), after) }
      before = after
    }
  }

  private func collect(by process: SteppingProcess) throws(ProcessStopped) -> [Cell] {
    var cells: [Cell] = []
    cells.reserveCapacity(registers.count)
    for register in registers { cells.append(try register.read(by: process)) }
    return cells
  }
}
