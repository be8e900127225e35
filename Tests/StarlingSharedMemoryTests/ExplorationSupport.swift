import StarlingCore
import StarlingLedger
import StarlingSharedMemory
import Testing

typealias Account = AssetTransferObject.Account
typealias Credit = AssetTransferObject.Credit
typealias Opening = AssetTransferObject.Opening
typealias Transfers = AssetTransferObject.Operation

/// An object with these balances and, for each account, the indices of its owners.
func object(_ openings: (balance: UInt64, owners: [Int])...) throws -> AssetTransferObject {
  try AssetTransferObject(
    openings.map { Opening(balance: $0.balance, owners: $0.owners.map { Peer($0) }) })
}

func move(_ amount: UInt64, _ source: Int, _ destination: Int) -> Transfers {
  .transfer(amount, from: Account(source), to: Account(destination))
}

func read(_ account: Int) -> Transfers { .read(Account(account)) }

/// Explores a snapshot object of as many processes as there are programs.
func explore(
  _ programs: [[SnapshotType<Int>.Operation]], stepsLimit: Int? = nil,
  snapshot: (ExplorerMemory) -> any SnapshotObject<Int>
) -> Exploration<SnapshotType<Int>.Response> {
  let memory = ExplorerMemory()
  let object = snapshot(memory)
  let limit = stepsLimit ?? WaitFreeSnapshot<Int>.updateStepsLimit(processes: programs.count)
  return Explorer(
    SnapshotType(0, processes: programs.count), in: memory, programs: programs, stepsLimit: limit
  ) { SnapshotParticipant(object, $0) }.explore()
}

/// Explores processes of an implementation of asset transfer.
func explore<P: AssetTransferProcess>(
  _ type: AssetTransferObject, _ programs: [[Transfers]], stepsLimit: Int, in memory: ExplorerMemory,
  participant: (SteppingProcess) -> P
) -> Exploration<AssetTransferObject.Response> {
  Explorer(type, in: memory, programs: programs, stepsLimit: stepsLimit, participant: participant).explore()
}

/// Expects that every schedule kept its promises, and prints how many there were.
func expectNoViolation<R>(_ exploration: Exploration<R>, _ name: String = #function) {
  print(
    "\(name): \(exploration.schedules) schedules, \(exploration.states) states,",
    "at most \(exploration.longestOperations) steps")
  #expect(exploration.violation == nil, "\(exploration.violation ?? "")")
  #expect(exploration.schedules > 0)
}
