import StarlingCore
import Testing

@testable import StarlingRuntime

@Suite struct UDPSocketTests {
  private func loopback(_ port: UInt16 = 0) throws -> SocketAddress {
    try #require(SocketAddress(host: [127, 0, 0, 1], port: port))
  }

  /// Receives until `count` datagrams have come or nothing came for a second.
  private func receive(_ count: Int, on socket: UDPSocket) throws -> [Datagram] {
    let loop = try EventLoop()
    try loop.watch(socket.descriptor)
    var all: [Datagram] = []
    while all.count < count {
      if try loop.wait(until: loop.now + .seconds(1)).isEmpty { break }
      all += socket.receive()
    }
    return all
  }

  @Test("port 0 is read back, and datagrams arrive whole with their sender's address, in batches")
  func exchange() throws {
    let (a, b) = (try UDPSocket(listeningOn: loopback()), try UDPSocket(listeningOn: loopback()))
    #expect(a.local.port != 0)
    // More than two batches, of lengths that differ, with an empty one among them.
    let sent = (0..<150).map { [UInt8](repeating: UInt8($0), count: $0 * 8) }
    for bytes in sent { a.send(Datagram(bytes: bytes, address: b.local)) }
    a.flush()
    #expect(!a.isBlocked)
    let received = try receive(150, on: b)
    #expect(received.map(\.bytes) == sent)
    #expect(received.allSatisfy { $0.address == a.local })
  }

  @Test("a taken port and a foreign address are refused with a sentence that names the address")
  func refusals() throws {
    let a = try UDPSocket(listeningOn: loopback())
    #expect {
      try UDPSocket(listeningOn: a.local)
    } throws: { error in
      "\(error)".contains("\(a.local) is already in use")
    }
    let foreign = try #require(SocketAddress("192.0.2.1:0"))
    #expect {
      try UDPSocket(listeningOn: foreign)
    } throws: { error in
      "\(error)".contains("192.0.2.1:0 is not one of this machine's")
    }
  }

  @Test("what the kernel refuses is dropped and counted, and what follows still goes out")
  func kernelRefuses() throws {
    let (a, b) = (try UDPSocket(listeningOn: loopback()), try UDPSocket(listeningOn: loopback()))
    let v6 = try #require(SocketAddress("[::1]:9"))
    a.send(Datagram(bytes: [1], address: b.local))
    a.send(Datagram(bytes: [2], address: v6))
    a.send(Datagram(bytes: [UInt8](repeating: 3, count: 70_000), address: b.local))
    a.send(Datagram(bytes: [4], address: b.local))
    a.flush()
    #expect(a.dropped == 2)
    #expect(try receive(2, on: b).map(\.bytes) == [[1], [4]])
  }

  @Test("a datagram to a port where nobody listens does no harm")
  func nobodyListens() throws {
    let a = try UDPSocket(listeningOn: loopback())
    let gone = try UDPSocket(listeningOn: loopback()).local
    for _ in 0..<3 {
      a.send(Datagram(bytes: [1], address: gone))
      a.flush()
      _ = a.receive()
    }
    a.send(Datagram(bytes: [2], address: a.local))
    a.flush()
    #expect(try receive(1, on: a).map(\.bytes) == [[2]])
  }

  @Test("the queue is bounded")
  func bounded() throws {
    let a = try UDPSocket(listeningOn: loopback())
    for _ in 0..<(UDPSocket.queueLimit + 5) { a.send(Datagram(bytes: [1], address: a.local)) }
    #expect(a.dropped == 5)
  }

  @Test("a datagram longer than any of ours is dropped, not cut")
  func tooLong() throws {
    let (a, b) = (try UDPSocket(listeningOn: loopback()), try UDPSocket(listeningOn: loopback()))
    a.send(Datagram(bytes: [UInt8](repeating: 3, count: UDPSocket.datagramLimit + 1), address: b.local))
    a.send(Datagram(bytes: [UInt8](repeating: 4, count: UDPSocket.datagramLimit), address: b.local))
    a.flush()
    #expect(try receive(1, on: b).map(\.bytes.count) == [UDPSocket.datagramLimit])
  }

  @Test("an IPv6 socket talks to IPv4 peers and names them by their IPv4 addresses")
  func dualStack() throws {
    let any = try #require(SocketAddress("[::]:0"))
    guard let six = try? UDPSocket(listeningOn: any) else { return }
    let four = try UDPSocket(listeningOn: loopback())
    four.send(Datagram(bytes: [1], address: try loopback(six.local.port)))
    four.flush()
    #expect(try receive(1, on: six).map(\.address) == [four.local])
    six.send(Datagram(bytes: [2], address: four.local))
    six.flush()
    #expect(try receive(1, on: four).map(\.bytes) == [[2]])
  }
}
