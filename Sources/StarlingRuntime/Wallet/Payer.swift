import Glibc
import StarlingCore
import StarlingLedger

/// Pays from a wallet through nodes that keep one ledger: asks what an account holds, signs, keeps what is signed, sends it,
/// and sends again what an earlier run could not.
///
/// One thread at a time uses it.
public final class Payer {
  /// A payment that was signed.
  public struct Payment: Sendable {
    /// What was signed.
    public let transfer: SignedTransfer
    /// What names it.
    public var id: TransferNumber { transfer.transfer.number }
    /// How far it is by the word of the node that was asked.
    public fileprivate(set) var state: LedgerTransferState
    /// Whether the node has applied a transfer of its number, and does not know this one: another copy of the wallet may
    /// have signed that, or the node has forgotten.
    public fileprivate(set) var isOvertaken = false
  }

  /// The nodes; the first that answers carries the transfers.
  private let clients: [LedgerClient]
  private let wallet: Wallet
  /// The hash of the genesis of the ledger that is paid in.
  public let ledger: SHA256Digest
  /// The nodes that were believed, because this wallet had never asked them, that they keep the ledger.
  public let believed: [SocketAddress]

  /// Why nodes are left out that did not answer, while others did.
  public let unreachable: [HostError]

  /// How long to wait before a node is asked again, in milliseconds.
  private static let pause: UInt32 = 200

  /// Asks nodes which ledger they keep.
  ///
  /// - Parameters:
  ///   - wallet: where keys and signatures are.
  ///   - clients: nodes, one or more.
  ///   - genesis: the genesis' hash if the user has its file.
  /// - Throws: ``HostError`` when none answers, or one keeps another ledger.
  public init(_ wallet: Wallet, clients: [LedgerClient], genesis: SHA256Digest?) throws(HostError) {
    self.wallet = wallet
    var ledgers: [(node: SocketAddress, ledger: SHA256Digest)] = []
    var (reached, unreachable): ([LedgerClient], [HostError]) = ([], [])
    for client in clients {
      let status: LedgerStatus
      do throws(HostError) {
        status = try client.status()
      } catch {
        unreachable.append(error)
        continue
      }
      reached.append(client)
      guard let ledger = SHA256Digest(hexadecimal: status.ledger.utf8) else {
        throw HostError("The node at \(client.address) names no ledger: it is none of this version's.")
      }
      ledgers.append((client.address, ledger))
    }
    guard let first = ledgers.first else {
      throw unreachable.first ?? HostError("No node is named: name one.")
    }
    self.clients = reached
    self.unreachable = unreachable
    if let other = ledgers.first(where: { $0.ledger != first.ledger }) {
      throw HostError(
        "The nodes at \(first.node) and \(other.node) keep different ledgers: leave one of them out.")
    }
    // All are looked at before one is believed.
    var believed: [SocketAddress] = []
    for entry in ledgers where try wallet.trust(entry.ledger, of: entry.node, genesis: genesis) {
      believed.append(entry.node)
    }
    ledger = first.ledger
    self.believed = believed
  }

  /// What an account is when all is applied that the nodes know of, as a payment may rely on it: the least that any of them
  /// says.
  ///
  /// - Throws: ``HostError`` when one does not answer, or they disagree for longer than a few seconds.
  public func account(_ key: PublicKey) throws(HostError) -> Ledger.Account {
    let deadline = ContinuousClock.now + .seconds(5)
    while true {
      var accounts: [Ledger.Account] = []
      for client in clients { accounts.append(try client.account(key).expected) }
      let unfinished = try wallet.record.unfinished(
        of: key, in: ledger, allFrom: accounts.reduce(.max) { min($0, $1.next) })
      let ends = accounts.map { Payer.end(of: $0, after: unfinished) }
      guard let first = ends.first else { throw HostError("No node is named: name one.") }
      if ends.allSatisfy({ $0.next == first.next }) {
        return Ledger.Account(balance: ends.reduce(first.balance) { min($0, $1.balance) }, next: first.next)
      }
      guard ContinuousClock.now < deadline else {
        throw HostError(
          "The nodes disagree about the account's next transfer, \(ends.map { "\($0.next)" }.joined(separator: " or ")): "
            + "wait until they have caught up, or leave one out.")
      }
      usleep(Payer.pause * 1_000)
    }
  }

  /// An account when what was signed from its number on is applied too.
  private static func end(of account: Ledger.Account, after signed: [SignedTransfer]) -> Ledger.Account {
    var (balance, next) = (account.balance, account.next)
    for transfer in signed.map(\.transfer) where transfer.sequence == next {
      balance -= min(balance, transfer.total ?? 0)
      next += 1
    }
    return Ledger.Account(balance: balance, next: next)
  }

  /// Signs a payment and keeps it; nothing is sent. Once this has returned, its number is never signed again.
  public func sign(
    _ destinations: [Transfer.Destination], memo: [UInt8] = [], by owner: Identity
  ) throws(HostError) -> Payment {
    let known = try account(owner.publicKey)
    let signed = try wallet.record.sign([(owner, destinations, memo)], in: ledger) { _ in known }
    return payment(signed[0])
  }

  /// Signs payments and keeps them, all or none, each account's in their order; nothing is sent.
  ///
  /// - Parameter known: what the accounts are as ``account(_:)`` says.
  public func sign(
    _ payments: [(owner: Identity, destinations: [Transfer.Destination])],
    from known: (PublicKey) -> Ledger.Account
  ) throws(HostError) -> [Payment] {
    try wallet.record.sign(payments.map { ($0.owner, $0.destinations, []) }, in: ledger, from: known)
      .map(payment)
  }

  /// Sends what an account has signed and the nodes do not know of, in order: all that earlier runs could not send, too.
  ///
  /// - Parameters:
  ///   - key: the account.
  ///   - timeout: how long to try.
  /// - Returns: what was signed and is not final as far as is known; those that the node knows to be final are told once.
  /// - Throws: ``HostError`` when no node takes them in time; they stay signed, and may be sent again.
  public func send(of key: PublicKey, within timeout: Interval) throws(HostError) -> [Payment] {
    let deadline = ContinuousClock.now + .nanoseconds(timeout.nanoseconds)
    while true {
      var refusal: HostError?
      for client in clients {
        do throws(SendError) {
          return try send(of: key, through: client)
        } catch {
          switch error {
          case .lasting(let error): throw error
          case .passing(let error): refusal = error
          }
        }
      }
      guard ContinuousClock.now < deadline else {
        throw HostError(
          (refusal?.description ?? "No node took the transfer.")
            + " What is signed is kept; `starling pay --resend` sends it again.")
      }
      usleep(Payer.pause * 1_000)
    }
  }

  /// Why a node did not take what was sent.
  private enum SendError: Error {
    /// It never will.
    case lasting(HostError)
    /// It may in a moment, or another node may.
    case passing(HostError)
  }

  private func send(of key: PublicKey, through client: LedgerClient) throws(SendError) -> [Payment] {
    var isLasting = false
    do throws(HostError) {
      let account = try client.account(key)
      var payments = try wallet.record.unfinished(of: key, in: ledger, allFrom: account.expectedNext)
        .map(payment)
      for index in payments.indices {
        let sequence = payments[index].transfer.transfer.sequence
        if sequence < account.expectedNext {
          // The node has it, or another one of its number.
          let known = try client.transfer(payments[index].id)
          payments[index].state = known.isAnother(than: payments[index].transfer) ? .unknown : known.state
          payments[index].isOvertaken = sequence < account.next && payments[index].state != .final
          continue
        }
        switch try client.submit(payments[index].transfer) {
        case .taken(let receipt) where receipt.state == .refused:
          throw HostError(Payer.sentence(sequence, receipt.reason))
        case .taken(let receipt): payments[index].state = receipt.state
        case .refused(let status, let reason):
          // Sequence, funds and room change; a malformed or unsigned transfer stays one.
          isLasting = [400, 403, 413].contains(status)
          throw HostError(Payer.sentence(sequence, reason))
        }
      }
      try wallet.record.settle(payments.filter { $0.state == .final }.map(\.transfer), in: ledger)
      return payments
    } catch {
      throw isLasting ? .lasting(error) : .passing(error)
    }
  }

  private static func sentence(_ sequence: UInt64, _ reason: String?) -> String {
    "The node does not take number \(sequence) of the account: \(reason ?? "it gave it up.")"
  }

  /// Waits until a payment is final.
  ///
  /// - Returns: why it is not when the time is over; `nil` when it is.
  public func wait(for payment: Payment, within timeout: Interval) throws(HostError) -> String? {
    let deadline = ContinuousClock.now + .nanoseconds(timeout.nanoseconds)
    while true {
      var known: LedgerTransfer?
      var failure: HostError?
      for client in clients where known == nil {
        do throws(HostError) { known = try client.transfer(payment.id) } catch { failure = error }
      }
      switch known?.state {
      case .final? where known?.isAnother(than: payment.transfer) == true:
        return "Another transfer of its number is final: something else signed with the account's key."
      case .final?:
        try wallet.record.settle([payment.transfer], in: ledger)
        return nil
      case .refused?: return known?.reason ?? "The node gave the transfer up."
      default: break
      }
      guard ContinuousClock.now < deadline else {
        // No answer says nothing of the transfer, which was handed in.
        if known == nil, let failure { return failure.description }
        return "The transfer is not final after \(Quantity.text(of: timeout))."
      }
      usleep(50_000)
    }
  }

  /// Notes that transfers are final, so that they are not sent again.
  public func settle(_ payments: [Payment]) throws(HostError) {
    try wallet.record.settle(payments.map(\.transfer), in: ledger)
  }

  private func payment(_ signed: SignedTransfer) -> Payment {
    Payment(transfer: signed, state: .unknown)
  }
}

extension LedgerTransfer {
  /// Whether the node's transfer of the number says something else than one that was signed.
  public func isAnother(than signed: SignedTransfer) -> Bool {
    guard let digits = transfer, let bytes = bytes(hexadecimal: digits.utf8),
      let known = try? SignedTransfer(encoded: bytes)
    else { return false }
    return known.transfer != signed.transfer
  }
}
