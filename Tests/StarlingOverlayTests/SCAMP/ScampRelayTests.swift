import StarlingCore
import StarlingTestSupport
import Testing

@testable import StarlingOverlay

@Suite("SCAMP: what a peer does for others")
struct ScampRelayTests {
  /// The most that one peer was sent in any second, of messages that were sent at the given instants.
  private func mostInASecond(_ sent: [(at: Instant, to: Peer)]) -> Int {
    var most = 0
    for receiver in Set(sent.map(\.to)) {
      let instants = sent.filter { $0.to == receiver }.map(\.at)
      var first = 0
      for i in instants.indices {
        while instants[i] - instants[first] >= .seconds(1) { first += 1 }
        most = max(most, i - first + 1)
      }
    }
    return most
  }

  /// What a peer with the given members sends in five seconds in which a message comes every 100 µs.
  private func flood(
    members: ClosedRange<Int>, _ message: (Int) -> OpenScamp.Message
  ) -> (peer: LonePeer, sent: [(at: Instant, to: Peer)]) {
    // Views that take nobody, so that copies are passed on.
    var configuration = ScampConfiguration()
    configuration.viewLimit = UInt16(members.count)
    var peer = LonePeer(members: members, configuration: configuration, random: testRandom())
    peer.pause = .microseconds(100)
    var sent: [(at: Instant, to: Peer)] = []
    for i in 0..<50_000 {
      peer.receive(message(i), from: 1)
      sent += peer.takeSent().map { (Instant.zero + .microseconds(100) * i, $0.to) }
    }
    return (peer, sent)
  }

  private func walk(for requester: Int, number: UInt64, hopsLeft: UInt8) -> OpenScamp.Message {
    var walk = OpenScamp.Walk(
      .contact(number: number, OpenDoor.Nothing()), for: Peer(requester), hopsLeft: hopsLeft)
    walk.isReturned = true
    return .walk(walk)
  }

  private var most: Int {
    ScampRelayBudget.burst + ScampRelayBudget.rate + 1 + Int(ScampConfiguration().extraCopies)
  }

  @Test(
    "However many walks a peer is sent, each of its neighbours gets a bounded number of messages a second")
  func walks() {
    for hopsLeft: UInt8 in [0, 6] {
      let (peer, sent) = flood(members: 1...2) {
        walk(for: 1_000 + $0, number: UInt64($0), hopsLeft: hopsLeft)
      }
      let found = mostInASecond(sent)
      #expect(
        found > ScampRelayBudget.rate && found <= most, "\(found) with \(hopsLeft) hops left; \(replay)")
      #expect(peer.scamp.refusedRelays > 40_000, "what is dropped is counted")
    }
  }

  @Test("However many copies of subscriptions a peer is sent, each of its neighbours gets a bounded number")
  func copies() {
    let (_, sent) = flood(members: 1...2) { .copy(of: 1_000 + $0, hopsLeft: 100) }
    let found = mostInASecond(sent)
    #expect(found > ScampRelayBudget.rate && found <= most, "\(found); \(replay)")
  }

  @Test("What was dropped is done again later: the budget comes back with time")
  func recovery() {
    var budget = ScampRelayBudget()
    while budget.spend(1, at: .zero) {}
    #expect(budget.refusals == 1)
    var passed = 0
    for i in 1...1_000 where budget.spend(1, at: .zero + .milliseconds(10 * i)) { passed += 1 }
    #expect(passed == 1_000, "a hundred a second are less than is earned")
    budget = ScampRelayBudget()
    while budget.spend(101, at: .zero) {}
    #expect(budget.refusals == 1, "the last of large introductions overdraws it")
    let late = budget.spend(1, at: .distantFuture)
    #expect(late)
  }

  /// Copies and welcomes among what was sent.
  private func count(_ sent: [(message: OpenScamp.Message, to: Peer)]) -> (copies: Int, welcomes: Int) {
    var (copies, welcomes) = (0, 0)
    for (message, _) in sent {
      if case .subscription = message { copies += 1 }
      if case .welcome = message { welcomes += 1 }
    }
    return (copies, welcomes)
  }

  @Test("A subscription that a contact has introduced is only welcomed again, whoever repeats the walk")
  func repeatedWalk() {
    var peer = LonePeer(members: 1...5, random: testRandom())
    for i in 0..<10 {
      peer.receive(walk(for: 50, number: 7, hopsLeft: 0), from: 1 + i % 5)
      let (copies, welcomes) = count(peer.takeSent())
      #expect(copies == (i == 0 ? 6 : 0) && welcomes == 1)
    }
    peer.receive(.request(7), from: 50)
    let (copies, welcomes) = count(peer.takeSent())
    #expect(copies == 0 && welcomes == 1, "the subscriber itself is answered at once, without a new walk")
    peer.receive(walk(for: 50, number: 8, hopsLeft: 0), from: 1)
    #expect(count(peer.takeSent()).copies == 6, "another subscription of the same peer is a new one")
  }

  @Test("However often a peer's walks are passed on, they are looked at so many times a round")
  func repeatedWalks() {
    var peer = LonePeer(members: 1...5, random: testRandom())
    var welcomes = 0
    for i in 0..<500 {
      peer.receive(walk(for: 50, number: UInt64(i), hopsLeft: 0), from: 50)
      welcomes += count(peer.takeSent()).welcomes
    }
    #expect(welcomes == Int(ScampConfiguration.relayedPerRound))
  }

  @Test("However many subscribers a peer meets in a round, one that floods is held to its limit")
  func manySubscribers() {
    var peer = LonePeer(members: 1...5, random: testRandom())
    for subscriber in 1_000..<(1_000 + 2 * ScampConfiguration.metLimit) {
      peer.receive(.request(1), from: subscriber)
    }
    peer.effects.clear()
    var accused: [Peer: Int] = [:]
    for i in 0..<1_000 {
      peer.receive(.request(1), from: 50)
      // Others are met meanwhile, each once.
      if i % 2 == 0 { peer.receive(.request(1), from: 2_000 + i) }
    }
    for case .misbehaved(let peer, .subscriptionFlood) in peer.effects.indications {
      accused[peer, default: 0] += 1
    }
    #expect(Set(accused.keys) == [Peer(50)])
    #expect((accused[Peer(50)] ?? 0) > 1_000 - 2 * Int(ScampConfiguration.requestsPerRound), "\(replay)")
  }
}
