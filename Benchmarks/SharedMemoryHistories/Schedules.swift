import StarlingCore
import StarlingLedger
import StarlingSharedMemory

typealias Account = AssetTransferObject.Account
typealias Operation = AssetTransferObject.Operation

/// Follows every schedule of cases that are too large for the tests, and says how many there were.
///
/// - Returns: whether all kept their promises.
func exploreSchedules() -> Bool {
  say("")
  say("| every schedule of | schedules | states | most steps of an operation | verdict |")
  say("|---|---|---|---|---|")
  var holds = true
  func row<R>(_ name: String, _ exploration: Exploration<R>) {
    let longest = exploration.longestOperations.flatMap { $0 }.max() ?? 0
    let verdict = exploration.violation == nil ? "holds" : "**broken**"
    say("| \(name) | \(exploration.schedules) | \(exploration.states) | \(longest) | \(verdict) |")
    if let violation = exploration.violation {
      say(violation)
      holds = false
    }
  }
  row("snapshot, 3 processes: update and snapshot", snapshots([.update(1), .snapshot], 3))
  let chain = [[transfer(0, 1), read(1)], [transfer(1, 2), read(2)], [transfer(2, 0), read(0)]]
  row("Algorithm 1, 3 processes: transfer and read", singleOwner(chain))
  let twice = [transfer(0, 1), transfer(0, 1)]
  row("Algorithm 3, 2 owners: two transfers", shared([twice, twice], onRegisters: true))
  let back = [[transfer(0, 1), transfer(1, 0)], [transfer(1, 0), transfer(0, 1)]]
  row("Algorithm 3, 2 owners: to and fro", shared(back, onRegisters: true))
  let once = [[Operation]](repeating: [transfer(0, 1)], count: 3)
  row("Algorithm 3, 3 owners: a transfer, on a given snapshot", shared(once, onRegisters: false))
  row("Algorithm 2 on Algorithm 3, k = 2", consensus())
  return holds
}

private func transfer(_ source: Int, _ destination: Int) -> Operation {
  .transfer(1, from: Account(source), to: Account(destination))
}

private func read(_ account: Int) -> Operation { .read(Account(account)) }

private func snapshots(
  _ program: [SnapshotType<Int>.Operation], _ processes: Int
) -> Exploration<SnapshotType<Int>.Response> {
  let memory = ExplorerMemory()
  let object = WaitFreeSnapshot(0, processes: processes, in: memory)
  return Explorer(
    SnapshotType(0, processes: processes), in: memory,
    programs: [[SnapshotType<Int>.Operation]](repeating: program, count: processes),
    stepsLimit: WaitFreeSnapshot<Int>.updateStepsLimit(processes: processes)
  ) { SnapshotParticipant(object, $0) }.explore()
}

/// An account for each process, of which the first has 1.
private func singleOwner(_ programs: [[Operation]]) -> Exploration<AssetTransferObject.Response> {
  let openings = programs.indices.map {
    AssetTransferObject.Opening(balance: $0 == 0 ? 1 : 0, owners: [Peer($0)])
  }
  guard let type = try? AssetTransferObject(openings) else { return Exploration() }
  let memory = ExplorerMemory()
  let n = programs.count
  let snapshot = WaitFreeSnapshot(Set<SingleOwnerAssetTransfer.Outgoing>(), processes: n, in: memory)
  let limit =
    WaitFreeSnapshot<Int>.snapshotStepsLimit(processes: n)
    + WaitFreeSnapshot<Int>.updateStepsLimit(processes: n)
  return Explorer(type, in: memory, programs: programs, stepsLimit: limit) {
    SingleOwnerAssetTransfer(type, snapshot, $0)
  }.explore()
}

/// Two accounts that all share, one of which has 1. A round is a snapshot, a proposal and an update; there are as many as
/// transfers.
private func shared(_ programs: [[Operation]], onRegisters: Bool) -> Exploration<AssetTransferObject.Response>
{
  let n = programs.count
  let owners = programs.indices.map { Peer($0) }
  let openings = [1, 0].map { AssetTransferObject.Opening(balance: $0, owners: owners) }
  guard let type = try? AssetTransferObject(openings) else { return Exploration() }
  let memory = ExplorerMemory()
  let round =
    onRegisters
    ? WaitFreeSnapshot<Int>.snapshotStepsLimit(processes: n) + 1
      + WaitFreeSnapshot<Int>.updateStepsLimit(processes: n) : 3
  let limit = 1 + n + programs.joined().count * round
  let shared = parts(type, n, onRegisters: onRegisters, memory)
  return Explorer(type, in: memory, programs: programs, stepsLimit: limit) {
    SharedAssetTransfer(shared, $0)
  }.explore()
}

/// Two rounds at most, then a read of the account and of a register.
private func consensus() -> Exploration<Int> {
  typealias Process = ConsensusByTransfer<Int, SharedAssetTransfer>
  guard let type = try? Process.object(among: 2) else { return Exploration() }
  let memory = ExplorerMemory()
  let shared = parts(type, 2, onRegisters: true, memory)
  let proposals = Process.proposals(among: 2, in: memory)
  let snapshot = WaitFreeSnapshot<Int>.snapshotStepsLimit(processes: 2)
  let transfer = 1 + 2 + 2 * (snapshot + 1 + snapshot + 1)
  return Explorer(
    ConsensusType<Int>(), in: memory, programs: [[100], [101]], stepsLimit: 1 + transfer + snapshot + 1
  ) { ConsensusByTransfer(proposals, SharedAssetTransfer(shared, $0), $0) }.explore()
}

private func parts(
  _ type: AssetTransferObject, _ processes: Int, onRegisters: Bool, _ memory: ExplorerMemory
) -> SharedAssetTransfer.Shared {
  guard !onRegisters else { return SharedAssetTransfer.Shared(type, processes: processes, in: memory) }
  let nothing = SharedAssetTransfer.Shared.nothing(in: type)
  return SharedAssetTransfer.Shared(
    type, in: memory, snapshot: memory.makeSnapshot(nothing, processes: processes))
}
