import StarlingBroadcast
import StarlingCore
import StarlingTestSupport
import Testing

@Suite("The broadcast tree: digests and recovery")
struct TreeDigestTests {
  private func digest(
    _ origin: Int, _ ranges: (UInt64, UInt64)..., wantsAnswer: Bool = false
  ) -> BroadcastTree<IdealAuthenticator>.Message {
    let ranges = ranges.map { SequenceRange($0.0, $0.1) }
    return .digest(Digest(origin: Peer(origin), ranges: ranges, wantsAnswer: wantsAnswer))
  }

  private func identifier(_ origin: Int, _ sequence: UInt64) -> MessageIdentifier {
    MessageIdentifier(origin: Peer(origin), sequence: sequence)
  }

  private func fetches(_ tree: LoneTree) -> [(sequence: UInt64, from: Int, origin: Peer)] {
    tree.effects.sent.compactMap {
      guard case .fetch(let identifier) = $0.message else { return nil }
      return (identifier.sequence, Int($0.to.index), identifier.origin)
    }
  }

  @Test("A new link is told in short what this peer has; an old one is not, nor is anybody told of nothing")
  func newLink() {
    var tree = LoneTree(neighbours: 1...3)
    #expect(tree.effects.sent.isEmpty)
    tree.receive(.push(signed(by: 9)), from: 1)
    tree.handle(.linkUp(Peer(2), .incoming))
    #expect(tree.summarised().isEmpty)
    tree.handle(.linkUp(Peer(4), .incoming))
    #expect(tree.summarised() == [4])
  }

  @Test("Peers with the same messages, in whatever order they came, are silent; others are told what is here")
  func summaries() {
    var trees = [LoneTree(neighbours: 1...2), LoneTree(neighbours: 1...2)]
    for sequence: UInt64 in [0, 1, 2, 3] { trees[0].receive(.push(signed(by: 9, sequence)), from: 1) }
    for sequence: UInt64 in [2, 0, 3, 1] { trees[1].receive(.push(signed(by: 9, sequence)), from: 1) }
    trees[0].handle(.linkUp(Peer(5), .outgoing))
    let summary = trees[0].effects.sent.last?.message
    if let summary { trees[1].receive(summary, from: 2) }
    #expect(trees[0].summarised() == [5] && trees[1].digests.isEmpty)
    trees[1].receive(.push(signed(by: 9, 5)), from: 1)
    if let summary { trees[1].receive(summary, from: 2) }
    let ranges = [SequenceRange(0, 3), SequenceRange(5, 5)]
    #expect(
      trees[1].digests.map(\.digest) == [Digest(origin: Peer(9), ranges: ranges, wantsAnswer: true)])
    #expect(trees[1].digests.map(\.to) == [2])
  }

  /// Whether 100 messages that neighbour 40 tells of are recovered within a minute from neighbour 40, who answers
  /// after 50 ms, while others do what `disturb` makes them do every 50 ms, and say nothing when they are asked or
  /// that they have it no longer.
  private func recovers(
    neighbours: ClosedRange<Int>, denying: Bool = false, _ disturb: (inout LoneTree, _ step: Int) -> Void
  ) -> Bool {
    var tree = LoneTree(neighbours: Array(neighbours) + [40])
    for step in 0..<1_200 where tree.deliveries.count < 100 {
      disturb(&tree, step)
      if step == 20 { tree.receive(digest(50, (0, 99)), from: 40) }
      tree.run(until: tree.now + .milliseconds(50))
      let sent = tree.effects.sent
      tree.effects.sent.removeAll()
      for (message, receiver) in sent {
        let peer = Int(receiver.index)
        switch message {
        case .fetch(let asked) where peer == 40:
          tree.receive(.supply(signed(by: 50, asked.sequence)), from: 40)
        case .graft(let asked) where peer == 40: tree.receive(.push(signed(by: 50, asked.sequence)), from: 40)
        case .fetch(let asked) where denying: tree.receive(.gone(asked), from: peer)
        default: break
        }
      }
    }
    return tree.deliveries.count == 100 && tree.accused.isEmpty
  }

  @Test("Recovery goes on while eight neighbours announce 160 invented messages a second each")
  func inventedAnnouncements() {
    let isWhole = recovers(neighbours: 1...8) { tree, step in
      for liar in 1...8 {
        for i in 0..<8 { tree.receive(.announce(identifier(100 + liar, UInt64(8 * step + i))), from: liar) }
      }
    }
    #expect(isWhole)
  }

  @Test(
    "Recovery goes on while eight neighbours offer what does not exist, whether they deny it later or are silent"
  )
  func inventedOffers() {
    for denying in [false, true] {
      let isWhole = recovers(neighbours: 1...8, denying: denying) { tree, step in
        for liar in 1...8 {
          let first = UInt64(1_000 * step)
          tree.receive(digest(100 + liar, (first, first + 500)), from: liar)
        }
      }
      #expect(isWhole, "denied: \(denying)")
    }
  }

  @Test(
    "Recovery goes on while twenty neighbours announce or offer just what is to be recovered, and say nothing"
  )
  func silentLiars() {
    let announced = recovers(neighbours: 1...20) { tree, step in
      for liar in 1...20 {
        tree.receive(.announce(identifier(50, UInt64((7 * step + 5 * liar) % 100))), from: liar)
      }
    }
    #expect(announced)
    let offered = recovers(neighbours: 1...20) { tree, step in
      guard step % 4 == 0 else { return }
      for liar in 1...20 { tree.receive(digest(50, (0, 99)), from: liar) }
    }
    #expect(offered)
  }

  @Test(
    "Who offers without end what it then does not have is asked a bounded number of times between two pulses")
  func endlessOffer() {
    var tree = LoneTree(neighbours: 1...2)
    tree.receive(.push(signed(by: 9)), from: 1)
    var fetched = 0
    for _ in 0..<2_000 {
      tree.receive(digest(50, (1, 1 << 60)), from: 2)
      tree.run(until: tree.now + .milliseconds(1))
      let asked = fetches(tree)
      tree.effects.sent.removeAll()
      fetched += asked.count
      for fetch in asked { tree.receive(.gone(identifier(50, fetch.sequence)), from: fetch.from) }
    }
    #expect(fetched > 0 && fetched <= BroadcastTreeConfiguration.denialLimit + 32, "\(fetched)")
  }

  @Test(
    "What is missing between others for two pulses is asked of the neighbours in turn, though nobody told of it"
  )
  func holes() {
    var tree = LoneTree(neighbours: 1...5)
    for sequence: UInt64 in [3, 4, 6, 7] { tree.receive(.push(signed(by: 9, sequence)), from: 1) }
    tree.run(until: tree.now + .seconds(5))
    #expect(tree.fetched().isEmpty, "it may be on its way; and what was before the first is not asked for")
    tree.run(until: tree.now + .seconds(30))
    #expect(Set(fetches(tree).map(\.sequence)) == [5] && Set(tree.fetched()) == Set(1...5))
    tree.receive(.supply(signed(by: 9, 5)), from: 3)
    tree.effects.sent.removeAll()
    tree.run(until: tree.now + .seconds(60))
    #expect(tree.fetched().isEmpty && tree.missed.isEmpty)
  }

  @Test(
    "Neighbours that lack what is missing between others deny nothing, and are asked again with later pulses")
  func deniedHole() {
    var tree = LoneTree(neighbours: 1...5)
    for sequence: UInt64 in [3, 5] { tree.receive(.push(signed(by: 9, sequence)), from: 1) }
    var asked = 0
    for _ in 0..<1_200 {
      tree.run(until: tree.now + .milliseconds(500))
      let fetches = fetches(tree)
      asked += fetches.count
      tree.effects.sent.removeAll()
      for fetch in fetches { tree.receive(.gone(identifier(9, fetch.sequence)), from: fetch.from) }
    }
    #expect(tree.missed.isEmpty && asked >= 10 && asked <= 30, "\(asked)")
    tree.receive(.announce(identifier(9, 4)), from: 2)
    tree.run(until: tree.now + .seconds(3))
    #expect(tree.grafted().first == 2)
  }

  @Test("What an origin never broadcast is asked for ever more rarely, though it left holes for it")
  func hollowOrigin() {
    var tree = LoneTree(neighbours: 1...10)
    for sequence: UInt64 in [0, 190] { tree.receive(.push(signed(by: 50, sequence)), from: 1) }
    var (asked, later) = (0, 0)
    for second in 0..<1_800 {
      // Others broadcast, so that the pulses come often.
      tree.receive(.push(signed(by: 9, UInt64(second))), from: 2)
      tree.run(until: tree.now + .seconds(1))
      let fetches = fetches(tree)
      asked += fetches.count
      later += second >= 900 ? fetches.count : 0
      tree.effects.sent.removeAll()
      for fetch in fetches { tree.receive(.gone(identifier(50, fetch.sequence)), from: fetch.from) }
    }
    #expect(
      asked > 0 && asked <= 800 && later <= 300, "\(asked), \(later) of them in the second quarter of an hour"
    )
  }

  /// Whatever holes others have that nobody can fill: many origins of few messages, or some of many.
  @Test("An origin's hole is filled within minutes beside those of others", arguments: [(300, 1), (20, 60)])
  func holesAmongHoles(liars: Int, messages: UInt64) {
    var tree = LoneTree(neighbours: 1...10)
    for liar in 100..<(100 + liars) {
      for sequence in Array(0..<messages) + [190] { tree.receive(.push(signed(by: liar, sequence)), from: 1) }
    }
    for sequence: UInt64 in 0..<40 where sequence != 20 {
      tree.receive(.push(signed(by: 9, sequence)), from: 1)
    }
    var filledAfter: Int?
    for second in 0..<600 where filledAfter == nil {
      tree.receive(.push(signed(by: 8, UInt64(second))), from: 2)
      tree.run(until: tree.now + .seconds(1))
      let fetches = fetches(tree)
      tree.effects.sent.removeAll()
      for fetch in fetches {
        if fetch.origin == Peer(9) {
          filledAfter = second
        } else {
          tree.receive(
            .gone(MessageIdentifier(origin: fetch.origin, sequence: fetch.sequence)), from: fetch.from)
        }
      }
    }
    #expect(filledAfter.map { $0 <= 180 } == true, "after \(filledAfter ?? -1) s")
  }

  @Test("Who left a request unanswered is asked after others, whoever announced first")
  func silentLast() {
    var tree = LoneTree(neighbours: 1...2)
    for neighbour in 1...2 { tree.receive(.announce(identifier(9, 1)), from: neighbour) }
    tree.run(until: tree.now + .milliseconds(2_100))
    #expect(tree.grafted() == [1, 2])
    tree.receive(.push(signed(by: 9, 1)), from: 2)
    for neighbour in 1...2 { tree.receive(.announce(identifier(8, 1)), from: neighbour) }
    tree.effects.sent.removeAll()
    tree.run(until: tree.now + .milliseconds(1_100))
    let asked = tree.effects.sent.compactMap { sent in
      if case .graft(identifier(8, 1)) = sent.message { sent.to } else { nil }
    }
    #expect(asked == [Peer(2)])
  }

  @Test("A missing message whose timer was not taken is asked for with the next pulse")
  func refusedTimer() {
    var tree = LoneTree(neighbours: 1...2)
    tree.receive(.push(signed(by: 9)), from: 1)
    tree.receive(.announce(identifier(9, 1)), from: 2)
    tree.effects.timers.removeAll { if case .missing = $0.timer { true } else { false } }
    tree.run(until: tree.now + .seconds(5))
    #expect(tree.grafted().first == 2)
  }

  @Test("A digest that wants an answer gets one, which wants none")
  func answer() {
    var tree = LoneTree(neighbours: 1...2)
    tree.receive(.push(signed(by: 9)), from: 1)
    tree.receive(.digest(Digest(origin: Peer(2), wantsAnswer: true)), from: 2)
    #expect(tree.digests.map(\.to) == [2] && tree.digests.allSatisfy { !$0.digest.wantsAnswer })
    tree.receive(.digest(tree.digests[0].digest), from: 2)
    #expect(tree.digests.count == 1)
  }

  @Test(
    "What a digest tells of is fetched once it has had the time to come by itself, and the tree stays as it is"
  )
  func fetch() {
    var tree = LoneTree(neighbours: 1...3)
    tree.receive(.prune, from: 2)
    tree.receive(.push(signed(by: 9, 10)), from: 1)
    tree.effects.clear()
    tree.receive(digest(9, (7, 11)), from: 2)
    #expect(tree.effects.sent.isEmpty)
    tree.receive(.push(signed(by: 9, 11)), from: 1)
    tree.effects.sent.removeAll()
    tree.run(until: tree.now + TimeoutEstimator.initial)
    #expect(
      fetches(tree).map(\.sequence) == [7, 8, 9] && tree.fetched() == [2, 2, 2] && tree.grafted().isEmpty)
    tree.effects.clear()
    tree.receive(.supply(signed(by: 9, 8, hops: 4)), from: 2)
    #expect(tree.deliveries.map(\.identifier) == [identifier(9, 8)] && tree.eager == [1, 3])
    #expect(tree.pushed().isEmpty && tree.announced().isEmpty, "what is old is not pushed to anybody")
    tree.receive(.supply(signed(by: 9, 8, hops: 4)), from: 2)
    #expect(tree.deliveries.count == 1 && tree.pruned().isEmpty, "a supply that comes twice prunes nothing")
    tree.receive(.supply(signed(by: 9, 9)), from: 2)
    tree.run(until: tree.now + BroadcastTreeConfiguration.gathering)
    let news = Digest(origin: Peer(9), ranges: [SequenceRange(8, 9)])
    #expect(tree.digests.map(\.digest) == [news, news, news] && tree.digests.map(\.to) == [1, 2, 3])
    #expect(tree.process.counters.recovered == 2)
    tree.receive(.fetch(identifier(9, 8)), from: 3)
    #expect(tree.supplied() == [3])
    #expect(tree.effects.sent.compactMap(\.message.carriedBroadcast).map(\.hops) == [5])
  }

  @Test(
    "Only so many messages are fetched at once, of one neighbour and of all, and each that comes makes room")
  func pacing() {
    var tree = LoneTree(neighbours: 1...9)
    let (total, perNeighbour) = BroadcastTreeConfiguration.fetchesAtOnce
    tree.receive(digest(9, (0, 999)), from: 1)
    tree.now = tree.now + .seconds(1)
    tree.expire(.recovery)
    #expect(fetches(tree).map(\.sequence) == Array(0..<UInt64(perNeighbour)))
    for neighbour in 2...9 { tree.receive(digest(9, (0, 999)), from: neighbour) }
    tree.now = tree.now + .seconds(1)
    tree.expire(.recovery)
    #expect(fetches(tree).count == total && Set(fetches(tree).map(\.sequence)).count == total)
    #expect((1...9).allSatisfy { n in fetches(tree).count { $0.from == n } <= perNeighbour })
    tree.receive(.supply(signed(by: 9, 3)), from: 1)
    #expect(fetches(tree).count == total + 1)
  }

  @Test("All that a neighbour has comes in the end, once, whatever the network doubles")
  func recoverAll() {
    var tree = LoneTree(neighbours: 1...2)
    tree.receive(.push(signed(by: 9, 2_000)), from: 1)
    tree.receive(digest(9, (0, 1_999)), from: 1)
    for _ in 0..<3_000 {
      let asked = fetches(tree).map(\.sequence)
      tree.effects.sent.removeAll()
      if asked.isEmpty { tree.run(until: tree.now + .milliseconds(200)) }
      for sequence in asked {
        for _ in 0..<2 { tree.receive(.supply(signed(by: 9, sequence)), from: 1) }
      }
      if tree.deliveries.count == 2_001 { break }
    }
    #expect(tree.deliveries.count == 2_001 && Set(tree.deliveries.map(\.identifier)).count == 2_001)
    #expect(tree.accused.isEmpty && tree.process.counters.gapsGivenUp == 0)
  }

  @Test("One who no longer has a message says so, and the next who told of it is asked at once")
  func gone() {
    var tree = LoneTree(neighbours: 1...3)
    tree.receive(.announce(identifier(9, 4)), from: 1)
    tree.receive(.announce(identifier(9, 4)), from: 2)
    tree.expireAwaited(identifier(9, 4))
    #expect(tree.grafted() == [1])
    tree.receive(.gone(identifier(9, 4)), from: 3)
    #expect(tree.grafted() == [1], "nobody had asked peer 3")
    tree.receive(.gone(identifier(9, 4)), from: 1)
    #expect(tree.grafted() == [1, 2])
    tree.receive(.push(signed(by: 9, 4)), from: 2)
    #expect(tree.deliveries.count == 1 && tree.missed.isEmpty)
  }

  @Test(
    "A message that nobody has any more is missed: told once, after the time that others have to tell of it")
  func missed() {
    var tree = LoneTree(neighbours: 1...3)
    tree.receive(.push(signed(by: 9, 6)), from: 3)
    tree.receive(digest(9, (4, 4)), from: 1)
    tree.run(until: tree.now + .milliseconds(1_500))
    #expect(tree.fetched() == [1])
    tree.receive(.gone(identifier(9, 4)), from: 1)
    tree.run(until: tree.now + .seconds(20))
    #expect(tree.missed.isEmpty)
    tree.run(until: tree.now + BroadcastTreeConfiguration.patience)
    #expect(tree.missed == [identifier(9, 4)] && tree.process.counters.missed == 1)
    tree.receive(.announce(identifier(9, 4)), from: 2)
    tree.expireAwaited(identifier(9, 4))
    #expect(tree.grafted() == [2], "somebody new tells of it")
    tree.receive(.gone(identifier(9, 4)), from: 2)
    tree.run(until: tree.now + .seconds(60))
    #expect(tree.missed.count == 1 && tree.process.counters.missed == 1, "that is told once")
    tree.receive(.push(signed(by: 9, 4)), from: 3)
    tree.receive(.push(signed(by: 9, 4)), from: 3)
    #expect(tree.deliveries.map(\.identifier.sequence) == [6, 4], "on liars' word nothing is refused")
    tree.receive(.announce(identifier(9, 5)), from: 2)
    #expect(tree.awaited.contains { $0.identifier == identifier(9, 5) }, "its neighbour is still wanted")
  }

  @Test("What is truly gone is asked for ever more rarely, however often it is told of, and told of once")
  func noLoop() {
    var tree = LoneTree(neighbours: 1...3)
    tree.receive(.push(signed(by: 9, 6)), from: 3)
    var asked: [Int] = []
    for _ in 0..<900 {
      for neighbour in 1...2 {
        tree.receive(digest(9, (4, 4)), from: neighbour)
        tree.receive(.announce(identifier(9, 4)), from: neighbour)
      }
      tree.run(until: tree.now + .seconds(4))
      // Who does not answer within four seconds is asked more than once.
      var askedNow: Set<Int> = []
      while case let new = Set(tree.fetched() + tree.grafted()), !new.isEmpty {
        tree.effects.sent.removeAll()
        askedNow.formUnion(new)
        for neighbour in new.sorted() { tree.receive(.gone(identifier(9, 4)), from: neighbour) }
      }
      asked += askedNow
    }
    // Within an hour after 0, 30, 90, 210, 450, 930, 1,890 and 2,850 s.
    for neighbour in 1...2 {
      let count = asked.count { $0 == neighbour }
      #expect((6...8).contains(count), "\(count)")
    }
    #expect(tree.missed == [identifier(9, 4)] && tree.process.sizes.missing == 0 && tree.accused.isEmpty)
    // Who denied it may have fetched it since: it is asked again when its time has come.
    tree.run(until: tree.now + .seconds(1_000))
    tree.receive(digest(9, (4, 4)), from: 1)
    tree.run(until: tree.now + .seconds(4))
    #expect(Set(tree.fetched()) == [1])
    tree.receive(.supply(signed(by: 9, 4)), from: 1)
    #expect(tree.deliveries.map(\.identifier.sequence) == [6, 4])
  }

  @Test("While some say nothing a message is not missed, whatever others say")
  func silence() {
    var tree = LoneTree(neighbours: 1...3)
    tree.receive(.push(signed(by: 9, 6)), from: 3)
    for neighbour in 1...2 { tree.receive(.announce(identifier(9, 4)), from: neighbour) }
    tree.expireAwaited(identifier(9, 4))
    tree.receive(.gone(identifier(9, 4)), from: 1)
    tree.run(until: tree.now + .seconds(600))
    #expect(tree.missed.isEmpty && tree.process.counters.abandoned == 1)
  }

  @Test("A liar that tells of no end of messages and denies them fills nothing, and nobody waits for it")
  func manyDenials() {
    var tree = LoneTree(neighbours: 1...3)
    tree.receive(.push(signed(by: 9, 1 << 40)), from: 3)
    for sequence in UInt64(0)..<1_500 {
      tree.receive(.announce(identifier(9, 2 * sequence)), from: 1)
      tree.receive(.gone(identifier(9, 2 * sequence)), from: 1)
    }
    #expect(tree.process.sizes.missing == 0 && tree.process.counters.missingTableFull == 0)
    tree.run(until: tree.now + .seconds(60))
    #expect(!tree.missed.isEmpty && tree.missed.count <= BroadcastTreeConfiguration.givenUpLimit)
    // Of each denial the origin and the denier, of what was told to be missed the origin, and some more.
    var named = 0
    tree.process.forEachPeer { _ in named += 1 }
    #expect(
      named <= 2 * BroadcastTreeConfiguration.denied.perPeer + BroadcastTreeConfiguration.givenUpLimit + 20,
      "\(named)")
    tree.receive(.push(signed(by: 9, 2_800)), from: 2)
    #expect(tree.deliveries.count == 2)
    // With its link goes what it denied.
    let told = BroadcastTreeConfiguration.givenUpLimit
    tree.handle(.linkDown(Peer(1), .outgoing))
    tree.handle(.linkDown(Peer(1), .incoming))
    named = 0
    tree.process.forEachPeer { _ in named += 1 }
    #expect(named <= told + 20, "\(named)")
  }

  @Test("A liar cannot make a peer refuse a message that is still to come, or that others bring late")
  func liar() {
    var tree = LoneTree(neighbours: 1...3)
    tree.receive(.push(signed(by: 9, 6)), from: 3)
    for sequence: UInt64 in [5, 7, 100] {
      tree.receive(.announce(identifier(9, sequence)), from: 1)
      tree.expireAwaited(identifier(9, sequence))
      tree.receive(.gone(identifier(9, sequence)), from: 1)
    }
    tree.run(until: tree.now + .seconds(9))
    tree.receive(.push(signed(by: 9, 5)), from: 2)
    tree.run(until: tree.now + .seconds(60))
    tree.receive(.push(signed(by: 9, 7)), from: 2)
    tree.receive(.push(signed(by: 9, 100)), from: 2)
    #expect(tree.deliveries.map(\.identifier.sequence) == [6, 5, 7, 100] && tree.missed.isEmpty)
  }

  @Test("A peer that keeps nothing says so to whoever asks, and does not trap")
  func keepsNothing() {
    var tree = LoneTree(neighbours: 1...2) { $0.historyMessages = 0 }
    tree.handle(.broadcast(SyntheticPayload(number: 1, byteCount: 5)))
    tree.receive(.push(signed(by: 9)), from: 1)
    tree.receive(.fetch(identifier(9, 0)), from: 2)
    tree.receive(.graft(identifier(0, 0)), from: 1)
    #expect(tree.toldGone() == [2, 1] && tree.supplied().isEmpty && tree.process.counters.goneSent == 2)
    tree.receive(.digest(Digest(origin: Peer(2), wantsAnswer: true)), from: 2)
    #expect(tree.digests.isEmpty && tree.process.sizes.history == 0)
  }

  @Test("What has left the history is not told of, and is counted")
  func evicted() {
    var tree = LoneTree(neighbours: 1...2) { $0.historyMessages = 10 }
    for sequence in UInt64(0)..<300 { tree.receive(.push(signed(by: 9, sequence)), from: 1) }
    tree.receive(.digest(Digest(origin: Peer(2), wantsAnswer: true)), from: 2)
    #expect(tree.digests.map(\.digest.ranges) == [[SequenceRange(290, 299)]])
    #expect(tree.process.counters.historyEvictions == 290)
  }

  @Test("Many origins are told of in as many digests as are sent at once, and all of them in turn")
  func manyOrigins() {
    var tree = LoneTree(neighbours: 1...2)
    for origin in 100..<700 { tree.receive(.push(signed(by: origin)), from: 1) }
    var told: Set<Peer> = []
    for _ in 0..<3 {
      tree.effects.clear()
      tree.receive(.digest(Digest(origin: Peer(2), wantsAnswer: true)), from: 2)
      #expect(tree.digests.count == BroadcastTreeConfiguration.digestsAtOnce)
      told.formUnion(tree.digests.map(\.digest.origin))
    }
    #expect(told.count == 600)
  }

  @Test("An origin with losses is told of in several digests, the newest numbers first, and only those")
  func manyRanges() {
    var tree = LoneTree(neighbours: 1...2)
    for sequence in UInt64(0)..<100 { tree.receive(.push(signed(by: 9, sequence * 2)), from: 1) }
    tree.receive(.digest(Digest(origin: Peer(2), wantsAnswer: true)), from: 2)
    let digests = tree.digests.map(\.digest)
    #expect(digests.count * Digest.rangeLimit == Digest.rangesPerOrigin)
    #expect(digests.first?.ranges.last == SequenceRange(198, 198))
    #expect(
      digests.reversed().flatMap(\.ranges).map(\.lower) == (68..<100).map { UInt64($0 * 2) },
      "each digest is ascending, and one follows on the other")
    #expect(digests.allSatisfy { $0.origin == Peer(9) && $0.ranges.count == Digest.rangeLimit })
  }

  @Test("Recovered messages are told of so many digests at a time, and all of them in the end, once")
  func manyNews() {
    var tree = LoneTree(neighbours: [1])
    for origin in 100..<250 {
      for sequence: UInt64 in [0, 2, 4, 6, 8] { tree.receive(.supply(signed(by: origin, sequence)), from: 1) }
    }
    var told: [MessageIdentifier] = []
    for _ in 0..<5 {
      tree.effects.sent.removeAll()
      tree.run(until: tree.now + BroadcastTreeConfiguration.gathering)
      #expect(tree.digests.count <= BroadcastTreeConfiguration.newsAtOnce)
      for (digest, _) in tree.digests {
        told += digest.ranges.map { MessageIdentifier(origin: digest.origin, sequence: $0.lower) }
      }
    }
    #expect(told.count == 750 && Set(told).count == 750)
    tree.effects.sent.removeAll()
    tree.run(until: tree.now + BroadcastTreeConfiguration.gathering)
    #expect(tree.digests.isEmpty)
  }

  @Test(
    "A newcomer catches up with what its neighbours have; one that does not want to begins with what is on its way"
  )
  func catchUp() {
    for wants in [true, false] {
      var tree = LoneTree(neighbours: 1...2) { $0.catchUp = wants }
      tree.receive(digest(8, (0, 5)), from: 1)
      tree.receive(.push(signed(by: 9, 1_000)), from: 1)
      tree.receive(digest(9, (0, 999)), from: 2)
      tree.run(until: tree.now + .seconds(2))
      let asked = fetches(tree)
      #expect(asked.contains { $0.from == 1 } == wants)
      #expect(
        asked.filter { $0.from == 2 }.map(\.sequence).min() == (wants ? 0 : 1_000 - SeenSequences.reach))
    }
  }

  @Test("A peer does not fetch from others what it broadcast itself")
  func ownMessages() {
    var tree = LoneTree(neighbours: 1...2)
    tree.receive(digest(0, (0, 50)), from: 1)
    tree.run(until: tree.now + .seconds(5))
    #expect(tree.fetched().isEmpty)
  }

  @Test("A peer that starts anew with what it had seen delivers nothing twice, and goes on with its numbers")
  func restart() throws {
    var tree = LoneTree(neighbours: 1...2)
    tree.handle(.broadcast(SyntheticPayload(number: 1, byteCount: 5)))
    for sequence: UInt64 in [0, 1, 2, 400] { tree.receive(.push(signed(by: 9, sequence)), from: 1) }
    let memory = try SeenMessages(tree.process.seen.stored)
    var again = LoneTree(
      BroadcastTree(
        identity: Peer(0), auth: IdealAuthenticator(owner: Peer(0)),
        firstSequence: tree.process.nextSequence, seen: memory), neighbours: 1...2)
    for sequence: UInt64 in [0, 1, 2, 3, 400, 401] {
      again.receive(.push(signed(by: 9, sequence)), from: 1)
    }
    #expect(again.deliveries.map(\.identifier.sequence) == [3, 401])
    again.effects.clear()
    again.receive(.digest(Digest(origin: Peer(2), wantsAnswer: true)), from: 1)
    #expect(
      again.digests.map(\.digest.ranges) == [
        [SequenceRange(3, 3), SequenceRange(400, 401)]
      ])
    again.handle(.broadcast(SyntheticPayload(number: 2, byteCount: 5)))
    #expect(again.effects.sent.compactMap(\.message.carriedBroadcast).map(\.identifier.sequence) == [1, 1])
  }

  @Test("A payload that is too large is refused before it is signed, and the check says so in one sentence")
  func oversized() {
    typealias RealTree = BroadcastTree<EightByteAuthenticator>
    let limit = [UInt8].byteLimit
    #expect(throws: Never.self) { try RealTree.check([UInt8](repeating: 1, count: limit)) }
    #expect(throws: OversizedPayload(byteCount: limit + 1, limit: limit)) {
      try RealTree.check([UInt8](repeating: 1, count: limit + 1))
    }
    var tree = RealTree(identity: Peer(0), auth: EightByteAuthenticator())
    var effects = RecordingEffects(RealTree.self, random: testRandom())
    tree.handle(.linkUp(Peer(1), .outgoing), at: .zero, into: &effects)
    tree.handle(.broadcast([UInt8](repeating: 1, count: limit + 1)), at: .zero, into: &effects)
    #expect(effects.sent.isEmpty && tree.counters.oversized == 1 && tree.nextSequence == 0)
  }
}
