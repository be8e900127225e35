import StarlingCore
import StarlingOverlay
import Testing

@testable import StarlingNode

/// A member that has a node introduce peers which do not exist, at addresses of its choice.
@Suite struct GhostTests {
  private let network: NodeNetwork
  private var victim: TestNode { network.nodes[0] }
  private var attacker: TestNode { network.nodes[2] }
  private var random = Xoshiro256(seed: 5)

  init() throws {
    let nodes = try (1...3).map { try TestNode($0, contacts: $0 == 1 ? [] : [try address(1)], seed: 6) }
    network = NodeNetwork(nodes, seed: 6)
    nodes.forEach { network.start($0) }
    network.run(for: .seconds(20))
  }

  /// Sends the victim the end of a walk for a peer that nobody has ever met.
  private mutating func introduceGhost(_ number: Int, at address: SocketAddress) throws {
    let identity = try Identity(seed: seedBytes(77, number))
    let record = PeerRecord(key: identity.publicKey, address: address)
    let admission = KeyAdmission(
      identity: identity, network: Array("test".utf8), peers: SharedPeerTable(PeerTable(own: record)))
    let subscription = random.next()
    let signature = admission.sign(
      SubscriptionStatement(subscriber: PeerTable.own, number: subscription, contact: nil))
    let ghost = try attacker.node.peers.table.intern(record)
    var writer = WireWriter(capacity: 256)
    HostFrame.begin(.message, in: &writer)
    // The membership's, a walk, in search of a contact, on its way back, without hops left.
    writer.write(raw: [0, 1, 0])
    writer.write(integer: subscription)
    writer.write(raw: signature.bytes)
    writer.write(raw: [1, 0])
    writer.write(integer: UInt16(0))
    writer.write(ghost, from: attacker.node.peers.table)
    let peer = try #require(attacker.node.peers.table.peer(with: victim.key))
    attacker.node.host.core.send(.init(frame: writer.bytes, trafficClass: 0), to: peer)
    attacker.node.expire(at: network.now, into: &attacker.sink)
    network.collect(from: attacker)
  }

  private func ghostAddress(_ number: Int, hosts: Int) throws -> SocketAddress {
    let host = number % hosts
    return try #require(
      SocketAddress(
        host: [192, 0, UInt8(host / 200), UInt8(host % 200)], port: UInt16(1_000 + number / hosts)))
  }

  /// Introduces ghosts for a while.
  ///
  /// - Returns: the bytes that the attacker sent, and those that went to ghosts.
  private mutating func feed(
    _ count: Int, hosts: Int, perSecond: Int
  ) throws -> (spent: UInt64, provoked: Int) {
    let before = attacker.status.counters.transport.bytesSent
    for number in 0..<count {
      try introduceGhost(number, at: try ghostAddress(number, hosts: hosts))
      network.run(for: .seconds(1) / perSecond)
    }
    let spent = attacker.status.counters.transport.bytesSent - before
    network.run(for: .seconds(30))
    return (spent, network.sent.reduce(0) { $0 + ($1.key.host[0] == 192 ? $1.value.bytes : 0) })
  }

  @Test("an address that is hearsay gets two opening datagrams in half a minute, and one host few a second")
  mutating func oneHost() throws {
    let (spent, provoked) = try feed(600, hosts: 1, perSecond: 20)
    print(
      "ghosts of one host: \(spent) bytes spent, \(provoked) provoked, ×\(Double(provoked) / Double(spent))")
    // Two nodes take part, for a minute: each tries an address twice in that time.
    #expect(network.sent.allSatisfy { $0.key.host[0] != 192 || $0.value.datagrams <= 8 })
    let configuration = victim.node.configuration.host
    let perNode = configuration.hearsayOpeningsPerHost * (1 + 60 / 3) * configuration.hearsayDatagrams * 1_200
    #expect(provoked <= 2 * perNode)
    #expect(UInt64(provoked) < 3 * spent)
  }

  @Test("ghosts of many hosts make nodes send less than four times what is spent on a flood of them")
  mutating func manyHosts() throws {
    let (spent, provoked) = try feed(2_000, hosts: 300, perSecond: 100)
    print(
      "ghosts of 300 hosts: \(spent) bytes spent, \(provoked) provoked, ×\(Double(provoked) / Double(spent))")
    #expect(UInt64(provoked) < 4 * spent)
    #expect(network.sent.allSatisfy { $0.key.host[0] != 192 || $0.value.datagrams <= 8 })
  }

  @Test("a newcomer gets in while ghosts are being fed, and the table of connections stays half empty")
  mutating func newcomer() throws {
    let newcomer = try TestNode(4, contacts: [try address(1)], seed: 6)
    network.nodes.append(newcomer)
    var most = 0
    // Most walks end at ghosts, so the newcomer tries again and again.
    for number in 0..<7_000 {
      try introduceGhost(number, at: try ghostAddress(number, hosts: 300))
      network.run(for: .milliseconds(10))
      most = max(most, victim.status.connectionCount)
      if number == 2_000 { network.start(newcomer) }
    }
    print("connections of a node that is fed with ghosts: \(most)")
    #expect(!newcomer.isAlone)
    #expect(most < 64)
    #expect(victim.status.counters.host.deferred > 0)
  }
}
