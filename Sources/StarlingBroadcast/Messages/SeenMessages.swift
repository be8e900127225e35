import StarlingCore

/// Which messages a peer has had, for a bounded number of origins: whatever is asked of an origin's numbers is
/// answered by its ``SeenSequences``.
///
/// When there are more origins than ``originLimit``, those with the fewest messages are forgotten, and their old
/// messages would then count as new. Keys cost nothing, messages do: whoever makes many keys displaces by them the
/// keys that it made before, and nobody of whom much was heard. The newest ``sparedOrigins`` are spared, or nobody
/// new could ever be heard twice.
@frozen
public struct SeenMessages: Sendable {
  @usableFromInline var origins = PeerMap<SeenSequences>()
  /// How many origins were ever taken in, modulo 2³².
  @usableFromInline var additions: UInt32 = 0
  /// How many gaps were given up because an origin had too many of them.
  @usableFromInline var lostGaps: UInt32 = 0

  /// How many origins are remembered. A guess: 700 KB a peer when all are there, and two kilobytes more for each
  /// origin that makes as many gaps as it can.
  @inlinable
  public static var originLimit: Int { 8_192 }
  /// How many of them are spared because they are the newest: as many as a history has messages, so that what a
  /// neighbour may still have is not taken for new.
  @inlinable
  public static var sparedOrigins: Int { 4_096 }
  /// How many are forgotten at once: to find them all are looked at. A guess.
  @inlinable
  public static var forgottenAtOnce: Int { 64 }

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
    takeIn(SeenSequences(first: identifier.sequence, catchingUp: catchingUp), of: identifier.origin)
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

  /// Takes a new origin in, for which others may have to go.
  @usableFromInline
  mutating func takeIn(_ sequences: SeenSequences, of origin: Peer) {
    if origins.count >= SeenMessages.originLimit { forgetSome() }
    additions &+= 1
    let position = origins.insert(sequences, for: origin).position
    origins[position].addition = additions
  }

  /// How many origins were taken in since the one at a position was.
  func age(at position: Int) -> UInt32 { additions &- origins[position].addition }

  /// Forgets the origins with the fewest messages, of those with equally many the oldest.
  private mutating func forgetSome() {
    let candidates = (0..<origins.count).filter { age(at: $0) >= SeenMessages.sparedOrigins }
      .map { (record: origins[$0].record, age: age(at: $0), origin: origins.keys[$0]) }
      .sorted { ($0.record, $1.age) < ($1.record, $0.age) }
    for candidate in candidates.prefix(SeenMessages.forgottenAtOnce) { origins.remove(candidate.origin) }
  }
}
