import StarlingBroadcast
import StarlingCore
import StarlingLedger

/// One node's part in a ledger (thesis, Algorithm 5): brings its clients' transfers to all by a secure broadcast, and applies
/// those of all.
public struct LedgerMember<Broadcast: SourceOrderedBroadcast>: Process
where Broadcast.Auth: TransferAuthenticator {
  /// Nothing is added to what the broadcast sends.
  public typealias Message = Broadcast.Message

  /// What it waits for.
  public enum Timer {
    /// A timer of the broadcast.
    case broadcast(Broadcast.Timer)
    /// What others refused is tried again.
    case retry
  }

  /// What it can be asked for.
  public enum Request {
    /// Bring a client's transfer to all.
    case submit(SignedTransfer)
    /// Bring several to all, in the same batches as far as they fit.
    case submitAll([SignedTransfer])
    /// What the broadcast is asked for besides.
    case broadcast(Broadcast.Request)
  }

  /// What it tells.
  public enum Indication {
    /// A client's transfer is brought to all, or why it is not.
    case submitted(SignedTransfer, SubmissionRefusal?)
    /// A transfer is final: it was applied here, and will be everywhere.
    case applied(Ledger.Applied)
    /// A client's transfer was refused by others again and again, and is no longer brought.
    case abandoned(SignedTransfer)
    /// What the broadcast tells. What a delivered batch leads to is told after it.
    case broadcast(OrderedIndication<Broadcast.Auth>)
  }

  private enum Whole: Embedding {
    typealias Outer = LedgerMember
    typealias Inner = Broadcast
    static func message(_ message: Broadcast.Message) -> Message { message }
    static func timer(_ timer: Broadcast.Timer) -> Timer { .broadcast(timer) }
    static func indication(_ indication: Broadcast.Indication) -> LedgerMember.Indication? {
      switch indication {
      // First what a delivery is, and then what it leads to.
      case .delivered, .completed: nil
      case .missed, .behind, .broadcasting, .logged, .overloaded, .misbehaved: .broadcast(indication)
      }
    }
  }

  private let identity: Peer
  private let auth: Broadcast.Auth
  /// The broadcast below.
  public private(set) var broadcast: Broadcast
  /// The accounts, and what is under way.
  public private(set) var keeper: LedgerKeeper
  private var isRetryDue = false

  /// How many own batches may be under way. With few, transfers that come meanwhile gather in the next: the more there are to
  /// carry, the larger batches grow by themselves (a guess: two keep the links busy while one is being agreed on).
  static var batchLimit: Int { 2 }
  /// After how long what was refused is tried again (a guess: longer than a batch takes, and what others lacked has come).
  static var retryInterval: Interval { .seconds(1) }

  /// - Parameters:
  ///   - identity: the process's own handle.
  ///   - auth: signs and checks.
  ///   - broadcast: brings batches to all.
  ///   - ledger: the accounts to go on from.
  public init(identity: Peer, auth: Broadcast.Auth, broadcast: Broadcast, ledger: Ledger) {
    self.identity = identity
    self.auth = auth
    self.broadcast = broadcast
    keeper = LedgerKeeper(ledger)
    for (account, state) in ledger.accounts where state.next > 0 {
      self.broadcast.settle(account, through: state.next - 1)
    }
  }

  /// The hash of the accounts and of what waits: see `Ledger.digest()`.
  mutating func digest() -> SHA256Digest { keeper.digest() }

  /// Says that entries of an author up to a number are done with.
  public mutating func settle(_ author: Broadcast.Auth.Payload.Author, through sequence: UInt64) {
    broadcast.settle(author, through: sequence)
  }

  /// Takes what an earlier life of this node delivered and did not keep the accounts of.
  ///
  /// - Returns: what was applied.
  mutating func replay(_ transfers: [SignedTransfer], refused: [UInt16]) -> [Ledger.Applied] {
    let applied = keeper.deliver(transfers, refused: refused, isOwn: false).applied
    for transfer in applied {
      broadcast.settle(
        transfer.transfer.transfer.account, through: transfer.transfer.transfer.sequence)
    }
    return applied
  }

  /// Takes a transfer that an earlier life of this node took from a client and did not apply.
  mutating func recall(_ transfer: SignedTransfer, isUnderWay: Bool) {
    keeper.recall(transfer, isUnderWay: isUnderWay)
  }

  /// Starts the broadcast.
  public mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    take(effects.embedding(Whole.self) { broadcast.start(at: now, into: &$0) }, at: now, into: &effects)
  }

  /// Takes a client's transfer.
  public mutating func handle(
    _ request: Request, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch request {
    case .submit(let transfer):
      submit(transfer, into: &effects)
      bring(at: now, into: &effects)
    case .submitAll(let transfers):
      for transfer in transfers { submit(transfer, into: &effects) }
      bring(at: now, into: &effects)
    case .broadcast(let request):
      take(
        effects.embedding(Whole.self) { broadcast.handle(request, at: now, into: &$0) }, at: now,
        into: &effects)
    }
  }

  private mutating func submit(
    _ transfer: SignedTransfer, into effects: inout some Effects<Self> & ~Copyable
  ) {
    let refusal = keeper.submit(transfer) { [auth] in auth.isSigned($0) }
    effects.indicate(.submitted(transfer, refusal))
  }

  /// Takes a message of the broadcast.
  public mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    take(
      effects.embedding(Whole.self) { broadcast.receive(message, from: sender, at: now, into: &$0) }, at: now,
      into: &effects)
  }

  /// Does what is due.
  public mutating func expire(
    _ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch timer {
    case .broadcast(let timer):
      take(
        effects.embedding(Whole.self) { broadcast.expire(timer, at: now, into: &$0) }, at: now,
        into: &effects)
    case .retry:
      isRetryDue = false
      for transfer in keeper.retry() { effects.indicate(.abandoned(transfer)) }
      bring(at: now, into: &effects)
    }
  }

  /// Tells the broadcast that a link is lost.
  public mutating func disconnect(
    from peer: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    take(
      effects.embedding(Whole.self) { broadcast.disconnect(from: peer, at: now, into: &$0) }, at: now,
      into: &effects)
  }

  /// Has the next batches broadcast, as far as there is room for them.
  private mutating func bring(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    while keeper.hasOutbox, keeper.batchesUnderWay < Self.batchLimit, broadcast.room > 0 {
      let batch = keeper.takeBatch(
        entryLimit: Broadcast.Auth.Payload.entryLimit, byteLimit: Broadcast.Auth.Payload.byteLimit)
      if batch.isEmpty { return }
      bring(batch, at: now, into: &effects)
    }
  }

  private mutating func bring(
    _ transfers: [SignedTransfer], at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    let request = Broadcast.broadcasting(Broadcast.Auth.Payload(transfers: transfers))
    take(
      effects.embedding(Whole.self) { broadcast.handle(request, at: now, into: &$0) }, at: now,
      into: &effects)
  }

  private mutating func take(
    _ indications: [OrderedIndication<Broadcast.Auth>], at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    if indications.isEmpty { return }
    for indication in indications {
      effects.indicate(.broadcast(indication))
      switch indication {
      case .delivered(let batch, let refused):
        apply(batch, refused: refused, isOwn: batch.identifier.origin == identity, at: now, into: &effects)
      case .completed(let batch, let refused):
        apply(batch, refused: refused, isOwn: false, at: now, into: &effects)
      case .missed, .behind, .broadcasting, .logged, .overloaded, .misbehaved: break
      }
    }
    bring(at: now, into: &effects)
  }

  private mutating func apply(
    _ batch: SignedBatch<Broadcast.Auth>, refused: [UInt16], isOwn: Bool, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard let transfers = batch.payload.transfers else { return }
    let outcome = keeper.deliver(transfers, refused: refused, isOwn: isOwn)
    for transfer in outcome.applied {
      broadcast.settle(
        transfer.transfer.transfer.account, through: transfer.transfer.transfer.sequence)
      effects.indicate(.applied(transfer))
    }
    if outcome.hasRefused, !isRetryDue {
      isRetryDue = true
      effects.schedule(.retry, at: now + Self.retryInterval)
    }
  }
}
