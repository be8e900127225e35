import StarlingBroadcast
import StarlingCore

/// Erdős–Rényi Gossip without a layer above it, so that its totality can be judged by itself: what gossip delivers
/// counts as delivered.
struct GossipAlone<Auth: SecureAuthenticator, Oracle: SamplingOracle>: SecureBroadcastProcess {
  typealias Gossip = ErdosRenyiGossip<Auth, Oracle>
  typealias Message = Gossip.Message
  typealias Timer = Gossip.Timer
  typealias Request = SecureRequest<Auth.Payload>
  typealias Indication = SecureIndication<Auth>

  private enum Whole: Embedding {
    typealias Outer = GossipAlone
    typealias Inner = Gossip
    static func message(_ message: Gossip.Message) -> Gossip.Message { message }
    static func timer(_ timer: Gossip.Timer) -> Gossip.Timer { timer }
    static func indication(_ indication: Gossip.Indication) -> SecureIndication<Auth>? { nil }
  }

  private var gossip: Gossip
  private let identity: Peer
  /// A batch is checked when it comes first, and no other.
  private(set) var signatureChecks: UInt64 = 0
  private var live: Set<MessageIdentifier> = []
  var liveInstances: Int { live.count }

  init(identity: Peer, auth: Auth, oracle: Oracle, expectedSample: Int) {
    self.identity = identity
    gossip = Gossip(identity: identity, auth: auth, oracle: oracle, expectedSample: expectedSample)
  }

  mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    apply(effects.embedding(Whole.self) { gossip.start(at: now, into: &$0) }, into: &effects)
  }

  mutating func handle(
    _ request: Request, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    if case .forget(let instance) = request { live.remove(instance) }
    apply(effects.embedding(Whole.self) { gossip.handle(request, at: now, into: &$0) }, into: &effects)
  }

  mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    apply(
      effects.embedding(Whole.self) { gossip.receive(message, from: sender, at: now, into: &$0) },
      into: &effects)
  }

  mutating func expire(_ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    apply(effects.embedding(Whole.self) { gossip.expire(timer, at: now, into: &$0) }, into: &effects)
  }

  /// No link of a simulation is ever lost.
  func listens(to peer: Peer) -> Bool { false }

  /// Nobody votes.
  func includesCorrect(_ peers: [Peer]) -> Bool { false }

  /// Whatever comes is delivered.
  mutating func settle(_ author: Auth.Payload.Author, through sequence: UInt64) {}

  /// No process of a simulation has an earlier life.
  mutating func recall(_ step: LoggedStep<Auth>) {}

  /// Nobody votes.
  func hasEchoed(_ digest: Auth.Digest, of instance: MessageIdentifier) -> Bool { false }

  mutating func disconnect(
    from peer: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {}

  private mutating func apply(
    _ indications: [Gossip.Indication], into effects: inout some Effects<Self> & ~Copyable
  ) {
    for indication in indications {
      switch indication {
      case .misbehaved(let peer, let misbehaviour): effects.indicate(.misbehaved(peer, misbehaviour))
      case .delivered(let batch):
        live.insert(batch.identifier)
        if batch.identifier.origin != identity { signatureChecks += 1 }
        effects.indicate(.delivered(batch, refused: []))
      }
    }
  }

  func hasDelivered(_ instance: MessageIdentifier) -> Bool { live.contains(instance) }
}

extension GossipAlone: AttackedBroadcast where Auth == IdealSecureAuthenticator {
  static func giving(_ batch: SignedBatch<Auth>) -> Message { .gossip(batch) }
  /// Nobody echoes: what stands for it is taken by nobody.
  static func echo(_ vote: Vote<Auth>) -> Message { .subscribe }
  static func ready(_ vote: Vote<Auth>) -> Message? { nil }
  static var subscriptions: [Message] { [.subscribe] }
  static func fetch(_ digest: UInt64, of instance: MessageIdentifier) -> Message? { nil }
  static func supply(_ batch: SignedBatch<Auth>) -> Message? { nil }
  static func asks(_ message: Message) -> (echoes: Bool, readiness: Bool) { (false, false) }
  static func passesOn(_ message: Message) -> Bool {
    if case .gossip = message { true } else { false }
  }
  static var asksEverybody: Bool { false }
  func hasCommitted(to instance: MessageIdentifier) -> Bool { hasDelivered(instance) }
}
