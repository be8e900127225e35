import StarlingCore
import StarlingTransport
import Testing

@Suite struct HandshakeTests {
  @Test(
    "Both ends learn each other's key, and messages pass both ways, some sent before the handshake is done")
  func bothWays() throws {
    var network = try VirtualNetwork(seed: testSeed)
    let id = try network.connect(0, to: 1, expecting: network.key(1))
    try network.send([1, 2, 3], from: 0, on: id)
    #expect(network.endpoints[0].queuedBytes(on: id) == 3)
    network.run(.milliseconds(70))
    #expect(network.heard[0] == [.connected(id, network.key(1), initiated: true)])
    let other = try #require(network.connected(1).first)
    #expect(
      network.heard[1] == [
        .connected(other, network.key(0), initiated: false), .received([1, 2, 3], other),
      ])
    try network.send([4], from: 1, on: other)
    try network.send([], from: 1, on: other)
    network.run(.milliseconds(200))
    #expect(network.messages(0) == [[4], []])
    #expect(network.endpoints[0].queuedBytes(on: id) == 0)
    let roundTrip = try #require(network.endpoints[0].roundTrip(on: id))
    #expect(abs(roundTrip.inMilliseconds - 40) < 5)
  }

  @Test("Who holds another key than expected is refused, and told apart from silence")
  func wrongKey() throws {
    var network = try VirtualNetwork(seed: testSeed)
    let expected = try testIdentity(9).publicKey
    let id = try network.connect(0, to: 1, expecting: expected)
    try network.send([1], from: 0, on: id)
    network.run(.seconds(20))
    #expect(network.heard[0] == [.closed(id, .unexpectedKey(network.key(1)))])
    #expect(network.heard[1].isEmpty)
    #expect(network.endpoints[1].nextDeadline == .distantFuture)
  }

  @Test("Peers of different networks do not connect, and the sentence says why")
  func wrongNetwork() throws {
    var network = try VirtualNetwork(seed: testSeed) { i, configuration in
      configuration.network = Array("network \(i)".utf8)
    }
    let id = try network.connect(0, to: 1)
    network.run(.seconds(20))
    #expect(network.heard[0] == [.closed(id, .network)])
    #expect(network.heard[1].isEmpty)
    #expect(network.endpoints[1].counters.dropped(.otherNetwork) > 0)
    #expect(CloseReason.network.description.contains("network name"))
  }

  @Test("An unknown version is refused with a sentence that says which side to upgrade")
  func unknownVersion() throws {
    var network = try VirtualNetwork(seed: testSeed)
    network.meddle = { datagram, from in
      guard from == 0 else { return datagram }
      var newer = datagram
      newer[1] = 7
      return newer
    }
    let id = try network.connect(0, to: 1)
    network.run(.milliseconds(30))
    // To the initiator it looks as if the responder spoke version 1 and it a later one: so make its answer
    // claim a later one too.
    network.meddle = { datagram, from in
      var datagram = datagram
      if from == 1, datagram[0] == 4 { datagram[9] = 2 }
      if from == 0 { datagram[1] = 7 }
      return datagram
    }
    network.run(.seconds(20))
    #expect(network.closes(0) == [.version(theirs: 2, ours: 1)])
    #expect(network.endpoints[1].counters.dropped(.unknownVersion) > 1)
    #expect(network.connected(1).isEmpty)
    let sentence = CloseReason.version(theirs: 2, ours: 1).description
    #expect(sentence.hasSuffix("upgrade this node"))
    #expect(CloseReason.version(theirs: 1, ours: 2).description.hasSuffix("upgrade the peer"))
    #expect(network.endpoints[0].queuedBytes(on: id) == 0)
  }

  @Test("A forged refusal alone does not end a handshake")
  func forgedRefusal() throws {
    var network = try VirtualNetwork(seed: testSeed)
    let id = try network.connect(0, to: 1)
    let first = try #require(network.sent.first).bytes
    network.inject([4] + first[2..<10] + [9, 1], to: 0, from: VirtualNetwork.address(1))
    network.run(.seconds(1))
    #expect(network.heard[0] == [.connected(id, network.key(1), initiated: true)])
  }

  @Test("Silence ends a handshake after its timeout, with repeats in between that back off")
  func silence() throws {
    var network = try VirtualNetwork(seed: testSeed)
    network.dead = [1]
    let id = try network.connect(0, to: 1)
    network.run(.milliseconds(9_999))
    #expect(network.heard[0].isEmpty)
    #expect(network.sent.count == 4)
    network.run(.milliseconds(2))
    #expect(network.heard[0] == [.closed(id, .handshakeTimedOut)])
    #expect(network.endpoints[0].nextDeadline == .distantFuture)
  }

  @Test(
    "A handshake comes through when any one of its datagrams is lost, or all are doubled", arguments: 0..<6)
  func losses(lost: Int) throws {
    var network = try VirtualNetwork(seed: testSeed)
    var count = 0
    // Five datagrams make a handshake with its first packets; the sixth case doubles all instead.
    if lost < 5 {
      network.meddle = { datagram, _ in
        defer { count += 1 }
        return count == lost ? nil : datagram
      }
    } else {
      network.weather.duplication = 1
    }
    let id = try network.connect(0, to: 1)
    try network.send([7], from: 0, on: id)
    network.run(.seconds(5))
    #expect(network.connected(0) == [id])
    #expect(network.connected(1).count == 1)
    #expect(network.messages(1) == [[7]])
    #expect(network.closes(0).isEmpty && network.closes(1).isEmpty)
  }

  @Test("What goes to an address before it has answered is less than came from it")
  func amplification() throws {
    var network = try VirtualNetwork(seed: testSeed)
    _ = try network.connect(0, to: 1)
    let first = try #require(network.sent.first).bytes
    #expect(first.count == 1_200)
    let elsewhere = try #require(SocketAddress("10.9.9.9:9"))
    network.inject(first, to: 1, from: elsewhere)
    network.inject(first, to: 1, from: elsewhere)
    network.run(.seconds(30))
    let answers = network.sent.filter { $0.from == 1 && $0.bytes[0] == 2 }
    #expect(answers.count == 3)
    #expect(answers.allSatisfy { $0.bytes.count < 300 })
    // A repeated opening gets the same answer: it opens nothing new.
    #expect(Set(answers.map(\.bytes)).count == 2)
    for count in [9, 58, 100, 1_199] {
      let before = network.sent.count
      network.inject(Array(first.prefix(count)), to: 1, from: elsewhere)
      #expect(network.sent.count == before)
    }
  }

  @Test(
    "Pending handshakes are bounded, the oldest gives way, and all are forgotten when nobody confirms them")
  func boundedPending() throws {
    var network = try VirtualNetwork(seed: testSeed) { i, configuration in
      if i == 1 { configuration.maximumHandshakes = 5 }
    }
    for _ in 0..<8 { _ = try network.connect(0, to: 1) }
    network.meddle = { datagram, _ in datagram[0] == 3 ? nil : datagram }
    network.run(.milliseconds(30))
    #expect(network.endpoints[1].counters.dropped(.tablesFull) == 3)
    #expect(network.sent.count { $0.bytes[0] == 2 } == 8)
    network.dead = [0]
    network.run(.seconds(11))
    #expect(network.heard[1].isEmpty)
    #expect(network.endpoints[1].nextDeadline == .distantFuture)
  }

  @Test("Openings that nobody means keep nobody out")
  func openingsDoNotExclude() throws {
    var network = try VirtualNetwork(3, seed: testSeed) { i, configuration in
      if i == 1 { configuration.maximumHandshakes = 5 }
    }
    for _ in 0..<8 { _ = try network.connect(0, to: 1) }
    network.meddle = { datagram, _ in datagram[0] == 3 ? nil : datagram }
    network.run(.milliseconds(30))
    #expect(network.heard[1].isEmpty)
    network.meddle = { datagram, _ in datagram }
    let id = try network.connect(2, to: 1)
    network.run(.milliseconds(200))
    #expect(network.heard[2] == [.connected(id, network.key(1), initiated: true)])
  }

  @Test("A host that has its share of the pending handshakes makes way for itself, not for others")
  func handshakesPerHost() throws {
    var network = try VirtualNetwork(3, seed: testSeed) { i, configuration in
      if i == 1 { (configuration.maximumHandshakes, configuration.maximumHandshakesPerHost) = (6, 4) }
    }
    network.meddle = { datagram, _ in datagram[0] == 3 ? nil : datagram }
    let patient = try network.connect(2, to: 1)
    network.run(.milliseconds(50))
    for _ in 0..<50 { _ = try network.connect(0, to: 1) }
    network.run(.milliseconds(30))
    #expect(network.endpoints[1].counters.dropped(.tablesFull) == 46)
    // The patient one's handshake is still there: its confirmation, when it comes, is taken.
    network.dead = [0]
    network.meddle = { datagram, _ in datagram }
    let opened = network.endpoints[1].counters.datagramsReceived
    network.run(.seconds(3))
    #expect(network.endpoints[1].counters.datagramsReceived > opened)
    #expect(network.heard[2] == [.connected(patient, network.key(1), initiated: true)])
    #expect(network.heard[1].count == 1)
  }

  @Test("A host may open no more connections than its share")
  func connectionsPerHost() throws {
    var network = try VirtualNetwork(3, seed: testSeed) { i, configuration in
      if i == 1 { configuration.maximumConnectionsPerHost = 2 }
    }
    for _ in 0..<3 { _ = try network.connect(0, to: 1) }
    _ = try network.connect(2, to: 1)
    network.run(.seconds(1))
    #expect(network.endpoints[1].counters.handshakes == 3)
    #expect(network.closes(0) == [.peerFull] && network.closes(2).isEmpty)
  }

  @Test("A full peer says so, and a full node asks for no more connections")
  func full() throws {
    var network = try VirtualNetwork(3, seed: testSeed) { _, configuration in
      configuration.maximumConnections = 1
    }
    let first = try network.connect(0, to: 1)
    #expect(throws: ConnectError.tooManyConnections(limit: 1)) { try network.connect(0, to: 1) }
    network.run(.seconds(1))
    let second = try network.connect(2, to: 1)
    network.run(.seconds(1))
    #expect(network.heard[2].last == .closed(second, .peerFull))
    #expect(network.heard[0] == [.connected(first, network.key(1), initiated: true)])
    #expect(network.connected(1).count == 1)
  }

  @Test("Both ends may open at once: two connections come up")
  func simultaneousOpen() throws {
    var network = try VirtualNetwork(seed: testSeed)
    _ = try network.connect(0, to: 1)
    _ = try network.connect(1, to: 0)
    network.run(.seconds(1))
    #expect(network.connected(0).count == 2 && network.connected(1).count == 2)
  }

  @Test("A node that connects to itself learns so")
  func itself() throws {
    var network = try VirtualNetwork(1, seed: testSeed)
    #expect(throws: ConnectError.ownKey) { try network.connect(0, to: 0, expecting: network.key(0)) }
    let id = try network.connect(0, to: 0)
    network.run(.seconds(20))
    #expect(network.heard[0] == [.closed(id, .ownKey)])
  }
}
