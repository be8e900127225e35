import StarlingCore
import StarlingTransport
import Testing

@Suite struct LifetimeTests {
  @Test("Without keep-alive a silent connection ends at both ends")
  func idle() throws {
    var (network, ids) = try connectedPair { _, configuration in configuration.keepAlive = nil }
    network.run(.seconds(29))
    #expect(network.closes(0).isEmpty && network.closes(1).isEmpty)
    // The first that ends tells the other, so which of them says so is a matter of timing.
    network.run(.seconds(5))
    #expect(network.heard[0].last == .closed(ids[0], .idle))
    #expect(network.closes(1) == [.idle] || network.closes(1) == [.peer])
    network.run(.seconds(60))
    #expect(network.endpoints.allSatisfy { $0.nextDeadline == .distantFuture })
  }

  @Test("Asking something gives the peer the whole idle timeout to answer")
  func askingInTime() throws {
    var (network, ids) = try connectedPair { i, configuration in
      configuration.keepAlive = nil
      configuration.idleTimeout = .seconds(i == 0 ? 30 : 60)
    }
    let lastHeard = network.now
    network.run(until: lastHeard + .milliseconds(29_700)) { _ in false }
    network.weather.delay = .milliseconds(400)
    try network.send([1], from: 0, on: ids[0])
    network.run(.seconds(5))
    #expect(network.closes(0).isEmpty && network.messages(1) == [[1]])
    network.run(.seconds(40))
    #expect(network.closes(0) == [.idle])
  }

  @Test("Keep-alive keeps a silent connection up, at a few datagrams a minute")
  func keepAlive() throws {
    var (network, ids) = try connectedPair(
      weather: VirtualNetwork.Weather(loss: 0.05))
    let before = network.sent.count
    network.run(.seconds(600))
    #expect(network.closes(0).isEmpty && network.closes(1).isEmpty, replay)
    #expect((100...400).contains(network.sent.count - before), replay)
    try network.send([1], from: 0, on: ids[0])
    network.run(.seconds(10))
    #expect(network.messages(1) == [[1]])
  }

  @Test("Proofs of life that are demanded keep a connection up, and end one to a peer that has given it up")
  func proofs() throws {
    for isThere in [true, false] {
      var (network, _) = try connectedPair(weather: VirtualNetwork.Weather(loss: 0.1))
      network.run(.seconds(5))
      if !isThere { network.dead = [1] }
      network.with(0) { $0.demandProofs(within: .seconds(5), at: $1, into: &$2) }
      network.run(.seconds(6))
      #expect(network.closes(0) == (isThere ? [] : [.unresponsive]), replay)
    }
  }

  @Test("A peer that has vanished is noticed, whether or not there is something to send")
  func vanished() throws {
    for hasMessage in [false, true] {
      var (network, ids) = try connectedPair()
      network.dead = [1]
      if hasMessage { try network.send([1], from: 0, on: ids[0]) }
      network.run(.seconds(29))
      #expect(network.closes(0).isEmpty)
      network.run(.seconds(hasMessage ? 3 : 13))
      #expect(network.closes(0) == [.unresponsive])
      #expect(network.sent.suffix(100).count { $0.from == 0 } < 40)
      // The handshake was done: none of the probes repeats it.
      #expect(network.sent.count { $0.bytes[0] == 3 } == 1)
    }
  }

  @Test("When probes back off past the idle timeout, the connection ends")
  func backOff() throws {
    var (network, ids) = try connectedPair { _, configuration in
      configuration.idleTimeout = .seconds(3_600)
      configuration.keepAlive = nil
    }
    network.dead = [1]
    try network.send([1], from: 0, on: ids[0])
    network.run(.seconds(600))
    let sent = network.sent.count
    network.run(.seconds(2_800))
    #expect(network.closes(0).isEmpty)
    #expect(network.sent.count - sent < 60)
    network.run(.seconds(400))
    #expect(network.closes(0) == [.unresponsive])
  }

  @Test("A close reaches the peer, which hears of it once, after the messages before it")
  func close() throws {
    var (network, ids) = try connectedPair()
    try network.send([1], from: 0, on: ids[0])
    network.close(ids[0], by: 0)
    network.close(ids[0], by: 0)
    network.run(.seconds(1))
    #expect(network.closes(0) == [.local])
    #expect(network.heard[1].suffix(2) == [.received([1], ids[1]), .closed(ids[1], .peer)])
    #expect(network.endpoints.allSatisfy { $0.nextDeadline == .distantFuture })
  }

  @Test("A peer that missed the close hears it when it next speaks")
  func lostClose() throws {
    var (network, ids) = try connectedPair()
    network.meddle = { _, from in from == 0 ? nil : [] }
    network.close(ids[0], by: 0)
    network.meddle = nil
    try network.send([UInt8](repeating: 1, count: 100), from: 1, on: ids[1])
    network.run(.milliseconds(50))
    #expect(network.closes(1) == [.peer])
    #expect(network.messages(0).isEmpty)
  }

  @Test("Closing all ends every connection, also those that are not yet up")
  func closeAll() throws {
    var network = try VirtualNetwork(3, seed: testSeed)
    let up = try network.connect(0, to: 1)
    network.run(.seconds(1))
    let halfway = try network.connect(0, to: 2)
    network.with(0) { $0.closeAll(at: $1, into: &$2) }
    #expect(network.closes(0) == [.local, .local])
    for id in [up, halfway] {
      #expect(throws: SendError.closed) { try network.send([], from: 0, on: id) }
    }
    network.run(.seconds(30))
    #expect(network.closes(1) == [.peer])
    #expect(network.heard[2].isEmpty)
  }

  @Test("An identifier that was asked for ends in exactly one close, whatever happens")
  func oneCloseEach() throws {
    let weather = VirtualNetwork.Weather(jitter: .milliseconds(40), loss: 0.3, duplication: 0.2)
    var network = try VirtualNetwork(4, seed: testSeed, weather: weather) { _, configuration in
      configuration.maximumConnections = 5
      configuration.maximumHandshakes = 3
    }
    var asked: [[ConnectionID]] = Array(repeating: [], count: 4)
    for round in 0..<30 {
      let from = round % 4
      if let id = try? network.connect(from, to: (round * 7 + 1) % 4) { asked[from].append(id) }
      network.run(.milliseconds(400))
      if round % 5 == 4, let id = asked[from].last { network.close(id, by: from) }
    }
    for i in 0..<4 { network.with(i) { $0.closeAll(at: $1, into: &$2) } }
    network.run(.seconds(60))
    for i in 0..<4 {
      let closed = network.heard[i].compactMap { if case .closed(let id, _) = $0 { id } else { nil } }
      #expect(Set(closed).count == closed.count, replay)
      #expect(Set(closed) == Set(asked[i] + network.connected(i)), replay)
      #expect(network.endpoints[i].nextDeadline == .distantFuture)
      #expect(network.endpoints[i].counters.closes == UInt64(closed.count))
    }
  }
}
