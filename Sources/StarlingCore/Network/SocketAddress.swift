/// Where a peer's UDP socket is: an IPv4 or IPv6 address and a port. A value; no socket is involved.
public struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
  /// 4 bytes for IPv4, 16 for IPv6, in network order.
  public let host: [UInt8]
  /// The UDP port, 0 ... 65,535.
  public let port: UInt16

  /// - Parameters:
  ///   - host: 4 or 16 bytes in network order; otherwise the result is `nil`.
  ///   - port: the UDP port.
  public init?(host: [UInt8], port: UInt16) {
    guard host.count == 4 || host.count == 16 else { return nil }
    self.host = host
    self.port = port
  }

  /// Parses `127.0.0.1:4000`, `[::1]:4000` or `localhost:4000` (which is 127.0.0.1).
  public init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":") else { return nil }
    let portText = text[text.index(after: colon)...]
    guard !portText.isEmpty, portText.allSatisfy({ ("0"..."9").contains($0) }),
      let port = UInt16(portText)
    else { return nil }
    let hostText = text[..<colon]
    if hostText == "localhost" {
      self.init(host: [127, 0, 0, 1], port: port)
    } else if hostText.hasPrefix("["), hostText.hasSuffix("]") {
      guard let host = SocketAddress.parseIPv6(hostText.dropFirst().dropLast()) else { return nil }
      self.init(host: host, port: port)
    } else {
      guard let host = SocketAddress.parseIPv4(hostText) else { return nil }
      self.init(host: host, port: port)
    }
  }

  /// For example `127.0.0.1:4000` or `[0:0:0:0:0:0:0:1]:4000`.
  public var description: String {
    if host.count == 4 { return host.map { String($0) }.joined(separator: ".") + ":\(port)" }
    let groups = stride(from: 0, to: 16, by: 2).map {
      String(UInt16(host[$0]) << 8 | UInt16(host[$0 + 1]), radix: 16)
    }
    return "[" + groups.joined(separator: ":") + "]:\(port)"
  }

  /// Whether two addresses belong to one host: the same IPv4 address, or the same first half of an IPv6 one,
  /// which is what one customer has.
  public func isOnHost(of other: SocketAddress) -> Bool {
    let counted = host.count == 16 ? 8 : 4
    return host.count == other.host.count && host[..<counted].elementsEqual(other.host[..<counted])
  }

  /// Whether only this machine reaches it: 127.0.0.0/8 and ::1, also where IPv6 writes an IPv4 address
  /// (::ffff:127.0.0.1, RFC 4291).
  public var isLoopback: Bool {
    let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
    if host.count == 4 { return host[0] == 127 }
    if host.starts(with: mapped) { return host[12] == 127 }
    return host.dropLast().allSatisfy { $0 == 0 } && host.last == 1
  }

  private static func parseIPv4(_ text: some StringProtocol) -> [UInt8]? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var host: [UInt8] = []
    for part in parts {
      guard (1...3).contains(part.utf8.count), part.allSatisfy({ ("0"..."9").contains($0) }),
        let byte = UInt8(part)
      else { return nil }
      host.append(byte)
    }
    return host
  }

  private static func parseIPv6(_ text: some StringProtocol) -> [UInt8]? {
    func groups(_ text: some StringProtocol) -> [UInt8]? {
      guard !text.isEmpty else { return [] }
      var bytes: [UInt8] = []
      for part in text.split(separator: ":", omittingEmptySubsequences: false) {
        guard (1...4).contains(part.utf8.count), part.allSatisfy(\.isHexDigit),
          let group = UInt16(part, radix: 16)
        else { return nil }
        bytes += [UInt8(group >> 8), UInt8(group & 0xFF)]
      }
      return bytes
    }
    var double: String.Index?
    var i = text.startIndex
    while i < text.endIndex {
      let next = text.index(after: i)
      if next < text.endIndex, text[i] == ":", text[next] == ":" {
        double = i
        break
      }
      i = next
    }
    guard let double else { return groups(text).flatMap { $0.count == 16 ? $0 : nil } }
    guard let head = groups(text[..<double]),
      let tail = groups(text[text.index(double, offsetBy: 2)...]), head.count + tail.count <= 14
    else { return nil }
    return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
  }
}
