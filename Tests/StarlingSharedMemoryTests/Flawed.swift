import StarlingCore
import StarlingLedger
import StarlingSharedMemory

/// A snapshot that is not atomic: it reads the entries one after another, once.
struct SingleCollect: SnapshotObject {
  private let registers: [any AtomicRegister<Int>]

  init(processes: Int, in memory: some SharedMemory) {
    registers = (0..<processes).map { memory.makeRegister(0, writer: Peer($0)) }
  }

  func update(_ element: Int, by process: SteppingProcess) throws(ProcessStopped) {
    try registers[process.index].write(element, by: process)
  }

  func snapshot(by process: SteppingProcess) throws(ProcessStopped) -> [Int] {
    var view: [Int] = []
    for register in registers { view.append(try register.read(by: process)) }
    return view
  }
}

/// A snapshot that takes the view of the first update it sees, which may have begun before it did.
struct MovedOnce: SnapshotObject {
  struct Cell: Hashable {
    var element = 0
    var sequence = 0
    var view: [Int]
  }

  private let registers: [any AtomicRegister<Cell>]

  init(processes: Int, in memory: some SharedMemory) {
    let view = [Int](repeating: 0, count: processes)
    registers = (0..<processes).map { memory.makeRegister(Cell(view: view), writer: Peer($0)) }
  }

  func update(_ element: Int, by process: SteppingProcess) throws(ProcessStopped) {
    let view = try snapshot(by: process)
    var cell = try registers[process.index].read(by: process)
    cell = Cell(element: element, sequence: cell.sequence + 1, view: view)
    try registers[process.index].write(cell, by: process)
  }

  func snapshot(by process: SteppingProcess) throws(ProcessStopped) -> [Int] {
    let before = try collect(by: process)
    let after = try collect(by: process)
    for (old, new) in zip(before, after) where old.sequence != new.sequence { return new.view }
    return after.map(\.element)
  }

  private func collect(by process: SteppingProcess) throws(ProcessStopped) -> [Cell] {
    var cells: [Cell] = []
    for register in registers { cells.append(try register.read(by: process)) }
    return cells
  }
}

/// A transfer as the printed algorithms publish it.
struct PrintedTransfer: Hashable {
  let source: Account
  let credits: [Credit]
  var originator: Peer?
  var round: Int?

  func credit(of account: Account) -> UInt64 {
    credits.reduce(0) { $1.account == account ? $0 &+ $1.amount : $0 }
  }

  func debit(of account: Account) -> UInt64 {
    source == account ? credits.reduce(0) { $0 &+ $1.amount } : 0
  }
}

private func balance(
  _ type: AssetTransferObject, _ account: Account, _ transfers: Set<PrintedTransfer>
) -> UInt64 {
  transfers.reduce(type.openings[account.index].balance) {
    $0 &+ $1.credit(of: account) &- $1.debit(of: account)
  }
}

/// Algorithm 1 as it is printed: `ops_p` is a set of (a, b, x), so of two equal transfers one is lost.
struct PrintedSingleOwner: AssetTransferProcess {
  let type: AssetTransferObject
  let shared: any SnapshotObject<Set<PrintedTransfer>>
  let process: SteppingProcess
  private var operations: Set<PrintedTransfer> = []
  var variables: Set<PrintedTransfer> { operations }

  init(
    _ type: AssetTransferObject, _ shared: any SnapshotObject<Set<PrintedTransfer>>,
    _ process: SteppingProcess
  ) {
    self.type = type
    self.shared = shared
    self.process = process
  }

  mutating func transfer(from source: Account, to credits: [Credit]) throws(ProcessStopped) -> Bool {
    let snapshot = try shared.snapshot(by: process)
    let transfer = PrintedTransfer(source: source, credits: credits)
    let enough =
      StarlingSharedMemoryTests.balance(type, source, union(snapshot)) >= transfer.debit(of: source)
    guard type.owns(process.peer, source), enough else { return false }
    operations.insert(transfer)
    try shared.update(operations, by: process)
    return true
  }

  mutating func read(_ account: Account) throws(ProcessStopped) -> UInt64 {
    StarlingSharedMemoryTests.balance(type, account, union(try shared.snapshot(by: process)))
  }

  private func union(_ entries: [Set<PrintedTransfer>]) -> Set<PrintedTransfer> {
    entries.reduce(into: []) { $0.formUnion($1) }
  }
}

/// Algorithms 3 and 4 once more, with sets as they are printed, and perhaps with a flaw.
struct FlawedShared: AssetTransferProcess {
  enum Flaw {
    /// As printed, with the whole transfer in the proposal: not a flaw, but the reading that is followed.
    case none
    /// `proposal` forgets the round of the transfer, as Algorithm 4 is printed.
    case roundless
    /// The next consensus object is taken before the decision of the last is in the snapshot.
    case late
  }

  struct Decision: Hashable {
    var transfer: PrintedTransfer
    let isSuccess: Bool
  }

  struct Shared {
    let type: AssetTransferObject
    let flaw: Flaw
    let snapshot: any SnapshotObject<Set<Decision>>
    let announced: [[any AtomicRegister<PrintedTransfer?>]]
    let consensus: [any ConsensusObject<Decision>]

    init(_ type: AssetTransferObject, _ flaw: Flaw, processes: Int, in memory: some SharedMemory) {
      self.type = type
      self.flaw = flaw
      snapshot = WaitFreeSnapshot([], processes: processes, in: memory)
      announced = type.openings.map {
        $0.owners.map { memory.makeRegister(PrintedTransfer?.none, writer: $0) }
      }
      consensus = type.openings.map { memory.makeConsensus(of: Decision.self, among: $0.owners.count) }
    }
  }

  let shared: Shared
  let process: SteppingProcess
  private var history: Set<Decision> = []
  private var committed: [Set<PrintedTransfer>]
  private var consensus: [any ConsensusObject<Decision>]
  private var rounds: [Int]
  var variables: Set<Decision> { history }

  init(_ shared: Shared, _ process: SteppingProcess) {
    self.shared = shared
    self.process = process
    committed = shared.type.openings.map { _ in [] }
    rounds = shared.type.openings.map { _ in 0 }
    consensus = shared.consensus
  }

  mutating func transfer(from source: Account, to credits: [Credit]) throws(ProcessStopped) -> Bool {
    let a = source.index
    guard let owner = shared.type.openings[a].owners.firstIndex(of: process.peer) else { return false }
    let transfer = PrintedTransfer(
      source: source, credits: credits, originator: process.peer, round: rounds[a])
    try shared.announced[a][owner].write(transfer, by: process)
    var collected: Set<PrintedTransfer> = []
    for register in shared.announced[a] {
      if let other = try register.read(by: process) { collected.insert(other) }
    }
    collected.subtract(committed[a])
    while collected.contains(transfer) {
      let oldest = collected.min {
        ($0.round ?? 0, $0.originator ?? process.peer) < ($1.round ?? 0, $1.originator ?? process.peer)
      }
      guard let oldest else { break }
      var proposal = Decision(
        transfer: oldest,
        isSuccess: balance(source, try shared.snapshot.snapshot(by: process)) >= oldest.debit(of: source))
      if shared.flaw == .roundless { proposal.transfer.round = nil }
      guard let decision = try consensus[a].propose(proposal, by: process) else { break }
      history.insert(decision)
      if shared.flaw != .late { try shared.snapshot.update(history, by: process) }
      committed[a].insert(decision.transfer)
      collected.subtract(committed[a])
      rounds[a] += 1
      consensus[a] = consensus[a].next
    }
    if shared.flaw == .late { try shared.snapshot.update(history, by: process) }
    return history.contains(Decision(transfer: transfer, isSuccess: true))
  }

  mutating func read(_ account: Account) throws(ProcessStopped) -> UInt64 {
    balance(account, try shared.snapshot.snapshot(by: process))
  }

  private func balance(_ account: Account, _ entries: [Set<Decision>]) -> UInt64 {
    let all = entries.reduce(into: Set()) { $0.formUnion($1) }
    return StarlingSharedMemoryTests.balance(
      shared.type, account, Set(all.filter(\.isSuccess).map(\.transfer)))
  }
}
