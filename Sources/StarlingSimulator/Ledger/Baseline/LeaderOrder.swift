import StarlingBroadcast
import StarlingCore
import StarlingLedger
import StarlingNode

/// A ledger whose transfers a leader puts into one order, which all agree on: the baseline that payments without consensus
/// are measured against (M. Castro and B. Liskov, "Practical Byzantine Fault Tolerance", OSDI 1999). README.md says what was
/// simplified.
struct LeaderOrder: Process {
  typealias Message = OrderMessage

  enum Timer {
    /// Looks after what takes too long; always set.
    case tick
    /// Transfers that gathered may be forwarded.
    case forward
  }

  enum Request {
    /// Bring a client's transfer to all.
    case submit(SignedTransfer)
    /// Have these ordered, whatever they are: for tests of what others make of it.
    case bring([SignedTransfer])
  }

  enum Indication {
    /// A client's transfer is brought to all, or why it is not.
    case submitted(SignedTransfer, SubmissionRefusal?)
    /// A transfer is final: it was applied here, and will be everywhere.
    case applied(Ledger.Applied)
  }

  /// What is known under one number of the order.
  struct Slot {
    /// What the leader proposes in a view, or what the view began with.
    var proposed: (view: UInt64, digest: SIMD4<UInt64>)?
    var batches: [SIMD4<UInt64>: OrderBatch] = [:]
    /// Of each member the word in the highest view.
    var votes: [Peer: OrderVote] = [:]
    var commits: [Peer: (view: UInt64, digest: SIMD4<UInt64>)] = [:]
    /// Of the highest view.
    var certificate: OrderCertificate?
    var decided: SIMD4<UInt64>?
    /// Who says that a batch was decided.
    var reports: [SIMD4<UInt64>: Set<Peer>] = [:]
    /// Signatures that were checked, by what they are of.
    var checked: [CheckedVote: UInt64] = [:]
    /// Whom to ask for a batch that is missing: they have voted for it.
    var holders: [Peer] = []
  }

  struct CheckedVote: Hashable {
    let view: UInt64
    let signer: Peer
    let digest: SIMD4<UInt64>
  }

  /// How many batches may be under way (a guess: no bound is felt before those of the machine).
  static var pipeline: UInt64 { 64 }
  /// How many may be before the next one waits until it is full (a guess: several while one is being agreed on).
  static var eagerPipeline: UInt64 { 16 }
  /// How often there is a checkpoint, in batches (a guess).
  static var checkpointInterval: UInt64 { 64 }
  /// How far the order may be ahead of the last checkpoint of a quorum, in batches.
  static var window: UInt64 { 256 }
  /// For how long transfers gather after some were forwarded (a guess: little beside the delays of a wide area).
  static var forwardInterval: Interval { .milliseconds(10) }
  static var tickInterval: Interval { .milliseconds(100) }
  /// After how many ticks without progress others are asked for what is missing here.
  static var patience: Int { 10 }
  /// How many transfers a suspicion names.
  static var suspectLimit: Int { 64 }

  let identity: Peer
  let auth: CountingTransferAuthenticator
  let members: Int
  /// f.
  let faulty: Int
  /// Who leads the first view.
  let firstLeader: Int
  /// For how long a member waits for its leader at first.
  let timeout: Interval
  /// The accounts, and what this member's clients handed in.
  var keeper: LedgerKeeper

  /// The view, or the one that is to come.
  var view: UInt64 = 0
  var isChanging = false
  var slots: [UInt64: Slot] = [:]
  /// Everything up to this number is executed. Numbers begin with 1.
  var executed: UInt64 = 0
  var history = SIMD4<UInt64>(repeating: 0)
  var stable = OrderCheckpoint()
  var checkpoints: [UInt64: [Peer: (history: SIMD4<UInt64>, signature: UInt64)]] = [:]
  /// What came of a view before it began here.
  var early: [(vote: OrderVote, batch: OrderBatch)] = []

  /// Of the leader: what is to be ordered, and what of it is not executed.
  var queue = Queue<SignedTransfer>()
  var ordering: Set<TransferNumber> = []
  var nextSequence: UInt64 = 1

  /// What this member waits for, by when it came: of its own clients, and what others waited for in vain.
  var pending: [TransferNumber: (order: UInt64, transfer: SignedTransfer)] = [:]
  var arrivals: UInt64 = 0
  /// Since when nothing of it was executed.
  var waitingSince: Instant?
  var hasSuspected = false
  var suspects: Set<Peer> = []
  var nextForward = Instant.zero
  var isForwardDue = false

  var viewChanges: [UInt64: [Peer: [ViewChange]]] = [:]
  /// A new view whose view changes are not all here.
  var awaited: (new: NewView, leader: Peer)?
  /// When the view that is to come is given up.
  var changeDeadline: Instant?
  /// How many views in a row came to nothing.
  var failures = 0
  /// Looked at every ``patience`` ticks.
  var ticks = 0
  var executedBefore: UInt64 = 0

  /// - Parameters:
  ///   - identity: the member's own handle, among 0 ..< `members`.
  ///   - auth: signs and checks.
  ///   - members: N.
  ///   - faulty: f, fewer than a third of them.
  ///   - firstLeader: who leads the first view; the others follow in the order of their numbers.
  ///   - timeout: for how long the leader may order nothing that a member waits for; doubled with each view that fails.
  ///   - ledger: the accounts to go on from.
  init(
    identity: Peer, auth: CountingTransferAuthenticator, members: Int, faulty: Int, firstLeader: Int,
    timeout: Interval, ledger: Ledger
  ) {
    precondition(3 * faulty < members, "\(faulty) faulty members among \(members) are too many")
    self.identity = identity
    self.auth = auth
    self.members = members
    self.faulty = faulty
    self.firstLeader = firstLeader
    self.timeout = timeout
    keeper = LedgerKeeper(ledger)
  }

  /// Any two of this size have a correct member in common: 2f + 1 of 3f + 1.
  var quorum: Int { (members + faulty) / 2 + 1 }

  func leader(of view: UInt64) -> Peer { Peer((firstLeader + Int(view % UInt64(members))) % members) }

  var isLeading: Bool { !isChanging && leader(of: view) == identity }

  // MARK: The contract

  mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    effects.schedule(.tick, at: now + Self.tickInterval)
  }

  mutating func handle(
    _ request: Request, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch request {
    case .submit(let transfer):
      let refusal = keeper.submit(transfer) { [auth] in auth.isSigned($0) }
      effects.indicate(.submitted(transfer, refusal))
      guard refusal == nil else { return }
      expect(transfer, at: now)
      forward(at: now, into: &effects)
    case .bring(let transfers): bring(transfers, at: now, into: &effects)
    }
  }

  mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard auth.admits(sender) else { return }
    switch message {
    case .forward(let transfers):
      guard isLeading else { return }
      order(transfers, areChecked: false)
      propose(at: now, into: &effects)
    case .suspect(let view, let transfers):
      suspect(view, transfers, by: sender, at: now, into: &effects)
    case .propose(let vote, let batch): take(vote, batch, from: sender, at: now, into: &effects)
    case .prepare(let vote): take(vote, from: sender, at: now, into: &effects)
    case .commit(let view, let sequence, let digest):
      guard isInWindow(sequence), (slots[sequence]?.commits[sender]?.view).map({ $0 < view }) ?? true
      else { return }
      slots[sequence, default: Slot()].commits[sender] = (view, digest)
      decide(sequence, by: view, digest)
      execute(at: now, into: &effects)
    case .checkpoint(let sequence, let history, let signature):
      take(checkpoint: sequence, history, signature, from: sender, at: now, into: &effects)
    case .viewChange(let change): take(change, at: now, into: &effects)
    case .newView(let new): take(new, from: sender, at: now, into: &effects)
    case .wantViewChanges(let view, let authors):
      give(viewChanges: view, of: authors, to: sender, into: &effects)
    case .wantBatch, .batch, .wantDecided, .decided:
      catchUp(by: message, from: sender, at: now, into: &effects)
    }
  }

  mutating func expire(
    _ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch timer {
    case .tick:
      effects.schedule(.tick, at: now + Self.tickInterval)
      watchLeader(at: now, into: &effects)
      watchChange(at: now, into: &effects)
      ticks += 1
      if ticks % Self.patience == 0 { watchProgress(into: &effects) }
    case .forward:
      isForwardDue = false
      forward(at: now, into: &effects)
    }
  }

  func sendToAll(_ message: Message, into effects: inout some Effects<Self> & ~Copyable) {
    let parcel = effects.prepare(message)
    for number in 0..<members where number != Int(identity.index) { effects.send(parcel, to: Peer(number)) }
  }

  // MARK: Transfers on their way to the leader

  /// Remembers a transfer until it is executed.
  mutating func expect(_ transfer: SignedTransfer, at now: Instant) {
    guard pending[transfer.transfer.number] == nil else { return }
    arrivals += 1
    pending[transfer.transfer.number] = (arrivals, transfer)
    if waitingSince == nil { waitingSince = now }
  }

  /// What is pending, as it came.
  var pendingInOrder: [SignedTransfer] { pending.values.sorted { $0.order < $1.order }.map(\.transfer) }

  /// Whether a transfer's number has not been executed.
  func isOpen(_ transfer: SignedTransfer) -> Bool {
    let body = transfer.transfer
    return body.sequence >= keeper.ledger[body.account].next
      && keeper.ledger.held(of: body.account, body.sequence) == nil
  }

  /// Hands what clients brought to the leader; at most so often, so that many travel together when there are many.
  private mutating func forward(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    guard !isChanging, keeper.hasOutbox, !isForwardDue else { return }
    guard now >= nextForward else {
      isForwardDue = true
      return effects.schedule(.forward, at: nextForward)
    }
    nextForward = now + Self.forwardInterval
    bring(takeOutbox(), at: now, into: &effects)
  }

  mutating func takeOutbox() -> [SignedTransfer] {
    var all: [SignedTransfer] = []
    while keeper.hasOutbox {
      let some = keeper.takeBatch(entryLimit: TransferBatch.entryLimit, byteLimit: TransferBatch.byteLimit)
      if some.isEmpty { break }
      all += some
    }
    return all
  }

  /// Has transfers ordered, by whoever leads.
  mutating func bring(
    _ transfers: [SignedTransfer], at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    if transfers.isEmpty { return }
    if isLeading {
      order(transfers, areChecked: true)
      propose(at: now, into: &effects)
    } else {
      var rest = transfers[...]
      while !rest.isEmpty {
        let count = TransferBatch.count(
          fitting: rest, entryLimit: TransferBatch.entryLimit, byteLimit: TransferBatch.byteLimit)
        effects.send(.forward(Array(rest.prefix(count))), to: leader(of: view))
        rest.removeFirst(count)
      }
    }
  }

  /// Takes transfers that are to be ordered, but for those that are already.
  mutating func order(_ transfers: [SignedTransfer], areChecked: Bool) {
    for transfer in transfers where isOpen(transfer) && !ordering.contains(transfer.transfer.number) {
      guard areChecked || isValid(transfer) else { continue }
      ordering.insert(transfer.transfer.number)
      queue.append(transfer)
    }
  }

  /// Whether a transfer may be ordered. What this member waits for was checked when it came.
  func isValid(_ transfer: SignedTransfer) -> Bool {
    if pending[transfer.transfer.number]?.transfer == transfer { return true }
    return transfer.transfer.fault == nil && auth.isSigned(transfer)
  }

  // MARK: The normal case

  /// Proposes what is to be ordered while there is room for more; the more is under way, the fuller batches are.
  mutating func propose(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    while isLeading, !queue.isEmpty, nextSequence <= executed + Self.pipeline,
      nextSequence <= stable.sequence + Self.window
    {
      let count = TransferBatch.count(
        fitting: queue.prefix(TransferBatch.entryLimit), entryLimit: TransferBatch.entryLimit,
        byteLimit: TransferBatch.byteLimit)
      if nextSequence > executed + Self.eagerPipeline, count == queue.count { return }
      let batch = OrderBatch(Array(queue.prefix(count)))
      queue.removeFirst(count)
      let sequence = nextSequence
      nextSequence += 1
      let vote = sign(view: view, sequence: sequence, digest: batch.digest)
      sendToAll(.propose(vote, batch), into: &effects)
      accept(vote, batch, of: identity)
      advance(sequence, at: now, into: &effects)
    }
  }

  func sign(view: UInt64, sequence: UInt64, digest: SIMD4<UInt64>) -> OrderVote {
    let statement = OrderStatement.vote(view: view, sequence: sequence, digest: digest)
    return OrderVote(
      view: view, sequence: sequence, digest: digest,
      signature: auth.sign(statement, as: MessageIdentifier(origin: identity, sequence: sequence)))
  }

  /// Whether there is room for what is said about a number. Whoever is behind still needs what a quorum has executed.
  func isInWindow(_ sequence: UInt64) -> Bool {
    sequence > max(min(stable.sequence, executed), lastForgotten)
      && sequence <= stable.sequence + 2 * Self.window
  }

  /// Nothing is kept of this number and those below.
  var lastForgotten: UInt64 { stable.sequence - min(stable.sequence, Self.window) }

  /// Takes a pre-prepare.
  private mutating func take(
    _ vote: OrderVote, _ batch: OrderBatch, from sender: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard sender == leader(of: vote.view), isInWindow(vote.sequence), vote.digest == batch.digest else {
      return
    }
    if vote.view > view || (isChanging && vote.view == view) {
      // Messages overtake each other: the view may have begun elsewhere.
      if early.count < Int(Self.window) { early.append((vote, batch)) }
      return
    }
    guard vote.view == view, slots[vote.sequence]?.proposed?.view != view else { return }
    guard batch.transfers.entryCount <= TransferBatch.entryLimit,
      batch.transfers.byteCount <= TransferBatch.byteLimit,
      check(vote.signature, of: vote, by: sender), batch.transfers.entries.allSatisfy(isValid)
    else { return }
    accept(vote, batch, of: sender)
    advance(vote.sequence, at: now, into: &effects)
  }

  private mutating func accept(_ vote: OrderVote, _ batch: OrderBatch, of leader: Peer) {
    slots[vote.sequence, default: Slot()].proposed = (vote.view, vote.digest)
    slots[vote.sequence]?.batches[vote.digest] = batch
    slots[vote.sequence]?.votes[leader] = vote
  }

  /// Takes a prepare. Signatures that are not needed for a certificate are not looked at.
  private mutating func take(
    _ vote: OrderVote, from sender: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard isInWindow(vote.sequence), vote.view >= view else { return }
    if let slot = slots[vote.sequence] {
      if let certificate = slot.certificate, certificate.view >= vote.view { return }
      if let before = slot.votes[sender], before.view >= vote.view { return }
    }
    guard check(vote.signature, of: vote, by: sender) else { return }
    slots[vote.sequence, default: Slot()].votes[sender] = vote
    advance(vote.sequence, at: now, into: &effects)
  }

  /// Checks a member's signature of a vote, unless that was done before.
  mutating func check(_ signature: UInt64, of vote: OrderVote, by signer: Peer) -> Bool {
    let key = CheckedVote(view: vote.view, signer: signer, digest: vote.digest)
    if slots[vote.sequence]?.checked[key] == signature { return true }
    let statement = OrderStatement.vote(view: vote.view, sequence: vote.sequence, digest: vote.digest)
    guard
      auth.verifies(
        signature, of: statement, as: MessageIdentifier(origin: signer, sequence: vote.sequence))
    else { return false }
    if isInWindow(vote.sequence) { slots[vote.sequence, default: Slot()].checked[key] = signature }
    return true
  }

  /// Goes as far with a number as this view's votes allow, and executes what is decided by that.
  mutating func advance(
    _ sequence: UInt64, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    vote(sequence, into: &effects)
    certify(sequence, into: &effects)
    execute(at: now, into: &effects)
  }

  /// The own prepare, for a batch that is here; a leader's proposal was its vote.
  private mutating func vote(_ sequence: UInt64, into effects: inout some Effects<Self> & ~Copyable) {
    guard !isChanging, let slot = slots[sequence], let proposed = slot.proposed, proposed.view == view,
      slot.batches[proposed.digest] != nil, slot.votes[identity].map({ $0.view < view }) ?? true
    else { return }
    let vote = sign(view: view, sequence: sequence, digest: proposed.digest)
    slots[sequence]?.votes[identity] = vote
    sendToAll(.prepare(vote), into: &effects)
  }

  /// The certificate, once a quorum has voted for what is proposed, and the own commit.
  private mutating func certify(_ sequence: UInt64, into effects: inout some Effects<Self> & ~Copyable) {
    guard !isChanging, let slot = slots[sequence], let proposed = slot.proposed, proposed.view == view,
      slot.votes.count >= quorum, slot.certificate.map({ $0.view < view }) ?? true,
      slot.votes[identity]?.view == view
    else { return }
    let signatures = slot.votes.filter { $0.value.view == view && $0.value.digest == proposed.digest }
      .sorted { $0.key < $1.key }.prefix(quorum).map { (signer: $0.key, signature: $0.value.signature) }
    guard signatures.count >= quorum else { return }
    slots[sequence]?.certificate = OrderCertificate(
      view: view, sequence: sequence, digest: proposed.digest, signatures: signatures)
    slots[sequence]?.commits[identity] = (view, proposed.digest)
    sendToAll(.commit(view: view, sequence: sequence, digest: proposed.digest), into: &effects)
    decide(sequence, by: view, proposed.digest)
  }

  /// Decides a number by a quorum of commits of one view, whichever that is: they are true for ever.
  private mutating func decide(_ sequence: UInt64, by view: UInt64, _ digest: SIMD4<UInt64>) {
    guard let slot = slots[sequence], slot.decided == nil, slot.commits.count >= quorum else { return }
    if slot.commits.values.count(where: { $0.view == view && $0.digest == digest }) >= quorum {
      slots[sequence]?.decided = digest
    }
  }

  // MARK: Execution

  /// Executes what is decided, in order, as far as it is here.
  mutating func execute(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    let before = executed
    while let slot = slots[executed + 1], let decided = slot.decided, let batch = slot.batches[decided] {
      executed += 1
      history = OrderStatement.history(history, then: decided)
      apply(batch, at: now, into: &effects)
      if executed % Self.checkpointInterval == 0 { checkpoint(at: now, into: &effects) }
    }
    guard executed > before else { return }
    if !isChanging { failures = 0 }
    propose(at: now, into: &effects)
  }

  private mutating func apply(
    _ batch: OrderBatch, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    var isAwaited = false
    for transfer in batch.transfers.entries {
      // The first of a number counts, at all members the same.
      if isOpen(transfer) {
        for applied in keeper.deliver([transfer], refused: [], isOwn: false).applied {
          effects.indicate(.applied(applied))
        }
      }
      ordering.remove(transfer.transfer.number)
      if pending.removeValue(forKey: transfer.transfer.number) != nil { isAwaited = true }
    }
    if isAwaited { waitingSince = pending.isEmpty ? nil : now }
  }

  // MARK: Checkpoints

  private mutating func checkpoint(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    let statement = OrderStatement.checkpoint(sequence: executed, history: history)
    let signature = auth.sign(statement, as: MessageIdentifier(origin: identity, sequence: executed))
    sendToAll(.checkpoint(sequence: executed, history: history, signature: signature), into: &effects)
    checkpoints[executed, default: [:]][identity] = (history, signature)
    stabilise(executed, history)
  }

  private mutating func take(
    checkpoint sequence: UInt64, _ history: SIMD4<UInt64>, _ signature: UInt64, from sender: Peer,
    at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard sequence > stable.sequence, sequence <= stable.sequence + 4 * Self.window,
      sequence % Self.checkpointInterval == 0, checkpoints[sequence]?[sender] == nil
    else { return }
    let statement = OrderStatement.checkpoint(sequence: sequence, history: history)
    guard
      auth.verifies(signature, of: statement, as: MessageIdentifier(origin: sender, sequence: sequence))
    else { return }
    checkpoints[sequence, default: [:]][sender] = (history, signature)
    stabilise(sequence, history)
    propose(at: now, into: &effects)
  }

  private mutating func stabilise(_ sequence: UInt64, _ history: SIMD4<UInt64>) {
    let signatures = (checkpoints[sequence] ?? [:]).filter { $0.value.history == history }
      .sorted { $0.key < $1.key }.prefix(quorum).map { (signer: $0.key, signature: $0.value.signature) }
    guard signatures.count >= quorum else { return }
    stabilise(OrderCheckpoint(sequence: sequence, history: history, signatures: signatures))
  }

  /// Lets go of what a quorum has executed, but for a window of it, for whoever is behind.
  mutating func stabilise(_ checkpoint: OrderCheckpoint) {
    guard checkpoint.sequence > stable.sequence else { return }
    stable = checkpoint
    checkpoints = checkpoints.filter { $0.key > checkpoint.sequence }
    slots = slots.filter { $0.key > lastForgotten }
  }
}

extension LeaderOrder: LedgerReplica {
  static func submitting(_ transfer: SignedTransfer) -> Request { .submit(transfer) }
  static func bringing(_ transfers: [SignedTransfer]) -> Request { .bring(transfers) }
  static func news(_ indication: Indication) -> LedgerNews? {
    switch indication {
    case .submitted(let transfer, let refusal): .answered(transfer, isTaken: refusal == nil)
    case .applied(let transfer): .applied(transfer)
    }
  }
}
