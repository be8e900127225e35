import Foundation
import Testing

/// A UDP socket on loopback that holds its port while it lives.
final class BoundSocket {
  let port: UInt16
  private let descriptor: Int32

  /// - Parameter wanted: which port; any that is free if 0.
  init(_ wanted: UInt16 = 0) throws {
    let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    try #require(descriptor >= 0)
    self.descriptor = descriptor
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = wanted.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
      }
    }
    port = UInt16(bigEndian: address.sin_port)
    try #require(result == 0)
  }

  deinit { close(descriptor) }

  /// A port that nobody listened at a moment ago.
  static func freePort() throws -> UInt16 { try BoundSocket().port }

  /// Whether nobody listens at a port.
  static func isFree(_ port: Int) -> Bool { (try? BoundSocket(UInt16(port))) != nil }
}
