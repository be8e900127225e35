import StarlingCore
import StarlingTransport

@testable import StarlingNode

/// A toy protocol: whoever hears a rumour for the first time tells it to the peers that it knows. It stands
/// for any protocol that somebody writes and runs on a ``ProcessHost``.
struct Rumour: Process {
  enum Message: WireMessage, Equatable {
    case rumour(UInt32)
    case meet(Peer)
    /// What no correct peer sends.
    case babble

    func encode(into writer: inout WireWriter, peers: borrowing some PeerDirectory) {
      switch self {
      case .rumour(let number):
        writer.write(UInt8(0))
        writer.write(integer: number)
      case .meet(let peer):
        writer.write(UInt8(1))
        writer.write(peer, from: peers)
      case .babble:
        // A meeting with a stranger, and one byte too many.
        writer.write(UInt8(1))
        writer.write(raw: [UInt8](repeating: 7, count: 32))
        writer.write(integer: UInt16(0))
      }
    }

    static func decode(
      from reader: inout WireReader, peers: inout some PeerDirectory
    ) throws(WireError) -> Message {
      switch try reader.readByte() {
      case 0: .rumour(try reader.read())
      case 1: .meet(try reader.readPeer(into: &peers))
      case let kind: throw .invalid("a rumour of kind \(kind)")
      }
    }

    var encodedByteCount: Int {
      switch self {
      case .rumour: 5
      case .meet: 1 + PeerRecord.encodedByteCount
      case .babble: 35
      }
    }
  }

  enum Request {
    case know(Peer)
    case tell(UInt32)
    case introduce(Peer, to: Peer)
    case babble(to: Peer)
    case tellLater(UInt32, after: Interval)
  }

  enum Indication: Equatable {
    case heard(UInt32, from: Peer)
    case lost(Peer)
  }

  var known = PeerSet()
  var heard: [UInt32] = []

  mutating func handle(
    _ request: Request, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch request {
    case .know(let peer): known.insert(peer)
    case .tell(let number): tell(number, into: &effects)
    case .introduce(let peer, let other): effects.send(.meet(peer), to: other)
    case .babble(let peer): effects.send(.babble, to: peer)
    case .tellLater(let number, let wait): effects.schedule(number, at: now + wait)
    }
  }

  mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch message {
    case .rumour(let number):
      if heard.contains(number) { return }
      effects.indicate(.heard(number, from: sender))
      tell(number, into: &effects)
    case .meet(let peer): known.insert(peer)
    case .babble: break
    }
  }

  mutating func expire(
    _ timer: UInt32, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    tell(timer, into: &effects)
  }

  mutating func disconnect(
    from peer: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    known.remove(peer)
    effects.indicate(.lost(peer))
  }

  private mutating func tell(_ number: UInt32, into effects: inout some Effects<Self> & ~Copyable) {
    heard.append(number)
    let parcel = effects.prepare(.rumour(number))
    for peer in known.members { effects.send(parcel, to: peer) }
  }
}

/// A host that runs ``Rumour``, and what it wanted done.
final class RumourHost {
  struct Sink: ProcessHostSink {
    typealias Hosted = Rumour
    var datagrams: [(bytes: [UInt8], target: SocketAddress)] = []
    var indications: [Rumour.Indication] = []
    var connected: [Peer] = []
    var closed: [(peer: Peer?, reason: CloseReason)] = []
    var events: [HostEvent] = []

    mutating func transmit(_ datagram: [UInt8], to address: SocketAddress) {
      datagrams.append((datagram, address))
    }
    mutating func indicated(_ indication: Rumour.Indication) { indications.append(indication) }
    mutating func connected(_ connection: ConnectionID, to peer: Peer) { connected.append(peer) }
    mutating func closed(_ connection: ConnectionID, to peer: Peer?, _ reason: CloseReason) {
      closed.append((peer, reason))
    }
    mutating func report(_ event: HostEvent) { events.append(event) }
  }

  let address: SocketAddress
  let key: PublicKey
  let peers: SharedPeerTable
  var host: ProcessHost<Rumour>
  var sink = Sink()

  init(
    _ n: Int, seed: UInt64, life: Int = 0, peerLimit: Int = 64, transport: TransportConfiguration? = nil,
    configure: (inout ProcessHostConfiguration, inout ProcessHooks<Rumour>) -> Void = { _, _ in }
  ) throws {
    address = try StarlingNodeTests.address(n)
    let identity = try Identity(seed: seedBytes(seed, n))
    key = identity.publicKey
    peers = SharedPeerTable(
      PeerTable(own: PeerRecord(key: key, address: address), capacity: peerLimit))
    guard var random = ChaChaRandom(seed: seedBytes(seed, n + 100 + 1_000 * life)) else {
      throw TestFailure(what: "no generator")
    }
    let endpoint = Endpoint(
      identity: identity, configuration: transport ?? TransportConfiguration(network: [1]),
      random: random.split())
    var configuration = ProcessHostConfiguration()
    var hooks = ProcessHooks<Rumour>()
    configure(&configuration, &hooks)
    host = ProcessHost(
      process: Rumour(), endpoint: endpoint, peers: peers, random: random, configuration: configuration,
      hooks: hooks)
  }

  /// The handle under which this host knows another.
  func handle(of other: RumourHost) throws -> Peer {
    try peers.table.intern(PeerRecord(key: other.key, address: other.address))
  }

  var connectionCount: Int { host.connectionCount }

  /// The numbers that it heard, in order.
  var heard: [UInt32] {
    sink.indications.compactMap { if case .heard(let number, _) = $0 { number } else { nil } }
  }
}

/// Hosts over a network in virtual time.
final class RumourNetwork {
  var network: TestNetwork
  var hosts: [RumourHost]
  var now = Instant.zero

  init(_ hosts: [RumourHost], seed: UInt64, loss: Double = 0) {
    self.hosts = hosts
    network = TestNetwork(seed: seed, loss: loss)
  }

  func request(_ request: Rumour.Request, of host: RumourHost) {
    host.host.handle(request, at: now, into: &host.sink)
    collect(from: host)
  }

  /// Takes the datagrams that a host has handed out since.
  func collect(from host: RumourHost) {
    for (bytes, target) in host.sink.datagrams {
      network.send(.init(bytes: bytes, source: host.address, target: target), at: now)
    }
    host.sink.datagrams = []
  }

  func run(for interval: Interval) {
    let end = now + interval
    while true {
      let next = hosts.reduce(network.nextInstant) { min($0, $1.host.nextDeadline) }
      guard next <= end else { break }
      now = max(now, next)
      while let datagram = network.popDue(at: now) {
        guard let host = hosts.first(where: { $0.address == datagram.target }) else { continue }
        host.host.receive(datagram.bytes, from: datagram.source, at: now, into: &host.sink)
        collect(from: host)
      }
      for host in hosts where host.host.nextDeadline <= now {
        host.host.expire(at: now, into: &host.sink)
        collect(from: host)
      }
    }
    now = end
  }
}
