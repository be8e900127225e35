import StarlingCore
import StarlingTestSupport
import Testing

@testable import StarlingOverlay

@Suite("SCAMP: heartbeats and leases")
struct ScampUpkeepTests {
  /// The receivers of one kind of message among what was sent.
  private func receivers(
    _ sent: [(message: OpenScamp.Message, to: Peer)], _ isOfKind: (OpenScamp.Message) -> Bool
  ) -> [Int] { sent.filter { isOfKind($0.message) }.map { Int($0.to.index) }.sorted() }

  private func isHeartbeat(_ message: OpenScamp.Message) -> Bool {
    if case .heartbeat = message { true } else { false }
  }

  @Test("Every member is asked in every long round whether it is there, and answers")
  func heartbeats() {
    var peer = LonePeer(members: 1...7, random: testRandom())
    peer.pass(rounds: 1)
    #expect(receivers(peer.takeSent(), isHeartbeat) == Array(1...7))
    var member = LonePeer(3, random: testRandom())
    member.receive(.heartbeat(GroupSize.News()), from: 0)
    #expect(member.keepers == [0], "who keeps a peer without its knowledge is learned of")
    let answers = member.takeSent()
    #expect(receivers(answers) { if case .alive = $0 { true } else { false } } == [0])
  }

  @Test("A member that is silent for more than three rounds is dropped and told so; a slow one is not")
  func silence() {
    var peer = LonePeer(members: 1...7, random: testRandom())
    let patience = Int(ScampConfiguration.silentRounds)
    for round in 1...(3 * patience) {
      peer.pass(rounds: 1)
      // Peer 1 answers every round, peer 2 only every third: it is slow or its answers are lost.
      peer.receive(.alive(GroupSize.News()), from: 1)
      if round % patience == 0 { peer.receive(.alive(GroupSize.News()), from: 2) }
      #expect(peer.members.contains(3) == (round <= patience), "round \(round)")
    }
    #expect(Set(peer.members) == [1, 2])
    let farewells = receivers(peer.takeSent()) { $0 == .dropped }
    #expect(farewells == Array(3...7))
  }

  @Test("A keeper that sends no heartbeats leaves the in-view")
  func silentKeeper() {
    var peer = LonePeer(members: 1...7, random: testRandom())
    peer.receive(.kept, from: 20)
    peer.receive(.kept, from: 21)
    for _ in 0...(2 * Int(ScampConfiguration.silentRounds)) {
      peer.pass(rounds: 1)
      peer.receive(.heartbeat(GroupSize.News()), from: 20)
    }
    #expect(peer.keepers == [20])
  }

  @Test("A lease lapses after its rounds, however alive the member is")
  func lapse() {
    var peer = LonePeer(members: 1...3, random: testRandom())
    let rounds = Int(ScampConfiguration.leaseRounds)
    for round in 1...rounds {
      #expect(peer.members.contains(1), "round \(round)")
      peer.pass(rounds: 1)
      for member in 1...3 { peer.receive(.alive(GroupSize.News()), from: member) }
    }
    #expect(peer.members.isEmpty)
    #expect(receivers(peer.takeSent()) { $0 == .dropped }.count == 3)
  }

  @Test("A subscriber renews its leases before they lapse, and lets the oldest go as new ones come")
  func renewal() {
    var random = testRandom()
    var news = GroupSize.News()
    for _ in 0..<2_000 { news.sketch.merge(SizeSketch(drawnFrom: &random)) }
    news.settled = GroupSize.level(of: 2_000)
    var peer = LonePeer(random: random)
    peer.join(through: 9, welcomedBy: 1)
    for member in 2...12 { peer.give(member) }
    for keeper in 101...116 { peer.receive(.kept(news), from: keeper) }
    let full = peer.keepers.count
    peer.effects.clear()
    var copies = 0
    var round = 0
    while copies == 0, round < Int(ScampConfiguration.leaseRounds) {
      round += 1
      peer.pass(rounds: 1)
      news.epoch = peer.scamp.size.news.epoch
      for keeper in 101...116 { peer.receive(.heartbeat(news), from: keeper) }
      for member in 1...12 { peer.receive(.alive(news), from: member) }
      copies += peer.takeSent().filter { if case .subscription = $0.message { true } else { false } }.count
    }
    #expect(copies > 0 && round <= Int(ScampConfiguration.renewalRounds), "\(round); \(replay)")
    while round < Int(ScampConfiguration.renewalRounds) {
      round += 1
      peer.pass(rounds: 1)
      news.epoch = peer.scamp.size.news.epoch
      for keeper in 101...116 { peer.receive(.heartbeat(news), from: keeper) }
    }
    news.epoch = peer.scamp.size.news.epoch
    peer.effects.clear()
    for keeper in 201...210 { peer.receive(.kept(news), from: keeper) }
    let released = receivers(peer.takeSent()) { if case .release = $0 { true } else { false } }
    #expect(!released.isEmpty && released.allSatisfy { $0 < 200 }, "\(released); \(replay)")
    #expect(peer.keepers.count <= full + 2)
  }

  @Test("An in-view far beyond the law is brought down to it, so that arcs do not grow without end")
  func surplus() {
    var random = testRandom()
    var news = GroupSize.News()
    for _ in 0..<300 { news.sketch.merge(SizeSketch(drawnFrom: &random)) }
    news.settled = GroupSize.level(of: 300)
    var peer = LonePeer(members: 1...5, random: random)
    for keeper in 100..<200 { peer.receive(.kept(news), from: keeper) }
    let most = peer.scamp.mostKeepers
    #expect(peer.keepers.count == most, "the others are asked to let go at once")
    peer.pass(rounds: 1)
    #expect(Double(peer.keepers.count) <= 2 * naturalLogarithm(peer.scamp.estimatedSize) * 1.2 + 2)
  }

  @Test(
    "An in-view has its limit before the size of the group has settled: young groups cannot be swollen either"
  )
  func youngSurplus() {
    var random = testRandom()
    var news = GroupSize.News()
    for _ in 0..<100 { news.sketch.merge(SizeSketch(drawnFrom: &random)) }
    var peer = LonePeer(members: 1...5, random: random)
    for keeper in 100..<200 { peer.receive(.kept(news), from: keeper) }
    #expect(!peer.scamp.size.isSettled)
    let law = 2 * naturalLogarithm(peer.scamp.estimatedSize)
    #expect(Double(peer.keepers.count) > law && Double(peer.keepers.count) <= 1.5 * law + 4, "\(replay)")
  }

  @Test("One subscriber's requests and copies are taken a bounded number of times in a round")
  func floods() {
    var peer = LonePeer(members: 1...3, random: testRandom())
    var accusations = 0
    for _ in 0..<1_000 {
      peer.receive(.request(1), from: 50)
      peer.receive(.copy(of: 60, hopsLeft: 9), from: 2)
    }
    for indication in peer.effects.indications {
      if case .misbehaved(let peer, .subscriptionFlood) = indication {
        #expect(peer == Peer(50), "who only passes on what others flood is not to blame")
        accusations += 1
      }
    }
    #expect(accusations == 1_000 - Int(ScampConfiguration.requestsPerRound))
  }
}
