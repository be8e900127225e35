import StarlingApps
import StarlingBroadcast
import StarlingCore
import Testing

@testable import StarlingNode

/// A member that broadcasts files in the names of keys which it makes, one key for each.
@Suite struct FileSiegeTests {
  /// Hands a neighbour a message that a key of its own signed.
  private func push(
    _ payload: [UInt8], number: UInt64, signedBy identity: Identity, from attacker: TestNode,
    to victim: TestNode
  ) throws {
    let record = PeerRecord(key: identity.publicKey, address: nil)
    let auth = KeyAuthenticator(
      identity: identity, network: Array("test".utf8), peers: SharedPeerTable(PeerTable(own: record)))
    let origin = try attacker.node.peers.table.intern(record)
    let identifier = MessageIdentifier(origin: origin, sequence: number)
    let broadcast = Broadcast<KeyAuthenticator>(
      identifier: identifier, hops: 1, payload: payload, signature: auth.sign(payload, as: identifier))
    let message = NodeProcess.Message.diffusion(.tree(.push(broadcast)))
    var writer = WireWriter(capacity: 1_024)
    HostFrame.begin(.message, in: &writer)
    message.encode(into: &writer, peers: attacker.node.peers.table)
    let peer = try #require(attacker.node.peers.table.peer(with: victim.key))
    attacker.node.host.core.send(.init(frame: writer.bytes, trafficClass: 0), to: peer)
  }

  @Test(
    "sixty files a second, each under another key, keep an honest file from no node, whether chunks follow or not",
    arguments: [false, true])
  func siege(sendsChunks: Bool) throws {
    // A quarter of what waits by default: it is full after a quarter of the time.
    let nodes = try (1...5).map {
      try TestNode($0, contacts: $0 == 1 ? [] : [try address(1)], seed: 9) { $0.files.waitingLimit = 256 }
    }
    let network = NodeNetwork(nodes, seed: 9)
    for node in nodes {
      network.start(node)
      network.run(for: .milliseconds(500))
    }
    network.run(for: .seconds(30))
    let (attacker, publisher) = (nodes[4], nodes[1])
    let victim = try #require(
      nodes.first { node in attacker.status.neighbours.contains { $0.key == node.key } })
    var manifest: FileManifest?
    // Eight seconds, of which five fill all tables.
    for number in 0..<500 {
      let identity = try Identity(seed: seedBytes(78, number))
      let contents: [UInt8] = [1, 2]
      let lie = try FileManifest(name: "lie \(number)", topic: "", contents: contents, chunkBytes: 1)
      try push(
        FileMessage.manifest(lie).encoded, number: 1, signedBy: identity, from: attacker, to: victim)
      if sendsChunks {
        let chunk = FileMessage.chunk(file: lie.identifier, index: 0, bytes: [1])
        try push(chunk.encoded, number: 2, signedBy: identity, from: attacker, to: victim)
      }
      attacker.node.expire(at: network.now, into: &attacker.sink)
      network.collect(from: attacker)
      network.run(for: .seconds(1) / 60)
      if number == 300 {
        manifest = try network.publish(
          [UInt8](repeating: 7, count: 300_000), name: "song", from: publisher,
          chunkBytes: FileManifest.chunkByteLimit)
      }
    }
    let song = try #require(manifest?.identifier)
    for node in nodes where node !== attacker && node !== publisher {
      let counters = node.status.counters
      #expect(node.sink.completed == [song])
      #expect(counters.files.manifestsAccepted > 450 && counters.files.filesCrowdedOut > 50)
      #expect(node.sink.events.contains { if case .fileCrowdedOut = $0 { true } else { false } })
      #expect(counters.misbehaviour.allSatisfy { $0 == 0 })
    }
  }

  @Test("a later run is given a chunk again whose manifest has not come")
  func memoryOfStrays() throws {
    let nodes = try (1...2).map { try TestNode($0, contacts: $0 == 1 ? [] : [try address(1)], seed: 9) }
    let network = NodeNetwork(nodes, seed: 9)
    nodes.forEach { network.start($0) }
    network.run(for: .seconds(10))
    let (victim, other) = (nodes[0], nodes[1])
    let before = victim.node.memory
    let file = FileIdentifier(SHA256.hash([1]))
    for (n, payload) in [FileMessage.chunk(file: file, index: 0, bytes: [1]).encoded, [9]].enumerated() {
      let identity = try Identity(seed: seedBytes(79, n))
      try push(payload, number: 1, signedBy: identity, from: other, to: victim)
      other.node.expire(at: network.now, into: &other.sink)
      network.collect(from: other)
      network.run(for: .seconds(1))
      #expect((victim.node.memory == before) == (n == 0))
    }
  }
}
