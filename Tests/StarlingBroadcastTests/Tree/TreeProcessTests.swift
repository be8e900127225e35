import StarlingBroadcast
import StarlingCore
import StarlingTestSupport
import Testing

@Suite("The broadcast tree: one peer")
struct TreeProcessTests {
  @Test("A peer's own message goes to every neighbour, signed, on its first hop, made ready once")
  func origin() {
    var tree = LoneTree(neighbours: 1...5)
    tree.handle(.broadcast(SyntheticPayload(number: 3, byteCount: 10)))
    tree.handle(.broadcast(SyntheticPayload(number: 4, byteCount: 10)))
    #expect(tree.pushed() == [1, 2, 3, 4, 5, 1, 2, 3, 4, 5] && tree.announced().isEmpty)
    #expect(tree.effects.prepared <= 4, "a push and an announcement are each made ready once")
    let copies = tree.effects.sent.compactMap(\.message.carriedBroadcast)
    #expect(copies.allSatisfy { $0.isAuthentic(to: IdealAuthenticator(owner: Peer(9))) && $0.hops == 1 })
    #expect(copies.map(\.identifier.sequence) == [0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
    #expect(tree.deliveries.isEmpty, "a peer does not deliver to itself what it broadcasts")
  }

  @Test(
    "A first copy is delivered, pushed on one hop further to all but its sender, and announced on pruned links"
  )
  func forwarding() {
    var tree = LoneTree(neighbours: 1...5)
    tree.receive(.prune, from: 4)
    tree.receive(.push(signed(by: 9, hops: 3)), from: 2)
    #expect(tree.deliveries.count == 1 && tree.deliveries[0].from == 2)
    #expect(tree.pushed() == [1, 3, 5] && tree.announced() == [4])
    #expect(tree.effects.sent.compactMap(\.message.carriedBroadcast).allSatisfy { $0.hops == 4 })
  }

  @Test("The count of hops stops at its end instead of starting anew")
  func hops() {
    var tree = LoneTree(neighbours: 1...2)
    tree.receive(.push(signed(by: 9, hops: .max)), from: 1)
    #expect(tree.effects.sent.compactMap(\.message.carriedBroadcast).map(\.hops) == [.max])
  }

  @Test("A duplicate is never delivered or passed on, whoever sends it and however often")
  func duplicates() {
    var tree = LoneTree(neighbours: 1...5, pruneThreshold: 255)
    tree.receive(.push(signed(by: 9)), from: 2)
    tree.effects.sent.removeAll()
    for round in 0..<20 {
      for sender in 1...7 { tree.receive(.push(signed(by: 9, hops: UInt16(round))), from: sender) }
    }
    #expect(tree.deliveries.count == 1 && tree.pushed().isEmpty && tree.announced().isEmpty)
    var origin = LoneTree(neighbours: 1...5)
    origin.handle(.broadcast(SyntheticPayload(number: 3, byteCount: 10)))
    origin.receive(.push(signed(by: 0, number: 3, byteCount: 10)), from: 1)
    #expect(origin.deliveries.isEmpty, "an origin's own message that comes back is a duplicate")
  }

  @Test("A duplicate prunes its link at this end and tells the other")
  func prune() {
    var tree = LoneTree(neighbours: 1...3)
    tree.receive(.push(signed(by: 9)), from: 1)
    tree.receive(.push(signed(by: 9)), from: 2)
    #expect(tree.pruned() == [2] && tree.eager == [1, 3])
    tree.receive(.prune, from: 3)
    #expect(tree.eager == [1] && tree.pruned() == [2], "a prune is not answered")
  }

  @Test(
    "A link is pruned by as many duplicates in a row as the threshold says, and a first copy starts anew",
    arguments: [1, 2, 3, 255])
  func threshold(_ threshold: Int) {
    var tree = LoneTree(neighbours: 1...2, pruneThreshold: threshold)
    tree.receive(.push(signed(by: 9, 0)), from: 1)
    for _ in 0..<(threshold - 1) { tree.receive(.push(signed(by: 9, 0)), from: 2) }
    #expect(tree.eager == [1, 2] && tree.pruned().isEmpty)
    tree.receive(.push(signed(by: 9, 1)), from: 2)
    for _ in 0..<(threshold - 1) { tree.receive(.push(signed(by: 9, 0)), from: 2) }
    #expect(tree.eager == [1, 2] && tree.pruned().isEmpty, "a first copy came in between")
    tree.receive(.push(signed(by: 9, 0)), from: 2)
    #expect(tree.eager == [1] && tree.pruned() == [2])
  }

  @Test(
    "A copy with a bad signature is refused: not delivered, not passed on, not taken for seen, its sender named"
  )
  func forgery() {
    let good = signed(by: 9, 5)
    for forgery in forgeries(of: good) {
      var tree = LoneTree(neighbours: 1...3)
      tree.receive(.push(forgery), from: 2)
      #expect(tree.deliveries.isEmpty && tree.effects.sent.isEmpty && tree.refusals == [2])
      tree.receive(.graft(forgery.identifier), from: 3)
      #expect(tree.pushed().isEmpty, "what was refused must not be given out either")
      tree.receive(.push(good), from: 1)
      #expect(tree.deliveries.count == 1 && tree.eager == [1, 2, 3], "the honest copy is no duplicate")
    }
  }

  @Test("A first copy makes its link eager: messages come that way")
  func firstCopyGrafts() {
    var tree = LoneTree(neighbours: 1...3)
    tree.receive(.prune, from: 2)
    #expect(tree.eager == [1, 3])
    tree.receive(.push(signed(by: 9)), from: 2)
    #expect(tree.eager == [1, 2, 3])
  }

  @Test("A duplicate from a peer without a link is answered with a prune, since the other end has one")
  func halfLink() {
    var tree = LoneTree(neighbours: 1...2)
    tree.receive(.push(signed(by: 9)), from: 1)
    tree.receive(.push(signed(by: 9)), from: 77)
    #expect(tree.pruned() == [77] && tree.eager == [1, 2] && tree.process.links.count == 2)
  }

  @Test("A link lives as long as an arc in either direction does, and a lost connection ends it at once")
  func links() {
    var tree = LoneTree(neighbours: [1, 2])
    tree.handle(.linkUp(Peer(1), .incoming))
    tree.handle(.linkUp(Peer(3), .incoming))
    tree.handle(.linkUp(Peer(0), .outgoing))
    #expect(tree.eager == [1, 2, 3], "one link to a peer, none to itself")
    tree.handle(.linkDown(Peer(1), .outgoing))
    #expect(tree.eager == [1, 2, 3])
    tree.handle(.linkDown(Peer(1), .incoming))
    tree.handle(.linkDown(Peer(44), .incoming))
    #expect(tree.eager == [3, 2], "the last link moves into the gap")
    tree.process.disconnect(from: Peer(3), at: .zero, into: &tree.effects)
    tree.process.disconnect(from: Peer(44), at: .zero, into: &tree.effects)
    #expect(tree.eager == [2])
  }

  @Test("An arc that appears on a pruned link does not make it eager")
  func secondArc() {
    var tree = LoneTree(neighbours: [1])
    tree.receive(.prune, from: 1)
    tree.handle(.linkUp(Peer(1), .incoming))
    #expect(tree.eager.isEmpty)
  }

  @Test("No message from anybody, in any order, traps, and every table keeps its bound")
  func anything() {
    var random = testRandom()
    for round in 0..<30 {
      var tree = LoneTree(neighbours: 1...4, pruneThreshold: round % 3 + 1) {
        $0.historyMessages = UInt16(round % 5)
        $0.historyBytes = UInt32(round * 50)
        $0.missingLimit = UInt16(round % 6)
        $0.catchUp = round % 2 == 0
      }
      for _ in 0..<200 {
        let origin = random.uniform(below: 12)
        let sequences: [UInt64] = [0, 1, 300, .max, .max - 300, 1 << 40]
        let sequence = sequences[random.uniform(below: 6)] &+ UInt64(random.uniform(below: 3))
        let copy = signed(by: origin, sequence, byteCount: random.uniform(below: 200))
        let sender = random.uniform(below: 12)
        tree.now = Instant(nanoseconds: random.oneIn(20) ? .max : random.next() >> 24)
        switch random.uniform(below: 16) {
        case 0: tree.receive(.push(forgeries(of: copy)[random.uniform(below: 5)]), from: sender)
        case 1, 2: tree.receive(.announce(copy.identifier), from: sender)
        case 3: tree.receive(.graft(copy.identifier), from: sender)
        case 4: tree.receive(.prune, from: sender)
        case 5: tree.expire(.missing(copy.identifier))
        case 6:
          tree.handle(random.oneIn(2) ? .linkUp(Peer(sender), .incoming) : .linkDown(Peer(sender), .incoming))
        case 7: tree.receive(.supply(copy), from: sender)
        case 8: tree.receive(.gone(copy.identifier), from: sender)
        case 9: tree.receive(.fetch(copy.identifier), from: sender)
        case 10: tree.receive(.summary(Summary(count: 1, fingerprint: random.next())), from: sender)
        case 11, 12:
          let ends = (sequence, sequences[random.uniform(below: 6)])
          let range = SequenceRange(min(ends.0, ends.1), max(ends.0, ends.1))
          let digest = Digest(origin: Peer(origin), ranges: [range], wantsAnswer: random.oneIn(2))
          tree.receive(.digest(digest), from: sender)
        case 13:
          if let timer = tree.effects.timers.popLast() { tree.expire(timer.timer) }
        default: tree.receive(.push(copy), from: sender)
        }
        #expect(
          tree.process.sizes.history <= round % 5 && tree.process.sizes.missing <= round % 6 + (round % 6) / 4
        )
      }
      let unique = Set(tree.deliveries.map(\.identifier))
      #expect(unique.count == tree.deliveries.count, "a message was delivered twice; \(replay)")
    }
  }
}
