import StarlingCore

/// Erdős–Rényi Gossip: probabilistic broadcast (thesis, Algorithm 6), an instance for each (sender, sequence number).
///
/// Validity and integrity always hold; totality fails with a probability that falls exponentially with G.
@frozen
public struct ErdosRenyiGossip<Auth: SecureAuthenticator, Oracle: SamplingOracle>: Process {
  /// What processes send each other.
  @frozen
  public enum Message: Sendable {
    /// GossipSubscribe: the receiver is in the sender's gossip sample.
    case subscribe
    /// Gossip.
    case gossip(SignedBatch<Auth>)
    /// The link to the sender, who did not draw the receiver but was drawn by it, was lost: the receiver is to repeat
    /// what may have been lost with it.
    case renew
    /// The receiver is in the sender's gossip sample no longer.
    case unsubscribe
  }
  /// What it waits for.
  @frozen
  public enum Timer: Sendable {
    /// A subscriber that asked too soon may be answered.
    case answer(Peer)
  }
  /// What it is asked for.
  public typealias Request = SecureRequest<Auth.Payload>
  /// What it tells: the first batch of an instance, its signature checked.
  @frozen
  public enum Indication: Sendable {
    /// pb.Deliver.
    case delivered(SignedBatch<Auth>)
    /// A peer did what no correct peer does.
    case misbehaved(Peer, Misbehaviour)
  }

  @usableFromInline let identity: Peer
  @usableFromInline let auth: Auth
  @usableFromInline var oracle: Oracle
  /// G.
  @usableFromInline var expectedSample: Int
  /// The samples of the epochs that the layer above still has.
  @usableFromInline var samples: [(epoch: UInt32, drawn: [Peer])] = []
  /// All that are in one of them. They and those who subscribed are 𝒢.
  @usableFromInline var sample = PeerSet()
  /// Who subscribed.
  @usableFromInline var subscriptions: SubscriptionSet
  /// The batch of each live instance, by which late subscribers are answered.
  @usableFromInline var delivered: [MessageIdentifier: SignedBatch<Auth>] = [:]
  @usableFromInline var checks: UInt64 = 0
  /// The live instances, oldest first: the order in which late subscribers are told.
  @usableFromInline var order: [MessageIdentifier] = []
  /// Those of them whose batches need no repeating: whoever lacks one fetches it.
  @usableFromInline var settled: Set<MessageIdentifier> = []

  /// - Parameters:
  ///   - identity: the process's own handle.
  ///   - auth: signs its batches and checks the others'.
  ///   - oracle: Ω.
  ///   - expectedSample: G, 1 or more.
  @inlinable
  public init(identity: Peer, auth: Auth, oracle: Oracle, expectedSample: Int) {
    self.identity = identity
    self.auth = auth
    self.oracle = oracle
    self.expectedSample = expectedSample
    subscriptions = SubscriptionSet(population: oracle.population)
  }

  /// Draws the gossip sample and subscribes to it.
  @inlinable
  public mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    begin(0, into: &effects)
    // What an earlier life had of it may have reached nobody.
    if !delivered.isEmpty { for peer in sample.members { tell(peer, isAgain: true, into: &effects) } }
  }

  /// Takes the batch of an instance that an earlier life of the process delivered.
  @inlinable
  mutating func recall(_ batch: SignedBatch<Auth>) {
    guard delivered.updateValue(batch, forKey: batch.identifier) == nil else { return }
    order.append(batch.identifier)
  }

  /// Draws the sample of an epoch and subscribes to it. Past samples stay: more edges do no harm.
  @inlinable
  mutating func begin(_ epoch: UInt32, into effects: inout some Effects<Self> & ~Copyable) {
    let probability = Double(expectedSample) / Double(oracle.population)
    let drawn = oracle.independentSample(probability: probability, random: &effects).filter { $0 != identity }
    samples.append((epoch, drawn))
    let subscription = effects.prepare(.subscribe)
    for peer in drawn where sample.insert(peer) { effects.send(subscription, to: peer) }
  }

  /// Lets the sample of an epoch go.
  @inlinable
  mutating func end(_ epoch: UInt32, into effects: inout some Effects<Self> & ~Copyable) {
    guard let index = samples.firstIndex(where: { $0.epoch == epoch }) else { return }
    let ended = samples.remove(at: index).drawn
    sample = PeerSet()
    for (_, drawn) in samples { for peer in drawn { sample.insert(peer) } }
    let farewell = effects.prepare(.unsubscribe)
    for peer in ended where !sample.contains(peer) { effects.send(farewell, to: peer) }
  }

  /// What the next epochs draw from.
  @inlinable
  mutating func change(to oracle: Oracle, expectedSample: Int) {
    subscriptions.adapt(from: self.oracle.population, to: oracle.population, members: auth.admits)
    self.oracle = oracle
    self.expectedSample = expectedSample
  }

  /// Broadcasts, or forgets an instance.
  @inlinable
  public mutating func handle(
    _ request: Request, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch request {
    case .broadcast(let payload, let sequence):
      let identifier = MessageIdentifier(origin: identity, sequence: sequence)
      let signature = auth.sign(auth.digest(of: payload), as: identifier)
      dispatch(
        SignedBatch<Auth>(identifier: identifier, payload: payload, signature: signature, hops: 0),
        into: &effects)
    case .forget(let identifier):
      delivered[identifier] = nil
      // Now and then: a search for each instance that ends would cost as much as there are instances.
      if order.count > 2 * delivered.count + 16 { order.removeAll { delivered[$0] == nil } }
      settled.remove(identifier)
    case .renew(let peer):
      // Whoever subscribed passes batches on to this process as well.
      if sample.contains(peer) {
        effects.send(effects.prepare(.subscribe), to: peer)
      } else if subscriptions.peers.contains(peer) {
        effects.send(effects.prepare(.renew), to: peer)
      }
    case .repeat(let peer):
      guard listens(to: peer), let instant = subscriptions.pace.owe(peer, at: now) else { return }
      effects.schedule(.answer(peer), at: instant)
    }
  }

  /// Takes a subscription or a batch.
  @inlinable
  public mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch message {
    case .subscribe:
      switch subscriptions.insert(sender, at: now) {
      case .first: tell(sender, isAgain: false, into: &effects)
      case .repetition: tell(sender, isAgain: true, into: &effects)
      case .later(let instant): effects.schedule(.answer(sender), at: instant)
      case .none: break
      }
    case .renew:
      guard listens(to: sender) else { return }
      switch subscriptions.pace.ask(sender, at: now) {
      case .now: tell(sender, isAgain: true, into: &effects)
      case .later(let instant): effects.schedule(.answer(sender), at: instant)
      case .dueAlready: break
      }
    case .unsubscribe: subscriptions.remove(sender, at: now)
    case .gossip(let batch):
      // A second batch of an instance is of no use even when its signature is good, so it is not checked.
      guard delivered[batch.identifier] == nil, auth.admits(batch.identifier.origin) else { return }
      guard batch.isWithinLimits else { return effects.indicate(.misbehaved(sender, .malformed)) }
      checks += 1
      guard auth.verifies(batch) else {
        return effects.indicate(.misbehaved(sender, .badSignature))
      }
      dispatch(batch, into: &effects)
    }
  }

  /// Repeats to a subscriber what it asked for too soon.
  @inlinable
  public mutating func expire(
    _ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch timer {
    case .answer(let peer):
      if subscriptions.pace.isDue(to: peer, at: now), listens(to: peer) {
        tell(peer, isAgain: true, into: &effects)
      }
    }
  }

  /// Nothing: what was lost is asked for by ``SecureRequest/renew(_:)``.
  @inlinable
  public mutating func disconnect(
    from peer: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {}

  /// Whether a peer passes batches on to this process.
  @inlinable
  func listens(to peer: Peer) -> Bool { sample.contains(peer) || subscriptions.peers.contains(peer) }

  /// An instance's batch needs no repeating any more: the layers above can do without it.
  @inlinable
  mutating func settle(_ identifier: MessageIdentifier) {
    if delivered[identifier] != nil { settled.insert(identifier) }
  }

  /// Gives a subscriber the batches of the live instances; again, only those that it cannot come by otherwise.
  @inlinable
  func tell(_ peer: Peer, isAgain: Bool, into effects: inout some Effects<Self> & ~Copyable) {
    for identifier in order where !(isAgain && settled.contains(identifier)) {
      guard let batch = delivered[identifier] else { continue }
      effects.send(effects.prepare(.gossip(batch)), to: peer)
    }
  }

  @inlinable
  mutating func dispatch(_ batch: SignedBatch<Auth>, into effects: inout some Effects<Self> & ~Copyable) {
    guard delivered[batch.identifier] == nil else { return }
    delivered[batch.identifier] = batch
    order.append(batch.identifier)
    var copy = batch
    copy.hops = batch.hops == .max ? .max : batch.hops + 1
    let parcel = effects.prepare(.gossip(copy))
    for peer in sample.members { effects.send(parcel, to: peer) }
    for peer in subscriptions.members where !sample.contains(peer) { effects.send(parcel, to: peer) }
    effects.indicate(.delivered(batch))
  }
}

extension ErdosRenyiGossip.Message: InstanceMessage {
  /// Never: whoever gossips has not voted.
  @inlinable
  public var isFinalVote: Bool { false }

  /// The instance.
  @inlinable
  public var instance: MessageIdentifier? {
    switch self {
    case .subscribe, .renew, .unsubscribe: nil
    case .gossip(let batch): batch.identifier
    }
  }
}
