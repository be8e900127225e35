import StarlingCore
import StarlingSimulator
import StarlingTestSupport
import Testing

@testable import StarlingOverlay

@Suite("SCAMP: departures and recovery")
struct ScampRecoveryTests {
  @Test("A joiner that is let go by all asks its contact again at once, and not before")
  func letGo() {
    var peer = LonePeer(0, random: testRandom())
    func asked(_ peer: inout LonePeer) -> [Peer] {
      peer.takeSent().filter { if case .subscribe = $0.message { true } else { false } }.map(\.to)
    }
    peer.join(through: 5, welcomedBy: 7)
    #expect(asked(&peer) == [Peer(5)])
    peer.receive(.kept, from: 8)
    peer.receive(.release(successor: nil), from: 7)
    #expect(peer.members.isEmpty && asked(&peer).isEmpty, "somebody knows it yet")
    peer.receive(.dropped, from: 8)
    #expect(asked(&peer) == [Peer(5)])
    // The same the other way about.
    peer.receive(.welcome(peer.scamp.requestNumber), from: 7)
    peer.receive(.release(successor: nil), from: 7)
    #expect(asked(&peer) == [Peer(5)])
  }

  @Test("Who leaves hands every keeper one of its other members, and is never heard of again")
  func unsubscription() {
    var peer = LonePeer(members: 1...4, random: testRandom())
    for keeper in 3...10 { peer.receive(.kept, from: keeper) }
    peer.effects.clear()
    peer.scamp.handle(.leave, at: .zero, into: &peer.effects)
    var successors: [Peer] = []
    var released: [Int] = []
    for (message, receiver) in peer.takeSent() {
      guard case .release(let successor) = message else { continue }
      released.append(Int(receiver.index))
      guard let successor, successor != receiver else {
        Issue.record("a keeper is handed nobody else")
        continue
      }
      successors.append(successor)
    }
    #expect(released.sorted() == Array(3...10))
    #expect(successors.count == 8 && Set(successors).count == 4, "by turns")
    peer.pass(rounds: 3)
    peer.receive(.heartbeat(GroupSize.News()), from: 10)
    #expect(peer.takeSent().isEmpty)
  }

  @Test("A keeper that is left puts the successor in the leaver's place")
  func succession() {
    var keeper = LonePeer(members: [5, 6], random: testRandom())
    keeper.receive(.release(successor: Peer(9)), from: 5)
    #expect(Set(keeper.members) == [6, 9])
    keeper.receive(.release(successor: Peer(8)), from: 7)
    #expect(Set(keeper.members) == [6, 9], "a stranger is nobody's predecessor")
  }

  @Test("A neighbour that fell silent is asked again now and then, and kept again when it answers")
  func reconnection() {
    var peer = LonePeer(random: testRandom())
    peer.join(through: 9, welcomedBy: 1)
    peer.give(2)
    peer.scamp.disconnect(from: Peer(2), at: .zero, into: &peer.effects)
    peer.effects.clear()
    peer.pass(rounds: 1)
    #expect(peer.takeSent().contains { $0.message == .probe && $0.to == Peer(2) })
    peer.receive(.present(GroupSize.News()), from: 3)
    #expect(peer.members == [1], "nobody asked peer 3")
    peer.receive(.present(GroupSize.News()), from: 2)
    #expect(peer.members == [1, 2])
    let copies = peer.takeSent().filter { if case .subscription = $0.message { true } else { false } }
    #expect(copies.map(\.to) == [Peer(2)], "and made known on its side")
  }

  @Test("The contact is probed now and then, and kept only if it belongs to another group")
  func contact() {
    for isForeign in [false, true] {
      var peer = LonePeer(random: testRandom())
      peer.join(through: 9, welcomedBy: 1)
      for member in 2...4 { peer.give(member) }
      var probes = 0
      for _ in 0..<200 {
        peer.pass(rounds: 1)
        for member in 1...4 { peer.give(member) }
        probes += peer.takeSent().filter { $0.message == .probe && $0.to == Peer(9) }.count
      }
      #expect(probes > 40 && probes < 160, "\(probes); \(replay)")
      var news = peer.scamp.size.news
      if isForeign { news.epoch &+= 100 }
      peer.receive(.present(news), from: 9)
      #expect(peer.members.contains(9) == isForeign)
    }
  }

  @Test("Two peers that know nobody and ask each other find each other")
  func mutualRequests() {
    var random = testRandom()
    var group = SmallGroup(views: [[], []], configuration: ScampConfiguration(), random: &random)
    for i in 0..<2 { group.peers[i].ask(Peer(1 - i)) }
    for i in 0..<2 { group.collect(from: i) }
    group.deliverAll()
    #expect(group.peers.map(\.members) == [[1], [0]])
  }

  @Test("Peers that know nobody and ask each other in a ring come to an end, and find each other")
  func ringOfRequests() {
    var random = testRandom()
    var group = SmallGroup(views: [[], [], [], []], configuration: ScampConfiguration(), random: &random)
    // Nobody asks peer 0, which asks into the ring of the others: its walk may end there, and it asks again later.
    for (i, contact) in [1, 2, 3, 1].enumerated() { group.peers[i].ask(Peer(contact)) }
    for i in 0..<4 { group.collect(from: i) }
    group.deliverAll()
    #expect(group.peers[1...].allSatisfy { !$0.members.isEmpty })
  }

  @Test("A shunned peer leaves everything, and is told")
  func shunning() {
    var peer = LonePeer(members: [1, 2], random: testRandom())
    peer.receive(.kept, from: 2)
    peer.effects.clear()
    peer.scamp.handle(.shun(Peer(2)), at: .zero, into: &peer.effects)
    #expect(peer.members == [1] && peer.keepers.isEmpty)
    #expect(peer.takeSent().map(\.message) == [.dropped, .release(successor: nil)])
    #expect(!peer.scamp.acquaintances.contains(Peer(2)))
  }

  @Test("A peer that restarts joins through those that it knew, one after another")
  func restart() {
    var peer = LonePeer(random: testRandom())
    peer.scamp = Scamp(
      identity: Peer(0), door: OpenDoor(), acquaintances: [Peer(0), Peer(3), Peer(4)])
    peer.scamp.start(at: .zero, into: &peer.effects)
    peer.expire(.subscription(attempt: 0))
    #expect(peer.takeSent().map(\.to) == [Peer(3), Peer(4)])
  }

  @Test("A group that was cut in two for ten minutes is one again ten minutes later")
  func partition() {
    let cut = HalvedNetwork.Cut()
    var random = Xoshiro256(seed: testSeed)
    let delays = DelaySampler(.constant(.milliseconds(50)), peers: 200, random: &random)
    var network = Simulation<OpenScamp, HalvedNetwork, Nobody>(
      capacity: 200, network: HalvedNetwork(LossyNetwork(delays: delays, loss: 0), cut), observer: Nobody(),
      seed: random.next())
    for i in 0..<200 {
      network.run(until: .zero + .milliseconds(10 * i))
      let peer = network.add { Scamp(identity: $0) }
      if i > 0 { network.request(.join(contact: Peer(network.random.uniform(below: i))), of: peer) }
    }
    network.run(until: network.now + .seconds(120))
    func graph() -> DirectedGraph {
      DirectedGraph(adjacency: (0..<200).map { network[Peer($0)].partialView.members.map { Int($0.index) } })
    }
    cut.isMade = true
    network.run(until: network.now + .seconds(600))
    #expect(graph().weakComponents().count == 2, "\(replay)")
    cut.isMade = false
    network.run(until: network.now + .seconds(600))
    let healed = graph()
    #expect(healed.strongComponents().count == 1, "\(replay)")
    let crossing = (0..<200).reduce(0) { count, i in
      count + healed.neighbors(of: i).filter { ($0 < 100) != (i < 100) }.count
    }
    #expect(crossing > 200, "\(crossing) arcs cross; \(replay)")
  }
}

/// A network that can be cut between the lower hundred handles and the others.
struct HalvedNetwork: NetworkModel, ~Copyable {
  final class Cut { var isMade = false }

  let delays: LossyNetwork
  let cut: Cut

  init(_ delays: consuming LossyNetwork, _ cut: Cut) {
    self.delays = delays
    self.cut = cut
  }

  func delay(from sender: Peer, to receiver: Peer, at now: Instant, random: inout Xoshiro256) -> Interval? {
    cut.isMade && (sender.index < 100) != (receiver.index < 100)
      ? nil : delays.delay(from: sender, to: receiver, at: now, random: &random)
  }

  func copy() -> HalvedNetwork { HalvedNetwork(delays.copy(), cut) }
}
