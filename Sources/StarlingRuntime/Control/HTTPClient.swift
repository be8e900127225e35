import CStarlingShims
import Glibc
import StarlingCore

/// One request of a small blocking HTTP client. It speaks HTTP/1.0, so the answer ends where the connection
/// does and needs no taking apart.
struct HTTPClient: ~Copyable {
  /// The most bytes an answer may have, event streams apart.
  private static let bodyLimit = 64 << 20
  private static let headLimit = 16 << 10

  private let socket: FileDescriptor
  private let address: SocketAddress
  private let deadline: UInt64?
  private var received: [UInt8] = []

  /// Connects.
  ///
  /// - Parameters:
  ///   - address: where the server listens.
  ///   - timeout: how long the whole request may take; as long as it wants if `nil`.
  init(connectingTo address: SocketAddress, timeout: Interval?) throws(HostError) {
    self.address = address
    deadline = timeout.map { HTTPClient.now() &+ UInt64(max(0, $0.nanoseconds)) }
    let result = starling_tcp_connect(
      address.host, UInt8(address.host.count), address.port,
      HTTPClient.milliseconds(until: deadline))
    if result == -ECONNREFUSED {
      throw HostError(
        "No node takes orders at \(address); name the address that the node printed after \"control\", not the one "
          + "at which it listens for peers, or start one with: starling node --control \(address)")
    }
    socket = try FileDescriptor(result, orThrow: "The node at \(address) could not be reached")
  }

  /// Sends the head of a request.
  func sendHead(_ method: String, _ path: String, contentLength: UInt64? = nil) throws(HostError) {
    var head = "\(method) \(path) HTTP/1.0\r\nHost: \(address)\r\n"
    if let contentLength { head += "Content-Length: \(contentLength)\r\n" }
    _ = try send(Array((head + "\r\n").utf8)[...])
  }

  /// Sends bytes.
  ///
  /// - Returns: false if the server closed the connection; why may be found in its answer.
  func send(_ bytes: ArraySlice<UInt8>) throws(HostError) -> Bool {
    var rest = bytes
    while !rest.isEmpty {
      try wait(for: POLLOUT)
      let count = rest.withUnsafeBytes {
        Glibc.send(socket.number, $0.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
      }
      if count < 0, errno == EINTR || errno == EAGAIN { continue }
      if count < 0, errno == EPIPE || errno == ECONNRESET { return false }
      guard count >= 0 else { throw HostError("The node at \(address) broke off", errno: errno) }
      rest = rest.dropFirst(count)
    }
    return true
  }

  /// Takes the status line and the headers of the answer.
  mutating func readStatus() throws(HostError) -> Int {
    let end = Array("\r\n\r\n".utf8)
    while true {
      if let position = received.firstPosition(of: end) {
        let head = String(decoding: received[..<position], as: UTF8.self)
        received.removeFirst(position + end.count)
        let words = head.prefix { !$0.isNewline }.split(separator: " ")
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else { break }
        return status
      }
      guard received.count <= HTTPClient.headLimit, try readMore() else { break }
    }
    if received.isEmpty { throw HostError("The node at \(address) closed the connection without an answer.") }
    throw HostError("What listens at \(address) is not a node's control interface.")
  }

  /// Takes the rest of the answer.
  mutating func readBody() throws(HostError) -> [UInt8] {
    while try readMore() {
      guard received.count <= HTTPClient.bodyLimit else {
        throw HostError("The answer of the node at \(address) is too long.")
      }
    }
    return received
  }

  /// Takes the next line of the answer, without its end; `nil` after the last.
  mutating func readLine() throws(HostError) -> String? {
    while true {
      if let end = received.firstIndex(of: UInt8(ascii: "\n")) {
        let line = String(decoding: received[..<end], as: UTF8.self)
        received.removeFirst(end + 1)
        return line
      }
      guard received.count <= HTTPClient.bodyLimit else {
        throw HostError("The answer of the node at \(address) is too long.")
      }
      guard try readMore() else { return nil }
    }
  }

  private mutating func readMore() throws(HostError) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    while true {
      try wait(for: POLLIN)
      let count = recv(socket.number, &buffer, buffer.count, 0)
      if count < 0, errno == EINTR || errno == EAGAIN { continue }
      if count < 0, errno == ECONNRESET { return false }
      guard count >= 0 else { throw HostError("The node at \(address) broke off", errno: errno) }
      received += buffer[..<count]
      return count > 0
    }
  }

  private func wait(for events: Int32) throws(HostError) {
    var entry = pollfd(fd: socket.number, events: Int16(events), revents: 0)
    while true {
      let result = poll(&entry, 1, HTTPClient.milliseconds(until: deadline))
      if result > 0 { return }
      if result < 0, errno == EINTR { continue }
      guard result == 0 else { throw HostError("Waiting for the node failed", errno: errno) }
      throw HostError("The node at \(address) did not answer in time.")
    }
  }

  private static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
  }

  /// As poll(2) wants it: −1 without a deadline, rounded up with one.
  private static func milliseconds(until deadline: UInt64?) -> Int32 {
    guard let deadline else { return -1 }
    let now = now()
    return now >= deadline ? 0 : Int32(clamping: (deadline - now) / 1_000_000 + 1)
  }
}

extension [UInt8] {
  /// Where another array first occurs in this one.
  fileprivate func firstPosition(of other: [UInt8]) -> Int? {
    guard count >= other.count else { return nil }
    return (0...(count - other.count)).first { self[$0..<($0 + other.count)].elementsEqual(other) }
  }
}
