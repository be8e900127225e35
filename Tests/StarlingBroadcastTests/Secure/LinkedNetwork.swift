import StarlingBroadcast
import StarlingCore
import StarlingSimulator
import StarlingTestSupport

/// A network that loses everything while it is down, or all from and to some peers.
struct GappyNetwork: NetworkModel, ~Copyable {
  let base: LossyNetwork
  var isDown = false
  var cut: ClosedRange<UInt32>?

  init(of count: Int, random: inout Xoshiro256) {
    let delay = DelayModel.uniform(from: .milliseconds(10), to: .milliseconds(90))
    base = LossyNetwork(delays: DelaySampler(delay, peers: count, random: &random), loss: 0)
  }

  private init(base: consuming LossyNetwork, isDown: Bool, cut: ClosedRange<UInt32>?) {
    self.base = base
    self.isDown = isDown
    self.cut = cut
  }

  mutating func delay(
    from sender: Peer, to receiver: Peer, at now: Instant, random: inout Xoshiro256
  ) -> Interval? {
    let delay = base.delay(from: sender, to: receiver, at: now, random: &random)
    return isDown || cut?.contains(sender.index) == true || cut?.contains(receiver.index) == true
      ? nil : delay
  }

  func copy() -> GappyNetwork { GappyNetwork(base: base.copy(), isDown: isDown, cut: cut) }
}

/// An ordered broadcast that can be told that a link was lost, as a transport does.
struct LinkedProcess<Inner: SecureBroadcastProcess>: Process where Inner.Auth == IdealSecureAuthenticator {
  typealias Ordered = OrderedBroadcast<Inner>
  enum Request {
    case broadcast(SyntheticBatch)
    case disconnect(Peer)
  }
  typealias Message = Ordered.Message
  typealias Timer = Ordered.Timer
  typealias Indication = Ordered.Indication

  enum Whole: Embedding {
    typealias Outer = LinkedProcess
    typealias Inner = Ordered
    static func message(_ message: Ordered.Message) -> Ordered.Message { message }
    static func timer(_ timer: Ordered.Timer) -> Ordered.Timer { timer }
    static func indication(_ indication: Ordered.Indication) -> Ordered.Indication? { indication }
  }

  var ordered: Ordered

  mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    _ = effects.embedding(Whole.self) { ordered.start(at: now, into: &$0) }
  }

  mutating func handle(
    _ request: Request, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    _ = effects.embedding(Whole.self) {
      switch request {
      case .broadcast(let batch): ordered.handle(.broadcast(batch), at: now, into: &$0)
      case .disconnect(let peer): ordered.disconnect(from: peer, at: now, into: &$0)
      }
    }
  }

  mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    _ = effects.embedding(Whole.self) { ordered.receive(message, from: sender, at: now, into: &$0) }
  }

  mutating func expire(_ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    _ = effects.embedding(Whole.self) { ordered.expire(timer, at: now, into: &$0) }
  }
}

/// How many batches each process delivered, and how often two processes delivered different ones.
struct LinkedBook<Inner: SecureBroadcastProcess>: SimulationObserver
where Inner.Auth == IdealSecureAuthenticator {
  typealias Observed = LinkedProcess<Inner>
  var delivered: [MessageIdentifier: Set<UInt32>] = [:]
  var contents: [MessageIdentifier: Set<UInt32>] = [:]
  /// How often each process delivered each batch, in all its lives.
  var deliveries: [MessageIdentifier: [UInt32: Int]] = [:]

  /// What each process has on stable storage.
  var stable: [UInt32: StableMemory] = [:]

  /// How many batches Ready Broadcast's gossip sent.
  var gossiped = 0

  mutating func sent(_ message: Inner.Message, from sender: Peer, to receiver: Peer, at now: Instant) {
    if let message = message as? IdealReady.Message, case .echo(.gossip(.gossip)) = message { gossiped += 1 }
  }

  mutating func indicated(
    _ indication: OrderedBroadcast<Inner>.Indication, by peer: Peer, at now: Instant
  ) {
    stable[peer.index, default: StableMemory()].note(indication)
    guard case .delivered(let batch, _) = indication else { return }
    deliveries[batch.identifier, default: [:]][peer.index, default: 0] += 1
    delivered[batch.identifier, default: []].insert(peer.index)
    contents[batch.identifier, default: []].insert(batch.payload.number)
  }

  /// How many processes delivered a batch.
  func count(_ sender: Int, _ sequence: UInt64) -> Int {
    delivered[MessageIdentifier(origin: Peer(sender), sequence: sequence)]?.count ?? 0
  }
}

typealias LinkedSimulation<Inner: SecureBroadcastProcess> = Simulation<
  LinkedProcess<Inner>, GappyNetwork, LinkedBook<Inner>
>
where Inner.Auth == IdealSecureAuthenticator

/// A network of `count` ordered broadcasts.
func linkedNetwork<Inner: SecureBroadcastProcess>(
  of count: Int, capacity: Int? = nil, random: inout Xoshiro256, _ make: (Peer) -> Inner
) -> LinkedSimulation<Inner> where Inner.Auth == IdealSecureAuthenticator {
  var network = LinkedSimulation<Inner>(
    capacity: capacity ?? count, network: GappyNetwork(of: capacity ?? count, random: &random),
    observer: LinkedBook(), seed: random.next())
  for _ in 0..<count { _ = network.add { linked($0, make($0)) } }
  return network
}

/// What a process of an ordered broadcast keeps for its next life.
struct StableMemory {
  var next: [Peer: UInt64] = [:]
  var own: [UInt64: SyntheticBatch] = [:]
  var logged: [LoggedStep<IdealSecureAuthenticator>] = []

  mutating func note(_ indication: OrderedIndication<IdealSecureAuthenticator>) {
    switch indication {
    case .logged(let step): logged.append(step)
    case .broadcasting(let number, let batch): own[number] = batch
    case .delivered(let batch, let refused):
      logged.append(.delivered(batch, refused: refused))
      next[batch.identifier.origin] = batch.identifier.sequence + 1
    case .completed(let batch, let refused): logged.append(.delivered(batch, refused: refused))
    case .missed(let sender, _, let number): next[sender] = number
    case .overloaded, .misbehaved, .behind: break
    }
  }

  /// Without what is about instances that are over.
  func pruned(for owner: Peer) -> StableMemory {
    var memory = self
    memory.own = own.filter { $0.key >= next[owner] ?? 0 }
    memory.logged = logged.filter { step in
      let instance: MessageIdentifier
      switch step {
      case .echoed(let batch, _), .delivered(let batch, _): instance = batch.identifier
      case .ready(let vote): instance = vote.identifier
      case .retained: return true
      }
      return instance.sequence + 64 >= next[instance.origin] ?? 0
    }
    return memory
  }
}

/// A process of such a network, with what an earlier life left.
func linked<Inner: SecureBroadcastProcess>(
  _ peer: Peer, _ inner: Inner, after memory: StableMemory = StableMemory()
) -> LinkedProcess<Inner> where Inner.Auth == IdealSecureAuthenticator {
  LinkedProcess(
    ordered: OrderedBroadcast(
      identity: peer, auth: IdealSecureAuthenticator(owner: peer), inner: inner, nextDelivered: memory.next,
      undelivered: memory.own.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }, logged: memory.logged))
}
