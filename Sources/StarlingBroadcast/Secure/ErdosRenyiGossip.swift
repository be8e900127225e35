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
  }
  /// Gossip waits for nothing.
  public typealias Timer = Never
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
  @usableFromInline let oracle: Oracle
  /// G.
  @usableFromInline let expectedSample: Int
  /// 𝒢: the sample and those who subscribed.
  @usableFromInline var sample: SubscriptionSet
  /// The batch of each live instance, by which late subscribers are answered.
  @usableFromInline var delivered: [MessageIdentifier: SignedBatch<Auth>] = [:]
  @usableFromInline var checks: UInt64 = 0
  /// The live instances, oldest first: the order in which late subscribers are told.
  @usableFromInline var order: [MessageIdentifier] = []

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
    sample = SubscriptionSet(limit: oracle.population)
  }

  /// Draws the gossip sample and subscribes to it.
  @inlinable
  public mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    let probability = Double(expectedSample) / Double(oracle.population)
    let subscription = effects.prepare(.subscribe)
    for peer in oracle.independentSample(probability: probability, random: &effects) where peer != identity {
      if sample.insert(peer) { effects.send(subscription, to: peer) }
    }
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
        SignedBatch(identifier: identifier, payload: payload, signature: signature, hops: 0, auth: auth),
        into: &effects)
    case .forget(let identifier):
      delivered[identifier] = nil
      // Now and then: a search for each instance that ends would cost as much as there are instances.
      if order.count > 2 * delivered.count + 16 { order.removeAll { delivered[$0] == nil } }
    }
  }

  /// Takes a subscription or a batch.
  @inlinable
  public mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch message {
    case .subscribe:
      guard sample.insert(sender) else { return }
      for identifier in order {
        guard let batch = delivered[identifier] else { continue }
        effects.send(effects.prepare(.gossip(batch)), to: sender)
      }
    case .gossip(let batch):
      // A second batch of an instance is of no use even when its signature is good, so it is not checked.
      guard delivered[batch.identifier] == nil, auth.admits(batch.identifier.origin) else { return }
      guard batch.isWithinLimits else { return effects.indicate(.misbehaved(sender, .malformed)) }
      checks += 1
      guard auth.verifies(batch.signature, of: batch.digest, as: batch.identifier) else {
        return effects.indicate(.misbehaved(sender, .badSignature))
      }
      dispatch(batch, into: &effects)
    }
  }

  /// Never called: gossip sets no timers.
  @inlinable
  public mutating func expire(
    _ timer: Never, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {}

  /// Nothing depends on a connection: links are reliable, or the peer is faulty.
  @inlinable
  public mutating func disconnect(
    from peer: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {}

  @inlinable
  mutating func dispatch(_ batch: SignedBatch<Auth>, into effects: inout some Effects<Self> & ~Copyable) {
    guard delivered[batch.identifier] == nil else { return }
    delivered[batch.identifier] = batch
    order.append(batch.identifier)
    var copy = batch
    copy.hops = batch.hops == .max ? .max : batch.hops + 1
    let parcel = effects.prepare(.gossip(copy))
    for peer in sample.members { effects.send(parcel, to: peer) }
    effects.indicate(.delivered(batch))
  }
}

extension ErdosRenyiGossip.Message: InstanceMessage {
  /// The instance.
  @inlinable
  public var instance: MessageIdentifier? {
    switch self {
    case .subscribe: nil
    case .gossip(let batch): batch.identifier
    }
  }
}
