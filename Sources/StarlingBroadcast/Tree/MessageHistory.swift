import StarlingCore

/// The newest messages, for neighbours that missed one: bounded in number and in bytes; the oldest go first.
@frozen
public struct MessageHistory<Auth: Authenticator>: Sendable {
  /// A ring once it is full: `start` is the oldest.
  @usableFromInline var ring: [Broadcast<Auth>] = []
  @usableFromInline var start: UInt32 = 0
  @usableFromInline var bytes: UInt64 = 0

  /// Nothing kept.
  @inlinable
  public init() {}

  /// Keeps a message, letting go of the oldest as the bounds demand.
  ///
  /// - Parameters:
  ///   - message: what to keep.
  ///   - messageLimit: the most messages to keep, at least 1.
  ///   - byteLimit: the most bytes of payload to keep; the newest message is kept whatever its size.
  @inlinable
  public mutating func keep(_ message: Broadcast<Auth>, messageLimit: Int, byteLimit: Int) {
    bytes += UInt64(message.payload.byteCount)
    if ring.count >= messageLimit {
      bytes -= UInt64(ring[Int(start)].payload.byteCount)
      ring[Int(start)] = message
      start = UInt32((Int(start) + 1) % ring.count)
    } else {
      if start != 0 { straighten() }
      ring.appendTightly(message)
    }
    while bytes > byteLimit, ring.count > 1 { dropOldest() }
  }

  /// The message with this identifier, if it is still kept.
  @inlinable
  public func message(_ identifier: MessageIdentifier) -> Broadcast<Auth>? {
    ring.last { $0.identifier == identifier }
  }

  /// How many messages are kept.
  @inlinable
  public var count: Int { ring.count }

  @usableFromInline
  mutating func straighten() {
    ring = Array(ring[Int(start)...] + ring[..<Int(start)])
    start = 0
  }

  @usableFromInline
  mutating func dropOldest() {
    if start != 0 { straighten() }
    bytes -= UInt64(ring.removeFirst().payload.byteCount)
  }
}
