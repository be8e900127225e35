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

  /// How many batches Ready Broadcast's gossip sent.
  var gossiped = 0

  mutating func sent(_ message: Inner.Message, from sender: Peer, to receiver: Peer, at now: Instant) {
    if let message = message as? IdealReady.Message, case .echo(.gossip(.gossip)) = message { gossiped += 1 }
  }

  mutating func indicated(
    _ indication: OrderedBroadcast<Inner>.Indication, by peer: Peer, at now: Instant
  ) {
    guard case .delivered(let batch, _) = indication else { return }
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

/// A process of such a network.
func linked<Inner: SecureBroadcastProcess>(
  _ peer: Peer, _ inner: Inner, nextDelivered: [Peer: UInt64] = [:]
) -> LinkedProcess<Inner> where Inner.Auth == IdealSecureAuthenticator {
  LinkedProcess(
    ordered: OrderedBroadcast(
      identity: peer, auth: IdealSecureAuthenticator(owner: peer), inner: inner, nextDelivered: nextDelivered)
  )
}
