import StarlingCore
import StarlingLedger

/// Algorithm 1 of the thesis: asset transfer among processes of which at most one owns each account, wait-free, from
/// registers alone. Code for process p.
public struct SingleOwnerAssetTransfer: AssetTransferProcess {
  /// A successful transfer, as its owner publishes it.
  public struct Outgoing: Hashable, Sendable {
    /// How many transfers of this process went before it: without this, two equal transfers would be one element of a set.
    let sequence: Int
    let source: AssetTransferObject.Account
    let credits: [AssetTransferObject.Credit]
  }

  /// AS: in each entry the successful transfers of a process, ⊥ being none.
  public typealias Snapshot = any SnapshotObject<Set<Outgoing>>

  private let type: AssetTransferObject
  private let shared: Snapshot
  private let process: SteppingProcess
  /// ops_p.
  private var operations: Set<Outgoing> = []

  /// A process that has not done anything yet.
  ///
  /// - Parameters:
  ///   - type: the accounts, of which none has two owners.
  ///   - shared: AS, with an entry for each process, all empty.
  ///   - process: p.
  public init(_ type: AssetTransferObject, _ shared: Snapshot, _ process: SteppingProcess) {
    precondition(
      type.openings.allSatisfy { $0.owners.count <= 1 },
      "Algorithm 1 is for accounts of one owner; shared ones need SharedAssetTransfer")
    self.type = type
    self.shared = shared
    self.process = process
  }

  /// ops_p.
  public var variables: Set<Outgoing> { operations }

  /// transfer(a, b, x).
  public mutating func transfer(
    from source: AssetTransferObject.Account, to credits: [AssetTransferObject.Credit]
  ) throws(ProcessStopped) -> Bool {
    let snapshot = try shared.snapshot(by: process)
    guard type.owns(process.peer, source), let total = AssetTransferObject.total(of: credits),
      balance(source, snapshot) >= total
    else { return false }
    operations.insert(Outgoing(sequence: operations.count, source: source, credits: credits))
    try shared.update(operations, by: process)
    return true
  }

  /// read(a).
  public mutating func read(_ account: AssetTransferObject.Account) throws(ProcessStopped) -> UInt64 {
    balance(account, try shared.snapshot(by: process))
  }

  /// balance(a, S): the initial balance, plus what came in, minus what went out.
  private func balance(_ account: AssetTransferObject.Account, _ snapshot: [Set<Outgoing>]) -> UInt64 {
    var balance = RunningBalance(type, account)
    for operations in snapshot {
      for transfer in operations { balance.count(transfer.credits, from: transfer.source) }
    }
    return balance.amount
  }
}

/// The balance of an account while transfers are counted, in whatever order.
struct RunningBalance {
  private let account: AssetTransferObject.Account
  /// Modulo 2⁶⁴: on the way, sums may leave 64 bits or fall below zero; the whole sum is a balance and does neither.
  private(set) var amount: UInt64

  init(_ type: AssetTransferObject, _ account: AssetTransferObject.Account) {
    self.account = account
    amount = type.openings[account.index].balance
  }

  mutating func count(_ credits: [AssetTransferObject.Credit], from source: AssetTransferObject.Account) {
    for credit in credits {
      if source == account { amount &-= credit.amount }
      if credit.account == account { amount &+= credit.amount }
    }
  }
}
