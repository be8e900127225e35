import StarlingCore
import StarlingLedger

/// Algorithms 3 and 4 of the thesis: asset transfer where up to k processes own each account, wait-free, from registers and
/// k-consensus objects. Code for process p.
public struct SharedAssetTransfer: AssetTransferProcess {
  /// tx = (a, b, x, p, round_a): a transfer as its originator announces it. No two are equal, as a process's round grows
  /// with each of its transfers.
  public struct Transfer: Hashable, Sendable {
    let source: AssetTransferObject.Account
    let credits: [AssetTransferObject.Credit]
    let originator: Peer
    let round: Int

    /// Whether this one comes first: by round, then by originator.
    func isOlder(than other: Transfer) -> Bool {
      (round, originator) < (other.round, other.originator)
    }
  }

  /// A transfer, and whether its owners agreed that it succeeds.
  public struct Decision: Hashable, Sendable {
    let transfer: Transfer
    let isSuccess: Bool
  }

  /// hist: for each account, in their order, its decisions in the order of rounds, as far as the process has gone. Where
  /// two processes have decisions of an account, one has the beginning of the other's.
  public typealias History = [[Decision]]

  /// What the processes share.
  public struct Shared: Sendable {
    /// The accounts and their owners.
    let type: AssetTransferObject
    /// AS, with an entry for each process.
    let snapshot: any SnapshotObject<History>
    /// R_a[i]: for each account a register for each of its owners.
    let announced: [[any AtomicRegister<Transfer?>]]
    /// kC_a[0]: for each account the first of its consensus objects.
    let consensus: [any ConsensusObject<Decision>]

    /// Makes what so many processes share, in a memory, on a snapshot object of its registers.
    public init(_ type: AssetTransferObject, processes: Int, in memory: some SharedMemory) {
      self.init(
        type, in: memory,
        snapshot: WaitFreeSnapshot(Shared.nothing(in: type), processes: processes, in: memory))
    }

    /// Makes what processes share, on a snapshot object whose entries are `nothing(in:)`.
    public init(
      _ type: AssetTransferObject, in memory: some SharedMemory, snapshot: any SnapshotObject<History>
    ) {
      self.type = type
      self.snapshot = snapshot
      announced = type.openings.map { opening in
        opening.owners.map { memory.makeRegister(Transfer?.none, writer: $0) }
      }
      consensus = type.openings.map { memory.makeConsensus(of: Decision.self, among: $0.owners.count) }
    }

    /// The history of a process that knows of no decision.
    public static func nothing(in type: AssetTransferObject) -> History {
      History(repeating: [], count: type.openings.count)
    }
  }

  private let shared: Shared
  private let process: SteppingProcess
  private var history: History
  /// committed_a, for each account.
  private var committed: [Set<Transfer>]
  /// kC_a[round_a], for each account.
  private var consensus: [any ConsensusObject<Decision>]

  /// A process that has not done anything yet.
  public init(_ shared: Shared, _ process: SteppingProcess) {
    self.shared = shared
    self.process = process
    history = Shared.nothing(in: shared.type)
    committed = [Set<Transfer>](repeating: [], count: shared.type.openings.count)
    consensus = shared.consensus
  }

  /// hist, from which `committed` and `round` follow.
  public var variables: History { history }

  /// transfer(a, b, x).
  public mutating func transfer(
    from source: AssetTransferObject.Account, to credits: [AssetTransferObject.Credit]
  ) throws(ProcessStopped) -> Bool {
    let a = source.index
    guard let owner = shared.type.openings[a].owners.firstIndex(of: process.peer) else { return false }
    // round_a is how many decisions of the account the process knows.
    let transfer = Transfer(
      source: source, credits: credits, originator: process.peer, round: history[a].count)
    try shared.announced[a][owner].write(transfer, by: process)
    var collected = try collect(a).subtracting(committed[a])
    while collected.contains(transfer) {
      guard let oldest = collected.min(by: { $0.isOlder(than: $1) }) else { break }
      let proposal = proposal(oldest, try shared.snapshot.snapshot(by: process))
      guard let decision = try consensus[a].propose(proposal, by: process) else {
        preconditionFailure("more than \(shared.announced[a].count) proposals in round \(history[a].count)")
      }
      history[a].append(decision)
      // Before the next round: others may know of it only from here, and what they propose there relies on it.
      try shared.snapshot.update(history, by: process)
      committed[a].insert(decision.transfer)
      collected.remove(decision.transfer)
      consensus[a] = consensus[a].next
    }
    return history[a].contains(Decision(transfer: transfer, isSuccess: true))
  }

  /// read(a).
  public mutating func read(_ account: AssetTransferObject.Account) throws(ProcessStopped) -> UInt64 {
    balance(account, try shared.snapshot.snapshot(by: process))
  }

  /// collect(a): what the account's owners have announced.
  private func collect(_ account: Int) throws(ProcessStopped) -> Set<Transfer> {
    var collected: Set<Transfer> = []
    for register in shared.announced[account] {
      if let transfer = try register.read(by: process) { collected.insert(transfer) }
    }
    return collected
  }

  /// proposal(tx, snapshot): the whole announced transfer, and whether the source has enough for it.
  private func proposal(_ transfer: Transfer, _ snapshot: [History]) -> Decision {
    let total = AssetTransferObject.total(of: transfer.credits)
    let balance = balance(transfer.source, snapshot)
    return Decision(transfer: transfer, isSuccess: total.map { balance >= $0 } ?? false)
  }

  /// balance(a, snapshot): the initial balance, plus what came in, minus what went out, each transfer counted once however
  /// many entries have it: of an account's decisions the longest entry has all that any has.
  private func balance(_ account: AssetTransferObject.Account, _ snapshot: [History]) -> UInt64 {
    var balance = RunningBalance(shared.type, account)
    for source in shared.type.openings.indices {
      let decisions = snapshot.map { $0[source] }.max { $0.count < $1.count } ?? []
      for decision in decisions where decision.isSuccess {
        balance.count(decision.transfer.credits, from: decision.transfer.source)
      }
    }
    return balance.amount
  }
}
