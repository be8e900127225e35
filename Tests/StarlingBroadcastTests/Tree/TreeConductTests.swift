import StarlingBroadcast
import StarlingCore
import StarlingTestSupport
import Testing

@Suite("The broadcast tree: conduct")
struct TreeConductTests {
  private func announcement(_ sequence: UInt64) -> BroadcastTree<IdealAuthenticator>.Message {
    .announce(signed(by: 9, sequence).identifier)
  }

  /// The messages that were asked for by a graft, and of whom.
  private func grafts(_ tree: LoneTree) -> [(sequence: UInt64, of: Int)] {
    tree.effects.sent.compactMap {
      if case .graft(let identifier) = $0.message { (identifier.sequence, Int($0.to.index)) } else { nil }
    }
  }

  @Test(
    "Who sends the same old message over and over is accused; who sends it as often as it may be asked is not"
  )
  func replay() {
    var tree = LoneTree(neighbours: 1...2)
    tree.receive(.push(signed(by: 9)), from: 1)
    // Asked twenty times in vain, a slow peer answers all of them, and the network doubles every answer.
    for _ in 0..<(2 * Int(BroadcastTreeConfiguration.graftAttempts) + 1) {
      tree.receive(.push(signed(by: 9)), from: 2)
    }
    #expect(tree.accused.isEmpty)
    for _ in 0..<BroadcastTreeConfiguration.replayLimit { tree.receive(.push(signed(by: 9)), from: 2) }
    #expect(tree.accused == [.replay])
  }

  @Test("A pruned peer that has not heard of it pushes a thousand different messages and is not accused")
  func lostPrune() {
    var tree = LoneTree(neighbours: 1...2)
    for sequence in UInt64(0)..<1_000 {
      tree.receive(.push(signed(by: 9, sequence)), from: 1)
      tree.receive(.push(signed(by: 9, sequence)), from: 2)
      if sequence % 20 == 0 { tree.receive(.push(signed(by: 9, sequence)), from: 2) }
    }
    #expect(tree.accused.isEmpty && tree.pruned().count > 1_000)
  }

  @Test(
    "A flood of announcements is accused once it is far beyond the share of the table; half a minute's at once are not"
  )
  func announcements() {
    var tree = LoneTree(neighbours: 1...2)
    let share = UInt64(tree.process.configuration.missingLimit) / 8
    let limit = UInt64(BroadcastTreeConfiguration.refusalLimit)
    #expect(limit >= 32 * 200, "a receiver that was stopped finds as many")
    for sequence in 0..<(share + limit) { tree.receive(announcement(sequence), from: 1) }
    #expect(tree.accused.isEmpty && tree.process.counters.missingTableFull == limit)
    for sequence in 0..<UInt64(100) { tree.receive(announcement(share + limit + sequence), from: 1) }
    #expect(tree.accused == [.unsolicited])
  }

  @Test(
    "Who announces while others have filled the table gets its fair part of it, and is not to blame for more")
  func wantOfRoom() {
    var tree = LoneTree(neighbours: 1...9) { $0.missingLimit = 80 }
    for sequence in UInt64(0)..<80 { tree.receive(announcement(sequence), from: 1 + Int(sequence) % 8) }
    let many = 2 * UInt64(BroadcastTreeConfiguration.refusalLimit)
    for sequence in 80..<(80 + many) { tree.receive(announcement(sequence), from: 9) }
    #expect(tree.accused.isEmpty && tree.process.counters.missingTableFull == many)
    #expect(tree.process.sizes.missing == 80)
    tree.run(until: tree.now + .seconds(2))
    #expect(
      Set(grafts(tree).filter { $0.of == 9 }.map(\.sequence)).count == 8,
      "an eighth of the 80 would be 10; the others keep 9")
  }

  @Test("What strangers announce or offer is not believed, and counted")
  func strangers() {
    var tree = LoneTree(neighbours: 1...2)
    for sequence in UInt64(0)..<1_000 { tree.receive(announcement(sequence), from: 100 + Int(sequence % 50)) }
    tree.receive(.digest(Digest(origin: Peer(9), ranges: [SequenceRange(0, 99)])), from: 100)
    tree.run(until: tree.now + .seconds(10))
    #expect(tree.process.sizes.missing == 0 && tree.grafted().isEmpty && tree.fetched().isEmpty)
    #expect(tree.accused.isEmpty && tree.process.counters.strangersIgnored == 1_001)
  }

  @Test("What a liar announced first and a neighbour confirms does not fall with the liar's inventions")
  func confirmed() {
    var tree = LoneTree(neighbours: 1...10) { $0.missingLimit = 80 }
    // The liar guesses a real message of origin 9 and fills its share.
    for sequence in UInt64(1_000)..<1_009 { tree.receive(announcement(sequence), from: 1) }
    tree.receive(announcement(7), from: 1)
    for liar in 2...8 {
      for sequence in 0..<UInt64(10) {
        tree.receive(announcement(10_000 * UInt64(liar) + sequence), from: liar)
      }
    }
    #expect(tree.process.sizes.missing == 80)
    tree.receive(announcement(7), from: 9)
    for sequence in UInt64(20)..<28 { tree.receive(announcement(sequence), from: 10) }
    tree.run(until: tree.now + .seconds(3))
    #expect(grafts(tree).contains { $0.of == 9 && $0.sequence == 7 })
  }

  @Test("A peer that announces 200 messages a second, none of which arrives, is not accused")
  func oneWay() {
    var tree = LoneTree(neighbours: 1...2)
    var sequence: UInt64 = 0
    for _ in 0..<60 {
      for _ in 0..<200 {
        tree.receive(announcement(sequence), from: 1)
        sequence += 1
      }
      tree.run(until: tree.now + .seconds(1))
      tree.effects.sent.removeAll()
    }
    #expect(tree.accused.isEmpty && tree.missed.isEmpty)
    #expect(tree.process.sizes.missing <= Int(tree.process.configuration.missingLimit))
  }

  @Test(
    "Digests that are turned round, or come far more often than they are sent, are accused; half a minute's at once are not"
  )
  func digests() {
    var tree = LoneTree(neighbours: 1...2)
    tree.receive(.push(signed(by: 9)), from: 1)
    let limit = BroadcastTreeConfiguration.digestLimit
    let small = Digest(origin: Peer(9), ranges: [SequenceRange(0, 0)])
    for _ in 0..<(8 * 2_200) { tree.receive(.digest(small), from: 1) }
    #expect(tree.accused.isEmpty)
    for _ in 0..<limit { tree.receive(.digest(small), from: 1) }
    #expect(tree.accused == [.unsolicited])
    let questions = limit / BroadcastTreeConfiguration.questionWeight
    for _ in 0..<questions { tree.receive(.summary(Summary(count: 3, fingerprint: 5)), from: 2) }
    #expect(tree.accused == [.unsolicited] && tree.digests.count == questions)
    for _ in 0..<questions { tree.receive(.summary(Summary(count: 3, fingerprint: 5)), from: 2) }
    #expect(tree.accused == [.unsolicited, .unsolicited] && tree.digests.count == questions)
    let turned = Digest(origin: Peer(9), ranges: [SequenceRange(9, 1)])
    tree.receive(.digest(turned), from: 3)
    #expect(tree.accused == [.unsolicited, .unsolicited, .unsolicited])
    tree.run(until: tree.now + .seconds(10))
    #expect(tree.fetched().isEmpty)
  }

  @Test("Every peer that is remembered anywhere is named, so that no handle is given out twice")
  func remembered() {
    var tree = LoneTree(neighbours: [1, 2, 3, 6])
    tree.receive(.push(signed(by: 9)), from: 1)
    tree.receive(.announce(signed(by: 10).identifier), from: 2)
    let digest = Digest(origin: Peer(11), ranges: [SequenceRange(0, 99)])
    tree.receive(.digest(digest), from: 3)
    for _ in 0..<3 { tree.receive(.push(signed(by: 9)), from: 4) }
    tree.receive(.supply(signed(by: 12)), from: 5)
    tree.receive(.announce(signed(by: 13).identifier), from: 6)
    tree.receive(.gone(signed(by: 13).identifier), from: 6)
    var named: Set<Peer> = []
    tree.process.forEachPeer { named.insert($0) }
    #expect(named.isSuperset(of: [1, 2, 3, 4, 6, 9, 10, 11, 12, 13].map { Peer($0) }))
    tree.expireAwaited(signed(by: 10).identifier)
    tree.run(until: tree.now + .seconds(2))
    named = []
    tree.process.forEachPeer { named.insert($0) }
    #expect(named.isSuperset(of: [2, 3, 11].map { Peer($0) }))
    // Told just before a pulse, which forgets the conduct: for now peer 3 is in the offers alone.
    var late = LoneTree(neighbours: [1, 3])
    late.receive(.push(signed(by: 9)), from: 1)
    late.run(until: late.now + .milliseconds(3_900))
    late.receive(.digest(digest), from: 3)
    late.run(until: late.now + .milliseconds(300))
    named = []
    late.process.forEachPeer { named.insert($0) }
    #expect(late.fetched().isEmpty && named.isSuperset(of: [3, 11].map { Peer($0) }))
  }
}
