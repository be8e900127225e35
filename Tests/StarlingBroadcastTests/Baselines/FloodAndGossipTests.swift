import StarlingBroadcast
import StarlingCore
import StarlingSimulator
import StarlingTestSupport
import Testing

@Suite("Flood and gossip")
struct FloodAndGossipTests {
  private func flood(neighbours: some Sequence<Int>) -> Lone<Flood<IdealAuthenticator>> {
    Lone(Flood(identity: Peer(0), auth: IdealAuthenticator(owner: Peer(0))), neighbours: neighbours)
  }

  private func gossip(fanout: Int, neighbours: some Sequence<Int>) -> Lone<Gossip<IdealAuthenticator>> {
    Lone(
      Gossip(identity: Peer(0), auth: IdealAuthenticator(owner: Peer(0)), fanout: fanout),
      neighbours: neighbours)
  }

  @Test("Flood delivers a message once and passes it on once, to its whole partial view but the sender")
  func floodOnce() {
    var peer = flood(neighbours: 1...6)
    peer.handle(.linkUp(Peer(50), .incoming))
    for sender in [3, 1, 3, 99] { peer.receive(signed(by: 9, hops: 2), from: sender) }
    #expect(peer.deliveries.count == 1 && peer.deliveries[0].from == 3)
    #expect(peer.receivers { _ in true } == [1, 2, 4, 5, 6] && peer.effects.prepared == 1)
    #expect(peer.effects.sent.allSatisfy { $0.message.hops == 3 })
    peer.handle(.linkDown(Peer(1), .outgoing))
    peer.effects.clear()
    peer.handle(.broadcast(SyntheticPayload(number: 1, byteCount: 9)))
    #expect(Set(peer.receivers { _ in true }) == [2, 3, 4, 5, 6])
    #expect(peer.effects.sent.allSatisfy { $0.message.isAuthentic(to: IdealAuthenticator(owner: Peer(1))) })
  }

  @Test("Gossip delivers a message once and passes it on once, to as many random members as the fanout says")
  func gossipOnce() {
    var counts = [Int](repeating: 0, count: 8)
    var random = testRandom()
    let template = gossip(fanout: 3, neighbours: 1...8)
    for _ in 0..<2_000 {
      var peer = template
      peer.effects.random = Xoshiro256(seed: random.next())
      for sender in [3, 1, 99] { peer.receive(signed(by: 9), from: sender) }
      let receivers = peer.receivers { _ in true }
      #expect(peer.deliveries.count == 1 && Set(receivers).count == 3 && receivers.count == 3)
      for receiver in receivers { counts[receiver - 1] += 1 }
    }
    #expect(chiSquare(counts) < chiSquareLimit(degreesOfFreedom: 7), "\(counts); \(replay)")
    var sparse = gossip(fanout: 10, neighbours: 1...2)
    sparse.handle(.broadcast(SyntheticPayload(number: 1, byteCount: 9)))
    #expect(Set(sparse.receivers { _ in true }) == [1, 2])
  }

  @Test("Neither delivers, passes on or remembers a copy with a bad signature")
  func forgery() {
    for forgery in forgeries(of: signed(by: 9, 5)) {
      var flooding = flood(neighbours: 1...3)
      var gossiping = gossip(fanout: 2, neighbours: 1...3)
      flooding.receive(forgery, from: 2)
      gossiping.receive(forgery, from: 2)
      #expect(flooding.refusals == [2] && flooding.effects.sent.isEmpty && flooding.deliveries.isEmpty)
      #expect(gossiping.refusals == [2] && gossiping.effects.sent.isEmpty && gossiping.deliveries.isEmpty)
      flooding.receive(signed(by: 9, 5), from: 1)
      gossiping.receive(signed(by: 9, 5), from: 1)
      #expect(flooding.deliveries.count == 1 && gossiping.deliveries.count == 1)
    }
  }

  private func report(_ broadcast: BroadcastScenario.Diffusion) -> BroadcastReport {
    var scenario = BroadcastScenario()
    scenario.nodes = 1_000
    scenario.messages = 3
    scenario.senders = 3
    scenario.broadcast = broadcast
    scenario.drain = .seconds(5)
    scenario.seed = testSeed
    return scenario.run()
  }

  @Test("Among 1,000 peers flood reaches everybody once, at more than eight copies too many")
  func floodGroup() {
    let report = report(.flood)
    #expect(report.reliability == 1 && report.latencies.count == 3 * 999, "\(replay)")
    #expect((report.redundancy ?? 0) > 8, "\(replay)")
  }

  @Test("Among 1,000 peers gossip of fanout 3 reaches nine in ten, once, at two copies too many")
  func gossipGroup() {
    let report = report(.gossip(fanout: 3))
    #expect(report.reliability > 0.88 && report.reliability < 0.98, "\(report.reliability); \(replay)")
    #expect(Double(report.latencies.count) == (report.reliability * 3 * 999).rounded(), "\(replay)")
    #expect(abs((report.redundancy ?? 0) - 2) < 0.05, "\(replay)")
  }
}
