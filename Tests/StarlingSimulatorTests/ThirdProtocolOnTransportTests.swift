import StarlingCore
import StarlingNode
import StarlingOverlay
import StarlingTestSupport
import StarlingTransport
import Testing

// What the third protocol needs to leave the simulator: an encoded form of its messages, and nothing else.

extension Averaging.Message: WireMessage {
  func encode(into writer: inout WireWriter, peers: borrowing some PeerDirectory) {
    switch self {
    case .push(let value):
      writer.write(UInt8(0))
      writer.write(integer: value.bitPattern)
    case .pull(let step):
      writer.write(UInt8(1))
      writer.write(integer: step.bitPattern)
    }
  }

  static func decode(
    from reader: inout WireReader, peers: inout some PeerDirectory
  ) throws(WireError) -> Averaging.Message {
    let kind = try reader.readByte()
    let number = Double(bitPattern: try reader.read())
    guard number.isFinite else { throw .invalid("a value that is no number") }
    switch kind {
    case 0: return .push(number)
    case 1: return .pull(number)
    default: throw .invalid("an averaging message of kind \(kind)")
    }
  }

  var encodedByteCount: Int { 9 }
}

extension AveragingMember.Message: WireMessage {
  func encode(into writer: inout WireWriter, peers: borrowing some PeerDirectory) {
    switch self {
    case .overlay(let message):
      writer.write(UInt8(0))
      message.encode(into: &writer, peers: peers)
    case .averaging(let message):
      writer.write(UInt8(1))
      message.encode(into: &writer, peers: peers)
    }
  }

  static func decode(
    from reader: inout WireReader, peers: inout some PeerDirectory
  ) throws(WireError) -> AveragingMember.Message {
    switch try reader.readByte() {
    case 0: .overlay(try OpenScamp.Message.decode(from: &reader, peers: &peers))
    case 1: .averaging(try Averaging.Message.decode(from: &reader, peers: &peers))
    case let layer: throw .invalid("a message of layer \(layer)")
    }
  }

  var encodedByteCount: Int {
    switch self {
    case .overlay(let message): 1 + message.encodedByteCount
    case .averaging(let message): 1 + message.encodedByteCount
    }
  }
}

/// One node that runs the process over an endpoint, and the datagrams that it wants sent.
private struct Host: ~Copyable {
  struct Outbox: ProcessHostSink {
    typealias Hosted = AveragingMember
    var datagrams: [(bytes: [UInt8], target: SocketAddress)] = []
    var violations = 0

    mutating func transmit(_ datagram: [UInt8], to address: SocketAddress) {
      datagrams.append((datagram, address))
    }
    mutating func indicated(_ indication: AveragingMember.Indication) {}
    mutating func connected(_ connection: ConnectionID, to peer: Peer) {}
    mutating func closed(_ connection: ConnectionID, to peer: Peer?, _ reason: CloseReason) {}
    mutating func report(_ event: HostEvent) { if case .violation = event { violations += 1 } }
  }

  let record: PeerRecord
  let peers: SharedPeerTable
  var host: ProcessHost<AveragingMember>
  var outbox = Outbox()

  init(_ number: Int, random: inout Xoshiro256) throws {
    func seed() -> [UInt8] { (0..<32).map { _ in UInt8(random.uniform(below: 256)) } }
    let identity = try Identity(seed: seed())
    var secrets = try #require(ChaChaRandom(seed: seed()))
    record = PeerRecord(
      key: identity.publicKey, address: SocketAddress(host: [10, 0, 0, UInt8(number)], port: 4_000))
    peers = SharedPeerTable(PeerTable(own: record))
    let endpoint = Endpoint(
      identity: identity, configuration: TransportConfiguration(network: [1]), random: secrets.split())
    var configuration = ProcessHostConfiguration()
    configuration.listenPort = record.address?.port
    host = ProcessHost(
      process: AveragingMember(identity: PeerTable.own), endpoint: endpoint, peers: peers, random: secrets,
      configuration: configuration)
  }

  mutating func request(_ request: AveragingMember.Request, at now: Instant) {
    host.handle(request, at: now, into: &outbox)
  }
}

/// Hosts whose datagrams reach each other in virtual time, 10 to 30 ms later, or now and then not at all.
private struct HostedGroup: ~Copyable {
  private struct Datagram {
    let at: Instant
    let bytes: [UInt8]
    let source: SocketAddress
    let target: SocketAddress
  }

  private var hosts = Slab<Host>()
  private var addresses: [SocketAddress?] = []
  private var inFlight: [Datagram] = []
  private var random: Xoshiro256
  private(set) var now = Instant.zero

  init(_ count: Int, random: inout Xoshiro256) throws {
    self.random = Xoshiro256(seed: random.next())
    for i in 0..<count {
      var host = try Host(i, random: &random)
      host.host.start(at: .zero, into: &host.outbox)
      addresses.append(host.record.address)
      _ = hosts.insert(host)
    }
  }

  var values: [Double] { (0..<addresses.count).map { hosts[UInt32($0)].host.process.averaging.value } }
  var violations: Int { (0..<addresses.count).reduce(0) { $0 + hosts[UInt32($1)].outbox.violations } }

  mutating func join(_ host: Int, through contact: Int) throws {
    let record = hosts[UInt32(contact)].record
    let peer = try hosts[UInt32(host)].peers.table.intern(record)
    hosts[UInt32(host)].request(.join(contact: peer), at: now)
    collect(from: UInt32(host))
  }

  mutating func begin(_ host: Int, with value: Double) {
    hosts[UInt32(host)].request(.begin(with: value), at: now)
    collect(from: UInt32(host))
  }

  mutating func run(for interval: Interval) {
    let end = now + interval
    while true {
      let deadline = addresses.indices.reduce(Instant.distantFuture) {
        min($0, hosts[UInt32($1)].host.nextDeadline)
      }
      let next = min(deadline, inFlight.first?.at ?? .distantFuture)
      guard next <= end else { break }
      now = max(now, next)
      if let first = inFlight.first, first.at <= now {
        inFlight.removeFirst()
        guard let i = addresses.firstIndex(of: first.target) else { continue }
        deliver(first, to: UInt32(i))
        continue
      }
      for i in addresses.indices where hosts[UInt32(i)].host.nextDeadline <= now { expire(UInt32(i)) }
    }
    now = end
  }

  private mutating func deliver(_ datagram: Datagram, to host: UInt32) {
    let now = now
    hosts[host].receive(datagram.bytes, from: datagram.source, at: now)
    collect(from: host)
  }

  private mutating func expire(_ host: UInt32) {
    let now = now
    hosts[host].expire(at: now)
    collect(from: host)
  }

  private mutating func collect(from host: UInt32) {
    let sent = hosts[host].outbox.datagrams
    hosts[host].outbox.datagrams.removeAll()
    guard let source = addresses[Int(host)] else { return }
    for (bytes, target) in sent where !random.chance(0.02) {
      let at = now + .microseconds(10_000 + random.uniform(below: 20_000))
      let position = inFlight.firstIndex { $0.at > at } ?? inFlight.count
      inFlight.insert(Datagram(at: at, bytes: bytes, source: source, target: target), at: position)
    }
  }
}

extension Host {
  fileprivate mutating func receive(_ datagram: [UInt8], from address: SocketAddress, at now: Instant) {
    host.receive(datagram, from: address, at: now, into: &outbox)
  }

  fileprivate mutating func expire(at now: Instant) { host.expire(at: now, into: &outbox) }
}

@Suite("A third protocol on the real transport")
struct ThirdProtocolOnTransportTests {
  @Test("The process that was simulated agrees on the mean over encrypted datagrams, some of them lost")
  func transport() throws {
    var random = testRandom()
    let count = 10
    var group = try HostedGroup(count, random: &random)
    for i in 1..<count {
      try group.join(i, through: random.uniform(below: i))
      group.run(for: .milliseconds(500))
    }
    group.run(for: .seconds(10))
    for i in 0..<count { group.begin(i, with: Double(i * i)) }
    group.run(for: .seconds(40))
    // The transport repeats what is lost, so nothing is: the mean of the squares below ten is 28.5.
    for value in group.values { #expect(abs(value - 28.5) < 1e-3, "\(group.values); \(replay)") }
    #expect(group.violations == 0)
  }
}
