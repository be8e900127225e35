import StarlingCore
import StarlingLedger

/// Brings questions about the ledger to the node's thread, and its answers back.
struct NodeLedger: LedgerService {
  let mailbox: Mailbox<NodeDriver>
  let genesis: Genesis
  let demoWallet: LedgerDemoWallet?

  func status(_ reply: LedgerReply<LedgerStatus>) { ask(reply) { $0.answer(reply, $0.ledgerStatus) } }

  func account(_ key: PublicKey, _ reply: LedgerReply<LedgerAccount>) {
    ask(reply) { $0.answer(reply, $0.ledgerAccount(key)) }
  }

  func history(
    of key: PublicKey, before: UInt64?, limit: Int, _ reply: LedgerReply<LedgerHistory>
  ) { ask(reply) { $0.history(of: key, before: before, limit: limit, reply) } }

  func submit(
    _ transfers: [SignedTransfer], waitingFor patience: Interval?,
    _ reply: LedgerReply<[LedgerSubmissionResult]>
  ) { ask(reply) { $0.submit(transfers, waitingFor: patience, reply) } }

  func transfer(_ number: TransferNumber, _ reply: LedgerReply<LedgerTransfer>) {
    ask(reply) { $0.transfer(number, reply) }
  }

  func confirmation(of number: TransferNumber, _ reply: LedgerReply<LedgerConfirmation>) {
    ask(reply) { $0.confirmation(of: number, reply) }
  }

  func certificate(of number: TransferNumber, _ reply: LedgerReply<Certificate>) {
    ask(reply) { $0.certificate(of: number, reply) }
  }

  private func ask<Answer>(_ reply: LedgerReply<Answer>, _ work: @escaping Mailbox<NodeDriver>.Work) {
    if !mailbox.post(work) { reply.refuse(503, "The node is too busy; try again in a moment.") }
  }
}
