import StarlingCore
import StarlingTransport
import Testing

@testable import StarlingNode

@Suite struct ProcessHostTests {
  @Test("a protocol that knows nothing of networks runs over one that loses and reorders")
  func anyProcess() throws {
    let seed = testSeed(default: 21)
    let hosts = try (1...3).map { try RumourHost($0, seed: seed) }
    let network = RumourNetwork(hosts, seed: seed, loss: 0.1)
    network.request(.know(try hosts[0].handle(of: hosts[1])), of: hosts[0])
    network.request(.know(try hosts[1].handle(of: hosts[2])), of: hosts[1])
    for number: UInt32 in 1...50 { network.request(.tell(number), of: hosts[0]) }
    network.run(for: .seconds(10))
    #expect(hosts[1].heard.sorted() == Array(1...50))
    #expect(hosts[2].heard.sorted() == Array(1...50))
    #expect(hosts[0].host.counters.sent[0].messages == 50)
    #expect(hosts[1].host.counters.received[0].messages == 50)
    #expect(hosts[1].host.counters.received[0].bytes == 50 * 7)
  }

  @Test("two runs of one seed send the same datagrams")
  func replay() throws {
    func run() throws -> (TransportCounters, [UInt32]) {
      let hosts = try (1...2).map { try RumourHost($0, seed: 3) }
      let network = RumourNetwork(hosts, seed: 3, loss: 0.2)
      network.request(.know(try hosts[0].handle(of: hosts[1])), of: hosts[0])
      for number: UInt32 in 1...50 { network.request(.tell(number), of: hosts[0]) }
      network.run(for: .seconds(10))
      return (hosts[0].host.transportCounters, hosts[1].heard)
    }
    let (first, second) = (try run(), try run())
    #expect(first.0 == second.0)
    #expect(first.1 == second.1)
  }

  @Test("a timer comes back when it is due")
  func timers() throws {
    let hosts = try (1...2).map { try RumourHost($0, seed: 1) }
    let network = RumourNetwork(hosts, seed: 1)
    network.request(.know(try hosts[0].handle(of: hosts[1])), of: hosts[0])
    network.request(.tellLater(7, after: .seconds(5)), of: hosts[0])
    network.run(for: .milliseconds(4_999))
    #expect(hosts[0].host.process.heard.isEmpty)
    network.run(for: .seconds(1))
    #expect(hosts[1].heard == [7])
  }

  @Test("what a process sends to itself goes nowhere")
  func oneself() throws {
    let host = try RumourHost(1, seed: 1)
    let network = RumourNetwork([host], seed: 1)
    network.request(.know(PeerTable.own), of: host)
    network.request(.tell(1), of: host)
    network.run(for: .seconds(1))
    #expect(host.host.transportCounters.datagramsSent == 0)
    #expect(host.heard.isEmpty)
  }

  @Test("a peer named in a message can be reached at the address that came with it")
  func hearsay() throws {
    let hosts = try (1...3).map { try RumourHost($0, seed: 1) }
    let network = RumourNetwork(hosts, seed: 1)
    let (first, second) = (try hosts[0].handle(of: hosts[1]), try hosts[0].handle(of: hosts[2]))
    network.request(.introduce(second, to: first), of: hosts[0])
    network.run(for: .seconds(1))
    network.request(.tell(9), of: hosts[1])
    network.run(for: .seconds(1))
    #expect(hosts[2].heard == [9])
    #expect(hosts[0].heard.isEmpty)
  }

  @Test("whoever was connected to can answer, and knows where the other listens")
  func introduction() throws {
    let hosts = try [
      RumourHost(1, seed: 1) { configuration, _ in configuration.listenPort = 4_001 },
      RumourHost(2, seed: 1),
    ]
    let network = RumourNetwork(hosts, seed: 1)
    network.request(.know(try hosts[0].handle(of: hosts[1])), of: hosts[0])
    network.request(.tell(1), of: hosts[0])
    network.run(for: .seconds(1))
    let handle = try #require(hosts[1].sink.connected.first)
    let known = hosts[1].peers.table.record(of: handle)
    #expect(known.key == hosts[0].key)
    #expect(known.address == SocketAddress(host: hosts[0].address.host, port: 4_001))
    network.request(.know(handle), of: hosts[1])
    network.request(.tell(2), of: hosts[1])
    network.run(for: .seconds(1))
    #expect(hosts[0].heard == [2])
    #expect(hosts[1].host.connectionCount == 1)
  }

  @Test("when both ends connect at once nothing is lost, and one connection remains")
  func simultaneousOpen() throws {
    let seed = testSeed(default: 4)
    let hosts = try (1...2).map { try RumourHost($0, seed: seed) }
    let network = RumourNetwork(hosts, seed: seed, loss: 0.05)
    for (a, b) in [(0, 1), (1, 0)] {
      network.request(.know(try hosts[a].handle(of: hosts[b])), of: hosts[a])
      network.request(.tell(UInt32(a)), of: hosts[a])
    }
    network.run(for: .seconds(2))
    #expect(hosts.map(\.connectionCount) == [2, 2])
    for number: UInt32 in 10..<20 { network.request(.tell(number), of: hosts[Int(number % 2)]) }
    network.run(for: .seconds(20))
    #expect(hosts[0].heard.sorted() == [1, 11, 13, 15, 17, 19])
    #expect(hosts[1].heard.sorted() == [0, 10, 12, 14, 16, 18])
    #expect(hosts.map(\.connectionCount) == [1, 1])
    #expect(!hosts.contains { $0.sink.indications.contains { if case .lost = $0 { true } else { false } } })
  }

  @Test(
    "a peer that is started anew just after it was connected to is heard, and hears, within seconds",
    arguments: [(0, 1), (1, 0)])
  func quickRestart(stays: Int, restarts: Int) throws {
    var hosts = try (1...2).map { try RumourHost($0, seed: 1) }
    let network = RumourNetwork(hosts, seed: 1)
    // The one that stays opens the first connection, and the new life of the other the second.
    network.request(.know(try hosts[stays].handle(of: hosts[restarts])), of: hosts[stays])
    network.request(.tell(1), of: hosts[stays])
    network.run(for: .seconds(1))
    hosts[restarts] = try RumourHost(restarts + 1, seed: 1, life: 1)
    network.hosts = hosts
    network.request(.know(try hosts[restarts].handle(of: hosts[stays])), of: hosts[restarts])
    network.request(.tell(2), of: hosts[restarts])
    network.run(for: .seconds(3))
    network.request(.tell(3), of: hosts[stays])
    network.run(for: .seconds(1))
    #expect(hosts[stays].heard == [2])
    #expect(hosts[restarts].heard == [3])
    #expect(hosts.map(\.connectionCount) == [1, 1])
  }

  @Test("the process is told when its last connection to a peer is lost, once")
  func loss() throws {
    let hosts = try (1...2).map { try RumourHost($0, seed: 1) }
    let network = RumourNetwork(hosts, seed: 1)
    let handle = try hosts[0].handle(of: hosts[1])
    network.request(.know(handle), of: hosts[0])
    network.request(.tell(1), of: hosts[0])
    network.run(for: .seconds(1))
    network.network.cut = [hosts[1].address]
    network.run(for: .seconds(120))
    #expect(hosts[0].sink.indications == [.lost(handle)])
    #expect(hosts[0].host.connectionCount == 0)
  }

  @Test("a peer that cannot be reached is reported lost, also when it has no address")
  func unreachable() throws {
    let hosts = try (1...2).map { try RumourHost($0, seed: 1) }
    let network = RumourNetwork([hosts[0]], seed: 1)
    let away = try hosts[0].handle(of: hosts[1])
    network.request(.know(away), of: hosts[0])
    network.request(.tell(1), of: hosts[0])
    #expect(hosts[0].sink.indications.isEmpty)
    network.run(for: .seconds(30))
    #expect(hosts[0].sink.indications == [.lost(away)])
    let nowhere = try hosts[0].peers.table.intern(
      PeerRecord(key: try #require(PublicKey([UInt8](repeating: 5, count: 32))), address: nil))
    network.request(.know(nowhere), of: hosts[0])
    network.request(.tell(2), of: hosts[0])
    network.request(.tell(3), of: hosts[0])
    #expect(hosts[0].host.counters.droppedUnreachable == 2)
    network.run(for: .seconds(5))
    #expect(hosts[0].sink.indications == [.lost(away), .lost(nowhere)])
  }

  @Test("messages that a full queue refuses are counted and reported once")
  func fullQueue() throws {
    var transport = TransportConfiguration(network: [1])
    transport.sendQueueMessages = 4
    let hosts = try (1...2).map { try RumourHost($0, seed: 1, transport: transport) }
    let network = RumourNetwork(hosts, seed: 1)
    network.request(.know(try hosts[0].handle(of: hosts[1])), of: hosts[0])
    for number: UInt32 in 0..<10 { network.request(.tell(number), of: hosts[0]) }
    network.run(for: .seconds(1))
    let dropped = hosts[0].host.counters.droppedQueueFull
    #expect(dropped >= 6)
    #expect(hosts[0].sink.events == [.queueFull(hosts[1].key)])
    #expect(hosts[1].heard.count + Int(dropped) == 10)
    network.request(.tell(99), of: hosts[0])
    network.run(for: .seconds(1))
    #expect(hosts[1].heard.last == 99)
  }

  @Test("a connection that nobody retains is closed after its silence, without a loss to the process")
  func idle() throws {
    let hosts = try (1...2).map {
      try RumourHost($0, seed: 1) { configuration, _ in configuration.idleLimit = .seconds(20) }
    }
    let network = RumourNetwork(hosts, seed: 1)
    let handle = try hosts[0].handle(of: hosts[1])
    network.request(.know(handle), of: hosts[0])
    network.request(.tell(1), of: hosts[0])
    network.run(for: .seconds(1))
    hosts[0].host.retain(handle)
    hosts[1].host.retain(try hosts[1].handle(of: hosts[0]))
    network.run(for: .seconds(60))
    #expect(hosts[0].host.connectionCount == 1)
    hosts[0].host.release(handle)
    network.run(for: .seconds(26))
    #expect(hosts[0].host.connectionCount == 0)
    #expect(hosts[0].sink.indications.isEmpty)
    network.request(.tell(2), of: hosts[0])
    network.run(for: .seconds(1))
    #expect(hosts[1].heard == [1, 2])
  }
}
