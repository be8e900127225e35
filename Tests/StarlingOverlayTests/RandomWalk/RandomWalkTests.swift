import StarlingCore
import StarlingOverlay
import StarlingSimulator
import StarlingTestSupport
import Testing

/// A peer that walks, or that keeps every walk that meets it.
private struct Walker: Process {
  typealias Message = RandomWalk.Message
  typealias Timer = RandomWalk.Timer
  typealias Request = RandomWalk.Request
  typealias Indication = RandomWalk.Indication

  enum Whole: Embedding {
    typealias Outer = Walker
    typealias Inner = RandomWalk
    static func message(_ message: RandomWalk.Message) -> RandomWalk.Message { message }
    static func timer(_ timer: RandomWalk.Timer) -> RandomWalk.Timer { timer }
    static func indication(_ indication: RandomWalk.Indication) -> RandomWalk.Indication? { indication }
  }

  var walk: RandomWalk
  let lies: Bool

  mutating func handle(
    _ request: Request, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) { _ = effects.embedding(Whole.self) { walk.handle(request, at: now, into: &$0) } }

  mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    if lies, case .step(let walk, _) = message {
      effects.send(.arrived(walk.number), to: walk.origin)
    } else {
      _ = effects.embedding(Whole.self) { walk.receive(message, from: sender, at: now, into: &$0) }
    }
  }

  mutating func expire(_ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    _ = effects.embedding(Whole.self) { walk.expire(timer, at: now, into: &$0) }
  }
}

private struct WalkBook: SimulationObserver {
  typealias Observed = Walker
  var counts: [Int]
  var failures = 0
  mutating func sent(_ message: Walker.Message, from sender: Peer, to receiver: Peer, at now: Instant) {}
  mutating func indicated(_ indication: Walker.Indication, by peer: Peer, at now: Instant) {
    switch indication {
    case .sampled(let sample): counts[Int(sample.index)] += 1
    case .failed: failures += 1
    case .misbehaved: Issue.record("\(peer) was accused")
    }
  }
}

@Suite("Random walks: samples by the links of a network")
struct RandomWalkTests {
  private static let nodes = 120

  /// Where walks end in a graph in which some have many neighbours and most have few; the first peers lie.
  private func walks(_ count: Int, liars: Int = 0, loss: Double = 0) -> (counts: [Int], failures: Int) {
    let nodes = Self.nodes
    var random = testRandom()
    var links = [PeerSet](repeating: PeerSet(), count: nodes)
    for peer in 0..<nodes {
      for other in random.sample(peer % 10 == 0 ? 30 : 4, below: nodes) where other != peer {
        links[peer].insert(Peer(other))
        links[other].insert(Peer(peer))
      }
    }
    let delays = DelaySampler(
      .uniform(from: .milliseconds(1), to: .milliseconds(9)), peers: nodes, random: &random)
    var network = Simulation<Walker, LossyNetwork, WalkBook>(
      capacity: nodes, network: LossyNetwork(delays: delays, loss: loss),
      observer: WalkBook(counts: [Int](repeating: 0, count: nodes)), seed: random.next())
    for _ in 0..<nodes {
      let peer = network.add { Walker(walk: RandomWalk(identity: $0), lies: Int($0.index) < liars) }
      network.request(.neighbours(links[Int(peer.index)].members), of: peer)
    }
    for number in 0..<count {
      network.request(.sample, of: Peer(liars + number % 3))
      if number % 50 == 49 { network.run(until: network.now + .seconds(1)) }
    }
    network.run(until: network.now + .seconds(90))
    return (network.observer.counts, network.observer.failures)
  }

  @Test("Walks end everywhere with the same probability, at peers with many neighbours and with few")
  func uniform() {
    let (counts, failures) = walks(6_000)
    #expect(counts.reduce(0, +) == 6_000 && failures == 0)
    #expect(
      chiSquare(counts) < chiSquareLimit(degreesOfFreedom: Self.nodes - 1), "\(chiSquare(counts)); \(replay)")
  }

  @Test("A walk that is lost is given up, and is told")
  func lost() {
    let (counts, failures) = walks(300, loss: 0.02)
    #expect(failures > 100 && counts.reduce(0, +) + failures == 300, "\(failures); \(replay)")
  }

  @Test("A tenth who keep what meets them have nearly all walks: there is no defence in a walk")
  func poison() {
    let (counts, _) = walks(1_000, liars: 12)
    let share = Double(counts[..<12].reduce(0, +)) / Double(counts.reduce(0, +))
    #expect(share > 0.9, "\(share); \(replay)")
  }

  @Test("Strangers' walks, walks that are too long and walks beyond the budget go nowhere")
  func bounds() {
    var walk = RandomWalk(identity: Peer(0))
    var effects = RecordingEffects(RandomWalk.self, random: testRandom())
    walk.handle(.neighbours([Peer(1), Peer(2)]), at: .zero, into: &effects)
    func step(_ steps: UInt16, from peer: Int) {
      let walking = RandomWalk.Walk(origin: Peer(9), number: 1, steps: steps)
      walk.receive(.step(walking, degree: 5), from: Peer(peer), at: .zero, into: &effects)
    }
    step(3, from: 7)
    #expect(effects.sent.isEmpty && effects.indications.isEmpty)
    step(64, from: 1)
    #expect(effects.sent.isEmpty && effects.indications == [.misbehaved(Peer(1), .unsolicited)])
    for _ in 0..<20_000 { step(3, from: 1) }
    #expect(effects.sent.count == 10_000 && walk.dropped == 10_000)
    effects.clear()
    walk.receive(.arrived(77), from: Peer(1), at: .zero, into: &effects)
    #expect(effects.indications.isEmpty, "nobody waits for it")
    for _ in 0..<2_000 { walk.handle(.sample, at: .zero, into: &effects) }
    #expect(effects.sent.count == 1_024 && effects.indications.count == 976)
  }
}
