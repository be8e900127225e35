import StarlingBroadcast
import StarlingCore
import StarlingNode
import StarlingOverlay
import StarlingTestSupport
import Testing

@testable import StarlingSimulator

@Suite("Fractal rings")
struct RingsTests {
  typealias Member = GroupMember<Rings, RingBroadcast<IdealAuthenticator>>
  typealias Network = Simulation<
    Member, FaultyNetwork, BroadcastMeter<Rings, RingBroadcast<IdealAuthenticator>>
  >

  private let seed: UInt64

  init() {
    var random = testRandom()
    seed = random.next()
  }

  private func network(_ count: Int, spare: Int = 0) -> Network {
    var random = Xoshiro256(seed: seed)
    let capacity = count + spare
    let delays = DelaySampler(
      .gaussian(mean: .milliseconds(50), deviation: .milliseconds(10)), peers: capacity, random: &random)
    var network = Network(
      capacity: capacity,
      network: FaultyNetwork(LossyNetwork(delays: delays, loss: 0), capacity: capacity),
      observer: BroadcastMeter(peers: capacity, messages: 1), seed: random.next())
    for i in 0..<count {
      network.run(until: .zero + .milliseconds(i * 2))
      join(&network)
    }
    return network
  }

  private func join(_ network: inout Network) {
    var scenario = BroadcastScenario()
    scenario.seed = seed
    let peer = network.add {
      Member(
        overlay: Rings.make(for: $0, in: scenario),
        diffusion: RingBroadcast(identity: $0, auth: IdealAuthenticator(owner: $0)))
    }
    let live = network.livePeers.indices.filter { network.isLive(Peer($0)) && $0 != peer.index }
    guard !live.isEmpty else { return }
    network.request(.join(contact: Peer(live[network.random.uniform(below: live.count)])), of: peer)
  }

  private func census(_ network: borrowing Network) -> RingCensus {
    let live = network.livePeers
    var members: [Rings] = []
    for i in live.indices where live[i] { members.append(network[Peer(i)].overlay) }
    return RingCensus(members)
  }

  /// That all is as it should be when nothing has happened for a while.
  private func expectOrder(_ network: borrowing Network, _ location: SourceLocation = #_sourceLocation) {
    let census = census(network)
    let levels = census.rings.map(\.level).max() ?? 0
    let tops = census.rings.filter { $0.level == levels }
    #expect(tops.count == 1, "\(census.summary); \(replay)", sourceLocation: location)
    for ring in census.rings {
      // All members know each other, and nobody else.
      #expect(ring.agreeing == ring.members.count, "\(census.summary); \(replay)", sourceLocation: location)
      let least = ring.level == levels ? 1 : 10
      #expect(
        (least...20).contains(ring.members.count), "\(census.summary); \(replay)", sourceLocation: location)
    }
    // Everybody is in one leaf ring, and three of each ring in the one above.
    let leaves = census.rings.filter { $0.level == 0 }
    let live = network.livePeers.count { $0 }
    #expect(leaves.reduce(0) { $0 + $1.members.count } == live, sourceLocation: location)
    #expect(Set(leaves.flatMap(\.members)).count == live, sourceLocation: location)
    for level in 0..<levels {
      let above = census.rings.filter { $0.level == level + 1 }.reduce(0) { $0 + $1.members.count }
      #expect(above == 3 * census.rings.count { $0.level == level }, "\(replay)", sourceLocation: location)
    }
  }

  @Test(
    "While a fifth is replaced each minute, rings keep to their bounds; and all is in order half a minute later"
  )
  func churn() {
    var network = network(120, spare: 80)
    network.run(until: .zero + .seconds(60))
    // Two minutes: one goes and one comes every two and a half seconds.
    for step in 0..<48 {
      network.run(until: network.now + .milliseconds(2_500))
      let gone = network.draw(share: 1e-9)[0]
      if step % 2 == 0 { network.request(.leave, of: gone) }
      network.run(until: network.now + .milliseconds(1))
      network.crash(gone)
      join(&network)
    }
    network.run(until: network.now + .seconds(30))
    expectOrder(network)
  }

  private var scenario: BroadcastScenario {
    var scenario = BroadcastScenario()
    (scenario.nodes, scenario.messages, scenario.seed) = (150, 10, seed)
    (scenario.overlay, scenario.broadcast) = (.rings, .rings(arity: nil))
    (scenario.settle, scenario.drain) = (.seconds(60), .seconds(11))
    return scenario
  }

  @Test("A message reaches everybody, and hardly anybody twice")
  func broadcast() throws {
    let report = scenario.run()
    #expect(report.reliabilityMinimum == 1, "\(replay)")
    #expect(try #require(report.redundancy) <= 0.2, "\(replay)")
  }

  @Test("When half of the peers die as it is sent, the others have a message within ten seconds")
  func crashAtBroadcast() {
    var scenario = scenario
    scenario.crash = .atEachBroadcast(share: 0.5)
    scenario.messages = 5
    #expect(scenario.run().coverageMinimum >= 0.999, "\(replay)")
  }

  @Test("When 15% do nothing but show that they are there, the others have every message")
  func idle() {
    var scenario = scenario
    scenario.byzantine = 0.15
    scenario.adversary = .mute
    #expect(scenario.run().coverageMinimum >= 0.999, "\(replay)")
  }
}
