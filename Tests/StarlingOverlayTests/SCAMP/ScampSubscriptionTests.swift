import StarlingCore
import StarlingTestSupport
import Testing

@testable import StarlingOverlay

@Suite("SCAMP: subscription")
struct ScampSubscriptionTests {
  private let subscriber = Peer(1_000)

  private func copy(hopsLeft: UInt16 = 100) -> OpenScamp.Message {
    .copy(of: 1_000, hopsLeft: hopsLeft)
  }

  /// The subscriptions among what was sent, as receiver and hops left.
  private func subscriptions(in sent: [(message: OpenScamp.Message, to: Peer)]) -> [(
    to: Int, hopsLeft: UInt16
  )] {
    sent.compactMap { message, peer in
      guard case .subscription(let subscription, let hops, _) = message,
        subscription.subscriber == subscriber
      else { return nil }
      return (Int(peer.index), hops)
    }
  }

  @Test(
    "A copy is kept with probability 1/(1 + |view|), and otherwise passed to a random member",
    arguments: [1, 2, 5, 14, 40])
  func keepProbability(size: Int) {
    var random = testRandom()
    let template = LonePeer(members: 1...size, random: random)
    let trials = 4_000
    var kept = 0
    var passed = [Int](repeating: 0, count: size)
    for _ in 0..<trials {
      var peer = template
      peer.effects.random = Xoshiro256(seed: random.next())
      peer.receive(copy(), from: 1)
      if peer.scamp.partialView.contains(subscriber) {
        kept += 1
        #expect(peer.effects.sent.map(\.to) == [subscriber])
      } else {
        let copies = subscriptions(in: peer.effects.sent)
        #expect(copies.map(\.hopsLeft) == [99])
        for copy in copies { passed[copy.to - 1] += 1 }
      }
    }
    let p = 1 / Double(1 + size)
    let deviation = (Double(trials) * p * (1 - p)).squareRoot()
    #expect(abs(Double(kept) - Double(trials) * p) < 5 * deviation, "kept \(kept); \(replay)")
    #expect(size == 1 || chiSquare(passed) < chiSquareLimit(degreesOfFreedom: size - 1), "\(replay)")
  }

  @Test("A peer with an empty view keeps the first subscriber, tells it so, and tells the layer above")
  func firstMember() {
    var peer = LonePeer(random: testRandom())
    peer.receive(copy(), from: 1)
    #expect(peer.members == [1_000])
    #expect(peer.effects.sent.map(\.message) == [.kept])
    guard peer.effects.indications.count == 2,
      case .admitted(subscriber, Peer(900_000)) = peer.effects.indications[0],
      case .gained(subscriber, .partialView) = peer.effects.indications[1]
    else {
      Issue.record("it must indicate who was admitted by whom, and the new member")
      return
    }
  }

  @Test("A copy on its last hop is kept whatever the odds, or dropped where it cannot be kept")
  func lastHop() {
    for seed in UInt64(0)..<50 {
      var peer = LonePeer(members: 1...30, random: Xoshiro256(seed: testSeed &+ seed))
      peer.receive(copy(hopsLeft: 0), from: 1)
      #expect(peer.members.count == 31 && peer.members.last == 1_000)
      peer.effects.clear()
      peer.receive(copy(hopsLeft: 0), from: 1)
      #expect(peer.members.count == 31 && peer.effects.sent.isEmpty, "a second copy has nowhere to go")
    }
  }

  @Test("A copy makes at most as many hops as the receiver allows, however many its sender claims")
  func hopLimit() {
    var configuration = ScampConfiguration()
    configuration.hopLimit = 20
    var peer = LonePeer(1_000, members: 1...5, configuration: configuration, random: testRandom())
    // A peer never keeps itself, so it must pass the copy on.
    peer.receive(copy(hopsLeft: .max), from: 1)
    #expect(subscriptions(in: peer.effects.sent).map(\.hopsLeft) == [19])
  }

  @Test("A contact's copies may make sixteen hops for each member of a view, within the limit")
  func hopsOfCopies() {
    for (limit, size, expected) in [(512, 12, 208), (20, 12, 20), (512, 40, 512)] {
      var configuration = ScampConfiguration()
      configuration.walkLength = 0
      configuration.hopLimit = UInt16(limit)
      var peer = LonePeer(members: 1...size, configuration: configuration, random: testRandom())
      peer.receive(.request(1), from: 1_000)
      #expect(subscriptions(in: peer.effects.sent).allSatisfy { $0.hopsLeft == expected })
    }
  }

  @Test(
    "A contact sends one copy to each of its neighbours and c more, and welcomes the subscriber",
    arguments: [0, 1, 4])
  func contact(extraCopies: Int) {
    var configuration = ScampConfiguration(extraCopies: extraCopies)
    configuration.walkLength = 0
    var peer = LonePeer(members: 1...12, configuration: configuration, random: testRandom())
    peer.receive(.request(1), from: Int(subscriber.index))
    let copies = subscriptions(in: peer.effects.sent)
    #expect(copies.count == 12 + extraCopies && Set(copies.map(\.to)) == Set(1...12))
    let welcomes = peer.effects.sent.filter { if case .welcome = $0.message { true } else { false } }
    #expect(welcomes.map(\.to) == [subscriber])
    #expect(peer.effects.prepared == 2, "a copy and a welcome are each made ready once")
    #expect(!peer.members.contains(1_000), "a contact with neighbours does not keep the subscriber itself")
  }

  @Test("A contact without neighbours keeps the subscriber itself")
  func firstContact() {
    var peer = LonePeer(random: testRandom())
    peer.receive(.request(1), from: 1_000)
    #expect(peer.members == [1_000])
    #expect(peer.effects.sent.map(\.to) == [subscriber, subscriber])
  }

  @Test("A joiner asks again until it is welcomed, then keeps its contact and asks no more")
  func retry() {
    var peer = LonePeer(random: testRandom())
    peer.scamp.handle(.join(contact: Peer(9)), at: .zero, into: &peer.effects)
    let asked = peer.takeSent()
    #expect(asked.map(\.to) == [Peer(9)] && peer.effects.timers.count == 1)
    peer.expire(.subscription(attempt: 0))
    #expect(peer.takeSent().map(\.message) == asked.map(\.message))
    peer.expire(.subscription(attempt: 0))
    #expect(peer.takeSent().isEmpty, "the timer of another attempt is stale")
    guard case .subscribe(let number, _) = asked.first?.message else {
      Issue.record("a joiner subscribes")
      return
    }
    peer.receive(.welcome(number &+ 1), from: 4)
    #expect(peer.members.isEmpty, "an answer to another request is none")
    peer.receive(.welcome(number), from: 5)
    #expect(peer.members == [5])
    #expect(peer.takeSent().map(\.to) == [Peer(5)], "the contact hears that it was kept")
    peer.expire(.subscription(attempt: 1))
    #expect(peer.takeSent().isEmpty)
    peer.receive(.welcome(number), from: 6)
    #expect(peer.members == [5], "a welcome that nobody waits for changes nothing")
  }

  @Test("Who is not answered asks for walks of one step, and for a long one now and then")
  func directRequests() {
    var peer = LonePeer(50, random: testRandom())
    peer.ask(Peer(9))
    var isWalkAskedFor: [Bool] = []
    for attempt in 0..<UInt8(14) {
      for message in peer.takeSent().map(\.message) {
        if case .subscribe(peer.scamp.requestNumber, _) = message { isWalkAskedFor.append(true) }
        guard case .walk(let walk) = message, case .contact(let number, _) = walk.purpose else { continue }
        #expect(
          walk.hopsLeft == 1 && walk.requester == Peer(50)
            && number == peer.scamp.requestNumber)
        isWalkAskedFor.append(false)
        // Who knows others passes it on, and whoever gets it then is the contact.
        var asked = LonePeer(9, members: 1...5, random: testRandom())
        asked.receive(message, from: 50)
        let sent = asked.takeSent()
        #expect(sent.count == 1 && (1...5).contains(sent[0].to.index))
        var contact = LonePeer(3, members: 6...9, random: testRandom())
        contact.receive(sent[0].message, from: 9)
        #expect(
          contact.takeSent().contains { if case .welcome(number, _, _) = $0.message { true } else { false } })
      }
      peer.expire(.subscription(attempt: attempt))
    }
    #expect(
      isWalkAskedFor == [
        true, true, true, false, true, false, false, false, true, false, false, false, true, false,
      ])
  }

  @Test("Waits between attempts never shrink and stay within the longest")
  func backOff() {
    var peer = LonePeer(random: testRandom())
    peer.scamp.handle(.join(contact: Peer(9)), at: .zero, into: &peer.effects)
    var waits: [Interval] = []
    for attempt in 0..<UInt8.max {
      waits.append((peer.effects.timers.last?.at ?? .zero) - .zero)
      peer.effects.clear()
      peer.expire(.subscription(attempt: attempt))
    }
    #expect(waits.first == ScampConfiguration.subscriptionRetry && waits == waits.sorted())
    #expect(waits.last == ScampConfiguration.longestRetry)
  }

  @Test("A view never takes the peer itself, a member twice, or more than its limit")
  func viewBounds() {
    var configuration = ScampConfiguration(extraCopies: 9)
    configuration.viewLimit = 50
    var peer = LonePeer(3, configuration: configuration, random: testRandom())
    for _ in 0..<2 {
      for i in 0..<200 {
        peer.give(i)
        peer.receive(.kept, from: i)
      }
    }
    #expect(peer.members.count == 50 && Set(peer.members).count == 50 && !peer.members.contains(3))
    #expect(peer.keepers.count == 50 && Set(peer.keepers).count == 50 && !peer.keepers.contains(3))
  }

  @Test("The in-view follows what keepers say, and a stranger's farewell changes nothing")
  func inView() {
    var peer = LonePeer(random: testRandom())
    peer.receive(.kept, from: 4)
    peer.receive(.kept, from: 5)
    peer.receive(.kept, from: 4)
    #expect(peer.keepers == [4, 5] && peer.effects.indications.count == 2)
    peer.receive(.dropped, from: 6)
    #expect(peer.keepers == [4, 5] && peer.effects.indications.count == 2)
    peer.receive(.dropped, from: 4)
    #expect(peer.keepers == [5] && peer.effects.indications.count == 3)
  }

  @Test("A lost link leaves both views, and a peer that is left alone subscribes again")
  func disconnect() {
    var peer = LonePeer(random: testRandom())
    peer.join(through: 9, welcomedBy: 5)
    peer.receive(.kept, from: 6)
    peer.effects.clear()
    peer.scamp.disconnect(from: Peer(5), at: .zero, into: &peer.effects)
    #expect(peer.members.isEmpty && peer.keepers == [6] && peer.effects.indications.count == 1)
    #expect(peer.effects.sent.isEmpty, "somebody still knows it")
    peer.scamp.disconnect(from: Peer(6), at: .zero, into: &peer.effects)
    #expect(peer.keepers.isEmpty && peer.effects.sent.map(\.to) == [Peer(9)])
    guard case .subscribe = peer.effects.sent.first?.message else {
      Issue.record("a peer alone subscribes")
      return
    }
  }

  @Test("No message from anybody, in any state, traps")
  func anything() {
    var random = testRandom()
    let peers = (0..<6).map { Peer($0) }
    for round in 0..<60 {
      var configuration = ScampConfiguration(extraCopies: round % 3)
      configuration.walkLength = UInt8(round % 4)
      configuration.hopLimit = UInt16(round % 5)
      configuration.viewLimit = UInt16(round % 7)
      var peer = LonePeer(configuration: configuration, random: Xoshiro256(seed: random.next()))
      peer.scamp.start(at: .zero, into: &peer.effects)
      for _ in 0..<100 {
        func any() -> Peer { peers[random.uniform(below: peers.count)] }
        var news = GroupSize.News()
        if random.oneIn(2) { news.sketch = SizeSketch(drawnFrom: &random) }
        news.epoch = UInt16(truncatingIfNeeded: random.next())
        news.settled = UInt8(truncatingIfNeeded: random.next())
        var walk = OpenScamp.Walk(
          random.oneIn(2) ? .contact(number: 1, OpenDoor.Nothing()) : .donation, for: any(),
          hopsLeft: UInt8(random.uniform(below: 256)))
        walk.isReturned = random.oneIn(2)
        walk.degree = UInt16(random.uniform(below: random.oneIn(2) ? 3 : 65_536))
        let messages: [OpenScamp.Message] = [
          .request(peer.scamp.requestNumber), .walk(walk), .welcome(peer.scamp.requestNumber), .kept(news),
          .refused(number: peer.scamp.requestNumber), .dropped, .donation(any()),
          .copy(
            of: Int(any().index), hopsLeft: UInt16(random.uniform(below: 65_536))),
          .returned(any()), .size(news), .release(successor: random.oneIn(2) ? any() : nil),
          .heartbeat(news), .alive(news), .probe, .present(news),
        ]
        let now = Instant(nanoseconds: random.oneIn(10) ? .max : random.next() >> 20)
        switch random.uniform(below: 16) {
        case 0: peer.scamp.handle(.join(contact: any()), at: now, into: &peer.effects)
        case 4: peer.scamp.handle(.shun(any()), at: now, into: &peer.effects)
        case 1: peer.scamp.disconnect(from: any(), at: now, into: &peer.effects)
        case 2:
          peer.scamp.expire(
            .round(count: UInt8(random.uniform(below: 256))), at: now, into: &peer.effects)
        case 3:
          peer.scamp.expire(
            .subscription(attempt: UInt8(random.uniform(below: 256))), at: now, into: &peer.effects)
        default:
          peer.scamp.receive(
            messages[random.uniform(below: messages.count)], from: any(), at: now, into: &peer.effects)
        }
        #expect(peer.members.count <= Int(configuration.viewLimit) && !peer.members.contains(0), "\(replay)")
      }
    }
  }
}
