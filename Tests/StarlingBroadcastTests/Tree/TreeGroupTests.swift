import StarlingBroadcast
import StarlingCore
import StarlingNode
import StarlingOverlay
import StarlingSimulator
import StarlingTestSupport
import Testing

@Suite("The broadcast tree: whole groups")
struct TreeGroupTests {
  private func report(
    offset: UInt64 = 0, _ configure: (inout BroadcastScenario) -> Void
  ) -> BroadcastReport {
    var scenario = BroadcastScenario()
    scenario.seed = testSeed &+ offset
    scenario.drain = .seconds(20)
    configure(&scenario)
    return scenario.run()
  }

  @Test(
    "The first flood leaves a tree: N − 1 eager links, over which later messages make next to no copy too many",
    arguments: [UInt64(0), 1, 2])
  func tree(offset: UInt64) {
    let report = report(offset: offset) {
      $0.nodes = 500
      $0.messages = 10
    }
    #expect(report.eagerLinks == 499, "\(replay)")
    // A link that upkeep brings while messages flow carries one of them twice before it is pruned.
    #expect((report.redundancy ?? 1) < 0.001 && (report.redundancyFirst ?? 0) > 5, "\(replay)")
    #expect(report.reliabilityMinimum == 1 && report.latencies.count == 10 * 499, "\(replay)")
  }

  @Test("With 5% of all messages lost, everybody still gets every message, once")
  func loss() {
    let report = report {
      $0.nodes = 400
      $0.messages = 20
      $0.loss = 0.05
      $0.drain = .seconds(60)
    }
    #expect(report.reliabilityMinimum == 1 && report.latencies.count == 20 * 399, "\(replay)")
  }

  @Test("Sixty senders share one tree: at 1,000 peers at most 0.15 copies too many")
  func manySenders() {
    let report = report {
      $0.nodes = 1_000
      $0.messages = 60
      $0.senders = 60
    }
    #expect(report.reliabilityMinimum == 1, "\(replay)")
    #expect((report.redundancy ?? 9) <= 0.15, "\(report.redundancy ?? 9); \(replay)")
  }

  @Test(
    "Forty senders whose prunes cross cut nobody off, and the next messages make a tree again",
    arguments: [UInt64(0), 1, 2])
  func crossingPrunes(offset: UInt64) {
    var group = treeGroup(200, messages: 60, seed: testSeed &+ offset)
    for number in 0..<40 { broadcast(number, by: Peer(number * 5), in: &group) }
    group.run(until: group.now + .seconds(30))
    #expect(group.observer.records[..<40].allSatisfy { $0.deliveries == 199 }, "\(replay)")
    #expect(eagerLinks(of: group) < 199, "the prunes must have cut the tree, or this test holds nothing")
    for number in 40..<60 {
      broadcast(number, by: Peer(7), in: &group)
      group.run(until: group.now + .seconds(10))
    }
    #expect(group.observer.records[40...].allSatisfy { $0.deliveries == 199 }, "\(replay)")
    #expect((group.observer.records[59].redundancy ?? 1) < 0.02, "\(replay)")
    #expect(abs(eagerLinks(of: group) - 199) < 4, "\(replay)")
  }

  @Test("A higher threshold keeps more links eager at first")
  func threshold() {
    let links = [1, 3].map { threshold in
      report {
        $0.nodes = 200
        $0.messages = 2
        $0.broadcast = .tree(pruneThreshold: threshold)
      }.eagerLinks ?? 0
    }
    #expect(links[0] == 199 && links[1] > 400, "\(links); \(replay)")
  }
}

private typealias Member = GroupMember<Scamp<IdealAdmission>, BroadcastTree<IdealAuthenticator>>
private typealias Meter = BroadcastMeter<Scamp<IdealAdmission>, BroadcastTree<IdealAuthenticator>>
private typealias TreeGroup = Simulation<Member, LossyNetwork, Meter>

/// A settled group that has not broadcast yet.
private func treeGroup(_ count: Int, messages: Int, seed: UInt64) -> TreeGroup {
  var random = Xoshiro256(seed: seed)
  let delay = DelayModel.gaussian(mean: .milliseconds(50), deviation: .milliseconds(10))
  let delays = DelaySampler(delay, peers: count, random: &random)
  var group = TreeGroup(
    capacity: count, network: LossyNetwork(delays: delays, loss: 0),
    observer: Meter(peers: count, messages: messages), seed: random.next())
  for i in 0..<count {
    let peer = group.add { peer in
      Member(
        overlay: Scamp(identity: peer, door: IdealAdmission(owner: peer)),
        diffusion: BroadcastTree(identity: peer, auth: IdealAuthenticator(owner: peer)))
    }
    if i > 0 { group.request(.join(contact: Peer(group.random.uniform(below: i))), of: peer) }
    group.run(until: group.now + .milliseconds(1))
  }
  group.run(until: group.now + .seconds(60))
  group.observer.beginMessages()
  return group
}

private func broadcast(_ number: Int, by sender: Peer, in group: inout TreeGroup) {
  group.observer.began(number, by: sender, at: group.now)
  group.request(.broadcast(SyntheticPayload(number: UInt32(number), byteCount: 100)), of: sender)
}

/// Links that are eager at both ends.
private func eagerLinks(of group: borrowing TreeGroup) -> Int {
  var links = 0
  for i in 0..<group.count {
    let own = group[Peer(i)].diffusion.links
    for position in 0..<own.count where own[position].isEager && own.keys[position] > Peer(i) {
      let back = group[own.keys[position]].diffusion.links
      if back[Peer(i)]?.isEager == true { links += 1 }
    }
  }
  return links
}
