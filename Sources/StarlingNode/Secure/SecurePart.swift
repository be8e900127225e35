import StarlingBroadcast
import StarlingCore
import StarlingLedger

/// A node's part in the secure broadcast of a known membership, with what is kept of it on stable storage, and the ledger that
/// the members keep, if they do.
public struct SecurePart: Process {
  typealias Member = LedgerMember<SecureMember>

  /// What members send each other.
  public enum Message: Sendable {
    /// The broadcast's messages.
    case member(SecureMember.Message)
    /// What a ledger's members ask each other for besides.
    case ledger(LedgerMessage)
    /// What they ask each other about the numbers of their batches.
    case numbers(NumberMessage)
  }

  /// What it tells.
  public typealias Indication = BroadcastIndication<KeyAuthenticator>

  /// What it can be asked for.
  public enum Request {
    /// Bring a payload to every member; each transfer of a batch of transfers is taken as a client's.
    case broadcast([UInt8])
    /// Bring clients' transfers to every member.
    case submit([SignedTransfer])
    /// Repeat to a member what this one said.
    case `repeat`(Peer)
    /// What was read: see ``StableRecall``.
    case supply([StableValue], token: UInt64)
    /// Collect the members' word that a transfer is final.
    case certify(TransferNumber)
  }

  /// What it waits for.
  public enum Timer {
    /// A timer of the broadcast, or of the ledger on it.
    case member(LedgerMember<SecureMember>.Timer)
    /// What changed in the ledger is written.
    case flush
    /// Whether others are further is looked at, and what was asked for in vain is asked for again.
    case catchUp
    /// Those who have not said which own numbers they know are asked again.
    case inquiry
  }

  /// Something that concerns whoever follows a transfer, or the operator.
  enum Notice {
    /// A client's transfer is brought to all, or why it is not.
    case submitted(SignedTransfer, SubmissionRefusal?)
    /// A transfer is final.
    case applied(Ledger.Applied)
    /// A client's transfer was refused by others again and again.
    case abandoned(SignedTransfer)
    /// What the operator should know.
    case event(NodeEvent)
    /// A certificate is there, or will not be.
    case certified(TransferNumber, Result<Certificate, CertificateFailure>)
  }

  private enum Whole: Embedding {
    typealias Outer = SecurePart
    typealias Inner = Member
    static func message(_ message: Member.Message) -> Message { .member(message) }
    static func timer(_ timer: Member.Timer) -> Timer { .member(timer) }
    static func indication(_ indication: Member.Indication) -> SecurePart.Indication? { nil }
  }

  /// The broadcast, and the ledger on it, which has no accounts if the members keep none.
  private(set) var member: Member
  let auth: KeySecureAuthenticator
  let log: SecureLog
  private var ledgerLog: LedgerLog?
  private let genesis: Genesis?
  private var isFlushDue = false
  /// The positions of the posts that were refused in batches that still live: only a sender that lies has any. What a ledger's
  /// members refuse is disputed (``CatchUp/disputes``).
  private var refusals: [MessageIdentifier: [UInt16]] = [:]
  /// What was not taken yet, in order.
  private var notices: [Notice] = []
  /// Clients' transfers that are kept until they are applied.
  private var taken: Set<TransferNumber> = []
  /// Whether own batches may have the numbers that they have.
  let isNumbered: Bool
  /// b, how many members may lie: where samples decide, less than a third.
  let byzantine: Int
  /// What is asked before any own batch is broadcast; `nil` when it is answered.
  var inquiry: NumberInquiry?
  /// The last batch of each sender that was echoed, or delivered.
  var latest: [Peer: KnownBatch] = [:]
  /// What others delivered meanwhile; `nil` if the members keep no ledger.
  var catchUp: CatchUp?
  /// What is read.
  var desk = HistoryDesk()
  /// `nil` if the members keep no ledger.
  var certificates: CertificateDesk?

  /// - Parameters:
  ///   - configuration: the broadcast and its membership.
  ///   - members: the members' handles, this one's among them.
  ///   - auth: signs and checks.
  ///   - peers: tells the keys behind the handles.
  ///   - read: answers questions for what an earlier life kept.
  /// - Throws: ``WireError`` when that is not what a member wrote.
  init(
    configuration: SecureConfiguration, members: PeerSet, auth: KeySecureAuthenticator,
    peers: SharedPeerTable,
    reading read: (StableQuery) -> [StableValue]
  ) throws(WireError) {
    genesis = configuration.genesis
    var configuration = configuration
    // A ledger's member that missed something would have other accounts than the others.
    configuration.ordered.skips = genesis == nil
    log = SecureLog(peers: peers, keepsHistory: genesis != nil)
    let past = try log.recollection(
      of: members, kept: UInt64(configuration.ordered.kept), reading: read)
    isNumbered = past.firstOwn != nil
    byzantine = configuration.byzantine
    var ledgerLog = genesis.map { _ in LedgerLog() }
    var ledger = LedgerRecollection(ledger: Ledger(accounts: [:], waiting: []))
    if let genesis, let known = try ledgerLog?.recollection(of: genesis, reading: read) { ledger = known }
    self.auth = auth
    member = LedgerMember(
      identity: PeerTable.own, auth: auth,
      broadcast: SecureMember(configuration: configuration, members: members, auth: auth, past: past),
      ledger: ledger.ledger)
    // So that the accounts are not copied when they change.
    ledger.ledger = Ledger(accounts: [:], waiting: [])
    for case .delivered(let batch, let refused) in past.logged where genesis == nil && !refused.isEmpty {
      refusals[batch.identifier] = refused
    }
    for step in past.logged { noteLatest(step) }
    if genesis != nil {
      for sender in members.members {
        let first = ledger.delivered[peers.table.record(of: sender).key] ?? 0
        let steps = try log.steps(
          of: sender, from: first, below: past.nextDelivered[sender] ?? 0, reading: read)
        for case .delivered(let batch, let refused) in steps {
          for applied in member.replay(batch.payload.transfers ?? [], refused: refused) {
            ledgerLog?.note(applied)
          }
        }
      }
      let underWay = Set(
        past.undelivered.flatMap { ($0.payload.transfers ?? []).map(\.transfer.number) })
      for transfer in ledger.taken {
        taken.insert(transfer.transfer.number)
        member.recall(transfer, isUnderWay: underWay.contains(transfer.transfer.number))
      }
    }
    self.ledgerLog = ledgerLog
    if let genesis { catchUp = nextNumbers(of: genesis, members, peers, configuration.ordered) }
    recallDisputes(past.disputed)
    certificates = genesis.map { CertificateDesk(genesis: $0) }
  }

  /// Where it stands with each sender.
  private func nextNumbers(
    of genesis: Genesis, _ members: PeerSet, _ peers: SharedPeerTable,
    _ ordered: OrderedBroadcastConfiguration
  ) -> CatchUp? {
    let sorted = members.members.sorted { peers.table.record(of: $0).key < peers.table.record(of: $1).key }
    guard let own = sorted.firstIndex(of: PeerTable.own) else { return nil }
    var catchUp = CatchUp(members: sorted, own: own, byzantine: genesis.byzantine, ordered: ordered)
    for (place, sender) in sorted.enumerated() {
      catchUp.passed(place, to: broadcast.nextDelivered(of: sender), at: .zero)
    }
    return catchUp
  }

  /// Takes what an earlier life delivered without some of its entries, and said of it.
  private mutating func recallDisputes(_ steps: [LoggedStep<KeySecureAuthenticator>]) {
    // Of each instance the delivery comes last.
    var ready: [MessageIdentifier: Vote<KeySecureAuthenticator>] = [:]
    for step in steps {
      switch step {
      case .ready(let vote): ready[vote.identifier] = vote
      case .delivered(let batch, let refused):
        let vote = ready[batch.identifier].flatMap { $0.digest == batch.digest ? $0 : nil }
        catchUp?.dispute(batch, refused: refused, unready: vote?.refused ?? refused)
      case .echoed, .retained: break
      }
    }
  }

  /// The broadcast.
  var broadcast: SecureMember { member.broadcast }

  /// The ledger; `nil` if the members keep none.
  var keeper: LedgerKeeper? { genesis == nil ? nil : member.keeper }

  /// The hash of the ledger's accounts and of what waits; `nil` if the members keep none.
  mutating func ledgerDigest() -> SHA256Digest? { genesis == nil ? nil : member.digest() }

  /// How many transfers were applied in all lives.
  var transfersApplied: UInt64 { member.keeper.ledger.applied }

  /// Takes what was told of transfers since the last time.
  mutating func takeNotices() -> [Notice] {
    if notices.isEmpty { return [] }
    defer { notices = [] }
    return notices
  }

  /// Tells whoever follows transfers, or the operator.
  mutating func note(_ notice: Notice) { notices.append(notice) }

  /// What has to be written so that questions are answered by all that was applied.
  ///
  /// - Parameter isForced: whether something may wait that the next life would not be given again, though nothing was applied.
  mutating func flush(isForced: Bool = false) -> [StableWrite] {
    guard var log = ledgerLog, log.isDirty || isForced else { return [] }
    // So that what waits is not copied.
    ledgerLog = nil
    defer { ledgerLog = log }
    let delivered = broadcast.members.members.map {
      (sender: self.log.key(of: $0), next: broadcast.nextDelivered(of: $0))
    }
    return log.flush(member.keeper.ledger, delivered: delivered)
  }

  /// Starts the broadcast.
  public mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    tell(effects.embedding(Whole.self) { member.start(at: now, into: &$0) }, at: now, into: &effects)
    if catchUp != nil { tick(at: now, into: &effects) }
    beginInquiry(at: now, into: &effects)
  }

  /// Broadcasts, or repeats itself.
  public mutating func handle(
    _ request: Request, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch request {
    case .broadcast(let payload):
      // What the node itself made can be encoded.
      guard let batch = try? NodeBatch(encoded: payload) else { return }
      if let transfers = batch.transfers { return submit(transfers, at: now, into: &effects) }
      let request = Member.Request.broadcast(.broadcast(batch))
      tell(
        effects.embedding(Whole.self) { member.handle(request, at: now, into: &$0) }, at: now,
        into: &effects)
    case .submit(let transfers): submit(transfers, at: now, into: &effects)
    case .repeat(let peer):
      tell(
        effects.embedding(Whole.self) { member.handle(.broadcast(.repeat(peer)), at: now, into: &$0) },
        at: now,
        into: &effects)
    case .supply(let values, let token): take(values, for: token, at: now, into: &effects)
    case .certify(let number): certify(number, at: now, into: &effects)
    }
  }

  private mutating func submit(
    _ transfers: [SignedTransfer], at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    tell(
      effects.embedding(Whole.self) { member.handle(.submitAll(transfers), at: now, into: &$0) }, at: now,
      into: &effects)
  }

  /// Has the broadcast do something.
  mutating func ask(
    _ request: SecureMember.Request, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    tell(
      effects.embedding(Whole.self) { member.handle(.broadcast(request), at: now, into: &$0) }, at: now,
      into: &effects)
  }

  /// Takes a message of a member.
  public mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch message {
    case .member(let message):
      tell(
        effects.embedding(Whole.self) { member.receive(message, from: sender, at: now, into: &$0) }, at: now,
        into: &effects)
    case .ledger(let message): receive(message, from: sender, at: now, into: &effects)
    case .numbers(let message): receive(message, from: sender, at: now, into: &effects)
    }
  }

  /// Does what is due.
  public mutating func expire(
    _ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch timer {
    case .member(let timer):
      tell(
        effects.embedding(Whole.self) { member.expire(timer, at: now, into: &$0) }, at: now, into: &effects)
    case .flush:
      isFlushDue = false
      keep(flush(), into: &effects)
    case .catchUp: tick(at: now, into: &effects)
    case .inquiry: proceedInquiry(at: now, into: &effects)
    }
  }

  /// Tells the broadcast that a link is lost.
  public mutating func disconnect(
    from peer: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    tell(
      effects.embedding(Whole.self) { member.disconnect(from: peer, at: now, into: &$0) }, at: now,
      into: &effects)
  }

  private mutating func tell(
    _ indications: [Member.Indication], at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    if indications.isEmpty { return }
    var mustFlush = false
    var writes: [StableWrite] = []
    for indication in indications {
      switch indication {
      case .broadcast(let indication): tell(indication, mustFlush: &mustFlush, at: now, into: &effects)
      case .submitted(let transfer, let refusal):
        notices.append(.submitted(transfer, refusal))
        if refusal == nil, taken.insert(transfer.transfer.number).inserted {
          writes.append(LedgerLog.took(transfer))
        }
      case .applied(let applied):
        ledgerLog?.note(applied)
        letGo(applied.transfer.transfer.number, &writes)
        notices.append(.applied(applied))
      case .abandoned(let transfer):
        notices.append(.abandoned(transfer))
        letGo(transfer.transfer.number, &writes)
      }
    }
    keep(writes, into: &effects)
    if mustFlush || ledgerLog?.isFull == true {
      keep(flush(isForced: mustFlush), into: &effects)
    } else if ledgerLog?.isDirty == true, !isFlushDue {
      isFlushDue = true
      effects.schedule(.flush, at: now + LedgerLog.interval)
    }
  }

  private mutating func tell(
    _ indication: OrderedIndication<KeySecureAuthenticator>, mustFlush: inout Bool, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    let kept = UInt64(broadcast.kept)
    switch indication {
    case .delivered(let batch, let refused):
      noteLatest(.delivered(batch, refused: refused))
      let unready = broadcast.unready(batch) ?? refused
      catchUp?.dispute(batch, refused: refused, unready: unready)
      keep(
        log.delivered(
          batch, refused: refused, isKept: broadcast.hasEchoed(batch), kept: kept,
          isDisputed: { isDisputed(batch.identifier.origin, $0) }), into: &effects)
      if let place = catchUp?.place(of: batch.identifier.origin) {
        catchUp?.passed(place, to: batch.identifier.sequence + 1, at: now)
      }
      if let posts = batch.payload.posts, let last = posts.posts.last {
        member.settle(posts.author, through: last.number)
        keep(log.settled(posts.author, below: last.number + 1), into: &effects)
      }
      let accepted = (0..<batch.payload.entryCount).filter { !refused.contains(UInt16($0)) }
      note(refused, of: batch.identifier)
      indicate(batch, accepted, into: &effects)
    case .completed(let batch, let refused):
      let before = catchUp?.refused(of: batch.identifier) ?? refusals[batch.identifier] ?? []
      let accepted = before.filter { !refused.contains($0) }
      if accepted.isEmpty { return }
      let refused = before.filter(refused.contains)
      keep(log.said(.delivered(batch, refused: refused)), into: &effects)
      note(refused, of: batch.identifier)
      complete(batch, refused: refused, into: &effects)
      // The batch may lie before the point up to which the next life's accounts are written.
      mustFlush = true
      indicate(batch, accepted.map { Int($0) }, into: &effects)
    case .misbehaved(let peer, let what): effects.indicate(.misbehaved(peer, what))
    case .missed(let sender, let first, let next):
      keep(
        log.goesOn(from: next, of: sender, kept: kept, isDisputed: { isDisputed(sender, $0) }), into: &effects
      )
      // What an earlier life of this node brought is no loss here.
      if sender == PeerTable.own { return }
      note(.event(.missedBroadcasts(log.key(of: sender), first, next)))
    case .behind: catchUp?.noteBehind()
    case .broadcasting(let number, let batch): keep([log.took(batch, as: number)], into: &effects)
    case .logged(let step):
      noteLatest(step)
      if case .ready(let vote) = step { catchUp?.noteReady(vote) }
      keep(log.said(step), into: &effects)
    case .overloaded: break
    }
  }

  /// Whether a sender's batch with a number is disputed.
  private func isDisputed(_ sender: Peer, _ number: UInt64) -> Bool {
    catchUp?.isDisputed(MessageIdentifier(origin: sender, sequence: number)) ?? false
  }

  /// More of a batch is delivered: what is left of it is disputed still.
  private mutating func complete(
    _ batch: SignedBatch<KeySecureAuthenticator>, refused: [UInt16],
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard isDisputed(batch.identifier.origin, batch.identifier.sequence) else { return }
    let unready = broadcast.unready(batch) ?? refused
    catchUp?.dispute(batch, refused: refused, unready: unready)
    guard refused.isEmpty else { return }
    let isOver = catchUp?.isOver(batch.identifier) ?? false
    keep(log.settledDispute(batch.identifier, isOver: isOver), into: &effects)
  }

  private mutating func letGo(_ number: TransferNumber, _ writes: inout [StableWrite]) {
    if taken.remove(number) != nil { writes.append(LedgerLog.letGo(number)) }
  }

  func keep(_ writes: [StableWrite], into effects: inout some Effects<Self> & ~Copyable) {
    if !writes.isEmpty { effects.indicate(.keep(writes)) }
  }

  /// Remembers what may be accepted later of a delivered batch, for as long as the instance lives.
  private mutating func note(_ refused: [UInt16], of instance: MessageIdentifier) {
    if catchUp != nil { return }
    for old in refusals.keys where old.origin == instance.origin {
      if old.sequence + UInt64(broadcast.kept) < instance.sequence { refusals[old] = nil }
    }
    refusals[instance] = refused.isEmpty ? nil : refused
  }

  private func indicate(
    _ batch: SignedBatch<KeySecureAuthenticator>, _ accepted: [Int],
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    if batch.payload.transfers != nil { return }
    effects.indicate(
      .delivered(
        Broadcast(
          identifier: batch.identifier, hops: batch.hops, payload: batch.payload.encoded(of: accepted),
          signature: batch.signature),
        from: batch.identifier.origin))
  }
}
