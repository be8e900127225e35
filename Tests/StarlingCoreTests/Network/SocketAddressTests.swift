import StarlingCore
import StarlingTestSupport
import Testing

@Suite("SocketAddress")
struct SocketAddressTests {
  @Test(
    "Addresses that mean something are understood",
    arguments: [
      ("127.0.0.1:4000", [127, 0, 0, 1], 4_000),
      ("0.0.0.0:0", [0, 0, 0, 0], 0),
      ("255.255.255.255:65535", [255, 255, 255, 255], 65_535),
      ("localhost:1", [127, 0, 0, 1], 1),
      ("[::]:1", [UInt8](repeating: 0, count: 16), 1),
      ("[::1]:80", [UInt8](repeating: 0, count: 15) + [1], 80),
      ("[1::]:80", [0, 1] + [UInt8](repeating: 0, count: 14), 80),
      ("[1:2:3:4:5:6:7:8]:9", [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8], 9),
      ("[fe80::ABCD:12]:9", [0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xAB, 0xCD, 0, 0x12], 9),
      ("[1:2:3:4:5:6:7::]:9", [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 0], 9),
    ] as [(String, [UInt8], UInt16)])
  func good(text: String, host: [UInt8], port: UInt16) {
    let address = SocketAddress(text)
    #expect(address?.host == host && address?.port == port)
  }

  @Test(
    "Everything else is refused",
    arguments: [
      "", ":", "4000", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+1",
      "127.0.0.1:4a", "127.0.0.1: 4", "127.0.0:1", "127.0.0.1.1:1", "256.0.0.1:1", "1.2.3.:1", "1..2.3:1",
      "1.2.3.4444:1", "a.b.c.d:1", "example.org:1", "::1:80", "[::1]", "[::1:80", "::1]:80", "[]:1", "[:]:1",
      "[:::]:1", "[1::2::3]:1", "[1:2:3:4:5:6:7]:1", "[1:2:3:4:5:6:7:8:9]:1", "[1:2:3:4:5:6:7:8::]:1",
      "[12345::]:1", "[g::]:1", "[::1%lo]:1", "[127.0.0.1]:1", "１.2.3.4:1", "1.2.3.4:１", "[１::]:1",
      "1\u{301}.2.3.4:1", "localhost", " localhost:1",
    ])
  func bad(text: String) {
    #expect(SocketAddress(text) == nil)
  }

  @Test("Loopback is what other machines cannot reach")
  func loopback() {
    let inside = ["127.0.0.1:1", "127.8.9.1:0", "[::1]:80", "[::ffff:7f00:1]:9"]
    let outside = ["0.0.0.0:1", "192.0.2.1:1", "[::]:1", "[::2]:1", "[1::1]:1", "[::ffff:c000:201]:9"]
    for text in inside { #expect(SocketAddress(text)?.isLoopback == true, "\(text)") }
    for text in outside { #expect(SocketAddress(text)?.isLoopback == false, "\(text)") }
  }

  @Test("What an address says of itself is understood again")
  func description() {
    var random = testRandom()
    for _ in 0..<300 {
      let host = (0..<(random.oneIn(2) ? 4 : 16)).map { _ in
        random.oneIn(2) ? 0 : UInt8(random.uniform(below: 256))
      }
      let address = SocketAddress(host: host, port: UInt16(random.uniform(below: 65_536)))
      #expect(address != nil && SocketAddress(address?.description ?? "") == address, "\(replay)")
    }
    #expect(SocketAddress("[::1]:4000")?.description == "[0:0:0:0:0:0:0:1]:4000")
  }

  @Test("A host has 4 or 16 bytes")
  func hostLength() {
    for count in 0..<20 {
      let address = SocketAddress(host: [UInt8](repeating: 1, count: count), port: 1)
      #expect((address != nil) == (count == 4 || count == 16))
    }
  }
}
