import Glibc
import StarlingCore
import StarlingNode
import StarlingRuntime
import StarlingTransport

/// Runs an ``Equivocator`` as one member of a real network until it is ended:
/// `Equivocator --members FILE --identity FILE --listen ADDR:PORT --broadcast NAME`.
final class LyingMember {
  private struct Sink: ProcessHostSink {
    typealias Hosted = Equivocator
    var datagrams: [Datagram] = []
    mutating func transmit(_ datagram: [UInt8], to address: SocketAddress) {
      datagrams.append(Datagram(bytes: datagram, address: address))
    }
    mutating func indicated(_ indication: Never) {}
    mutating func connected(_ connection: ConnectionID, to peer: Peer) {}
    mutating func closed(_ connection: ConnectionID, to peer: Peer?, _ reason: CloseReason) {}
    mutating func report(_ event: HostEvent) {}
  }

  private var host: ProcessHost<Equivocator>
  private var sink = Sink()
  private let socket: UDPSocket
  private let start = ContinuousClock.now

  init(_ options: [String: String]) throws {
    guard let list = options["--members"], let file = options["--identity"],
      let listen = options["--listen"].flatMap({ SocketAddress($0) })
    else {
      throw HostError("Give --members FILE --identity FILE --listen ADDR:PORT --broadcast NAME.")
    }
    let identity = try IdentityFile.read(file)
    let network = Array("starling".utf8)
    let own = PeerRecord(key: identity.publicKey, address: listen)
    let table = SharedPeerTable(PeerTable(own: own))
    var members = PeerSet()
    for record in try SecureBroadcastSettings.readMembers(list) {
      let peer = try table.table.intern(record)
      members.insert(peer)
      if peer != PeerTable.own, let address = record.address { table.table.confirm(address, of: peer) }
    }
    guard let random = ChaChaRandom(seed: try SystemEntropy.bytes(ChaChaRandom.seedByteCount)),
      let transportRandom = ChaChaRandom(seed: try SystemEntropy.bytes(ChaChaRandom.seedByteCount))
    else { throw HostError("There is no entropy.") }
    let process = Equivocator(
      members: members.members.filter { $0 != PeerTable.own }, key: identity.publicKey,
      auth: KeySecureAuthenticator(identity: identity, network: network, peers: table, members: members),
      isBracha: options["--broadcast"] == "bracha")
    host = ProcessHost(
      process: process,
      endpoint: Endpoint(
        identity: identity, configuration: TransportConfiguration(network: network), random: transportRandom),
      peers: table, random: random)
    socket = try UDPSocket(listeningOn: listen)
  }

  private var now: Instant { Instant(nanoseconds: UInt64((ContinuousClock.now - start) / .nanoseconds(1))) }

  /// Runs until the descriptor `lifeline` is closed at its other end, or for ever.
  func run(lifeline: Int32) {
    host.start(at: now, into: &sink)
    while true {
      for datagram in sink.datagrams { socket.send(datagram) }
      sink.datagrams = []
      socket.flush()
      var entries = [
        pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0),
        pollfd(fd: lifeline, events: Int16(POLLIN), revents: 0),
      ]
      _ = poll(&entries, 2, 10)
      if lifeline >= 0, entries[1].revents != 0 { return }
      for datagram in socket.receive() {
        host.receive(datagram.bytes, from: datagram.address, at: now, into: &sink)
      }
      if host.nextDeadline <= now { host.expire(at: now, into: &sink) }
    }
  }
}

var options: [String: String] = [:]
for pair in stride(from: 1, to: CommandLine.arguments.count - 1, by: 2) {
  options[CommandLine.arguments[pair]] = CommandLine.arguments[pair + 1]
}
do {
  let member = try LyingMember(options)
  let lifeline = getenv("STARLING_LIFELINE").flatMap { Int32(String(cString: $0)) } ?? -1
  member.run(lifeline: lifeline)
} catch {
  let line = Array("Equivocator: \(error)\n".utf8)
  _ = write(STDERR_FILENO, line, line.count)
  exit(1)
}
