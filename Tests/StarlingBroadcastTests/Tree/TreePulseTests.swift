import StarlingBroadcast
import StarlingCore
import StarlingTestSupport
import Testing

@Suite("The broadcast tree: signs of life")
struct TreePulseTests {
  private let pulse = BroadcastTreeConfiguration.pulse

  /// Broadcasts once a second for so long.
  private func broadcast(
    _ tree: inout LoneTree, seconds: Int, _ each: (inout LoneTree, Int) -> Void = { _, _ in }
  ) {
    for second in 0..<seconds {
      tree.handle(.broadcast(SyntheticPayload(number: 1, byteCount: 5)))
      each(&tree, second)
      tree.run(until: tree.now + .seconds(1))
    }
  }

  @Test(
    "Payloads stop flowing to a neighbour that only announces for 16 to 20 s; it is announced to, and no other is hurt"
  )
  func silence() {
    var tree = LoneTree(neighbours: 1...3)
    func live(_ tree: inout LoneTree, _ second: Int) {
      if second % 4 == 0 { tree.receive(.alive, from: 1) }
      if second % 4 == 1 { tree.receive(.push(signed(by: 9, UInt64(second))), from: 3) }
      // Of a message that is here already.
      tree.receive(.announce(MessageIdentifier(origin: Peer(0), sequence: 0)), from: 2)
    }
    broadcast(&tree, seconds: 16, live)
    #expect(tree.eager == [1, 2, 3] || tree.eager == [1, 3])
    broadcast(&tree, seconds: 5) { live(&$0, 16 + $1) }
    #expect(tree.eager == [1, 3] && tree.process.links.count == 3 && tree.process.counters.silentLinks == 1)
    tree.effects.clear()
    broadcast(&tree, seconds: 1)
    #expect(tree.announced() == [2])
    tree.receive(.graft(MessageIdentifier(origin: Peer(0), sequence: 3)), from: 2)
    #expect(tree.eager == [1, 2, 3], "one that was slow grafts")
  }

  @Test("A neighbour that answers ten seconds late, by a clock a fifth slower, is not taken for dead")
  func slow() {
    var tree = LoneTree(neighbours: 1...1)
    broadcast(&tree, seconds: 120) { tree, second in
      // The first sign comes after ten seconds and a pulse of its clock, then one a pulse.
      if second >= 14, (second - 14) % 5 == 0 { tree.receive(.alive, from: 1) }
    }
    #expect(tree.eager == [1] && tree.process.counters.silentLinks == 0)
  }

  @Test(
    "Without payloads nobody is expected to say anything, and a network in which nothing happens stays still")
  func idle() {
    var tree = LoneTree(neighbours: 1...3)
    #expect(tree.effects.timers.isEmpty, "nothing has happened yet")
    broadcast(&tree, seconds: 1)
    tree.effects.clear()
    tree.handle(.linkUp(Peer(4), .outgoing))
    tree.effects.clear()
    tree.effects.timers = [(.pulse(1), tree.now + pulse)]
    tree.run(until: tree.now + .seconds(3_600))
    #expect(tree.eager.contains(4))
    #expect(tree.effects.sent.count < 40 && tree.effects.sent.count == tree.summarised().count)
    #expect(tree.effects.timers.count == 1)
  }

  @Test("Who is pushed to says once a pulse that it is alive, and only then")
  func alive() {
    var tree = LoneTree(neighbours: 1...3)
    for second in UInt64(0)..<20 {
      tree.receive(.push(signed(by: 9, second)), from: 2)
      tree.run(until: tree.now + .seconds(1))
    }
    #expect(tree.livened() == [2, 2, 2, 2, 2] || tree.livened() == [2, 2, 2, 2])
    tree.run(until: tree.now + pulse)
    tree.effects.sent.removeAll()
    tree.run(until: tree.now + .seconds(600))
    #expect(tree.livened().isEmpty)
  }

  @Test("A first copy from a peer without a link is answered with a sign of life: the other end has a link")
  func halfLink() {
    var tree = LoneTree(neighbours: 1...2)
    tree.receive(.push(signed(by: 9)), from: 77)
    #expect(tree.livened() == [77])
  }

  @Test(
    "While messages flow, a random neighbour is told every other pulse what is here; then ever more rarely")
  func summaries() {
    var tree = LoneTree(neighbours: 1...10)
    broadcast(&tree, seconds: 400) { tree, _ in
      for neighbour in 1...10 { tree.receive(.alive, from: neighbour) }
    }
    let told = tree.summarised()
    #expect((48...51).contains(told.count) && Set(told).count >= 8, "\(told); \(replay)")
    tree.effects.sent.removeAll()
    tree.run(until: tree.now + .seconds(1_280))
    #expect((10...18).contains(tree.summarised().count), "\(tree.summarised().count)")
    tree.effects.sent.removeAll()
    broadcast(&tree, seconds: 10)
    #expect(!tree.summarised().isEmpty, "new messages make it quick again")
  }

  @Test("A message that the network doubles does not prune the link that it came over")
  func doubled() {
    var tree = LoneTree(neighbours: 1...3)
    for sequence in UInt64(0)..<50 {
      tree.receive(.push(signed(by: 9, sequence)), from: 1)
      tree.receive(.push(signed(by: 9, sequence)), from: 1)
      if sequence > 0 { tree.receive(.push(signed(by: 9, sequence - 1)), from: 1) }
    }
    #expect(tree.eager == [1, 2, 3] && tree.pruned().isEmpty && tree.process.counters.duplicates == 99)
    tree.receive(.push(signed(by: 9, 10)), from: 1)
    #expect(tree.eager == [2, 3] && tree.pruned() == [1], "an old one does")
  }
}
