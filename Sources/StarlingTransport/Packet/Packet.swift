import StarlingCore

/// A packet of an established connection: kind, connection, number, then frames under the cipher. The number
/// is the nonce, and all that is in clear is authenticated.
enum Packet {
  /// Kind 1, connection identifier 8, packet number 8.
  static let headerByteCount = 17
  /// Everything but frames.
  static let overhead = headerByteCount + AEADKey.tagByteCount

  /// Encrypts frames into a datagram.
  static func seal(_ frames: [UInt8], to peer: ConnectionID, number: UInt64, with key: AEADKey) -> [UInt8] {
    var writer = WireWriter(capacity: headerByteCount)
    writer.write(DatagramKind.packet.rawValue)
    writer.write(integer: peer.value)
    writer.write(integer: number)
    return key.seal(frames, nonce: number, associated: writer.bytes, prefix: writer.bytes)
  }

  /// The packet number of a datagram that has a header and a tag at least.
  static func number(of datagram: [UInt8]) -> UInt64? {
    guard datagram.count >= overhead else { return nil }
    return datagram[9..<headerByteCount].reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// The frames; `nil` unless the datagram is authentic.
  static func open(_ datagram: [UInt8], number: UInt64, with key: AEADKey) -> [UInt8]? {
    key.open(
      datagram[headerByteCount...], nonce: number, associated: datagram[..<headerByteCount])
  }
}
