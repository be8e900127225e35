import StarlingCore
import StarlingSimulator

@testable import StarlingBroadcast

typealias IdealReady = ReadyBroadcast<IdealSecureAuthenticator, NumberedMembership>
typealias IdealEcho = EchoBroadcast<IdealSecureAuthenticator, NumberedMembership>
typealias IdealBracha = BrachaBroadcast<IdealSecureAuthenticator>
typealias IdealEntries = EntryLog<UInt32, UInt32>

/// What every process of a simulated network delivered, by instance, and how many messages were sent.
struct DeliveryBook<Inner: SecureBroadcastProcess>: SimulationObserver
where Inner.Auth == IdealSecureAuthenticator {
  typealias Observed = Actor<Inner>

  struct Delivery {
    let batch: UInt32
    var refused: [UInt16]
  }
  var deliveries: [MessageIdentifier: [UInt32: Delivery]] = [:]
  var sent = 0
  var accusations = 0
  /// A process delivered a second batch of an instance, or took back entries.
  var contradictions = 0

  mutating func sent(_ message: Inner.Message, from sender: Peer, to receiver: Peer, at now: Instant) {
    sent += 1
  }

  mutating func indicated(
    _ indication: SecureIndication<IdealSecureAuthenticator>, by peer: Peer, at now: Instant
  ) {
    switch indication {
    case .logged: break
    case .misbehaved: accusations += 1
    case .delivered(let batch, let refused):
      if let before = deliveries[batch.identifier]?[peer.index] {
        if before.batch != batch.payload.number || before.refused.count <= refused.count {
          contradictions += 1
        }
      }
      deliveries[batch.identifier, default: [:]][peer.index] = Delivery(
        batch: batch.payload.number, refused: refused)
    }
  }
}

/// A process that keeps to a secure broadcast, or one that only sends what a test tells it to.
struct Actor<Inner: SecureBroadcastProcess>: Process where Inner.Auth == IdealSecureAuthenticator {
  enum Request {
    case broadcast(SyntheticBatch, sequence: UInt64)
    case forget(MessageIdentifier)
    case send([(Inner.Message, Peer)])
  }
  typealias Message = Inner.Message
  typealias Timer = Inner.Timer
  typealias Indication = Inner.Indication

  enum Whole: Embedding {
    typealias Outer = Actor
    static func message(_ message: Inner.Message) -> Inner.Message { message }
    static func timer(_ timer: Inner.Timer) -> Inner.Timer { timer }
    static func indication(_ indication: Inner.Indication) -> Inner.Indication? { indication }
  }

  var correct: Inner?

  mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    _ = effects.embedding(Whole.self) { correct?.start(at: now, into: &$0) }
  }

  mutating func handle(
    _ request: Request, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch request {
    case .broadcast(let batch, let sequence):
      _ = effects.embedding(Whole.self) {
        correct?.handle(.broadcast(batch, sequence: sequence), at: now, into: &$0)
      }
    case .forget(let identifier):
      _ = effects.embedding(Whole.self) { correct?.handle(.forget(identifier), at: now, into: &$0) }
    case .send(let messages):
      for (message, peer) in messages { effects.send(effects.prepare(message), to: peer) }
    }
  }

  mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    _ = effects.embedding(Whole.self) { correct?.receive(message, from: sender, at: now, into: &$0) }
  }

  mutating func expire(_ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    _ = effects.embedding(Whole.self) { correct?.expire(timer, at: now, into: &$0) }
  }

  mutating func disconnect(
    from peer: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {}
}

typealias SecureSimulation<Inner: SecureBroadcastProcess> = Simulation<
  Actor<Inner>, LossyNetwork, DeliveryBook<Inner>
>
where Inner.Auth == IdealSecureAuthenticator

/// A network of `count` processes; `make` gives each its protocol, or `nil` to one that lies.
func secureNetwork<Inner: SecureBroadcastProcess>(
  of count: Int, random: inout Xoshiro256, _ make: (Peer) -> Inner?
) -> SecureSimulation<Inner> where Inner.Auth == IdealSecureAuthenticator {
  let delay = DelayModel.uniform(from: .milliseconds(10), to: .milliseconds(90))
  let delays = DelaySampler(delay, peers: count, random: &random)
  var network = SecureSimulation<Inner>(
    capacity: count, network: LossyNetwork(delays: delays, loss: 0), observer: DeliveryBook(),
    seed: random.next())
  for _ in 0..<count { _ = network.add { Actor(correct: make($0)) } }
  return network
}

// The samples of the current epoch.

extension EchoBroadcast {
  var sample: MultisetSample? { epochs.samples(of: epochs.current)?.echo }
}

extension ReadyBroadcast {
  var readySample: MultisetSample? { epochs.samples(of: epochs.current)?.ready }
  var deliverySample: MultisetSample? { epochs.samples(of: epochs.current)?.delivery }
}

/// What was told but for what is to be logged.
func unlogged(_ indications: [SecureIndication<IdealSecureAuthenticator>]) -> [SecureIndication<
  IdealSecureAuthenticator
>] {
  indications.filter { if case .logged = $0 { false } else { true } }
}
