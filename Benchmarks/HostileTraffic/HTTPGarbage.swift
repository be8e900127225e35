import CStarlingShims
import Glibc
import StarlingCore

/// Requests to a control interface that no client makes.
struct HTTPGarbage {
  private var random: Xoshiro256
  private(set) var sent = 0

  init(seed: UInt64) { random = Xoshiro256(seed: seed) }

  /// Sends one, and hangs up.
  mutating func send(to target: SocketAddress) {
    let descriptor = starling_tcp_connect(target.host, UInt8(target.host.count), target.port, 1_000)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    let bytes = make()
    _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    sent += 1
    // Some wait for the answer, some do not.
    guard random.oneIn(2) else { return }
    var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    if poll(&entry, 1, 50) > 0 {
      var buffer = [UInt8](repeating: 0, count: 4_096)
      _ = recv(descriptor, &buffer, buffer.count, 0)
    }
  }

  private mutating func make() -> [UInt8] {
    let methods = ["GET", "POST", "PUT", "G\0T", "", String(repeating: "A", count: 9_000)]
    let paths = [
      "/", "/api/v1/status", "/api/v1/files?name=%00", "/api/v1/files?name=../../x",
      "/api/v1/events?topic=%ff",
      "/api/v1/files?name=" + String(repeating: "x", count: 5_000), "*", "http://h/",
    ]
    let headers = [
      "Host: localhost\r\n", "Host: localhost\r\nHost: x\r\n", "Content-Length: -1\r\n",
      "Content-Length: 99999999999999999999\r\n", "Content-Length: 10\r\nContent-Length: 20\r\n",
      "Transfer-Encoding: chunked\r\n", "Expect: 100-continue\r\n", "X: \0\u{1}\r\n", "Origin: null\r\n",
      "X: " + String(repeating: "y", count: 40_000) + "\r\n",
    ]
    if random.oneIn(4) {
      return (0..<random.uniform(below: 3_000)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }
    var text = methods[random.uniform(below: methods.count)] + " " + paths[random.uniform(below: paths.count)]
    text += random.oneIn(4) ? "\r\n" : " HTTP/1.1\r\n"
    for _ in 0..<random.uniform(below: 4) { text += headers[random.uniform(below: headers.count)] }
    if !random.oneIn(3) { text += "\r\n" }
    var bytes = Array(text.utf8)
    for _ in 0..<random.uniform(below: 3) where !bytes.isEmpty {
      bytes[random.uniform(below: bytes.count)] = UInt8(truncatingIfNeeded: random.next())
    }
    return bytes
  }
}
