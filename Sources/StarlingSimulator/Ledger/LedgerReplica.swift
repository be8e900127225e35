import StarlingBroadcast
import StarlingCore
import StarlingLedger
import StarlingNode

/// A process that keeps a ledger among others, whichever way it agrees with them: what a ``LedgerScenario`` runs.
protocol LedgerReplica: Process where Message: SizedMessage {
  /// The accounts, and what is under way.
  var keeper: LedgerKeeper { get }
  /// What hands it a client's transfer.
  static func submitting(_ transfer: SignedTransfer) -> Request
  /// What has a Byzantine process bring transfers to the others, whatever they are.
  static func bringing(_ transfers: [SignedTransfer]) -> Request
  /// What an indication says about transfers; `nil` if nothing.
  static func news(_ indication: Indication) -> LedgerNews?
}

/// What a process tells of transfers.
enum LedgerNews {
  /// A client's transfer is brought to all, or is not.
  case answered(SignedTransfer, isTaken: Bool)
  /// A transfer was applied here, and what came of it.
  case applied(Ledger.Applied)
  /// A client's transfer is no longer brought.
  case abandoned
  /// A peer did what no correct peer does.
  case misbehaved
}

extension LedgerMember: LedgerReplica where Broadcast.Message: SizedMessage {
  static func submitting(_ transfer: SignedTransfer) -> Request { .submit(transfer) }
  static func bringing(_ transfers: [SignedTransfer]) -> Request {
    .broadcast(Broadcast.broadcasting(Broadcast.Auth.Payload(transfers: transfers)))
  }
  static func news(_ indication: Indication) -> LedgerNews? {
    switch indication {
    case .submitted(let transfer, let refusal): .answered(transfer, isTaken: refusal == nil)
    case .applied(let applied): .applied(applied)
    case .abandoned: .abandoned
    case .broadcast(.misbehaved): .misbehaved
    case .broadcast: nil
    }
  }
}
