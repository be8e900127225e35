import StarlingCore

/// Echo Broadcast: probabilistic consistent broadcast (thesis, Algorithm 8), an instance for each (sender, sequence
/// number), over `ErdosRenyiGossip`.
///
/// Integrity always holds. With the probabilities that `EpsilonCalculator` gives, total validity and consistency fail.
@frozen
public struct EchoBroadcast<Auth: SecureAuthenticator, Oracle: SamplingOracle>: SecureBroadcastProcess {
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
  }
  /// It waits for nothing.
  public typealias Timer = Never

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

    @inlinable
    init() {}
  }

  @usableFromInline enum GossipLayer: Embedding {
    @inlinable static func message(_ message: Gossip.Message) -> EchoBroadcast.Message { .gossip(message) }
    @inlinable static func timer(_ timer: Never) -> Never {}
    @inlinable static func indication(_ indication: Gossip.Indication) -> SecureIndication<Auth>? { nil }
    @usableFromInline typealias Outer = EchoBroadcast
    @usableFromInline typealias Inner = Gossip
  }

  /// pb.
  @usableFromInline var gossip: Gossip
  @usableFromInline let auth: Auth
  @usableFromInline let oracle: Oracle
  /// E.
  @usableFromInline let sampleSize: Int
  /// Ê.
  @usableFromInline let threshold: Int
  /// ℰ.
  @usableFromInline var sample: MultisetSample?
  /// Who subscribed.
  @usableFromInline var subscriptions: SubscriptionSet
  @usableFromInline var checks: UInt64 = 0
  @usableFromInline var instances: [MessageIdentifier: Instance] = [:]
  /// The live instances, oldest first.
  @usableFromInline var order: [MessageIdentifier] = []
  @usableFromInline var entries: EntryLog<Auth.Payload.Author, Auth.Payload.Contents>

  /// How many instances take memory.
  public var liveInstances: Int { max(instances.count, gossip.delivered.count) }

  /// How many signatures it has checked, the layer below included.
  public var signatureChecks: UInt64 { checks + gossip.checks }

  /// Whether it has delivered a batch of an instance.
  public func hasDelivered(_ instance: MessageIdentifier) -> Bool { instances[instance]?.undelivered != nil }

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
    sampleSize = parameters.echo
    threshold = parameters.echoThreshold
    subscriptions = SubscriptionSet(limit: oracle.population)
    self.entries = entries
  }

  /// Draws the samples and subscribes to them.
  @inlinable
  public mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    apply(effects.embedding(GossipLayer.self) { gossip.start(at: now, into: &$0) }, into: &effects)
    let sample = MultisetSample(size: sampleSize, from: oracle, random: &effects)
    self.sample = sample
    let subscription = effects.prepare(.subscribe)
    for peer in sample.members { effects.send(subscription, to: peer) }
  }

  /// Broadcasts, or forgets an instance.
  @inlinable
  public mutating func handle(
    _ request: SecureRequest<Auth.Payload>, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    if case .forget(let identifier) = request {
      instances[identifier] = nil
      // Now and then: a search for each instance that ends would cost as much as there are instances.
      if order.count > 2 * instances.count + 16 { order.removeAll { instances[$0] == nil } }
    }
    apply(effects.embedding(GossipLayer.self) { gossip.handle(request, at: now, into: &$0) }, into: &effects)
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
        into: &effects)
    case .subscribe:
      guard subscriptions.insert(sender) else { return }
      for identifier in order {
        guard let instance = instances[identifier], let batch = instance.batch else { continue }
        effects.send(effects.prepare(.echo(vote(for: batch, refused: instance.refused))), to: sender)
      }
    case .echo(let vote):
      receive(vote, from: sender, into: &effects)
    }
  }

  /// Never called: it sets no timers.
  @inlinable
  public mutating func expire(
    _ timer: Never, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {}

  /// Nothing depends on a connection.
  @inlinable
  public mutating func disconnect(
    from peer: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {}

  @inlinable
  func vote(for batch: SignedBatch<Auth>, refused: [UInt16]) -> Vote<Auth> {
    Vote(
      identifier: batch.identifier, digest: batch.digest, signature: batch.signature, refused: refused,
      hops: batch.hops == .max ? .max : batch.hops + 1)
  }

  @inlinable
  mutating func open(_ identifier: MessageIdentifier) {
    if instances[identifier] == nil {
      instances[identifier] = Instance()
      order.append(identifier)
    }
  }

  @inlinable
  mutating func apply(_ indications: [Gossip.Indication], into effects: inout some Effects<Self> & ~Copyable)
  {
    for indication in indications {
      switch indication {
      case .misbehaved(let peer, let misbehaviour): effects.indicate(.misbehaved(peer, misbehaviour))
      case .delivered(let batch): echo(batch, into: &effects)
      }
    }
  }

  /// pb.Deliver: echoes the batch, but for the entries that conflict with what was echoed before.
  @inlinable
  mutating func echo(_ batch: SignedBatch<Auth>, into effects: inout some Effects<Self> & ~Copyable) {
    let refused = entries.refusals(in: batch, auth: auth)
    open(batch.identifier)
    instances[batch.identifier]?.batch = batch
    instances[batch.identifier]?.refused = refused
    let parcel = effects.prepare(.echo(vote(for: batch, refused: refused)))
    for peer in subscriptions.members { effects.send(parcel, to: peer) }
    deliver(batch.identifier, into: &effects)
  }

  @inlinable
  mutating func receive(
    _ vote: Vote<Auth>, from sender: Peer, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard let sample, let member = sample.position(of: sender), auth.admits(vote.identifier.origin) else {
      return
    }
    guard vote.isWellFormed else { return effects.indicate(.misbehaved(sender, .malformed)) }
    let fate: VoteFate
    if let index = instances.index(forKey: vote.identifier) {
      fate = instances.values[index].count(vote, from: member, in: sample, auth: auth, checks: &checks)
    } else {
      var instance = Instance()
      fate = instance.count(vote, from: member, in: sample, auth: auth, checks: &checks)
      if fate == .counted {
        open(vote.identifier)
        instances[vote.identifier] = instance
      }
    }
    switch fate {
    case .counted: deliver(vote.identifier, into: &effects)
    case .forged: effects.indicate(.misbehaved(sender, .badSignature))
    case .ignored: break
    }
  }

  /// Delivers what this process echoed and Ê members of its sample echoed too.
  @inlinable
  mutating func deliver(_ identifier: MessageIdentifier, into effects: inout some Effects<Self> & ~Copyable) {
    let threshold = threshold
    if let told = instances[identifier]?.deliver(threshold: threshold) { effects.indicate(told) }
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
    let refused = union(outcome.lacking, self.refused)
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
  /// The instance.
  @inlinable
  public var instance: MessageIdentifier? {
    switch self {
    case .subscribe: nil
    case .gossip(let message): message.instance
    case .echo(let vote): vote.identifier
    }
  }
}
