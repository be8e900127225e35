import StarlingCore
import StarlingTransport
import Testing

/// Two endpoints with a connection between them.
func connectedPair(
  seed: UInt64 = testSeed, weather: VirtualNetwork.Weather = .clear,
  configure: (Int, inout TransportConfiguration) -> Void = { _, _ in }
) throws -> (network: VirtualNetwork, ids: [ConnectionID]) {
  var network = try VirtualNetwork(seed: seed, configure: configure)
  let id = try network.connect(0, to: 1)
  network.run(.milliseconds(200))
  network.weather = weather
  return (network, [id, try #require(network.connected(1).first)])
}

@Suite struct TransferTests {
  @Test(
    "Under loss, delay, reordering and duplication everything comes whole and exactly once",
    arguments: [0, 0.05, 0.20])
  func everythingArrives(loss: Double) throws {
    let weather = VirtualNetwork.Weather(
      delay: .milliseconds(10), jitter: .milliseconds(15), loss: loss, duplication: 0.05)
    var (network, ids) = try connectedPair(weather: weather)
    var sizes = [65_536, 0, 1, 1_099, 1_100, 1_101, 2_200, 65_536, 40_000]
    sizes += (0..<60).map { $0 * 37 }
    let messages = sizes.indices.map { testMessage($0, byteCount: sizes[$0]) }
    for message in messages {
      for i in 0..<2 { try network.send(message, from: i, on: ids[i]) }
    }
    let isDone = network.run(until: network.now + .seconds(120)) { network in
      (0..<2).allSatisfy { network.messages($0).count >= sizes.count }
    }
    #expect(isDone, replay)
    network.run(.seconds(5))
    for i in 0..<2 {
      let order = { (a: [UInt8], b: [UInt8]) in a.lexicographicallyPrecedes(b) }
      #expect(network.messages(i).sorted(by: order) == messages.sorted(by: order), replay)
      #expect(network.endpoints[i].queuedBytes(on: ids[i]) == 0)
      #expect(network.closes(i).isEmpty)
    }
    let counters = network.endpoints[0].counters
    // Reordering alone makes some packets look lost too.
    #expect(loss == 0 || counters.packetsLost > 0, replay)
    #expect(
      counters.messagesSent == UInt64(sizes.count) && counters.messagesReceived == counters.messagesSent)
  }

  @Test("Without loss nothing is sent twice, and a 64 KiB message takes 60 datagrams")
  func nothingTwice() throws {
    var (network, ids) = try connectedPair()
    let before = network.sent.count
    try network.send(testMessage(1, byteCount: 65_536), from: 0, on: ids[0])
    network.run(.seconds(2))
    #expect(network.messages(1).count == 1)
    let data = network.sent[before...].filter { $0.from == 0 && $0.bytes.count > 400 }
    #expect(data.count == 60)
    #expect(network.sent.allSatisfy { $0.bytes.count <= 1_200 })
    #expect(network.endpoints[0].counters.retransmissions == 0)
    // Every second packet is acknowledged, so acknowledgements are half as many at most, but for timers.
    #expect(network.sent[before...].count { $0.from == 1 } <= 32)
  }

  @Test("No more than the window is in flight")
  func window() throws {
    var (network, ids) = try connectedPair { _, configuration in configuration.windowBytes = 5 * 1_200 }
    let before = network.sent.count
    for i in 0..<4 { try network.send(testMessage(i, byteCount: 65_536), from: 0, on: ids[0]) }
    #expect(network.sent.count - before == 5)
    network.run(.milliseconds(39))
    #expect(network.sent[before...].count { $0.from == 0 } == 5)
    network.run(.seconds(60))
    #expect(network.messages(1).count == 4)
  }

  @Test("A full queue refuses, tells once when it has room again, and loses nothing that it took")
  func backPressure() throws {
    var (network, ids) = try connectedPair { _, configuration in
      configuration.sendQueueBytes = 200_000
      configuration.sendQueueMessages = 10
    }
    var taken = 0
    let small = { (i: Int) in testMessage(i, byteCount: 10) }
    // By messages …
    #expect(throws: SendError.queueFull) {
      while true {
        try network.send(small(taken), from: 0, on: ids[0])
        taken += 1
      }
    }
    #expect(taken == 10)
    network.run(.seconds(1))
    #expect(network.heard[0].count { $0 == .writable(ids[0]) } == 1)
    // … and by bytes.
    #expect(throws: SendError.queueFull) {
      while true {
        try network.send(testMessage(taken, byteCount: 60_000), from: 0, on: ids[0])
        taken += 1
      }
    }
    #expect(taken == 13)
    #expect(network.endpoints[0].queuedBytes(on: ids[0]) == 180_000)
    network.run(.seconds(5))
    #expect(network.heard[0].count { $0 == .writable(ids[0]) } == 2)
    #expect(network.messages(1).count == 13)
  }

  @Test("Messages that are too large, and connections that are not there, are refused")
  func refusals() throws {
    var (network, ids) = try connectedPair { _, configuration in configuration.maximumMessageBytes = 100 }
    #expect(throws: SendError.messageTooLarge(limit: 100)) {
      try network.send([UInt8](repeating: 0, count: 101), from: 0, on: ids[0])
    }
    #expect(throws: SendError.closed) { try network.send([1], from: 0, on: ConnectionID(1)) }
    network.close(ids[0], by: 0)
    #expect(throws: SendError.closed) { try network.send([1], from: 0, on: ids[0]) }
  }

  @Test("A sender never has more begun than its peer puts together, whatever the losses")
  func reassemblyLimit() throws {
    let weather = VirtualNetwork.Weather(jitter: .milliseconds(30), loss: 0.2)
    var (network, ids) = try connectedPair(weather: weather) { i, configuration in
      if i == 1 { configuration.reassemblyBytes = 65_536 }
    }
    let messages = (0..<100).map { testMessage($0, byteCount: 1_500 + $0 * 100) }
    for message in messages { try network.send(message, from: 0, on: ids[0]) }
    network.run(until: network.now + .seconds(300)) { $0.messages(1).count == 100 }
    #expect(network.messages(1).count == 100, replay)
    #expect(network.closes(0).isEmpty && network.closes(1).isEmpty, replay)
  }

  @Test("The same seed makes the same datagrams, another seed others")
  func determinism() throws {
    func trace(_ seed: UInt64) throws -> [[UInt8]] {
      let weather = VirtualNetwork.Weather(jitter: .milliseconds(30), loss: 0.1, duplication: 0.1)
      var network = try VirtualNetwork(4, seed: seed, weather: weather)
      var ids: [ConnectionID] = []
      for from in 0..<4 {
        for to in 0..<4 where to != from { ids.append(try network.connect(from, to: to)) }
      }
      for (i, id) in ids.enumerated() {
        try network.send(testMessage(i, byteCount: 5_000), from: i / 3, on: id)
      }
      network.run(.seconds(10))
      for i in 0..<4 { network.with(i) { $0.closeAll(at: $1, into: &$2) } }
      network.run(.seconds(10))
      return network.sent.map(\.bytes)
    }
    let first = try trace(testSeed)
    #expect(first.count > 100)
    #expect(try trace(testSeed) == first)
    #expect(try trace(testSeed &+ 1) != first)
  }
}
