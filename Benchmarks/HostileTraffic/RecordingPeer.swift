import CStarlingShims
import Glibc
import StarlingCore
import StarlingTransport

/// A peer that connects to the target over and over, and whose datagrams are recorded: the material from which
/// hostile ones are made. Most of its connections stay open, so that what names them reaches the ciphers; on one it
/// says what is no message, which costs it its budget.
final class RecordingPeer {
  private struct Sink: TransportSink {
    var datagrams: [[UInt8]] = []
    mutating func transmit(_ datagram: [UInt8], to address: SocketAddress) { datagrams.append(datagram) }
    mutating func connected(
      _ connection: ConnectionID, to key: PublicKey, at address: SocketAddress, initiated: Bool
    ) {}
    mutating func received(_ message: [UInt8], on connection: ConnectionID) {}
    mutating func writable(_ connection: ConnectionID) {}
    mutating func closed(_ connection: ConnectionID, _ reason: CloseReason) {}
  }

  private let target: SocketAddress
  private let socket: Int32
  private var endpoint: Endpoint
  private var sink = Sink()
  private let start = ContinuousClock.now
  private(set) var recorded: [[UInt8]] = []
  private var opened = 0
  /// How many datagrams are kept: the oldest give way.
  static let limit = 600

  init(target: SocketAddress, network: String) throws {
    self.target = target
    socket = target.host.withUnsafeBufferPointer { _ in
      starling_udp_open([127, 0, 0, 1], 4, 0, 1 << 20)
    }
    var seed = [UInt8](repeating: 0, count: 64)
    _ = getrandom(&seed, seed.count, 0)
    guard socket >= 0, let random = ChaChaRandom(seed: Array(seed[32...])) else {
      throw HostileError("no socket")
    }
    endpoint = Endpoint(
      identity: try Identity(seed: Array(seed[..<32])),
      configuration: TransportConfiguration(network: Array(network.utf8)), random: random)
  }

  deinit { close(socket) }

  /// Opens another connection, lets all of them say something, and hears what comes.
  func turn(opening: Bool) {
    let now = Instant(
      nanoseconds: UInt64((ContinuousClock.now - start) / .nanoseconds(1)))
    if opening {
      opened += 1
      if let id = try? endpoint.connect(to: target, expecting: nil, at: now, into: &sink), opened == 8 {
        // No message of a node's: a violation, which must cost nobody but this peer.
        try? endpoint.send([UInt8](repeating: 0xEE, count: 3_000), on: id, at: now, into: &sink)
      }
    }
    hear(at: now)
    endpoint.expire(at: now, into: &sink)
    for datagram in sink.datagrams {
      record(datagram)
      var header = HostileSocket.header(to: target, count: datagram.count)
      _ = starling_udp_send(socket, datagram, &header, 1)
    }
    sink.datagrams = []
  }

  private func hear(at now: Instant) {
    var buffer = [UInt8](repeating: 0, count: STARLING_BATCH * 2_048)
    var headers = [starling_datagram](repeating: starling_datagram(), count: STARLING_BATCH)
    let count = starling_udp_receive(socket, &buffer, 2_048, &headers, Int32(STARLING_BATCH))
    for i in 0..<Int(max(0, count)) {
      let datagram = Array(buffer[(i * 2_048)..<(i * 2_048 + Int(headers[i].byte_count))])
      record(datagram)
      endpoint.receive(datagram, from: target, at: now, into: &sink)
    }
  }

  private func record(_ datagram: [UInt8]) {
    if recorded.count >= RecordingPeer.limit { recorded.removeFirst() }
    recorded.append(datagram)
  }
}

/// A socket from which hostile datagrams are sent in batches.
struct HostileSocket {
  let descriptor: Int32

  /// - Parameter number: which of 127.0.0.0/8 it speaks for.
  init?(_ number: Int) {
    descriptor = starling_udp_open([127, 0, UInt8(number / 200), UInt8(1 + number % 200)], 4, 0, 4 << 20)
    guard descriptor >= 0 else { return nil }
  }

  static func header(to target: SocketAddress, count: Int) -> starling_datagram {
    var header = starling_datagram()
    header.host_count = UInt8(target.host.count)
    withUnsafeMutableBytes(of: &header.host) { $0.copyBytes(from: target.host) }
    header.port = target.port
    header.byte_count = UInt32(count)
    return header
  }

  /// Sends as many as the kernel takes.
  func send(_ datagrams: [[UInt8]], to target: SocketAddress) -> Int {
    var bytes: [UInt8] = []
    var headers: [starling_datagram] = []
    for datagram in datagrams {
      bytes += datagram
      headers.append(HostileSocket.header(to: target, count: datagram.count))
    }
    return Int(max(0, starling_udp_send(descriptor, bytes, headers, Int32(headers.count))))
  }
}
