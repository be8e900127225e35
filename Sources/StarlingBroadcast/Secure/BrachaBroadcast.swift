import StarlingCore

/// Bracha's reliable broadcast (G. Bracha, "Asynchronous Byzantine agreement protocols", Information and Computation
/// 75, 1987), an instance for each (sender, sequence number): the quorum baseline. It never fails while fewer than a
/// third of the processes lie, and costs every process 2(N − 1) messages.
@frozen
public struct BrachaBroadcast<Auth: SecureAuthenticator>: SecureBroadcastProcess {
  /// What processes send each other.
  @frozen
  public enum Message: Sendable {
    /// initial: from the sender to all.
    case send(SignedBatch<Auth>)
    /// echo: of the first batch that came from the sender.
    case echo(Vote<Auth>)
    /// ready.
    case ready(Vote<Auth>)
    /// A batch is wanted whose digest met the threshold.
    case fetch(MessageIdentifier, Auth.Digest)
    /// The batch that was wanted.
    case supply(SignedBatch<Auth>)
    /// The sender's link to the receiver was lost: the receiver is to repeat what it said.
    case renew
  }

  /// What it waits for.
  @frozen
  public enum Timer: Sendable {
    /// A peer that asked too soon may be answered.
    case answer(Peer)
    /// A batch that was asked for; asked of somebody else if it has not come.
    case fetch(MessageIdentifier)
  }

  @usableFromInline
  struct Instance: Sendable {
    /// The batch that was echoed, with what was refused of it.
    @usableFromInline var echoed: Vote<Auth>?
    @usableFromInline var ready: Vote<Auth>?
    @usableFromInline var echoes = VoteTally<Auth>()
    @usableFromInline var readies = VoteTally<Auth>()
    @usableFromInline var delivery = BatchDelivery<Auth>()

    @inlinable
    init() {}
  }

  @usableFromInline let identity: Peer
  @usableFromInline let auth: Auth
  /// Everybody, each once.
  @usableFromInline let members: MultisetSample
  /// f: how many may lie.
  @usableFromInline let byzantine: Int
  @usableFromInline let fetchTimeout: Interval
  @usableFromInline let startsLate: Bool
  @usableFromInline var checks: UInt64 = 0
  /// Who asked for a repetition.
  @usableFromInline var renewals = RepetitionPace()
  @usableFromInline var instances: [MessageIdentifier: Instance] = [:]
  @usableFromInline var entries: EntryLog<Auth.Payload.Author, Auth.Payload.Contents>

  /// How many instances take memory.
  public var liveInstances: Int { instances.count }

  /// How many signatures it has checked.
  public var signatureChecks: UInt64 { checks }

  /// Whether it has told that it is ready for a batch of an instance.
  public func isReady(for instance: MessageIdentifier) -> Bool { instances[instance]?.ready != nil }

  /// The positions of a batch's entries that it is not ready for; `nil` if it is not ready for the batch at all.
  public func unready(_ digest: Auth.Digest, of instance: MessageIdentifier) -> [UInt16]? {
    instances[instance]?.ready.flatMap { $0.digest == digest ? $0.refused : nil }
  }

  /// Forgets what was echoed of an author's entries up to a number, which are refused from now on.
  @inlinable
  public mutating func settle(_ author: Auth.Payload.Author, through sequence: UInt64) {
    entries.settle(author, through: sequence)
  }

  /// How many echoes make ready: more than half of all correct processes and all liars, ⌈(N + f + 1)/2⌉.
  @inlinable
  var echoThreshold: Int { (members.members.count + byzantine) / 2 + 1 }

  /// - Parameters:
  ///   - identity: the process's own handle.
  ///   - auth: signs its batches and checks the others'.
  ///   - members: all processes, each once; one value can serve the processes of a simulation.
  ///   - byzantine: how many may lie; fewer than a third of all.
  ///   - entries: what was echoed for each author's entries, by an earlier life of the process too.
  ///   - fetchTimeout: after how long a batch that was asked for is asked of somebody else (a guess: a second).
  ///   - startsLate: whether others may have said something before this process starts, which it then asks them to
  ///     repeat.
  @inlinable
  public init(
    identity: Peer, auth: Auth, members: MultisetSample, byzantine: Int,
    entries: EntryLog<Auth.Payload.Author, Auth.Payload.Contents>, fetchTimeout: Interval = .seconds(1),
    startsLate: Bool = false
  ) {
    precondition(
      3 * byzantine < members.members.count, "\(byzantine) liars among \(members.members.count) are too many")
    self.identity = identity
    self.auth = auth
    self.byzantine = byzantine
    self.entries = entries
    self.fetchTimeout = fetchTimeout
    self.startsLate = startsLate
    self.members = members
  }

  /// Asks for what was said before, if anything may have been: everybody hears everybody from now on.
  @inlinable
  public mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    if startsLate { sendToAll(.renew, into: &effects) }
  }

  /// Broadcasts, forgets an instance, or asks a peer to repeat itself.
  @inlinable
  public mutating func handle(
    _ request: SecureRequest<Auth.Payload>, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch request {
    case .broadcast(let payload, let sequence):
      let identifier = MessageIdentifier(origin: identity, sequence: sequence)
      let signature = auth.sign(auth.digest(of: payload), as: identifier)
      let batch = SignedBatch<Auth>(
        identifier: identifier, payload: payload, signature: signature, hops: 1)
      sendToAll(.send(batch), into: &effects)
      // An earlier life may have echoed it: by what is settled since it would refuse other entries now.
      if let vote = instances[identifier]?.echoed { return sendToAll(.echo(vote), into: &effects) }
      echo(batch, at: now, into: &effects)
    case .forget(let identifier):
      if let instance = instances.removeValue(forKey: identifier), let echoed = instance.echoed,
        let batch = instance.delivery.batch(echoed.digest)
      {
        for entry in entries.unsettled(in: batch, besides: echoed.refused) {
          effects.indicate(.logged(.retained(entry)))
        }
      }
    case .renew(let peer): if listens(to: peer) { effects.send(effects.prepare(.renew), to: peer) }
    case .repeat(let peer):
      guard listens(to: peer), let instant = renewals.owe(peer, at: now) else { return }
      effects.schedule(.answer(peer), at: instant)
    }
  }

  /// Takes what an earlier life of the process said or did.
  @inlinable
  public mutating func recall(_ step: LoggedStep<Auth>) {
    switch step {
    case .echoed(let batch, let refused):
      entries.recall(batch, refused: refused)
      let vote = Vote<Auth>(for: batch, refused: refused)
      var instance = instances[batch.identifier] ?? Instance()
      instance.echoed = vote
      instance.delivery.keep(batch)
      recall(vote, isReady: false, in: &instance)
    case .ready(let vote):
      var instance = instances[vote.identifier] ?? Instance()
      instance.ready = vote
      recall(vote, isReady: true, in: &instance)
    case .delivered(let batch, let refused):
      instances[batch.identifier, default: Instance()].delivery.recall(batch, undelivered: refused)
    case .retained(let entry): entries.recall(entry, from: nil)
    }
  }

  /// Counts an own vote of an earlier life.
  @inlinable
  mutating func recall(_ vote: Vote<Auth>, isReady: Bool, in instance: inout Instance) {
    if let own = members.position(of: identity) {
      _ = instance.count(vote, isReady: isReady, from: own, in: members, auth: auth, checks: &checks)
    }
    instances[vote.identifier] = instance
  }

  /// Whether this process has echoed the batch of this digest.
  @inlinable
  public func hasEchoed(_ digest: Auth.Digest, of instance: MessageIdentifier) -> Bool {
    instances[instance]?.echoed?.digest == digest
  }

  /// Takes a batch from its sender, a vote, or a request for a batch.
  @inlinable
  public mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch message {
    case .send(let batch):
      guard sender == batch.identifier.origin, auth.admits(sender),
        instances[batch.identifier]?.echoed == nil
      else { return }
      guard batch.isWithinLimits else { return effects.indicate(.misbehaved(sender, .malformed)) }
      checks += 1
      guard auth.verifies(batch) else {
        return effects.indicate(.misbehaved(sender, .badSignature))
      }
      echo(batch, at: now, into: &effects)
    case .echo(let vote): receive(vote, isReady: false, from: sender, at: now, into: &effects)
    case .ready(let vote): receive(vote, isReady: true, from: sender, at: now, into: &effects)
    case .fetch(let identifier, let digest):
      guard members.position(of: sender) != nil,
        let batch = instances[identifier]?.delivery.give(digest, to: sender)
      else {
        return
      }
      effects.send(effects.prepare(.supply(batch)), to: sender)
    case .supply(let batch):
      if instances[batch.identifier]?.delivery.supply(batch) == true {
        deliver(batch.identifier, into: &effects)
      }
    case .renew:
      guard members.position(of: sender) != nil else { return }
      switch renewals.ask(sender, at: now) {
      case .now: tell(sender, into: &effects)
      case .later(let instant): effects.schedule(.answer(sender), at: instant)
      case .dueAlready: break
      }
    }
  }

  /// Repeats what was asked for too soon, or asks somebody else for a batch that has not come.
  @inlinable
  public mutating func expire(
    _ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch timer {
    case .answer(let peer):
      if renewals.isDue(to: peer, at: now) { tell(peer, into: &effects) }
    case .fetch(let identifier): fetch(identifier, at: now, into: &effects)
    }
  }

  /// Nothing: what was lost is asked for by ``SecureRequest/renew(_:)``.
  @inlinable
  public mutating func disconnect(
    from peer: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {}

  /// Whether they are more than may lie.
  @inlinable
  public func includesCorrect(_ peers: [Peer]) -> Bool {
    peers.count { members.position(of: $0) != nil } > byzantine
  }

  /// Whether a peer is a member.
  @inlinable
  public func listens(to peer: Peer) -> Bool { peer != identity && members.position(of: peer) != nil }

  /// Repeats to a peer what was said of the live instances: votes, and own batches while they are not delivered here;
  /// whoever lacks one that is fetches it.
  @inlinable
  mutating func tell(_ peer: Peer, into effects: inout some Effects<Self> & ~Copyable) {
    for index in instances.values.indices { instances.values[index].delivery.giveAgain(to: peer) }
    // In an order that is the same on every run.
    let live = instances.sorted {
      ($0.key.origin, $0.key.sequence) < ($1.key.origin, $1.key.sequence)
    }
    for (identifier, instance) in live {
      if identifier.origin == identity, !instance.delivery.isComplete, let echoed = instance.echoed,
        let batch = instance.delivery.batch(echoed.digest)
      {
        effects.send(effects.prepare(.send(batch)), to: peer)
      }
      if let vote = instance.echoed { effects.send(effects.prepare(.echo(vote)), to: peer) }
      if let vote = instance.ready { effects.send(effects.prepare(.ready(vote)), to: peer) }
    }
  }

  @inlinable
  func sendToAll(_ message: Message, into effects: inout some Effects<Self> & ~Copyable) {
    let parcel = effects.prepare(message)
    for peer in members.members where peer != identity { effects.send(parcel, to: peer) }
  }

  @inlinable
  mutating func echo(
    _ batch: SignedBatch<Auth>, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    let refused = entries.refusals(in: batch, auth: auth)
    let vote = Vote<Auth>(for: batch, refused: refused)
    var instance = instances[batch.identifier] ?? Instance()
    instance.echoed = vote
    instance.delivery.keep(batch)
    instances[batch.identifier] = instance
    effects.indicate(.logged(.echoed(batch, refused: refused)))
    sendToAll(.echo(vote), into: &effects)
    receive(vote, isReady: false, from: identity, at: now, into: &effects)
  }

  @inlinable
  mutating func receive(
    _ vote: Vote<Auth>, isReady: Bool, from sender: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard let member = members.position(of: sender), auth.admits(vote.identifier.origin) else { return }
    guard vote.isWellFormed else { return effects.indicate(.misbehaved(sender, .malformed)) }
    let fate: VoteFate
    if let index = instances.index(forKey: vote.identifier) {
      fate = instances.values[index].count(
        vote, isReady: isReady, from: member, in: members, auth: auth, checks: &checks)
    } else {
      var instance = Instance()
      fate = instance.count(vote, isReady: isReady, from: member, in: members, auth: auth, checks: &checks)
      if fate == .counted { instances[vote.identifier] = instance }
    }
    switch fate {
    case .counted: break
    case .forged: return effects.indicate(.misbehaved(sender, .badSignature))
    case .ignored: return
    }
    advance(vote, at: now, into: &effects)
  }

  /// Becomes ready by a quorum of echoes or by f + 1 who are, and delivers by 2f + 1.
  @inlinable
  mutating func advance(
    _ vote: Vote<Auth>, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard let instance = instances[vote.identifier] else { return }
    let byEchoes = instance.echoes.outcome(of: vote.digest, threshold: echoThreshold)
    let byReadies = instance.readies.outcome(of: vote.digest, threshold: byzantine + 1)
    if byEchoes != nil || byReadies != nil {
      var lacking = (byEchoes ?? byReadies)?.lacking ?? []
      if let byEchoes, let byReadies { lacking = byEchoes.lacking.filter(byReadies.lacking.contains) }
      becomeReady(
        vote, lacking: lacking, hops: max(byEchoes?.hops ?? 0, byReadies?.hops ?? 0), at: now, into: &effects)
    }
    if let current = instances[vote.identifier], current.delivery.chosen == nil,
      current.readies.outcome(of: vote.digest, threshold: 2 * byzantine + 1) != nil
    {
      instances[vote.identifier]?.delivery.chosen = vote.digest
      fetch(vote.identifier, at: now, into: &effects)
    }
    deliver(vote.identifier, into: &effects)
  }

  @inlinable
  mutating func becomeReady(
    _ vote: Vote<Auth>, lacking: [UInt16], hops: UInt16, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    var refused = lacking
    if let before = instances[vote.identifier]?.ready {
      guard before.digest == vote.digest else { return }
      refused = before.refused.filter(lacking.contains)
      guard refused.count < before.refused.count else { return }
    }
    let ready = Vote<Auth>(
      identifier: vote.identifier, digest: vote.digest, signature: vote.signature, refused: refused,
      hops: hops == .max ? .max : hops + 1)
    instances[vote.identifier]?.ready = ready
    effects.indicate(.logged(.ready(ready)))
    sendToAll(.ready(ready), into: &effects)
    receive(ready, isReady: true, from: identity, at: now, into: &effects)
  }

  @inlinable
  mutating func deliver(_ identifier: MessageIdentifier, into effects: inout some Effects<Self> & ~Copyable) {
    guard var instance = instances[identifier],
      let delivery = instance.delivery.deliver(by: instance.readies, threshold: 2 * byzantine + 1)
    else { return }
    instances[identifier] = instance
    effects.indicate(delivery)
  }

  /// Asks one process after another for the chosen batch, if it is not here: first those that echoed it, since the
  /// correct ones of these have it, and if there are none, all.
  @inlinable
  mutating func fetch(
    _ identifier: MessageIdentifier, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard let instance = instances[identifier], let chosen = instance.delivery.chosen else { return }
    let echoers = instance.echoes.voters(of: chosen, in: members)
    var delivery = instance.delivery
    guard
      let peer = delivery.nextToAsk(among: echoers.isEmpty ? members.members : echoers, random: &effects)
    else { return }
    instances[identifier]?.delivery = delivery
    effects.send(effects.prepare(.fetch(identifier, chosen)), to: peer)
    effects.schedule(.fetch(identifier), at: now + fetchTimeout)
  }
}

extension BrachaBroadcast.Instance {
  /// Counts a vote. Its signature is checked, unless that of its digest was before.
  @inlinable
  mutating func count(
    _ vote: Vote<Auth>, isReady: Bool, from member: Int, in members: MultisetSample, auth: Auth,
    checks: inout UInt64
  ) -> VoteFate {
    if delivery.batch(vote.digest) == nil, !echoes.knows(vote.digest), !readies.knows(vote.digest) {
      guard isReady ? readies.hasRoom(for: member) : echoes.hasRoom(for: member) else { return .ignored }
      checks += 1
      guard auth.verifies(vote.signature, of: vote.digest, as: vote.identifier) else { return .forged }
    }
    let isCounted =
      isReady
      ? readies.take(vote, from: member, in: members) : echoes.take(vote, from: member, in: members)
    return isCounted ? .counted : .ignored
  }
}

extension BrachaBroadcast.Message: InstanceMessage {
  /// Whether it is a ready message.
  @inlinable
  public var isFinalVote: Bool { if case .ready = self { true } else { false } }

  /// The instance.
  @inlinable
  public var instance: MessageIdentifier? {
    switch self {
    case .send(let batch), .supply(let batch): batch.identifier
    case .echo(let vote), .ready(let vote): vote.identifier
    case .fetch(let identifier, _): identifier
    case .renew: nil
    }
  }
}
