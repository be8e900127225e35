import StarlingCore
import StarlingLedger

/// What the ledger's part of the control interface asks of a node. Each call may come from any thread, returns at once, and is
/// answered by `reply`, from any thread, once. What is handed in is bounded already: a page of history by
/// ``LedgerServer/pageLimit``, transfers by ``LedgerServer/submissionLimit``.
protocol LedgerService: Sendable {
  /// How the ledger begins.
  var genesis: Genesis { get }
  /// Keys that everybody may have and pay with; `nil` unless the node was started for demonstration.
  var demoWallet: LedgerDemoWallet? { get }
  /// The ledger as the node has it.
  func status(_ reply: LedgerReply<LedgerStatus>)
  /// An account.
  func account(_ key: PublicKey, _ reply: LedgerReply<LedgerAccount>)
  /// Entries of an account's history with positions below `before` (all if `nil`), the newest first.
  func history(of key: PublicKey, before: UInt64?, limit: Int, _ reply: LedgerReply<LedgerHistory>)
  /// Takes transfers from a client, and answers in their order: at once if `patience` is `nil`, otherwise when all are final
  /// or refused, or the time is over.
  func submit(
    _ transfers: [SignedTransfer], waitingFor patience: Interval?,
    _ reply: LedgerReply<[LedgerSubmissionResult]>)
  /// A transfer.
  func transfer(_ number: TransferNumber, _ reply: LedgerReply<LedgerTransfer>)
  /// This node's own word that a transfer is final; refused with 409 as long as it is not.
  func confirmation(of number: TransferNumber, _ reply: LedgerReply<LedgerConfirmation>)
  /// The word of enough members that a transfer is final; refused with 409 as long as it is not, and with 503 when too few
  /// members answer.
  func certificate(of number: TransferNumber, _ reply: LedgerReply<Certificate>)
}
