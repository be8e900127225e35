import StarlingCore
import StarlingLedger

/// Holds nodes' words about one ledger against each other: that no money was made or lost, and that nodes that were
/// delivered the same have the same accounts.
///
/// Two nodes may for a moment have applied as many transfers and not the same ones, so a difference counts once it has lasted
/// while nothing moved.
public struct LedgerAudit: Sendable {
  /// Something that does not hold, in one sentence.
  public private(set) var faults: [String] = []
  /// Whether all nodes have applied and hold as much, so that their states could be compared.
  public private(set) var isComplete = false
  /// Whether nodes that have applied and hold as much differ: to be seen again before it is believed.
  public private(set) var isDoubtful = false

  /// Looks at what nodes say.
  ///
  /// - Parameters:
  ///   - reports: what each node said last, with its address.
  ///   - before: what each said some time before, in the same order; empty at first.
  ///   - genesis: the genesis if the user has its file.
  public init(
    _ reports: [(node: SocketAddress, status: LedgerStatus)], before: [LedgerStatus], genesis: Genesis?
  ) {
    for (node, status) in reports {
      if let genesis {
        if status.ledger != genesis.hash.description {
          faults.append(
            "The node at \(node) keeps ledger \(status.ledger), and the file's is \(genesis.hash).")
        } else if status.supply.value != genesis.supply {
          faults.append(
            "The node at \(node) says that the supply is \(status.supply), and by the genesis it is \(genesis.supply)."
          )
        }
      }
      if status.total != status.supply {
        faults.append(
          "The balances at the node at \(node) add up to \(status.total), and the supply is \(status.supply)."
        )
      }
    }
    guard let first = reports.first else { return }
    for (node, status) in reports.dropFirst() where status.ledger != first.status.ledger {
      faults.append("The nodes at \(first.node) and \(node) keep different ledgers.")
    }
    compare(reports, before: before)
    let sizes = Set(reports.map { [$0.status.transfers, UInt64($0.status.waiting)] })
    isComplete = sizes.count == 1 && !isDoubtful
  }

  private mutating func compare(
    _ reports: [(node: SocketAddress, status: LedgerStatus)], before: [LedgerStatus]
  ) {
    for i in reports.indices {
      for j in reports.indices.dropFirst(i + 1) {
        let (a, b) = (reports[i].status, reports[j].status)
        guard a.ledger == b.ledger, a.transfers == b.transfers, a.waiting == b.waiting,
          a.stateHash != b.stateHash
        else { continue }
        if before.count == reports.count, before[i] == a, before[j] == b {
          faults.append(
            "The nodes at \(reports[i].node) and \(reports[j].node) have both applied \(a.transfers) transfers, and their "
              + "accounts differ.")
        } else {
          isDoubtful = true
        }
      }
    }
  }
}
