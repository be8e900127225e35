import StarlingCore

/// The newest messages, for neighbours that missed one: bounded in number and in bytes; the oldest go first.
@frozen
public struct MessageHistory<Auth: Authenticator>: Sendable {
  /// A ring once it is full: `start` is the oldest.
  @usableFromInline var ring: [Broadcast<Auth>] = []
  @usableFromInline var start: UInt32 = 0
  /// The number of the oldest message in the order of arrival, modulo 2³¹.
  @usableFromInline var oldestArrival: UInt32 = 0
  @usableFromInline var bytes: UInt64 = 0
  /// Where messages are, by a hash of their identifiers; empty while there are few. See MessageHistory+Index.
  @usableFromInline var table: [UInt32] = []
  /// The sum of the fingerprints of what is kept.
  @usableFromInline var fingerprint: UInt64 = 0

  /// Nothing kept.
  @inlinable
  public init() {}

  /// Keeps a message, in the place of the oldest if there are too many.
  ///
  /// - Parameters:
  ///   - message: what to keep; it must not be kept already.
  ///   - messageLimit: the most messages to keep, at least 1.
  /// - Returns: the message that had to go.
  @inlinable
  public mutating func keep(_ message: Broadcast<Auth>, messageLimit: Int) -> MessageIdentifier? {
    var evicted: MessageIdentifier?
    if ring.count >= messageLimit {
      let oldest = ring[Int(start)]
      ring[Int(start)] = message
      start = UInt32((Int(start) + 1) % ring.count)
      forget(oldest)
      evicted = oldest.identifier
    } else {
      if start != 0 { straighten() }
      ring.appendTightly(message)
    }
    bytes += UInt64(message.payload.byteCount)
    fingerprint &+= Auth.fingerprint(of: message.signature)
    indexNewest()
    return evicted
  }

  /// Lets go of the oldest message if there are too many bytes; the newest is kept whatever its size.
  ///
  /// - Parameter byteLimit: the most bytes of payload to keep.
  /// - Returns: the message that had to go; `nil` once the rest fits.
  @inlinable
  public mutating func trim(byteLimit: Int) -> MessageIdentifier? {
    guard bytes > byteLimit, ring.count > 1 else { return nil }
    if start != 0 { straighten() }
    let oldest = ring.removeFirst()
    forget(oldest)
    return oldest.identifier
  }

  /// The message with this identifier, if it is still kept.
  @inlinable
  public func message(_ identifier: MessageIdentifier) -> Broadcast<Auth>? {
    if table.isEmpty { return ring.last { $0.identifier == identifier } }
    return position(of: identifier).map { ring[$0] }
  }

  /// How many messages are kept.
  @inlinable
  public var count: Int { ring.count }

  /// How many messages were ever kept, modulo 2³¹.
  @usableFromInline
  var arrivals: UInt32 { MessageHistory.next(oldestArrival, after: ring.count) }

  /// What is kept, in short.
  @inlinable
  public var summary: Summary { Summary(count: UInt32(ring.count), fingerprint: fingerprint) }

  /// Takes the oldest message, which has left the ring just now, out of the sums and the index.
  @usableFromInline
  mutating func forget(_ oldest: Broadcast<Auth>) {
    bytes -= UInt64(oldest.payload.byteCount)
    fingerprint &-= Auth.fingerprint(of: oldest.signature)
    let arrival = oldestArrival
    oldestArrival = MessageHistory.next(arrival, after: 1)
    if !table.isEmpty { unindex(arrival: arrival, oldest.identifier) }
  }

  @usableFromInline
  mutating func straighten() {
    ring = Array(ring[Int(start)...] + ring[..<Int(start)])
    start = 0
  }
}
