import StarlingApps
import StarlingCore
import Testing

@testable import StarlingNode

@Suite struct NodeTests {
  private func joinedNetwork(_ count: Int, seed: UInt64, loss: Double) throws -> NodeNetwork {
    let contact = try address(1)
    let nodes = try (1...count).map { try TestNode($0, contacts: $0 == 1 ? [] : [contact], seed: seed) }
    let network = NodeNetwork(nodes, seed: seed, loss: loss)
    for node in nodes {
      network.start(node)
      network.run(for: .milliseconds(500))
    }
    network.run(for: .seconds(60))
    return network
  }

  @Test("a file reaches every node of a lossy network whole, and few of its chunks twice")
  func fileReachesAll() throws {
    let seed = testSeed(default: 31)
    let network = try joinedNetwork(8, seed: seed, loss: 0.02)
    #expect(!network.nodes.contains { $0.isAlone })
    var random = Xoshiro256(seed: seed)
    let contents = (0..<300_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    let publisher = network.nodes[3]
    let manifest = try network.publish(contents, name: "song.ogg", from: publisher, chunkBytes: 8 << 10)
    let receivers = network.nodes.filter { $0 !== publisher }
    network.run(for: .seconds(120)) { receivers.allSatisfy { !$0.sink.completed.isEmpty } }
    for node in receivers {
      #expect(node.sink.announced.map(\.publisher) == [publisher.key])
      #expect(node.sink.completed == [manifest.identifier])
      #expect(node.contents(of: manifest).map(SHA256.hash) == manifest.digest)
      #expect(node.sink.storedCount == manifest.chunkCount)
    }
    #expect(publisher.sink.completed.isEmpty)
    #expect(publisher.sink.events.contains(.published(manifest.identifier)))
    let sent = network.nodes.reduce(0) { $0 + $1.status.counters.sent(.chunk).messages }
    let redundant = network.nodes.reduce(0) { $0 + $1.status.counters.redundant(.chunk) }
    let needed = UInt64(receivers.count * manifest.chunkCount)
    print(
      "chunks: \(needed) needed, \(sent) sent, \(redundant) redundant, done at \(network.now.nanoseconds / 1_000_000) ms"
    )
    #expect(sent >= needed)
    #expect(redundant * 4 < needed)
    #expect(publisher.queueAtRequest <= publisher.node.configuration.lowWaterBytes)
  }

  @Test("a neighbour that hangs does not keep a file from the others")
  func hangingNeighbour() throws {
    let network = try joinedNetwork(6, seed: testSeed(default: 33), loss: 0)
    let publisher = network.nodes[3]
    let neighbours = publisher.status.neighbours.map(\.key)
    let hanging = try #require(network.nodes.first { neighbours.contains($0.key) })
    hanging.isHanging = true
    let contents = [UInt8](repeating: 7, count: 1 << 20)
    let manifest = try network.publish(contents, name: "long.bin", from: publisher, chunkBytes: 48 << 10)
    let receivers = network.nodes.filter { $0 !== publisher && $0 !== hanging }
    let start = network.now
    // Well before the transport gives the neighbour up, after 30 s.
    network.run(for: .seconds(20)) { receivers.allSatisfy { !$0.sink.completed.isEmpty } }
    #expect(receivers.allSatisfy { $0.sink.completed == [manifest.identifier] })
    print("past a hanging neighbour: \((network.now - start).inMilliseconds) ms")
  }

  @Test("two runs of one seed are alike to the last datagram")
  func replay() throws {
    func run() throws -> [UInt64] {
      let network = try joinedNetwork(4, seed: 8, loss: 0.02)
      _ = try network.publish(
        [UInt8](repeating: 7, count: 50_000), name: "a", from: network.nodes[1], chunkBytes: 4_096)
      network.run(for: .seconds(20))
      return network.nodes.flatMap {
        [$0.status.counters.transport.datagramsSent, $0.status.counters.transport.bytesSent]
      }
    }
    #expect(try run() == run())
  }

  @Test("an empty file arrives with its manifest")
  func emptyFile() throws {
    let network = try joinedNetwork(3, seed: 2, loss: 0)
    let manifest = try network.publish([], name: "empty", from: network.nodes[0], chunkBytes: 1)
    network.run(for: .seconds(2))
    for node in network.nodes[1...] { #expect(node.sink.completed == [manifest.identifier]) }
  }

  @Test("a file is announced before its only chunk is told of")
  func onlyChunk() throws {
    let network = try joinedNetwork(3, seed: 2, loss: 0)
    let manifest = try network.publish([1, 2, 3], name: "small", from: network.nodes[0], chunkBytes: 3)
    network.run(for: .seconds(5))
    for node in network.nodes[1...] {
      #expect(node.sink.arrived == [manifest.identifier] && node.sink.completed == [manifest.identifier])
    }
  }

  @Test("a file that found no place is whole as soon as there is one, from what the tree keeps")
  func recalledFile() throws {
    let contact = try address(1)
    let nodes = try (1...5).map {
      try TestNode($0, contacts: $0 == 1 ? [] : [contact], seed: 14) { $0.files.downloadLimit = 1 }
    }
    let network = NodeNetwork(nodes, seed: 14)
    for node in nodes { network.start(node) }
    network.run(for: .seconds(60))
    let long = [UInt8](repeating: 7, count: 2_000_000)
    let slow = try network.publish(long, name: "long", from: nodes[0], chunkBytes: 10_000)
    network.run(for: .seconds(10)) { nodes[1...].allSatisfy { $0.sink.storedCount > 5 } }
    let short = [UInt8](repeating: 8, count: 20_000)
    let quick = try network.publish(short, name: "short", from: nodes[1], chunkBytes: 1_000)
    network.run(for: .seconds(60)) { nodes[2...].allSatisfy { $0.sink.completed.count == 2 } }
    for node in nodes[2...] {
      #expect(node.sink.completed == [slow.identifier, quick.identifier])
      #expect(node.status.counters.files.chunksWithoutPlace > 0)
    }
  }

  @Test("an unreachable contact is reported and tried again after waits that double up to 10 s")
  func unreachableContact() throws {
    let node = try TestNode(1, contacts: [try address(9)], seed: 1)
    let network = NodeNetwork([node], seed: 1)
    network.start(node)
    network.run(for: .seconds(240))
    let waits = node.sink.events.map { event -> Int64 in
      guard case .contactUnreachable(_, _, let wait) = event else { return -1 }
      return wait.nanoseconds / 1_000_000_000
    }
    #expect(waits.prefix(7) == [1, 2, 4, 8, 10, 10, 10])
  }

  @Test(
    "nodes whose network was away find each other within 25 s, and at once if they are told that it is back")
  func networkAway() throws {
    for isTold in [false, true] {
      let network = try joinedNetwork(4, seed: 12, loss: 0)
      network.network.cut = network.nodes.map(\.address)
      network.run(for: .seconds(600))
      #expect(network.nodes.allSatisfy { $0.isAlone })
      network.network.cut = []
      let back = network.now
      for node in network.nodes where isTold {
        node.node.noteNetworkIsBack(at: network.now, into: &node.sink)
        network.collect(from: node)
      }
      network.run(for: .seconds(60)) { !network.nodes.contains { $0.isAlone } }
      let took = network.now - back
      print("together again after \(took.inMilliseconds) ms, told: \(isTold)")
      #expect(took < (isTold ? .seconds(2) : .seconds(25)))
    }
  }

  @Test("a node joins as soon as its contact appears")
  func lateContact() throws {
    let nodes = [
      try TestNode(1, contacts: [try address(2)], seed: 1), try TestNode(2, contacts: [], seed: 1),
    ]
    let network = NodeNetwork([nodes[0]], seed: 1)
    network.start(nodes[0])
    network.run(for: .seconds(100))
    #expect(nodes[0].isAlone)
    network.nodes.append(nodes[1])
    network.start(nodes[1])
    network.run(for: .seconds(60)) { nodes.allSatisfy { !$0.isAlone } }
    #expect(!nodes[0].isAlone)
    #expect(nodes[0].sink.events.contains(.joined))
    #expect(nodes[1].sink.events.contains(.neighbourUp(nodes[0].key)))
  }

  @Test("a node that is its own only contact does not connect to itself")
  func ownContact() throws {
    let node = try TestNode(1, contacts: [try address(1)], seed: 1)
    let network = NodeNetwork([node], seed: 1)
    network.start(node)
    network.run(for: .seconds(60))
    #expect(node.isAlone)
    #expect(node.status.connectionCount == 0)
    #expect(node.sink.events.isEmpty)
    #expect(node.node.nextDeadline > network.now + .seconds(1))
  }

  @Test("a node of another network is not joined, and the report says why")
  func otherNetwork() throws {
    let nodes = [
      try TestNode(1, contacts: [], seed: 1),
      try TestNode(2, contacts: [try address(1)], seed: 1, network: "other"),
    ]
    let network = NodeNetwork(nodes, seed: 1)
    nodes.forEach(network.start)
    network.run(for: .seconds(30))
    #expect(nodes[1].isAlone)
    let said = nodes[1].sink.events.contains {
      if case .contactUnreachable(_, let reason, _) = $0 { reason.contains("network") } else { false }
    }
    #expect(said)
  }

  @Test("whoever lost every neighbour finds back through its contacts")
  func isolation() throws {
    let network = try joinedNetwork(3, seed: 5, loss: 0)
    let lost = network.nodes[2]
    network.network.cut = [lost.address]
    network.run(for: .seconds(120)) { lost.isAlone }
    #expect(lost.isAlone)
    #expect(lost.sink.events.contains(.isolated))
    network.network.cut = []
    network.run(for: .seconds(90)) { !lost.isAlone }
    #expect(!lost.isAlone)
    #expect(lost.sink.events.filter { $0 == .joined }.count == 2)
  }

  @Test("a node that shuts down is missed at once, and does nothing more")
  func shutDown() throws {
    let network = try joinedNetwork(3, seed: 6, loss: 0)
    let leaver = network.nodes[1]
    leaver.node.shutDown(at: network.now, into: &leaver.sink)
    network.collect(from: leaver)
    let others = [network.nodes[0], network.nodes[2]]
    network.run(for: .seconds(1))
    for node in others { #expect(!node.status.neighbours.contains { $0.key == leaver.key }) }
    #expect(leaver.node.nextDeadline == .distantFuture)
    #expect(leaver.sink.datagrams.isEmpty)
  }

  @Test("a node with the key of another is found out by the other with its first message")
  func sharedKey() throws {
    let seed = testSeed(default: 31)
    var nodes = [try TestNode(0, contacts: [], seed: seed)]
    for n in 1...4 { nodes.append(try TestNode(n, contacts: [try address(0)], seed: seed)) }
    // The other joins through a peer that the first does not know as its contact.
    let double = try TestNode(5, withKeyOf: 1, contacts: [try address(3)], seed: seed)
    let network = NodeNetwork(nodes, seed: seed)
    for node in nodes { network.start(node) }
    network.run(for: .seconds(30))
    network.nodes.append(double)
    network.start(double)
    network.run(for: .seconds(10), until: { !double.isAlone })
    _ = try network.publish([1, 2, 3], name: "a.txt", from: double, chunkBytes: 1_000)
    func isToldOf(_ node: TestNode) -> Bool {
      node.sink.events.contains { if case .spokenFor = $0 { true } else { false } }
    }
    network.run(for: .seconds(60), until: { isToldOf(nodes[1]) })
    #expect(isToldOf(nodes[1]), "\(replay)")
    #expect(!nodes.contains { $0.key != double.key && isToldOf($0) }, "\(replay)")
  }

  @Test("the status names the neighbours with their keys and addresses")
  func status() throws {
    let network = try joinedNetwork(3, seed: 7, loss: 0)
    let addresses = Dictionary(uniqueKeysWithValues: network.nodes.map { ($0.key, $0.address) })
    for node in network.nodes {
      let status = node.status
      #expect(!status.neighbours.isEmpty)
      #expect(status.neighbours.filter(\.isInPartialView).count == status.partialViewSize)
      #expect(status.neighbours.filter(\.isInInView).count == status.inViewSize)
      for neighbour in status.neighbours {
        #expect(neighbour.address == addresses[neighbour.key])
        #expect(neighbour.key != node.key)
        #expect(neighbour.roundTrip != nil)
      }
      #expect(status.files.isEmpty)
    }
  }

  @Test("publishing without neighbours is allowed and reported")
  func alone() throws {
    let node = try TestNode(1, contacts: [], seed: 1)
    let network = NodeNetwork([node], seed: 1)
    network.start(node)
    let manifest = try network.publish([1, 2, 3], name: "a", from: node, chunkBytes: 1)
    network.run(for: .seconds(2))
    #expect(node.sink.events == [.publishedAlone(manifest.identifier), .published(manifest.identifier)])
    #expect(throws: NodeError.self) {
      _ = try Node(
        identity: Identity(seed: seedBytes(1, 1)), configuration: NodeConfiguration(network: "n"), seed: [1],
        firstSequence: 0)
    }
  }

  @Test(
    "a node that was cut off finds its network again through peers that it knew, with no contact of its own")
  func findsKnownPeers() throws {
    let network = try joinedNetwork(5, seed: testSeed(default: 35), loss: 0)
    // The first has no contacts: it was the one that the others joined through.
    let first = network.nodes[0]
    #expect(first.node.configuration.contacts.isEmpty && !first.isAlone)
    first.isHanging = true
    network.run(for: .seconds(120))
    first.isHanging = false
    network.run(for: .seconds(120)) { !first.isAlone && first.sink.events.contains(.isolated) }
    #expect(first.sink.events.contains(.isolated), "its connections were dead")
    #expect(!first.isAlone)
    #expect(!first.node.rememberedPeers.isEmpty)
  }

  @Test("a node that did not run for a while finds out within seconds who has given it up")
  func awakens() throws {
    let network = try joinedNetwork(4, seed: testSeed(default: 36), loss: 0)
    let sleeper = network.nodes[2]
    for node in network.nodes where node !== sleeper { node.isHanging = true }
    let connections = sleeper.status.connectionCount
    #expect(connections > 0)
    sleeper.node.awaken(at: network.now, into: &sleeper.sink)
    network.collect(from: sleeper)
    network.run(for: .seconds(6))
    #expect(sleeper.isAlone)
  }

  @Test(
    "a file that no neighbour takes is an error to its publisher, and a published one waits for neighbours")
  func undeliverable() throws {
    let network = try joinedNetwork(3, seed: testSeed(default: 37), loss: 0)
    let publisher = network.nodes[0]
    // Its neighbours hang, and their queues fill up with files.
    for node in network.nodes where node !== publisher { node.isHanging = true }
    var refused: PublishError?
    for i in 0..<60 where refused == nil {
      do throws(PublishError) {
        let digests = (0..<1_700).map { SHA256.hash([UInt8(i), UInt8($0 & 255), UInt8($0 >> 8)]) }
        guard
          let manifest = try? FileManifest(
            name: "f\(i)", topic: "", byteCount: 1_700, chunkBytes: 1, digest: SHA256.hash([]),
            chunkDigests: digests)
        else { continue }
        try publisher.node.publish(manifest, at: network.now, into: &publisher.sink)
      } catch {
        refused = error
      }
    }
    #expect(refused == .undeliverable)
    #expect(publisher.status.counters.host.droppedQueueFull > 0)
  }

  @Test("what was seen outlives a restart, except of those whose file was still arriving")
  func memory() throws {
    let network = try joinedNetwork(3, seed: testSeed(default: 38), loss: 0)
    let receiver = network.nodes[1]
    let empty = receiver.node.memory
    let contents = [UInt8](repeating: 3, count: 200_000)
    _ = try network.publish(contents, name: "a", from: network.nodes[0], chunkBytes: 10_000)
    network.run(for: .seconds(60)) { receiver.status.counters.files.manifestsAccepted > 0 }
    #expect(
      receiver.node.memory == empty, "a file that waits for its first chunk needs its manifest again too")
    network.run(for: .seconds(60)) { receiver.sink.storedCount > 2 }
    #expect(receiver.node.memory == empty, "its manifest must come again")
    network.run(for: .seconds(60)) { !receiver.sink.completed.isEmpty }
    #expect(receiver.node.memory.count > empty.count)
    let again = try TestNode(9, contacts: [], seed: 1) { $0.memory = receiver.node.memory }
    #expect(again.node.memory == receiver.node.memory)
    // What is damaged is left out.
    let damaged = try TestNode(9, contacts: [], seed: 1) {
      $0.memory = Array(receiver.node.memory.dropLast())
    }
    #expect(damaged.node.memory == empty)
  }
}
