import StarlingCore
import StarlingTransport
import Testing

@testable import StarlingNode

@Suite struct HostileHostTests {
  @Test("a message that does not decode costs its sender the connection, if the process keeps no budgets")
  func violations() throws {
    let hosts = try (1...2).map { try RumourHost($0, seed: 1) }
    let network = RumourNetwork(hosts, seed: 1)
    let victim = try hosts[0].handle(of: hosts[1])
    network.request(.babble(to: victim), of: hosts[0])
    network.run(for: .seconds(1))
    #expect(hosts[1].host.counters.violations == 1)
    #expect(hosts[1].connectionCount == 0)
    #expect(hosts[0].connectionCount == 0)
    #expect(hosts[1].sink.events.count == 1)
    #expect(hosts[1].heard.isEmpty)
    // The stranger that the message named is not remembered.
    #expect(hosts[1].peers.table.count == 2)
  }

  @Test("a process that keeps budgets is told of every message that does not decode, and judges for itself")
  func blamed() throws {
    let hosts = try (1...2).map { try RumourHost($0, seed: 1) { _, hooks in hooks.blame = { .know($0) } } }
    let network = RumourNetwork(hosts, seed: 1)
    let victim = try hosts[0].handle(of: hosts[1])
    for _ in 0..<20 { network.request(.babble(to: victim), of: hosts[0]) }
    network.run(for: .seconds(1))
    #expect(hosts[1].host.counters.violations == 20)
    #expect(hosts[1].connectionCount == 1)
    #expect(hosts[1].host.process.known.contains(try hosts[1].handle(of: hosts[0])))
  }

  @Test("a shunned peer loses its connections, gets none while it is shunned, and gets one afterwards")
  func shunned() throws {
    let hosts = try (1...2).map { try RumourHost($0, seed: 1) }
    let network = RumourNetwork(hosts, seed: 1)
    network.request(.know(try hosts[0].handle(of: hosts[1])), of: hosts[0])
    network.request(.tell(1), of: hosts[0])
    network.run(for: .seconds(1))
    let handle = try hosts[1].handle(of: hosts[0])
    let end = network.now + .seconds(30)
    hosts[1].host.shun(handle, until: end, at: network.now, into: &hosts[1].sink)
    #expect(hosts[1].connectionCount == 0)
    #expect(hosts[1].sink.indications == [.heard(1, from: handle), .lost(handle)])
    network.run(for: .seconds(10))
    network.request(.know(try hosts[0].handle(of: hosts[1])), of: hosts[0])
    network.request(.tell(2), of: hosts[0])
    network.run(for: .seconds(10))
    #expect(hosts[1].heard == [1])
    #expect(hosts[1].host.counters.connectionsRefused == 1)
    #expect(hosts[1].connectionCount == 0)
    network.run(for: .seconds(15))
    network.request(.know(try hosts[0].handle(of: hosts[1])), of: hosts[0])
    network.request(.tell(3), of: hosts[0])
    network.run(for: .seconds(5))
    #expect(hosts[1].heard.contains(3))
    #expect(hosts[1].connectionCount == 1)
  }

  @Test("frames of another version, of unknown kind or out of place are violations")
  func frames() throws {
    var reader = WireReader([2, 1])
    #expect(throws: WireError.self) { _ = try HostFrame.readKind(from: &reader) }
    reader = WireReader([1, 2])
    #expect(throws: WireError.self) { _ = try HostFrame.readKind(from: &reader) }
    reader = WireReader([1])
    #expect(throws: WireError.self) { _ = try HostFrame.readKind(from: &reader) }
    reader = WireReader(HostFrame.introduction(port: 258))
    #expect(try HostFrame.readKind(from: &reader) == .introduction)
    #expect(try reader.read(UInt16.self) == 258)
  }

  @Test("random bytes in place of datagrams do nothing")
  func noise() throws {
    var random = Xoshiro256(seed: testSeed(default: 77))
    let host = try RumourHost(1, seed: 1)
    for _ in 0..<2_000 {
      let bytes = (0..<random.uniform(below: 1_300)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      host.host.receive(bytes, from: try address(2), at: .zero, into: &host.sink)
    }
    #expect(host.sink.connected.isEmpty)
    #expect(host.sink.indications.isEmpty)
  }

  @Test("names of strangers cannot fill the peer table while the process does not remember them")
  func strangers() throws {
    let hosts = try [
      RumourHost(1, seed: 1, peerLimit: 1_024),
      RumourHost(2, seed: 1, peerLimit: 32) { _, hooks in
        hooks.forEachPeer = { process, body in process.known.members.prefix(4).forEach(body) }
      },
    ]
    let network = RumourNetwork(hosts, seed: 1)
    let victim = try hosts[0].handle(of: hosts[1])
    for n in 0..<200 {
      let key = try #require(PublicKey(seedBytes(9, n)))
      let stranger = try hosts[0].peers.table.intern(PeerRecord(key: key, address: try address(3)))
      network.request(.introduce(stranger, to: victim), of: hosts[0])
      network.run(for: .milliseconds(100))
    }
    #expect(hosts[1].host.counters.received[0].messages == 200)
    #expect(hosts[1].host.counters.droppedTableFull == 0)
    #expect(hosts[1].host.counters.peersFreed > 100)
    #expect(hosts[1].host.counters.violations == 0)
    #expect(hosts[1].connectionCount == 1)
    #expect(hosts[1].peers.table.peer(with: hosts[0].key) == hosts[1].sink.connected.first)
  }

  @Test("when every peer in the table is needed new ones are refused, and nobody is blamed")
  func fullTable() throws {
    let hosts = try [RumourHost(1, seed: 1), RumourHost(2, seed: 1, peerLimit: 16)]
    let network = RumourNetwork(hosts, seed: 1)
    let victim = try hosts[0].handle(of: hosts[1])
    for n in 0..<30 {
      let key = try #require(PublicKey(seedBytes(9, n)))
      let stranger = try hosts[0].peers.table.intern(PeerRecord(key: key, address: try address(3)))
      network.request(.introduce(stranger, to: victim), of: hosts[0])
    }
    network.run(for: .seconds(1))
    #expect(hosts[1].host.counters.received[0].messages == 14)
    #expect(hosts[1].host.counters.droppedTableFull == 16)
    #expect(hosts[1].host.counters.violations == 0)
  }
}
