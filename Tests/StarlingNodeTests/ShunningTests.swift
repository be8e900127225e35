import StarlingCore
import Testing

@testable import StarlingNode

@Suite struct ShunningTests {
  private func send(_ frame: [UInt8], from node: TestNode, to other: TestNode, in network: NodeNetwork) throws
  {
    let peer = try #require(node.node.peers.table.peer(with: other.key))
    node.node.host.core.send(.init(frame: frame, trafficClass: 0), to: peer)
    node.node.expire(at: network.now, into: &node.sink)
    network.collect(from: node)
  }

  @Test(
    "a node that sends what cannot be read loses its budget, then its links, and comes back after a minute")
  func malformed() throws {
    let nodes = try (1...3).map { n in
      try TestNode(n, contacts: n == 1 ? [] : [try address(1)], seed: 4)
    }
    let network = NodeNetwork(nodes, seed: 4)
    nodes.forEach { network.start($0) }
    network.run(for: .seconds(20))
    let (victim, liar) = (nodes[0], nodes[2])
    #expect(victim.status.neighbours.contains { $0.key == liar.key })
    for _ in 0..<7 { try send([1, 1, 99], from: liar, to: victim, in: network) }
    network.run(for: .milliseconds(500))
    #expect(victim.status.counters.misbehaviour[Int(Misbehaviour.malformed.rawValue)] == 7)
    #expect(victim.status.shunned.isEmpty)
    try send([1, 1, 99], from: liar, to: victim, in: network)
    network.run(for: .milliseconds(500))
    let shunned = victim.status.shunned
    #expect(shunned.map(\.key) == [liar.key])
    #expect(shunned.first?.fault == .malformed)
    #expect(victim.sink.events.contains(.shunned(liar.key, for: .malformed, lasting: Conduct.firstSentence)))
    #expect(!victim.status.neighbours.contains { $0.key == liar.key })
    #expect(!victim.isAlone)
    network.run(for: .seconds(30))
    #expect(!victim.status.neighbours.contains { $0.key == liar.key })
    #expect(victim.status.counters.host.connectionsRefused < 100)
    network.run(for: .seconds(40))
    #expect(victim.status.shunned.isEmpty)
    // The others never stopped being neighbours.
    #expect(victim.status.neighbours.contains { $0.key == nodes[1].key })
  }
}
