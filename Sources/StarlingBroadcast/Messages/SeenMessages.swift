import StarlingCore

/// Which messages a peer has had, for a bounded number of origins: whatever is asked of an origin's numbers is
/// answered by its ``SeenSequences``.
///
/// When more origins than ``originLimit`` are active the one that was first forgotten is the one added
/// first; its old messages would then count as new.
@frozen
public struct SeenMessages: Sendable {
  @usableFromInline var origins = PeerMap<SeenSequences>()
  /// The next origin to be forgotten, as a position.
  @usableFromInline var hand: UInt32 = 0
  /// How many gaps were given up because an origin had too many of them.
  @usableFromInline var lostGaps: UInt32 = 0

  /// How many origins are remembered. A guess: 270 KB a peer when all are there, and a kilobyte more for each
  /// origin that makes as many gaps as it can.
  @inlinable
  public static var originLimit: Int { 4_096 }

  /// Nothing seen.
  @inlinable
  public init() {}

  /// Whether a message was seen, or given up.
  @inlinable
  public func contains(_ identifier: MessageIdentifier) -> Bool {
    contains(identifier, ofOriginAt: origins.position(of: identifier.origin))
  }

  /// Marks a message as seen.
  ///
  /// - Returns: false if it was seen before, or given up.
  @inlinable @discardableResult
  public mutating func insert(_ identifier: MessageIdentifier) -> Bool {
    insert(identifier, ofOriginAt: origins.position(of: identifier.origin), catchingUp: true)
  }

  /// The same for an origin whose position was looked up before; `nil` says that it is not there.
  @inlinable
  func contains(_ identifier: MessageIdentifier, ofOriginAt position: Int?) -> Bool {
    guard let position else { return false }
    return origins[position].contains(identifier.sequence)
  }

  /// The same for an origin whose position was looked up before; `nil` says that it is not there.
  ///
  /// - Parameter catchingUp: whether, if it is the first message of its origin, all that the origin sent before
  ///   is still wanted, and not just what may be on its way.
  @inlinable
  mutating func insert(
    _ identifier: MessageIdentifier, ofOriginAt position: Int?, catchingUp: Bool
  ) -> Bool {
    if let position { return origins[position].insert(identifier.sequence, lostGaps: &lostGaps) }
    if origins.count >= SeenMessages.originLimit { forgetOne() }
    origins.insert(
      SeenSequences(first: identifier.sequence, catchingUp: catchingUp), for: identifier.origin)
    return true
  }

  /// Whether a later message of the same origin was seen: proof, as the origin signed that one, that the number
  /// was used.
  @usableFromInline
  func isPast(_ identifier: MessageIdentifier) -> Bool {
    guard let position = origins.position(of: identifier.origin) else { return false }
    return identifier.sequence < origins[position].window.newest
  }

  /// Notes that a message is kept in the history.
  @inlinable
  mutating func keeps(_ identifier: MessageIdentifier) {
    guard let position = origins.position(of: identifier.origin) else { return }
    if identifier.sequence < origins[position].keptFrom { origins[position].keptFrom = identifier.sequence }
  }

  /// Notes that a message is no longer kept in the history, and probably none before it.
  @inlinable
  mutating func dropped(_ identifier: MessageIdentifier) {
    guard let position = origins.position(of: identifier.origin), identifier.sequence < .max else { return }
    origins[position].keptFrom = max(origins[position].keptFrom, identifier.sequence + 1)
  }

  @usableFromInline
  mutating func forgetOne() {
    let victim = origins.keys[Int(hand) % origins.count]
    origins.remove(victim)
    hand &+= 1
  }
}
