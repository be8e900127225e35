import StarlingCore

/// Ready Broadcast: probabilistic secure broadcast (thesis, Algorithm 9), an instance for each (sender, sequence
/// number), over `EchoBroadcast`.
///
/// Integrity always holds. With the probabilities that `EpsilonCalculator` gives, validity, totality and consistency
/// fail.
@frozen
public struct ReadyBroadcast<Auth: SecureAuthenticator, Oracle: SamplingOracle>: SamplingBroadcast {
  /// The layer below.
  public typealias Echo = EchoBroadcast<Auth, Oracle>

  /// What processes send each other.
  @frozen
  public enum Message: Sendable {
    /// A message of the layers below.
    case echo(Echo.Message)
    /// ReadySubscribe: the receiver is in the sender's ready or delivery sample.
    case subscribe
    /// Ready.
    case ready(Vote<Auth>)
    /// A batch is wanted whose digest met the delivery threshold: votes carry digests only.
    case fetch(MessageIdentifier, Auth.Digest)
    /// The batch that was wanted.
    case supply(SignedBatch<Auth>)
    /// The receiver is in the sender's ready and delivery samples no longer.
    case unsubscribe
  }

  /// What it waits for.
  @frozen
  public enum Timer: Sendable {
    /// A timer of the layers below.
    case echo(Echo.Timer)
    /// A subscriber that asked too soon may be answered.
    case answer(Peer)
    /// A batch that was asked for; asked of somebody else if it has not come.
    case fetch(MessageIdentifier)
  }

  /// What one process knows of one instance.
  @usableFromInline
  struct Instance: Sendable {
    /// *ready*: for which batches this process is ready, and for which entries of them it is not.
    @usableFromInline var ready: [Vote<Auth>] = []
    /// *replies.ready*.
    @usableFromInline var readyReplies = VoteTally<Auth>(perVoter: ReadyBroadcast.digestsPerVoter)
    /// *replies.delivery*.
    @usableFromInline var deliveryReplies = VoteTally<Auth>(perVoter: ReadyBroadcast.digestsPerVoter)
    @usableFromInline var delivery = BatchDelivery<Auth>()
    /// By whose samples it is judged.
    @usableFromInline let epoch: UInt32
    /// Whether it needs them.
    @usableFromInline var isBound = true

    @inlinable
    init(epoch: UInt32) { self.epoch = epoch }

    /// Whether all of the chosen batch is delivered and this process is ready for all of it, so that no vote changes
    /// anything.
    @inlinable
    var isFinished: Bool {
      delivery.isComplete && ready.contains { $0.digest == delivery.chosen && $0.refused.isEmpty }
    }
  }

  /// What one epoch's instances are judged by.
  @usableFromInline
  struct Samples: Sendable {
    /// ℛ.
    @usableFromInline let ready: MultisetSample
    /// 𝒟.
    @usableFromInline let delivery: MultisetSample
    /// R̂.
    @usableFromInline let readyThreshold: Int
    /// D̂.
    @usableFromInline let deliveryThreshold: Int

    @inlinable
    init(
      parameters: SecureBroadcastParameters, from oracle: Oracle, random: inout some RandomSource & ~Copyable
    ) {
      ready = MultisetSample(size: parameters.ready, from: oracle, random: &random)
      delivery = MultisetSample(size: parameters.delivery, from: oracle, random: &random)
      readyThreshold = parameters.readyThreshold
      deliveryThreshold = parameters.deliveryThreshold
    }

    @inlinable
    func contains(_ peer: Peer) -> Bool {
      ready.position(of: peer) != nil || delivery.position(of: peer) != nil
    }
  }

  @usableFromInline enum EchoLayer: Embedding {
    @inlinable static func message(_ message: Echo.Message) -> ReadyBroadcast.Message { .echo(message) }
    @inlinable static func timer(_ timer: Echo.Timer) -> Timer { .echo(timer) }
    @inlinable static func indication(_ indication: SecureIndication<Auth>) -> SecureIndication<Auth>? {
      switch indication {
      case .misbehaved, .logged: indication
      case .delivered: nil
      }
    }
    @usableFromInline typealias Outer = ReadyBroadcast
    @usableFromInline typealias Inner = Echo
  }

  /// pcb.
  @usableFromInline var echo: Echo
  @usableFromInline let auth: Auth
  @usableFromInline var oracle: Oracle
  @usableFromInline var parameters: SecureBroadcastParameters
  /// After how long a batch that was asked for is asked of somebody else.
  @usableFromInline let fetchTimeout: Interval
  @usableFromInline var epochs = SampleEpochs<Samples>()
  /// Who subscribed.
  @usableFromInline var subscriptions: SubscriptionSet
  @usableFromInline var checks: UInt64 = 0
  @usableFromInline var instances: [MessageIdentifier: Instance] = [:]
  /// The live instances, oldest first.
  @usableFromInline var order: [MessageIdentifier] = []

  /// How many instances take memory.
  public var liveInstances: Int { max(instances.count, echo.liveInstances) }

  /// How many epochs have samples, here or below.
  public var liveEpochs: Int { max(epochs.count, echo.liveEpochs) }

  /// How many signatures it has checked, the layers below included.
  public var signatureChecks: UInt64 { checks + echo.signatureChecks }

  /// Whether it has told that it is ready for a batch of an instance.
  public func isReady(for instance: MessageIdentifier) -> Bool { instances[instance]?.ready.isEmpty == false }

  /// The positions of a batch's entries that it is not ready for; `nil` if it is not ready for the batch at all.
  public func unready(_ digest: Auth.Digest, of instance: MessageIdentifier) -> [UInt16]? {
    instances[instance]?.ready.first { $0.digest == digest }?.refused
  }

  /// Forgets what was echoed of an author's entries up to a number, which are refused from now on.
  @inlinable
  public mutating func settle(_ author: Auth.Payload.Author, through sequence: UInt64) {
    echo.settle(author, through: sequence)
  }

  /// For how many batches of one instance a member's readiness is recorded. A correct process is ready for the one it
  /// pcb.Delivered and, if consistency fails below, for others that became contagious.
  @inlinable
  static var digestsPerVoter: Int { 2 }

  /// - Parameters:
  ///   - identity: the process's own handle.
  ///   - auth: signs its batches and checks the others'.
  ///   - oracle: Ω.
  ///   - parameters: of this layer and those below.
  ///   - entries: what was echoed for each author's entries, by an earlier life of the process too.
  ///   - fetchTimeout: after how long a batch that was asked for is asked of somebody else (a guess: a second).
  @inlinable
  public init(
    identity: Peer, auth: Auth, oracle: Oracle, parameters: SecureBroadcastParameters,
    entries: EntryLog<Auth.Payload.Author, Auth.Payload.Contents>, fetchTimeout: Interval = .seconds(1)
  ) {
    echo = Echo(identity: identity, auth: auth, oracle: oracle, parameters: parameters, entries: entries)
    self.auth = auth
    self.oracle = oracle
    self.parameters = parameters
    self.fetchTimeout = fetchTimeout
    subscriptions = SubscriptionSet(population: oracle.population)
  }

  /// Draws the samples and subscribes to them.
  @inlinable
  public mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    apply(effects.embedding(EchoLayer.self) { echo.start(at: now, into: &$0) }, at: now, into: &effects)
    draw(at: now, into: &effects)
  }

  /// Draws new samples, here and below.
  @inlinable
  public mutating func resample(
    from oracle: Oracle, parameters: SecureBroadcastParameters, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) -> Bool {
    guard epochs.hasRoom(at: now) else { return false }
    var isDone = false
    let told = effects.embedding(EchoLayer.self) {
      isDone = echo.resample(from: oracle, parameters: parameters, at: now, into: &$0)
    }
    apply(told, at: now, into: &effects)
    guard isDone else { return false }
    subscriptions.adapt(from: self.oracle.population, to: oracle.population, members: auth.admits)
    self.oracle = oracle
    self.parameters = parameters
    draw(at: now, into: &effects)
    return true
  }

  @inlinable
  mutating func draw(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    let samples = Samples(parameters: parameters, from: oracle, random: &effects)
    // Those that are in another sample are subscribed to already, and one subscription serves both samples.
    let isNew =
      samples.ready.members.filter { !isSampled($0) }
      + samples.delivery.members.filter { samples.ready.position(of: $0) == nil && !isSampled($0) }
    let ended = epochs.begin(samples, at: now)
    let subscription = effects.prepare(.subscribe)
    for peer in isNew { effects.send(subscription, to: peer) }
    for epoch in ended { end(epoch, into: &effects) }
  }

  /// Ends the subscriptions of an epoch that has ended, but for those that another one needs.
  @inlinable
  func end(_ epoch: SampleEpochs<Samples>.Epoch, into effects: inout some Effects<Self> & ~Copyable) {
    let (ready, delivery) = (epoch.samples.ready, epoch.samples.delivery)
    let farewell = effects.prepare(.unsubscribe)
    for peer in ready.members where !isSampled(peer) { effects.send(farewell, to: peer) }
    for peer in delivery.members where ready.position(of: peer) == nil && !isSampled(peer) {
      effects.send(farewell, to: peer)
    }
  }

  /// An instance needs its samples no longer.
  @inlinable
  mutating func release(
    _ identifier: MessageIdentifier, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard let instance = instances[identifier], instance.isBound else { return }
    instances[identifier]?.isBound = false
    if let ended = epochs.release(instance.epoch, at: now) { end(ended, into: &effects) }
  }

  /// Lets go of what an instance that is finished needs no longer, here and below.
  @inlinable
  mutating func settle(
    _ identifier: MessageIdentifier, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard let instance = instances[identifier], instance.isBound, instance.isFinished else { return }
    release(identifier, at: now, into: &effects)
    // Whoever lacks the batch hears of it by the readiness that is repeated, and fetches it.
    _ = effects.embedding(EchoLayer.self) { echo.settle(identifier, at: now, into: &$0) }
  }

  /// Takes what an earlier life of the process said or did.
  @inlinable
  public mutating func recall(_ step: LoggedStep<Auth>) {
    switch step {
    case .echoed, .retained: echo.recall(step)
    case .ready(let vote):
      open(vote.identifier)
      _ = instances[vote.identifier]?.becomeReady(vote)
      if let batch = echo.instances[vote.identifier]?.batch, batch.digest == vote.digest {
        instances[vote.identifier]?.delivery.keep(batch)
      }
    case .delivered(let batch, let refused):
      open(batch.identifier)
      instances[batch.identifier]?.delivery.recall(batch, undelivered: refused)
      // There is one epoch before the start, and none ends.
      guard let instance = instances[batch.identifier], instance.isBound, instance.isFinished else { return }
      instances[batch.identifier]?.isBound = false
      _ = epochs.release(instance.epoch, at: .zero)
      echo.recallSettlement(of: batch.identifier)
    }
  }

  /// Whether this process has echoed the batch of this digest.
  @inlinable
  public func hasEchoed(_ digest: Auth.Digest, of instance: MessageIdentifier) -> Bool {
    echo.hasEchoed(digest, of: instance)
  }

  /// Broadcasts, forgets an instance, or asks a peer to repeat itself.
  @inlinable
  public mutating func handle(
    _ request: SecureRequest<Auth.Payload>, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch request {
    case .broadcast: break
    case .forget(let identifier):
      release(identifier, at: now, into: &effects)
      instances[identifier] = nil
      // Now and then: a search for each instance that ends would cost as much as there are instances.
      if order.count > 2 * instances.count + 16 { order.removeAll { instances[$0] == nil } }
    case .renew(let peer):
      if isSampled(peer) { effects.send(effects.prepare(.subscribe), to: peer) }
    case .repeat(let peer):
      if let instant = subscriptions.owe(peer, at: now) { effects.schedule(.answer(peer), at: instant) }
    }
    apply(
      effects.embedding(EchoLayer.self) { echo.handle(request, at: now, into: &$0) }, at: now, into: &effects)
  }

  /// Takes a message of this layer or of those below.
  @inlinable
  public mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch message {
    case .echo(let message):
      apply(
        effects.embedding(EchoLayer.self) { echo.receive(message, from: sender, at: now, into: &$0) },
        at: now,
        into: &effects)
    case .subscribe:
      switch subscriptions.insert(sender, at: now) {
      case .first, .repetition: tell(sender, into: &effects)
      case .later(let instant): effects.schedule(.answer(sender), at: instant)
      case .none: break
      }
    case .unsubscribe: subscriptions.remove(sender, at: now)
    case .ready(let vote): receive(vote, from: sender, at: now, into: &effects)
    case .fetch(let identifier, let digest):
      // Only a subscriber can have met the threshold by this process's word.
      guard subscriptions.peers.contains(sender),
        let batch = instances[identifier]?.delivery.give(digest, to: sender)
      else { return }
      effects.send(effects.prepare(.supply(batch)), to: sender)
    case .supply(let batch):
      if instances[batch.identifier]?.delivery.supply(batch) == true {
        deliver(batch.identifier, at: now, into: &effects)
      }
    }
  }

  /// Repeats what was asked for too soon, or asks somebody else for a batch that has not come.
  @inlinable
  public mutating func expire(
    _ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch timer {
    case .echo(let timer):
      apply(
        effects.embedding(EchoLayer.self) { echo.expire(timer, at: now, into: &$0) }, at: now, into: &effects)
    case .answer(let peer):
      if subscriptions.isDue(to: peer, at: now) { tell(peer, into: &effects) }
    case .fetch(let identifier): fetch(identifier, at: now, into: &effects)
    }
  }

  /// Nothing: what was lost is asked for by ``SecureRequest/renew(_:)``.
  @inlinable
  public mutating func disconnect(
    from peer: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {}

  /// Whether a peer is in a sample of this layer or those below, or passes batches on to this process.
  @inlinable
  public func listens(to peer: Peer) -> Bool { isSampled(peer) || echo.listens(to: peer) }

  /// Whether R̂ of the ready sample are among them: what makes a process ready is believed here too.
  @inlinable
  public func includesCorrect(_ peers: [Peer]) -> Bool {
    guard let samples = epochs.samples(of: epochs.current) else { return false }
    let weight = peers.reduce(0) { sum, peer in
      sum + (samples.ready.position(of: peer).map { samples.ready.multiplicity(at: $0) } ?? 0)
    }
    return weight >= samples.readyThreshold
  }

  @inlinable
  func isSampled(_ peer: Peer) -> Bool { epochs.contains { $0.contains(peer) } }

  /// Tells a subscriber for what this process is ready, of the live instances.
  @inlinable
  mutating func tell(_ peer: Peer, into effects: inout some Effects<Self> & ~Copyable) {
    for index in instances.values.indices { instances.values[index].delivery.giveAgain(to: peer) }
    for identifier in order {
      for vote in instances[identifier]?.ready ?? [] {
        effects.send(effects.prepare(.ready(vote)), to: peer)
      }
    }
  }

  /// The epoch that an instance belongs to. To read it copies the instance, which is more than a vote costs otherwise, so
  /// the instance is not looked at while there has been but one.
  @inlinable
  func epoch(of identifier: MessageIdentifier) -> UInt32 {
    epochs.current == 0 ? 0 : instances[identifier]?.epoch ?? epochs.current
  }

  @inlinable
  mutating func open(_ identifier: MessageIdentifier) {
    if instances[identifier] == nil {
      instances[identifier] = Instance(epoch: epochs.bind())
      order.append(identifier)
    }
  }

  @inlinable
  mutating func apply(
    _ indications: [SecureIndication<Auth>], at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    for case .delivered(let batch, let refused) in indications {
      // pcb.Deliver: ready for the batch, or for more of it than before.
      open(batch.identifier)
      instances[batch.identifier]?.delivery.keep(batch)
      becomeReady(Vote(for: batch, refused: refused), at: now, into: &effects)
      deliver(batch.identifier, at: now, into: &effects)
    }
  }

  /// Tells the subscribers that this process is ready, unless it told them as much before.
  @inlinable
  mutating func becomeReady(
    _ vote: Vote<Auth>, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard let vote = instances[vote.identifier]?.becomeReady(vote) else { return }
    effects.indicate(.logged(.ready(vote)))
    let parcel = effects.prepare(.ready(vote))
    for peer in subscriptions.members { effects.send(parcel, to: peer) }
    settle(vote.identifier, at: now, into: &effects)
  }

  @inlinable
  mutating func receive(
    _ vote: Vote<Auth>, from sender: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    let known = instances.index(forKey: vote.identifier)
    let epoch = epoch(of: vote.identifier)
    guard let samples = epochs.samples(of: epoch), auth.admits(vote.identifier.origin) else { return }
    let inReady = samples.ready.position(of: sender)
    let inDelivery = samples.delivery.position(of: sender)
    guard inReady != nil || inDelivery != nil else { return }
    guard vote.isWellFormed else { return effects.indicate(.misbehaved(sender, .malformed)) }
    let inSamples = (ready: inReady, delivery: inDelivery)
    let fate: VoteFate
    if let known {
      fate = instances.values[known].count(
        vote, from: inSamples, in: samples.ready, samples.delivery, auth: auth, checks: &checks)
    } else {
      // Nothing of it is kept unless it counts.
      var instance = Instance(epoch: epoch)
      fate = instance.count(
        vote, from: inSamples, in: samples.ready, samples.delivery, auth: auth, checks: &checks)
      if fate == .counted {
        open(vote.identifier)
        instances[vote.identifier]?.readyReplies = instance.readyReplies
        instances[vote.identifier]?.deliveryReplies = instance.deliveryReplies
      }
    }
    switch fate {
    case .counted: break
    case .forged: return effects.indicate(.misbehaved(sender, .badSignature))
    case .ignored: return
    }
    let threshold = samples.readyThreshold
    if inReady != nil, let ready = instances[vote.identifier]?.contagious(vote, threshold: threshold) {
      becomeReady(ready, at: now, into: &effects)
    }
    if inDelivery != nil { choose(vote.digest, of: vote.identifier, at: now, into: &effects) }
  }

  /// The first batch to meet the delivery threshold is the one that is delivered.
  @inlinable
  mutating func choose(
    _ digest: Auth.Digest, of identifier: MessageIdentifier, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard let threshold = epochs.samples(of: epoch(of: identifier))?.deliveryThreshold else { return }
    if instances[identifier]?.chooses(digest, threshold: threshold) == true {
      fetch(identifier, at: now, into: &effects)
    }
    deliver(identifier, at: now, into: &effects)
  }

  @inlinable
  mutating func deliver(
    _ identifier: MessageIdentifier, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard let threshold = epochs.samples(of: epoch(of: identifier))?.deliveryThreshold,
      let told = instances[identifier]?.deliver(threshold: threshold)
    else { return }
    effects.indicate(told)
    settle(identifier, at: now, into: &effects)
  }

  /// Asks one process after another for the chosen batch, if it is not here: those of the delivery sample that are
  /// ready for it; the correct ones of these have it, or will.
  @inlinable
  mutating func fetch(
    _ identifier: MessageIdentifier, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard let instance = instances[identifier], let chosen = instance.delivery.chosen,
      let deliverySample = epochs.samples(of: instance.epoch)?.delivery
    else { return }
    var delivery = instance.delivery
    let voters = instance.deliveryReplies.voters(of: chosen, in: deliverySample)
    guard let peer = delivery.nextToAsk(among: voters, random: &effects) else { return }
    instances[identifier]?.delivery = delivery
    effects.send(effects.prepare(.fetch(identifier, chosen)), to: peer)
    effects.schedule(.fetch(identifier), at: now + fetchTimeout)
  }
}

// These change an instance where it lies: a copy for each vote would be most of the vote's cost.
extension ReadyBroadcast.Instance {
  /// Counts a vote by a member of either sample. Its signature is checked, unless that of its digest was before.
  @inlinable
  mutating func count(
    _ vote: Vote<Auth>, from member: (ready: Int?, delivery: Int?), in readySample: MultisetSample,
    _ deliverySample: MultisetSample, auth: Auth, checks: inout UInt64
  ) -> VoteFate {
    let isKnown =
      readyReplies.knows(vote.digest) || deliveryReplies.knows(vote.digest)
      || ready.contains { $0.digest == vote.digest }
    if !isKnown {
      let hasRoom =
        member.ready.map(readyReplies.hasRoom) ?? false
        || member.delivery.map(deliveryReplies.hasRoom)
          ?? false
      guard hasRoom else { return .ignored }
      checks += 1
      guard auth.verifies(vote.signature, of: vote.digest, as: vote.identifier) else { return .forged }
    }
    var isCounted = false
    if let member = member.ready { isCounted = readyReplies.take(vote, from: member, in: readySample) }
    if let member = member.delivery, deliveryReplies.take(vote, from: member, in: deliverySample) {
      isCounted = true
    }
    return isCounted ? .counted : .ignored
  }

  /// That the process is ready for as much of a batch as so many are; `nil` if it is ready for all of it, or too few
  /// are.
  @inlinable
  mutating func contagious(_ vote: Vote<Auth>, threshold: Int) -> Vote<Auth>? {
    if ready.contains(where: { $0.digest == vote.digest && $0.refused.isEmpty }) { return nil }
    guard let outcome = readyReplies.outcome(of: vote.digest, threshold: threshold) else { return nil }
    return Vote(
      identifier: vote.identifier, digest: vote.digest, signature: vote.signature, refused: outcome.lacking,
      hops: outcome.hops == .max ? .max : outcome.hops + 1)
  }

  /// What is to be told when the process becomes ready; `nil` if it told as much before.
  @inlinable
  mutating func becomeReady(_ vote: Vote<Auth>) -> Vote<Auth>? {
    guard let known = ready.firstIndex(where: { $0.digest == vote.digest }) else {
      ready.append(vote)
      return vote
    }
    // Readiness only grows: by pcb.Deliver for some entries and by contagion for others.
    let before = ready[known]
    let refused = before.refused.filter(vote.refused.contains)
    guard refused.count < before.refused.count else { return nil }
    ready[known] = Vote(
      identifier: vote.identifier, digest: vote.digest, signature: before.signature, refused: refused,
      hops: vote.hops)
    return ready[known]
  }

  /// Chooses a batch, if it is the first to meet the threshold.
  ///
  /// - Returns: whether it was chosen now.
  @inlinable
  mutating func chooses(_ digest: Auth.Digest, threshold: Int) -> Bool {
    guard delivery.chosen == nil, deliveryReplies.meets(threshold, for: digest) else { return false }
    delivery.chosen = digest
    return true
  }

  @inlinable
  mutating func deliver(threshold: Int) -> SecureIndication<Auth>? {
    delivery.deliver(by: deliveryReplies, threshold: threshold)
  }
}

extension ReadyBroadcast.Message: InstanceMessage {
  /// Whether it is a ready message.
  @inlinable
  public var isFinalVote: Bool { if case .ready = self { true } else { false } }

  /// The instance.
  @inlinable
  public var instance: MessageIdentifier? {
    switch self {
    case .subscribe, .unsubscribe: nil
    case .echo(let message): message.instance
    case .ready(let vote): vote.identifier
    case .fetch(let identifier, _): identifier
    case .supply(let batch): batch.identifier
    }
  }
}
