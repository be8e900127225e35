import StarlingCore
import StarlingSimulator

/// Does as it is told, and passes every message with a count on to a random peer: enough to see an engine
/// at work.
struct Relay: Process {
  enum Message: Hashable {
    case note(Int)
    /// Pass on to a random peer below the bound, so many times more.
    case pass(left: Int, bound: Int)
  }

  enum Request {
    case send(Message, to: [Peer])
    case wait(Int, until: Instant)
    /// Make a parcel ready and send it to nobody.
    case prepareOnly(Message)
  }

  enum Indication: Hashable {
    case started
    case received(Message, from: Peer)
    case expired(Int)
  }

  let identity: Peer
  var received = 0

  mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    effects.indicate(.started)
  }

  mutating func handle(
    _ request: Request, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch request {
    case .send(let message, let peers):
      let parcel = effects.prepare(message)
      for peer in peers { effects.send(parcel, to: peer) }
    case .wait(let number, let instant): effects.schedule(number, at: instant)
    case .prepareOnly(let message): _ = effects.prepare(message)
    }
  }

  mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    received += 1
    effects.indicate(.received(message, from: sender))
    if case .pass(let left, let bound) = message, left > 0 {
      let next = Peer(effects.uniform(below: bound))
      effects.send(.pass(left: left - 1, bound: bound), to: next)
    }
  }

  mutating func expire(_ timer: Int, at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    effects.indicate(.expired(timer))
  }
}

/// Writes everything down.
struct RelayLog: SimulationObserver {
  typealias Observed = Relay

  struct Line: Hashable {
    let indication: Relay.Indication
    let peer: Peer
    let at: Instant
  }

  var lines: [Line] = []
  var sent = 0

  mutating func sent(_ message: Relay.Message, from sender: Peer, to receiver: Peer, at now: Instant) {
    sent += 1
  }

  mutating func indicated(_ indication: Relay.Indication, by peer: Peer, at now: Instant) {
    lines.append(Line(indication: indication, peer: peer, at: now))
  }

  /// What was received, by whom, in order.
  var receipts: [Line] {
    lines.filter { if case .received = $0.indication { true } else { false } }
  }
}

typealias RelayNetwork = Simulation<Relay, LossyNetwork, RelayLog>

/// A simulation of relays.
func relays(
  _ count: Int, delay: DelayModel = .constant(.milliseconds(10)), loss: Double = 0, seed: UInt64 = 1
) -> RelayNetwork {
  var random = Xoshiro256(seed: seed)
  let network = LossyNetwork(delays: DelaySampler(delay, peers: count, random: &random), loss: loss)
  var simulation = RelayNetwork(capacity: count, network: network, observer: RelayLog(), seed: seed)
  for _ in 0..<count { simulation.add { Relay(identity: $0) } }
  return simulation
}

extension Instant {
  /// So many milliseconds after the start.
  static func milliseconds(_ n: Int) -> Instant { .zero + Interval.milliseconds(n) }
}
