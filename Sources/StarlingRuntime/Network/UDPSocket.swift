import CStarlingShims
import Glibc
import StarlingCore

/// A non-blocking UDP socket that receives and sends in batches.
///
/// Datagrams wait in a bounded queue until ``flush()``; what the kernel cannot take yet stays there, and what
/// it refuses for good is dropped and counted: a lost datagram is the transport's daily business.
public final class UDPSocket {
  /// The longest datagram that is received; longer ones are dropped.
  static let datagramLimit = 2_048
  /// The most datagrams that may wait for the kernel.
  static let queueLimit = 4_096
  /// What the kernel is asked to buffer each way, in bytes.
  private static let kernelBuffer: Int32 = 4 << 20

  private let socket: FileDescriptor
  /// Where the socket listens; its port is never 0.
  public let local: SocketAddress
  private var queue: [Datagram] = []
  private var buffer: [UInt8]
  private var headers: [starling_datagram]

  /// How many datagrams were dropped because the queue was full or the kernel refused them.
  public private(set) var dropped: UInt64 = 0
  /// How many calls the kernel took datagrams with.
  private(set) var accepted: UInt64 = 0
  /// How many datagrams the kernel refused.
  private(set) var refused: UInt64 = 0
  /// Why it last refused one: an `errno`.
  private(set) var lastRefusal: Int32 = 0

  /// Binds a socket.
  ///
  /// - Parameter address: where to listen; port 0 takes any free port.
  public init(listeningOn address: SocketAddress) throws(HostError) {
    let fd = starling_udp_open(
      address.host, UInt8(address.host.count), address.port, UDPSocket.kernelBuffer)
    if fd == -EADDRINUSE {
      throw HostError("The address \(address) is already in use; choose another port, or 0 for any free one.")
    }
    if fd == -EADDRNOTAVAIL {
      throw HostError("The address \(address) is not one of this machine's; choose one that is.")
    }
    socket = try FileDescriptor(fd, orThrow: "The node cannot listen on \(address)")
    var bound = starling_datagram()
    let result = starling_udp_local(socket.number, &bound)
    guard result >= 0, let local = UDPSocket.address(of: bound) else {
      throw HostError("The socket's own address could not be read", errno: -min(result, -1))
    }
    self.local = local
    buffer = [UInt8](repeating: 0, count: STARLING_BATCH * UDPSocket.datagramLimit)
    headers = [starling_datagram](repeating: starling_datagram(), count: STARLING_BATCH)
  }

  /// What an ``EventLoop`` waits for.
  public var descriptor: Int32 { socket.number }

  /// Whether datagrams wait for the kernel to take them.
  var isBlocked: Bool { !queue.isEmpty }

  /// Takes one batch of received datagrams; empty when there is none.
  public func receive() -> [Datagram] {
    let stride = UDPSocket.datagramLimit
    let count = starling_udp_receive(socket.number, &buffer, stride, &headers, Int32(headers.count))
    // Besides "nothing there", an error here is an ICMP answer to some datagram sent: of no interest.
    guard count > 0 else { return [] }
    return (0..<Int(count)).compactMap { i in
      guard let address = UDPSocket.address(of: headers[i]) else { return nil }
      let start = i * stride
      let length = min(Int(headers[i].byte_count), stride)
      return Datagram(bytes: Array(buffer[start..<(start + length)]), address: address)
    }
  }

  /// Puts a datagram into the queue.
  public func send(_ datagram: Datagram) {
    guard queue.count < UDPSocket.queueLimit else {
      dropped &+= 1
      return
    }
    queue.append(datagram)
  }

  /// Hands the queue to the kernel, as far as it takes it.
  public func flush() {
    var next = 0
    while next < queue.count {
      let batch = queue[next..<min(next + STARLING_BATCH, queue.count)]
      let sent = send(batch)
      if sent == -EAGAIN { break }
      if sent == -EINTR { continue }
      if sent > 0 {
        accepted &+= 1
      } else {
        dropped &+= 1
        refused &+= 1
        lastRefusal = -sent
      }
      next += sent > 0 ? Int(sent) : 1
    }
    queue.removeFirst(next)
  }

  private func send(_ batch: ArraySlice<Datagram>) -> Int32 {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(batch.reduce(0) { $0 + $1.bytes.count })
    var headers: [starling_datagram] = []
    headers.reserveCapacity(batch.count)
    for datagram in batch {
      bytes.append(contentsOf: datagram.bytes)
      var header = starling_datagram()
      header.host_count = UInt8(datagram.address.host.count)
      withUnsafeMutableBytes(of: &header.host) { $0.copyBytes(from: datagram.address.host) }
      header.port = datagram.address.port
      header.byte_count = UInt32(datagram.bytes.count)
      headers.append(header)
    }
    return starling_udp_send(socket.number, bytes, headers, Int32(headers.count))
  }

  private static func address(of header: starling_datagram) -> SocketAddress? {
    let host = withUnsafeBytes(of: header.host) { Array($0.prefix(Int(header.host_count))) }
    return SocketAddress(host: host, port: header.port)
  }
}
