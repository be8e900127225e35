import StarlingCore

/// Echo Broadcast: probabilistic consistent broadcast (thesis, Algorithm 8), an instance for each (sender, sequence
/// number), over `ErdosRenyiGossip`.
///
/// Integrity always holds. With the probabilities that `EpsilonCalculator` gives, total validity and consistency fail.
@frozen
public struct EchoBroadcast<Auth: SecureAuthenticator, Oracle: SamplingOracle>: SamplingBroadcast {
  /// The layer below.
  public typealias Gossip = ErdosRenyiGossip<Auth, Oracle>

  /// What processes send each other.
  @frozen
  public enum Message: Sendable {
    /// A message of the layer below.
    case gossip(Gossip.Message)
    /// EchoSubscribe: the receiver is in the sender's echo sample.
    case subscribe
    /// Echo.
    case echo(Vote<Auth>)
    /// The receiver is in the sender's echo sample no longer.
    case unsubscribe
  }
  /// What it waits for.
  @frozen
  public enum Timer: Sendable {
    /// A timer of the layer below.
    case gossip(Gossip.Timer)
    /// A subscriber that asked too soon may be answered.
    case answer(Peer)
  }

  /// What one process knows of one instance.
  @usableFromInline
  struct Instance: Sendable {
    /// *echo*: the batch from the layer below.
    @usableFromInline var batch: SignedBatch<Auth>?
    /// The positions of its entries that conflict with what was echoed before.
    @usableFromInline var refused: [UInt16] = []
    /// *replies*.
    @usableFromInline var replies = VoteTally<Auth>()
    /// The positions that are not delivered yet; `nil` before anything is.
    @usableFromInline var undelivered: [UInt16]?
    /// By whose samples it is judged.
    @usableFromInline let epoch: UInt32
    /// Whether it needs them.
    @usableFromInline var isBound: Bool

    @inlinable
    init(epoch: UInt32, isBound: Bool) {
      self.epoch = epoch
      self.isBound = isBound
    }
  }

  /// What one epoch's instances are judged by.
  @usableFromInline
  struct Samples: Sendable {
    /// ℰ.
    @usableFromInline let echo: MultisetSample
    /// Ê.
    @usableFromInline let threshold: Int

    @inlinable
    init(echo: MultisetSample, threshold: Int) {
      self.echo = echo
      self.threshold = threshold
    }
  }

  @usableFromInline enum GossipLayer: Embedding {
    @inlinable static func message(_ message: Gossip.Message) -> EchoBroadcast.Message { .gossip(message) }
    @inlinable static func timer(_ timer: Gossip.Timer) -> Timer { .gossip(timer) }
    @inlinable static func indication(_ indication: Gossip.Indication) -> SecureIndication<Auth>? { nil }
    @usableFromInline typealias Outer = EchoBroadcast
    @usableFromInline typealias Inner = Gossip
  }

  /// pb.
  @usableFromInline var gossip: Gossip
  @usableFromInline let auth: Auth
  @usableFromInline var oracle: Oracle
  @usableFromInline var parameters: SecureBroadcastParameters
  @usableFromInline var epochs = SampleEpochs<Samples>()
  /// Who subscribed.
  @usableFromInline var subscriptions: SubscriptionSet
  @usableFromInline var checks: UInt64 = 0
  @usableFromInline var instances: [MessageIdentifier: Instance] = [:]
  /// The live instances, oldest first.
  @usableFromInline var order: [MessageIdentifier] = []
  @usableFromInline var entries: EntryLog<Auth.Payload.Author, Auth.Payload.Contents>

  /// How many instances take memory.
  public var liveInstances: Int { max(instances.count, gossip.delivered.count) }

  /// How many epochs have samples.
  public var liveEpochs: Int { epochs.count }

  /// How many signatures it has checked, the layer below included.
  public var signatureChecks: UInt64 { checks + gossip.checks }

  /// Whether it has delivered a batch of an instance.
  public func hasDelivered(_ instance: MessageIdentifier) -> Bool { instances[instance]?.undelivered != nil }

  /// Forgets what was echoed of an author's entries up to a number, which are refused from now on.
  @inlinable
  public mutating func settle(_ author: Auth.Payload.Author, through sequence: UInt64) {
    entries.settle(author, through: sequence)
  }

  /// - Parameters:
  ///   - identity: the process's own handle.
  ///   - auth: signs its batches and checks the others'.
  ///   - oracle: Ω.
  ///   - parameters: G, E and Ê; the others are not looked at.
  ///   - entries: what was echoed for each author's entries, by an earlier life of the process too.
  @inlinable
  public init(
    identity: Peer, auth: Auth, oracle: Oracle, parameters: SecureBroadcastParameters,
    entries: EntryLog<Auth.Payload.Author, Auth.Payload.Contents>
  ) {
    gossip = Gossip(identity: identity, auth: auth, oracle: oracle, expectedSample: parameters.gossip)
    self.auth = auth
    self.oracle = oracle
    self.parameters = parameters
    subscriptions = SubscriptionSet(population: oracle.population)
    self.entries = entries
  }

  /// Draws the samples and subscribes to them.
  @inlinable
  public mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    apply(effects.embedding(GossipLayer.self) { gossip.start(at: now, into: &$0) }, at: now, into: &effects)
    draw(at: now, into: &effects)
  }

  /// Draws new samples, here and below.
  @inlinable
  public mutating func resample(
    from oracle: Oracle, parameters: SecureBroadcastParameters, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) -> Bool {
    guard epochs.hasRoom(at: now) else { return false }
    subscriptions.adapt(from: self.oracle.population, to: oracle.population, members: auth.admits)
    self.oracle = oracle
    self.parameters = parameters
    gossip.change(to: oracle, expectedSample: parameters.gossip)
    let next = epochs.current &+ 1
    apply(effects.embedding(GossipLayer.self) { gossip.begin(next, into: &$0) }, at: now, into: &effects)
    draw(at: now, into: &effects)
    return true
  }

  @inlinable
  mutating func draw(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    let sample = MultisetSample(size: parameters.echo, from: oracle, random: &effects)
    // Those that are in another sample are subscribed to already.
    let isNew = sample.members.filter { !isSampled($0) }
    let ended = epochs.begin(Samples(echo: sample, threshold: parameters.echoThreshold), at: now)
    let subscription = effects.prepare(.subscribe)
    for peer in isNew { effects.send(subscription, to: peer) }
    for epoch in ended { end(epoch, into: &effects) }
  }

  /// Whether a peer is in a sample of an epoch that has not ended.
  @inlinable
  func isSampled(_ peer: Peer) -> Bool {
    epochs.contains { $0.echo.position(of: peer) != nil }
  }

  /// Ends the subscriptions of an epoch that has ended, but for those that another one needs.
  @inlinable
  mutating func end(
    _ epoch: SampleEpochs<Samples>.Epoch, into effects: inout some Effects<Self> & ~Copyable
  ) {
    _ = effects.embedding(GossipLayer.self) { gossip.end(epoch.number, into: &$0) }
    let farewell = effects.prepare(.unsubscribe)
    for peer in epoch.samples.echo.members where !isSampled(peer) { effects.send(farewell, to: peer) }
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

  /// Broadcasts, forgets an instance, or asks a peer to repeat itself.
  @inlinable
  public mutating func handle(
    _ request: SecureRequest<Auth.Payload>, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch request {
    case .broadcast: break
    case .forget(let identifier):
      if let instance = instances[identifier], let batch = instance.batch {
        for entry in entries.unsettled(in: batch, besides: instance.refused) {
          effects.indicate(.logged(.retained(entry)))
        }
      }
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
      effects.embedding(GossipLayer.self) { gossip.handle(request, at: now, into: &$0) }, at: now,
      into: &effects)
  }

  /// Takes a message of this layer or of the one below.
  @inlinable
  public mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch message {
    case .gossip(let message):
      apply(
        effects.embedding(GossipLayer.self) { gossip.receive(message, from: sender, at: now, into: &$0) },
        at: now, into: &effects)
    case .subscribe:
      switch subscriptions.insert(sender, at: now) {
      case .first, .repetition: tell(sender, into: &effects)
      case .later(let instant): effects.schedule(.answer(sender), at: instant)
      case .none: break
      }
    case .unsubscribe: subscriptions.remove(sender, at: now)
    case .echo(let vote):
      receive(vote, from: sender, at: now, into: &effects)
    }
  }

  /// Repeats to a subscriber what it asked for too soon.
  @inlinable
  public mutating func expire(
    _ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch timer {
    case .gossip(let timer):
      apply(
        effects.embedding(GossipLayer.self) { gossip.expire(timer, at: now, into: &$0) }, at: now,
        into: &effects)
    case .answer(let peer):
      if subscriptions.isDue(to: peer, at: now) { tell(peer, into: &effects) }
    }
  }

  /// Nothing: what was lost is asked for by ``SecureRequest/renew(_:)``.
  @inlinable
  public mutating func disconnect(
    from peer: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {}

  /// Whether a peer is in the sample, or passes batches on to this process.
  @inlinable
  public func listens(to peer: Peer) -> Bool {
    isSampled(peer) || gossip.listens(to: peer)
  }

  /// The layer above delivered an instance and depends on this one for nothing more of it.
  @inlinable
  mutating func settle(
    _ identifier: MessageIdentifier, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    gossip.settle(identifier)
    release(identifier, at: now, into: &effects)
    // Echoes that come later must not bind it to an epoch.
    if instances[identifier] == nil { open(identifier, isBound: false) }
  }

  /// Takes what an earlier life of the process said or did.
  @inlinable
  public mutating func recall(_ step: LoggedStep<Auth>) {
    switch step {
    case .echoed(let batch, let refused):
      entries.recall(batch, refused: refused)
      gossip.recall(batch)
      open(batch.identifier)
      instances[batch.identifier]?.batch = batch
      instances[batch.identifier]?.refused = refused
    case .delivered(let batch, let refused):
      open(batch.identifier)
      instances[batch.identifier]?.undelivered = refused
      if refused.isEmpty { recallSettlement(of: batch.identifier) }
    case .retained(let entry): entries.recall(entry, from: nil)
    // Only the layer above becomes ready.
    case .ready: break
    }
  }

  /// Takes that the layer above had done with an instance. There is one epoch before the start, and none ends.
  @inlinable
  mutating func recallSettlement(of identifier: MessageIdentifier) {
    gossip.settle(identifier)
    open(identifier)
    guard let instance = instances[identifier], instance.isBound else { return }
    instances[identifier]?.isBound = false
    _ = epochs.release(instance.epoch, at: .zero)
  }

  /// Whether this process has echoed the batch of this digest.
  @inlinable
  public func hasEchoed(_ digest: Auth.Digest, of instance: MessageIdentifier) -> Bool {
    instances[instance]?.batch?.digest == digest
  }

  /// Tells a subscriber the echoes of the live instances.
  @inlinable
  func tell(_ peer: Peer, into effects: inout some Effects<Self> & ~Copyable) {
    for identifier in order {
      guard let instance = instances[identifier], let batch = instance.batch else { continue }
      effects.send(effects.prepare(.echo(Vote(for: batch, refused: instance.refused))), to: peer)
    }
  }

  /// Whether Ê of the echo sample are among them.
  @inlinable
  public func includesCorrect(_ peers: [Peer]) -> Bool {
    guard let samples = epochs.samples(of: epochs.current) else { return false }
    let weight = peers.reduce(0) { sum, peer in
      sum + (samples.echo.position(of: peer).map { samples.echo.multiplicity(at: $0) } ?? 0)
    }
    return weight >= samples.threshold
  }

  /// The epoch that an instance belongs to. To read it copies the instance, which is more than a vote costs otherwise, so
  /// the instance is not looked at while there has been but one.
  @inlinable
  func epoch(of identifier: MessageIdentifier) -> UInt32 {
    epochs.current == 0 ? 0 : instances[identifier]?.epoch ?? epochs.current
  }

  @inlinable
  mutating func open(_ identifier: MessageIdentifier, isBound: Bool = true) {
    if instances[identifier] == nil {
      instances[identifier] = Instance(epoch: isBound ? epochs.bind() : epochs.current, isBound: isBound)
      order.append(identifier)
    }
  }

  @inlinable
  mutating func apply(
    _ indications: [Gossip.Indication], at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    for indication in indications {
      switch indication {
      case .misbehaved(let peer, let misbehaviour): effects.indicate(.misbehaved(peer, misbehaviour))
      case .delivered(let batch): echo(batch, at: now, into: &effects)
      }
    }
  }

  /// pb.Deliver: echoes the batch, but for the entries that conflict with what was echoed before.
  @inlinable
  mutating func echo(
    _ batch: SignedBatch<Auth>, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    let refused = entries.refusals(in: batch, auth: auth)
    open(batch.identifier)
    instances[batch.identifier]?.batch = batch
    instances[batch.identifier]?.refused = refused
    effects.indicate(.logged(.echoed(batch, refused: refused)))
    let parcel = effects.prepare(.echo(Vote(for: batch, refused: refused)))
    for peer in subscriptions.members { effects.send(parcel, to: peer) }
    deliver(batch.identifier, at: now, into: &effects)
  }

  @inlinable
  mutating func receive(
    _ vote: Vote<Auth>, from sender: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    let known = instances.index(forKey: vote.identifier)
    let epoch = epoch(of: vote.identifier)
    guard let sample = epochs.samples(of: epoch)?.echo, let member = sample.position(of: sender),
      auth.admits(vote.identifier.origin)
    else { return }
    guard vote.isWellFormed else { return effects.indicate(.misbehaved(sender, .malformed)) }
    let fate: VoteFate
    if let known {
      fate = instances.values[known].count(vote, from: member, in: sample, auth: auth, checks: &checks)
    } else {
      // Nothing of it is kept unless it counts.
      var instance = Instance(epoch: epoch, isBound: true)
      fate = instance.count(vote, from: member, in: sample, auth: auth, checks: &checks)
      if fate == .counted {
        open(vote.identifier)
        instances[vote.identifier]?.replies = instance.replies
      }
    }
    switch fate {
    case .counted: deliver(vote.identifier, at: now, into: &effects)
    case .forged: effects.indicate(.misbehaved(sender, .badSignature))
    case .ignored: break
    }
  }

  /// Delivers what this process echoed and Ê members of its sample echoed too.
  @inlinable
  mutating func deliver(
    _ identifier: MessageIdentifier, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard let threshold = epochs.samples(of: epoch(of: identifier))?.threshold,
      let told = instances[identifier]?.deliver(threshold: threshold)
    else { return }
    effects.indicate(told)
    if instances[identifier]?.undelivered?.isEmpty == true { release(identifier, at: now, into: &effects) }
  }
}

// These change an instance where it lies: a copy for each vote would be most of the vote's cost.
extension EchoBroadcast.Instance {
  /// Counts a vote. Its signature is checked, unless that of its digest was before.
  @inlinable
  mutating func count(
    _ vote: Vote<Auth>, from member: Int, in sample: MultisetSample, auth: Auth, checks: inout UInt64
  ) -> VoteFate {
    if batch?.digest != vote.digest, !replies.knows(vote.digest) {
      guard replies.hasRoom(for: member) else { return .ignored }
      checks += 1
      guard auth.verifies(vote.signature, of: vote.digest, as: vote.identifier) else { return .forged }
    }
    return replies.take(vote, from: member, in: sample) ? .counted : .ignored
  }

  /// What can be delivered now that could not before.
  @inlinable
  mutating func deliver(threshold: Int) -> SecureIndication<Auth>? {
    guard var batch, undelivered?.isEmpty != true,
      let outcome = replies.outcome(of: batch.digest, threshold: threshold)
    else { return nil }
    // Who voted did not know how many entries there are, or lied about it.
    let lacking = Array(outcome.lacking.prefix { $0 < batch.payload.entryCount })
    let refused = union(lacking, self.refused)
    if let undelivered, undelivered.count <= refused.count { return nil }
    undelivered = refused
    batch.hops = max(batch.hops, outcome.hops)
    return .delivered(batch, refused: refused)
  }
}

/// Two ascending lists as one.
@inlinable
func union(_ one: [UInt16], _ other: [UInt16]) -> [UInt16] {
  if other.isEmpty { return one }
  if one.isEmpty { return other }
  var result: [UInt16] = []
  var (i, j) = (0, 0)
  while i < one.count || j < other.count {
    if j == other.count || (i < one.count && one[i] < other[j]) {
      result.append(one[i])
      i += 1
    } else {
      if i < one.count, one[i] == other[j] { i += 1 }
      result.append(other[j])
      j += 1
    }
  }
  return result
}

extension EchoBroadcast.Message: InstanceMessage {
  /// Whether it is an echo.
  @inlinable
  public var isFinalVote: Bool { if case .echo = self { true } else { false } }

  /// The instance.
  @inlinable
  public var instance: MessageIdentifier? {
    switch self {
    case .subscribe, .unsubscribe: nil
    case .gossip(let message): message.instance
    case .echo(let vote): vote.identifier
    }
  }
}
