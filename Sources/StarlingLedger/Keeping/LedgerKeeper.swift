import StarlingCore

/// What a node does for a ledger between its clients and its broadcast: takes transfers in, puts them into batches, applies
/// what is delivered, and tries again what others refused.
public struct LedgerKeeper: Sendable {
  /// What a delivered batch led to.
  public struct Outcome: Sendable {
    /// What was applied, in order: of the batch, and what had waited for it.
    public fileprivate(set) var applied: [Ledger.Applied] = []
    /// Whether entries of an own batch were refused that are to be tried again.
    public fileprivate(set) var hasRefused = false
  }

  private struct Carried: Sendable {
    /// Where a transfer is on its way; in one place at a time, so that it is never twice in one batch.
    enum Place: Sendable {
      /// It waits for a batch.
      case outbox
      /// It is in own batches that are not all delivered.
      case batch
      /// An own batch was delivered without it.
      case refused
    }

    let transfer: SignedTransfer
    var place = Place.outbox
    /// How many batches with it were delivered without it.
    var refusals = 0
  }

  /// The accounts.
  public private(set) var ledger: Ledger
  /// Transfers that wait for a batch, in the order in which they came.
  private var outbox: [SignedTransfer] = []
  /// What this node brings and has not applied.
  private var carried: [TransferNumber: Carried] = [:]
  /// Refused by others, and to be tried again.
  private var refused: [TransferNumber] = []
  /// How many own batches are not delivered.
  public private(set) var batchesUnderWay = 0

  /// How many transfers of one account may be under way (a guess: enough for an owner who does not wait for each).
  public static let accountWindow = 16
  /// How many transfers a node brings at once; more are sent elsewhere, or later (a guess: a second's at full load).
  public static let carriedLimit = 16_384
  /// After how many refusals a transfer is given up: another with its number may be under way (a guess).
  public static let refusalLimit = 8

  /// The keeper of a ledger.
  public init(_ ledger: Ledger) { self.ledger = ledger }

  /// The hash of the accounts and of what waits: see ``Ledger/digest()``.
  public mutating func digest() -> SHA256Digest { ledger.digest() }

  /// How many transfers it brings and has not applied.
  public var carriedCount: Int { carried.count }

  /// Whether some wait for a batch.
  public var hasOutbox: Bool { !outbox.isEmpty }

  /// Takes a transfer from a client.
  ///
  /// - Parameters:
  ///   - transfer: the transfer.
  ///   - isSigned: whether its owner signed it for this ledger; asked last, because it costs most.
  /// - Returns: why it is not brought to the others; `nil` when it is, or was before.
  public mutating func submit(
    _ transfer: SignedTransfer, isSigned: (SignedTransfer) -> Bool
  ) -> SubmissionRefusal? {
    let body = transfer.transfer
    if let fault = body.fault { return .fault(fault) }
    if let known = carried[body.number] { return known.transfer.transfer == body ? nil : .numberInUse }
    let expected = expected(of: body.account)
    guard body.sequence <= expected.next else { return .gap(next: expected.next) }
    guard body.sequence >= ledger[body.account].next else {
      return .numberUsed(next: ledger[body.account].next)
    }
    // Whether what waits here under its number is the same is for whoever brought it to find out.
    guard body.sequence == expected.next else { return .numberInUse }
    guard body.sequence - ledger[body.account].next < UInt64(LedgerKeeper.accountWindow) else {
      return .accountBusy
    }
    guard body.funds <= expected.balance else { return .insufficient(holds: expected.balance) }
    guard carried.count < LedgerKeeper.carriedLimit else { return .overloaded }
    guard isSigned(transfer) else { return .unsigned }
    carried[body.number] = Carried(transfer: transfer)
    outbox.append(transfer)
    return nil
  }

  /// What an account will be when all that is under way from it here is applied, as far as its own transfers go.
  public func expected(of key: PublicKey) -> Ledger.Account {
    var account = ledger[key]
    while let next = carried[TransferNumber(account: key, sequence: account.next)]?.transfer
      ?? ledger.held(of: key, account.next)
    {
      account.balance -= min(account.balance, next.transfer.total ?? 0)
      account.next += 1
    }
    return account
  }

  /// Takes a transfer that an earlier life of the node took and did not apply.
  ///
  /// - Parameters:
  ///   - transfer: the transfer, whose signature was seen.
  ///   - isUnderWay: whether it is in an own batch that is broadcast already, and needs no other.
  public mutating func recall(_ transfer: SignedTransfer, isUnderWay: Bool) {
    let number = transfer.transfer.number
    guard number.sequence >= ledger[number.account].next, carried[number] == nil else { return }
    carried[number] = Carried(transfer: transfer, place: isUnderWay ? .batch : .outbox)
    if !isUnderWay { outbox.append(transfer) }
  }

  /// A transfer that this node brings and has not applied.
  public func carried(_ number: TransferNumber) -> SignedTransfer? { carried[number]?.transfer }

  /// Takes the next batch out of what waits; empty when nothing does.
  public mutating func takeBatch(entryLimit: Int, byteLimit: Int) -> [SignedTransfer] {
    // What another node brought meanwhile needs no place.
    outbox.removeAll { carried[$0.transfer.number] == nil }
    let count = TransferBatch.count(fitting: outbox, entryLimit: entryLimit, byteLimit: byteLimit)
    let batch = Array(outbox.prefix(count))
    outbox.removeFirst(count)
    for transfer in batch { carried[transfer.transfer.number]?.place = .batch }
    if !batch.isEmpty { batchesUnderWay += 1 }
    return batch
  }

  /// Takes a delivered batch.
  ///
  /// - Parameters:
  ///   - transfers: its entries.
  ///   - refused: the positions of those that are not delivered, ascending.
  ///   - isOwn: whether this node brought it.
  public mutating func deliver(_ transfers: [SignedTransfer], refused: [UInt16], isOwn: Bool) -> Outcome {
    var outcome = Outcome()
    var remaining = refused[...]
    if isOwn { batchesUnderWay = max(0, batchesUnderWay - 1) }
    for (position, transfer) in transfers.enumerated() {
      if remaining.first == UInt16(position) {
        remaining.removeFirst()
        // Of two own batches that have it the first counts.
        let number = transfer.transfer.number
        if isOwn, let own = carried[number], own.transfer == transfer, own.place == .batch {
          carried[number]?.place = .refused
          self.refused.append(number)
        }
        continue
      }
      for applied in ledger.deliver(transfer) {
        carried[applied.transfer.transfer.number] = nil
        outcome.applied.append(applied)
      }
    }
    outcome.hasRefused = !self.refused.isEmpty
    return outcome
  }

  /// Has what was refused tried again, but for what was refused too often.
  ///
  /// - Returns: what is given up: the network knows another transfer of its number, or will not hear of this one.
  public mutating func retry() -> [SignedTransfer] {
    var abandoned: [SignedTransfer] = []
    for number in refused {
      guard var transfer = carried[number] else { continue }
      transfer.refusals += 1
      if transfer.refusals < LedgerKeeper.refusalLimit {
        transfer.place = .outbox
        carried[number] = transfer
        outbox.append(transfer.transfer)
      } else {
        carried[number] = nil
        abandoned.append(transfer.transfer)
      }
    }
    refused = []
    return abandoned
  }
}

/// Why a node does not bring a transfer to the others.
public enum SubmissionRefusal: Hashable, Sendable {
  /// It can never be applied.
  case fault(TransferFault)
  /// Its signature is not its owner's for this ledger.
  case unsigned
  /// The account's transfer of that number is applied already.
  case numberUsed(next: UInt64)
  /// Another transfer of that number is under way.
  case numberInUse
  /// Transfers before it are missing.
  case gap(next: UInt64)
  /// Too many transfers of the account are under way.
  case accountBusy
  /// It depends on more than the account holds here.
  case insufficient(holds: UInt64)
  /// The node has too much to do.
  case overloaded

  /// One sentence that says what is wrong and what to do.
  public var sentence: String {
    switch self {
    case .fault(let fault): fault.sentence
    case .unsigned:
      "The signature is not the account owner's for this ledger: sign with the account's key, for this genesis."
    case .numberUsed(let next):
      "The account has used this sequence number: its next transfer has number \(next)."
    case .numberInUse:
      "Another transfer of this account and number is under way: send again exactly what was signed first, or wait for it."
    case .gap(let next):
      "Transfers of this account are missing before this one: its next transfer has number \(next)."
    case .accountBusy:
      "\(LedgerKeeper.accountWindow) transfers of this account are under way: wait until one is final."
    case .insufficient(let balance):
      "The account holds \(balance) here, less than the funds that the transfer states: pay less, or wait for what is to come in."
    case .overloaded: "The node has too many transfers to bring: try again in a second, or ask another node."
    }
  }
}
