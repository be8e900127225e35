import StarlingCore
import StarlingOverlay
import StarlingSimulator
import StarlingTestSupport

/// What liars do with the names of their kind, of which they tell nobody any other.
enum BrahmsAttack {
  /// Nothing: they push and answer as much as a correct peer.
  case balanced
  /// They push to everybody, every round: no limit on pushes holds.
  case flood
  /// They push as much as correct peers do, all to one.
  case targeted(Peer)
}

/// A peer of a network under attack.
struct BrahmsPeer: Process {
  typealias Message = Brahms.Message
  typealias Timer = Brahms.Timer
  typealias Request = Brahms.Request
  typealias Indication = Brahms.Indication

  enum Whole: Embedding {
    typealias Outer = BrahmsPeer
    typealias Inner = Brahms
    static func message(_ message: Brahms.Message) -> Brahms.Message { message }
    static func timer(_ timer: Brahms.Timer) -> Brahms.Timer { timer }
    static func indication(_ indication: Brahms.Indication) -> Brahms.Indication? { indication }
  }

  var correct: Brahms?
  let attack: BrahmsAttack
  let configuration: BrahmsConfiguration
  let nodes: Int
  /// The liars are the first so many.
  let liars: Int

  mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    if correct == nil {
      effects.schedule(.round, at: now)
    } else {
      _ = effects.embedding(Whole.self) { correct?.start(at: now, into: &$0) }
    }
  }

  mutating func handle(
    _ request: Request, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) { _ = effects.embedding(Whole.self) { correct?.handle(request, at: now, into: &$0) } }

  mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    if correct != nil {
      _ = effects.embedding(Whole.self) { correct?.receive(message, from: sender, at: now, into: &$0) }
    } else if case .pullRequest = message {
      let names = effects.sample(configuration.viewSize, below: liars).map { Peer($0) }
      effects.send(.pullReply(names), to: sender)
    } else if case .probe = message {
      effects.send(.alive, to: sender)
    }
  }

  mutating func expire(_ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    guard correct == nil else {
      _ = effects.embedding(Whole.self) { correct?.expire(timer, at: now, into: &$0) }
      return
    }
    switch attack {
    case .balanced:
      for target in effects.sample(configuration.pushes, below: nodes - liars) {
        effects.send(.push, to: Peer(liars + target))
      }
    case .flood: for target in liars..<nodes { effects.send(.push, to: Peer(target)) }
    // A peer counts one push of each other.
    case .targeted(let victim): effects.send(.push, to: victim)
    }
    effects.schedule(.round, at: now + configuration.round)
  }
}

struct NoBook: SimulationObserver {
  typealias Observed = BrahmsPeer
  mutating func sent(_ message: Brahms.Message, from sender: Peer, to receiver: Peer, at now: Instant) {}
  mutating func indicated(_ indication: Brahms.Indication, by peer: Peer, at now: Instant) {}
}

typealias BrahmsSimulation = Simulation<BrahmsPeer, LossyNetwork, NoBook>

/// A network in which everybody begins with random contacts, among them the liars' share of liars.
func brahmsNetwork(
  of nodes: Int, liars: Int = 0, attack: BrahmsAttack = .balanced, sampleSize: Int, loss: Double = 0,
  random: inout Xoshiro256
) -> BrahmsSimulation {
  let configuration = BrahmsConfiguration(population: nodes, sampleSize: sampleSize)
  let delays = DelaySampler(
    .uniform(from: .milliseconds(10), to: .milliseconds(90)), peers: nodes, random: &random)
  var network = BrahmsSimulation(
    capacity: nodes, network: LossyNetwork(delays: delays, loss: loss), observer: NoBook(),
    seed: random.next())
  for _ in 0..<nodes {
    let contacts = random.sample(configuration.viewSize, below: nodes).map { Peer($0) }
    _ = network.add { peer in
      BrahmsPeer(
        correct: peer.index < liars
          ? nil : Brahms(identity: peer, contacts: contacts, configuration: configuration),
        attack: attack, configuration: configuration, nodes: nodes, liars: liars)
    }
  }
  return network
}

extension Simulation where P == BrahmsPeer, Network: ~Copyable {
  /// The liars' share of all that the correct peers' samplers keep, and of their views.
  func poison(liars: Int) -> (samples: Double, views: Double) {
    var (sampled, inSamples, viewed, inViews) = (0, 0, 0, 0)
    for index in liars..<count {
      guard let brahms = self[Peer(index)].correct else { continue }
      sampled += brahms.samples.count
      inSamples += brahms.samples.count { $0.index < liars }
      viewed += brahms.view.count
      inViews += brahms.view.count { $0.index < liars }
    }
    return (Double(inSamples) / Double(sampled), Double(inViews) / Double(viewed))
  }
}
