import StarlingApps
import StarlingCore
import StarlingLedger

@testable import StarlingNode
@testable import StarlingTransport

/// Two endpoints, and two whole nodes, whose network an input controls: it delivers, loses, repeats and changes
/// datagrams, and lets time pass.
let endpointTargets = [
  FuzzTarget("endpoint") {
    [
      [0, 1, 0, 1, 0, 1, 0, 2, 30, 1, 0, 1, 0, 1, 0, 6, 1, 0, 1, 0],
      [0, 1, 0, 3, 0, 1, 0, 4, 5, 1, 0, 5, 9, 5, 200],
    ]
  } run: {
    runEndpoints(FuzzProgram($0))
  },
  FuzzTarget("node") {
    [
      [UInt8](repeating: 0, count: 40), [0, 0, 0, 0, 0, 0, 4, 3, 1, 1, 9, 0, 0, 0, 2, 0, 9, 5, 200, 0, 0],
    ]
  } run: {
    runNodes(FuzzProgram($0))
  },
]

private func identity(_ n: UInt8) -> Identity {
  guard let identity = try? Identity(seed: [UInt8](repeating: n, count: 32)) else {
    preconditionFailure("32 bytes are a seed")
  }
  return identity
}

private let fuzzAddresses: [SocketAddress] = (1...3).compactMap {
  SocketAddress(host: [10, 0, 0, $0], port: 4_000)
}
private let fuzzIdentities = [identity(1), identity(2)]

private struct FuzzTransportSink: TransportSink {
  var datagrams: [(bytes: [UInt8], target: SocketAddress)] = []
  var connections: [ConnectionID] = []
  var received = 0

  mutating func transmit(_ datagram: [UInt8], to address: SocketAddress) {
    promise(datagram.count <= 1_200, "a datagram is not too large")
    datagrams.append((datagram, address))
  }
  mutating func connected(
    _ connection: ConnectionID, to key: PublicKey, at address: SocketAddress, initiated: Bool
  ) { connections.append(connection) }
  mutating func received(_ message: [UInt8], on connection: ConnectionID) {
    promise(message.allSatisfy { $0 == 7 }, "a message comes as it was sent")
    received += 1
  }
  mutating func writable(_ connection: ConnectionID) {}
  mutating func closed(_ connection: ConnectionID, _ reason: CloseReason) {
    connections.removeAll { $0 == connection }
  }
}

/// Changes a datagram as the program says.
private func changed(_ bytes: [UInt8], by program: inout FuzzProgram) -> [UInt8] {
  var bytes = bytes
  if program.byte() & 1 == 0 { return Array(bytes.prefix(Int(program.byte()) * 5)) }
  if !bytes.isEmpty { bytes[(Int(program.byte()) * 7) % bytes.count] ^= max(1, program.byte()) }
  return bytes
}

private func runEndpoints(_ program: FuzzProgram) {
  var program = program
  var configuration = TransportConfiguration(network: [1])
  configuration.maximumConnections = 4
  configuration.maximumHandshakes = 4
  var sinks = [FuzzTransportSink(), FuzzTransportSink()]
  var endpoints = (0..<2).compactMap { i in
    ChaChaRandom(seed: [UInt8](repeating: UInt8(10 + i), count: 32)).map {
      Endpoint(identity: fuzzIdentities[i], configuration: configuration, random: $0)
    }
  }
  var now = Instant.zero
  var sent = 0
  for _ in 0..<100 where !program.isAtEnd {
    let step = program.number(below: 7)
    let side = program.number(below: 2)
    switch step {
    case 0:
      if let id = try? endpoints[side].connect(
        to: fuzzAddresses[1 - side], expecting: nil, at: now, into: &sinks[side])
      {
        sinks[side].connections.append(id)
      }
    case 1, 2, 3:
      // Deliver, repeat or change the oldest datagram of the other side.
      guard let first = sinks[1 - side].datagrams.first else { break }
      if step != 2 { sinks[1 - side].datagrams.removeFirst() }
      let bytes = step == 3 ? changed(first.bytes, by: &program) : first.bytes
      endpoints[side].receive(bytes, from: fuzzAddresses[1 - side], at: now, into: &sinks[side])
    case 4:
      guard let id = sinks[side].connections.last else { break }
      let message = [UInt8](repeating: 7, count: Int(program.byte()) * 40)
      if (try? endpoints[side].send(message, on: id, at: now, into: &sinks[side])) != nil { sent += 1 }
    case 5:
      now = now + .milliseconds(Int(program.byte()) * 50)
      endpoints[side].expire(at: now, into: &sinks[side])
    default:
      if program.byte() < 32, let id = sinks[side].connections.first {
        endpoints[side].close(id, at: now, into: &sinks[side])
      } else {
        endpoints[side].receive(program.counted(), from: fuzzAddresses[2], at: now, into: &sinks[side])
      }
    }
    promise(
      endpoints[side].connections.count <= 4 && endpoints[side].responders.count <= 4, "tables are bounded")
    promise(sinks[0].received + sinks[1].received <= sent, "nothing is received that was not sent")
    promise(endpoints[side].nextDeadline >= .zero, "there is a deadline")
  }
}

private struct FuzzNodeSink: NodeSink {
  var datagrams: [[UInt8]] = []
  mutating func transmit(_ datagram: [UInt8], to address: SocketAddress) { datagrams.append(datagram) }
  mutating func requestChunk(_ index: Int, of file: FileIdentifier) {}
  mutating func announced(_ manifest: FileManifest, by publisher: PublicKey) {}
  mutating func arrived(_ index: Int, of file: FileIdentifier, from neighbour: PublicKey) {}
  mutating func store(_ chunk: [UInt8], index: Int, of file: FileIdentifier) {}
  mutating func completed(_ file: FileIdentifier) {}
  mutating func applied(_ applied: Ledger.Applied) {}
  mutating func abandoned(_ transfer: SignedTransfer) {}
  mutating func keep(_ write: StableWrite) {}
  mutating func recall(_ recall: StableRecall) {}
  mutating func certified(_ number: TransferNumber, _ outcome: Result<Certificate, CertificateFailure>) {}
  mutating func delivered(_ posts: [Post], by author: PublicKey) {}
  mutating func report(_ event: NodeEvent) {}
}

/// A victim and a liar, who shakes hands and joins as it should and then sends frames of the input's.
private func runNodes(_ program: FuzzProgram) {
  var program = program
  guard var victim = fuzzNode(0, contacts: []), var liar = fuzzNode(1, contacts: [fuzzAddresses[0]]) else {
    return
  }
  var (victims, liars) = (FuzzNodeSink(), FuzzNodeSink())
  var now = Instant.zero
  victim.start(at: now, into: &victims)
  liar.start(at: now, into: &liars)
  for _ in 0..<80 where !program.isAtEnd {
    switch program.number(below: 6) {
    case 0, 1:
      // All that waits is delivered.
      let (toVictim, toLiar) = (liars.datagrams, victims.datagrams)
      liars.datagrams = []
      victims.datagrams = []
      for bytes in toVictim { victim.receive(bytes, from: fuzzAddresses[1], at: now, into: &victims) }
      for bytes in toLiar { liar.receive(bytes, from: fuzzAddresses[0], at: now, into: &liars) }
    case 2:
      guard !liars.datagrams.isEmpty else { break }
      let bytes = changed(liars.datagrams.removeFirst(), by: &program)
      victim.receive(bytes, from: fuzzAddresses[1], at: now, into: &victims)
    case 3, 4:
      guard let peer = liar.peers.table.peer(with: fuzzIdentities[0].publicKey) else { break }
      liar.host.core.send(.init(frame: program.counted(), trafficClass: 0), to: peer)
      liar.expire(at: now, into: &liars)
    default:
      now = now + .milliseconds(Int(program.byte()) * 40)
      if victim.nextDeadline <= now { victim.expire(at: now, into: &victims) }
      if liar.nextDeadline <= now { liar.expire(at: now, into: &liars) }
    }
    let status = victim.status
    promise(!status.neighbours.contains { $0.key == victim.key }, "no node is its own neighbour")
    promise(status.knownPeerCount <= 64 && status.connectionCount <= 256, "tables are bounded")
    promise(status.shunned.count <= Conduct.recordLimit, "the shunned are bounded")
  }
}

private func fuzzNode(_ n: Int, contacts: [SocketAddress]) -> Node? {
  var configuration = NodeConfiguration(network: "fuzz", listen: fuzzAddresses[n], contacts: contacts)
  configuration.peerLimit = 64
  return try? Node(
    identity: fuzzIdentities[n], configuration: configuration,
    seed: [UInt8](repeating: UInt8(20 + n), count: 32),
    firstSequence: 1)
}
