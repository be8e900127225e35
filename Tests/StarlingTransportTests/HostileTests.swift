import StarlingCore
import Testing

@testable import StarlingTransport

@Suite struct HostileTests {
  @Test("Replayed datagrams deliver nothing and are counted")
  func replays() throws {
    var (network, ids) = try connectedPair()
    for i in 0..<20 { try network.send(testMessage(i, byteCount: i * 300), from: 0, on: ids[0]) }
    network.run(.seconds(3))
    let heard = network.heard
    let sent = network.sent
    for (datagram, from) in sent + sent {
      network.inject(datagram, to: 1 - from, from: VirtualNetwork.address(from))
    }
    network.run(.seconds(3))
    #expect(network.heard == heard)
    let packets = sent.count { $0.from == 0 && $0.bytes[0] == DatagramKind.packet.rawValue }
    #expect(network.endpoints[1].counters.dropped(.replayed) == UInt64(2 * packets))
    // A replayed opening from another address opens nothing either, for want of its secret.
    network.inject(sent[0].bytes, to: 1, from: try #require(SocketAddress("9.9.9.9:9")))
    network.run(.seconds(30))
    #expect(network.heard == heard)
  }

  @Test("Flipped bits never deliver wrong bytes, and what they spoil is sent again")
  func bitFlips() throws {
    var network = try VirtualNetwork(seed: testSeed)
    var random = Xoshiro256(seed: testSeed)
    network.meddle = { datagram, _ in
      guard random.chance(0.15) else { return datagram }
      var spoiled = datagram
      spoiled[random.uniform(below: spoiled.count)] ^= 1 << UInt8(random.uniform(below: 8))
      if random.chance(0.2) { spoiled.removeLast(random.uniform(below: spoiled.count)) }
      return spoiled
    }
    let id = try network.connect(0, to: 1)
    let messages = (0..<40).map { testMessage($0, byteCount: $0 * 150) }
    for message in messages { try network.send(message, from: 0, on: id) }
    let isDone = network.run(until: network.now + .seconds(100)) { $0.messages(1).count == 40 }
    #expect(isDone, replay)
    network.run(.seconds(2))
    let order = { (a: [UInt8], b: [UInt8]) in a.lexicographicallyPrecedes(b) }
    #expect(network.messages(1).sorted(by: order) == messages.sorted(by: order), replay)
    #expect(network.endpoints[1].counters.dropped(.forged) > 0, replay)
  }

  @Test("No bit of a datagram can be flipped unnoticed")
  func everyBit() throws {
    var (network, ids) = try connectedPair()
    network.meddle = { _, _ in nil }
    try network.send([1, 2, 3], from: 0, on: ids[0])
    let datagram = try #require(network.sent.last).bytes
    let heard = network.heard
    for i in 0..<(datagram.count * 8) {
      var flipped = datagram
      flipped[i / 8] ^= 1 << UInt8(i % 8)
      network.inject(flipped, to: 1, from: VirtualNetwork.address(0))
    }
    for count in 0..<datagram.count {
      network.inject(Array(datagram.prefix(count)), to: 1, from: VirtualNetwork.address(0))
    }
    #expect(network.heard == heard)
    network.inject(datagram, to: 1, from: VirtualNetwork.address(0))
    #expect(network.messages(1) == [[1, 2, 3]])
  }

  @Test("100,000 datagrams of garbage change nothing and take no memory")
  func garbage() throws {
    var (network, ids) = try connectedPair()
    let opening = try #require(network.sent.first).bytes
    let pending = try network.connect(0, to: 1)
    network.meddle = { _, _ in nil }
    let heard = network.heard
    let deadlines = network.endpoints.map(\.nextDeadline)
    var random = Xoshiro256(seed: testSeed)
    let names = ids + [pending, ConnectionID(random.next())]
    var sink = Notes()
    for round in 0..<100_000 {
      var datagram = (0..<(random.uniform(below: 60))).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      switch round % 4 {
      case 0: break
      case 1 where round % 100 == 1:
        // Looks like an opening, of another network or version.
        datagram = opening
        for _ in 0..<4 { datagram[1 + random.uniform(below: 57)] ^= UInt8(1 + random.uniform(below: 255)) }
      default:
        let name = names[random.uniform(below: names.count)].value
        let header = (0..<8).map { UInt8(truncatingIfNeeded: name >> UInt64(56 - 8 * $0)) }
        // Kind 4, a refusal, is left out: it is believed to explain a handshake's failure, as documented.
        datagram = [[1, 2, 3, 5][random.uniform(below: 4)]] + header + datagram
      }
      let i = round & 1
      network.endpoints[i].receive(
        datagram, from: VirtualNetwork.address(1 - i), at: network.now, into: &sink)
    }
    #expect(sink.heard.isEmpty, replay)
    #expect(sink.datagrams.allSatisfy { $0.bytes[0] == DatagramKind.refuse.rawValue }, replay)
    #expect(network.heard == heard)
    #expect(network.endpoints.map(\.nextDeadline) == deadlines)
    #expect(network.endpoints[0].connections.count == 2 && network.endpoints[1].connections.count == 1)
    for endpoint in network.endpoints {
      #expect(endpoint.responders.isEmpty && endpoint.closing.isEmpty)
      #expect(endpoint.routes.count <= 2 && endpoint.openings.count <= 1)
      #expect(endpoint.counters.dropped > 49_000)
    }
    network.meddle = nil
    try network.send([1], from: 0, on: ids[0])
    network.run(.seconds(5))
    #expect(network.messages(1) == [[1]])
    #expect(network.connected(0).contains(pending))
  }

  @Test("A packet from another address is taken, and answered where the handshake was made")
  func otherAddress() throws {
    var (network, ids) = try connectedPair()
    network.meddle = { _, _ in nil }
    try network.send([1], from: 0, on: ids[0])
    let datagram = try #require(network.sent.last).bytes
    network.meddle = nil
    network.inject(datagram, to: 1, from: try #require(SocketAddress("6.6.6.6:6")))
    #expect(network.messages(1) == [[1]])
    try network.send([2], from: 1, on: ids[1])
    network.run(.milliseconds(100))
    #expect(network.messages(0) == [[2]])
  }

  /// Seals frames as endpoint 0 of a pair would, and hands them to endpoint 1.
  private func forge(_ frames: [UInt8]) throws -> [CloseReason] {
    var (network, _) = try connectedPair()
    let connection = network.endpoints[0].connections[0]
    let session = try #require(connection.session)
    let datagram = Packet.seal(
      frames, to: session.peerID, number: connection.nextNumber, with: session.sending)
    network.endpoints[0].connections[0].nextNumber += 1
    network.inject(datagram, to: 1, from: VirtualNetwork.address(0))
    network.run(.seconds(1))
    let isReported = network.closes(0) == [.violationReported]
    #expect(isReported == !network.closes(1).isEmpty)
    return network.closes(1)
  }

  @Test("A peer that breaks the protocol is closed, whatever it sends")
  func violations() throws {
    let maximum: [UInt8] = [UInt8](repeating: 255, count: 8)
    let cases: [[UInt8]] = [
      [], [0], [9], [2], [3], [3, 0, 0], [3, 0, 0, 5, 1, 2], [4],
      // An acknowledgement of what was not sent, one below packet 0, one of too many ranges.
      [2, 60, 0, 0, 0], [2, 0, 0, 0, 1], [2, 1, 0, 1, 0, 0, 0], [2, 0, 0, 200, 0],
      [2] + maximum + [0, 0, 0], [2, 0] + maximum + [1, 0] + maximum + [0],
      // Parts of messages too large, outside, out of step, too far ahead.
      [3, 0, 0] + [0x80, 1, 0, 1], [3, 0, 1, 5] + [0, 0, 0, 0, 0], [3, 0, 0x44, 0x4C, 5],
      [3] + maximum + [0, 1, 1], [3, 0x50, 0, 0, 1, 1], [3, 0] + maximum + [1], [3, 0, 0] + maximum,
    ]
    for frames in cases {
      let closes = try forge(frames)
      guard case .violation = closes.first else {
        Issue.record("\(frames) was not noticed")
        continue
      }
      #expect(closes.count == 1)
    }
    #expect(try forge([1]).isEmpty)
    #expect(try forge([2, 0, 0, 0, 0]).isEmpty)
    #expect(try forge([3, 0, 0, 1, 1]).isEmpty)
  }

  @Test("Random frames of an authentic peer never trap")
  func randomFrames() throws {
    var random = Xoshiro256(seed: testSeed)
    let (network, _) = try connectedPair()
    let connection = network.endpoints[0].connections[0]
    let session = try #require(connection.session)
    for _ in 0..<5_000 {
      var endpoint = network.endpoints[1]
      var sink = Notes()
      var frames: [UInt8] = []
      for _ in 0...random.uniform(below: 3) {
        frames.append(UInt8(1 + random.uniform(below: 4)))
        for _ in 0..<random.uniform(below: 12) {
          frames.append(random.oneIn(2) ? UInt8(random.uniform(below: 4)) : UInt8(random.uniform(below: 256)))
        }
      }
      let number = connection.nextNumber + UInt64(random.uniform(below: 5_000))
      let datagram = Packet.seal(frames, to: session.peerID, number: number, with: session.sending)
      endpoint.receive(datagram, from: VirtualNetwork.address(0), at: network.now, into: &sink)
      endpoint.expire(at: network.now + .seconds(1), into: &sink)
      #expect(sink.datagrams.count < 50)
    }
  }

  @Test("A peer that never finishes its messages is closed when it exceeds what it was told")
  func unfinishedMessages() throws {
    var (network, _) = try connectedPair { _, configuration in configuration.reassemblyBytes = 100_000 }
    let connection = network.endpoints[0].connections[0]
    let session = try #require(connection.session)
    for number in 0..<4 {
      var writer = WireWriter()
      Fragment.encode(
        message: UInt64(number), index: 1, of: [UInt8](repeating: 7, count: 30_000), into: &writer)
      let datagram = Packet.seal(
        writer.bytes, to: session.peerID, number: connection.nextNumber + UInt64(number),
        with: session.sending)
      #expect(network.closes(1).isEmpty)
      network.inject(datagram, to: 1, from: VirtualNetwork.address(0))
    }
    #expect(network.closes(1) == [.violation("more unfinished messages than it was told fit")])
    #expect(network.messages(1).isEmpty)
  }
}
