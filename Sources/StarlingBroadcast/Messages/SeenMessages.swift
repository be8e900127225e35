import StarlingCore

/// Which messages a peer has had: a window of sequence numbers for each of a bounded number of origins.
///
/// When more origins than ``originLimit`` are active the one that was first forgotten is the one added
/// first; its old messages would then count as new.
@frozen
public struct SeenMessages: Sendable {
  @usableFromInline var windows = PeerMap<SequenceWindow>()
  /// The next origin to be forgotten, as a position.
  @usableFromInline var hand: UInt32 = 0

  /// How many origins are remembered. A guess: 170 KB a peer at worst.
  @inlinable
  public static var originLimit: Int { 4_096 }

  /// Nothing seen.
  @inlinable
  public init() {}

  /// Whether a message was seen, or is too old to tell.
  @inlinable
  public func contains(_ identifier: MessageIdentifier) -> Bool {
    guard let position = windows.position(of: identifier.origin) else { return false }
    return windows[position].contains(identifier.sequence)
  }

  /// Marks a message as seen.
  ///
  /// - Returns: false if it was seen before, or is too old to tell.
  @inlinable
  public mutating func insert(_ identifier: MessageIdentifier) -> Bool {
    if let position = windows.position(of: identifier.origin) {
      return windows[position].insert(identifier.sequence)
    }
    if windows.count >= SeenMessages.originLimit { forgetOne() }
    windows.insert(SequenceWindow(first: identifier.sequence), for: identifier.origin)
    return true
  }

  @usableFromInline
  mutating func forgetOne() {
    let victim = windows.keys[Int(hand) % windows.count]
    windows.remove(victim)
    hand &+= 1
  }
}
