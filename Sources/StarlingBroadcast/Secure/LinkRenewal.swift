import StarlingCore

/// When to ask a peer to repeat what was lost with a link: a second after the loss, and again after 2, 4, ... up to 30
/// seconds, until one request has gone out since the peer was heard again.
///
/// To have heard the peer shows that the link is whole, and only what is asked for on a whole link is surely answered.
@frozen
public struct LinkRenewal: Sendable {
  @usableFromInline
  struct Wait: Sendable {
    /// When to ask next; a timer is set for it.
    @usableFromInline var due: Instant
    /// How long to wait after that.
    @usableFromInline var pause: Interval
    /// Whether the peer was heard since the loss.
    @usableFromInline var isHeard = false

    @inlinable
    init(due: Instant, pause: Interval) {
      self.due = due
      self.pause = pause
    }
  }

  @usableFromInline var waits: [Peer: Wait] = [:]

  /// How long after a loss a peer is asked first (a guess: links that end are set up again at once).
  @inlinable
  static var firstPause: Interval { .seconds(1) }
  /// How far apart the requests are at most (a guess).
  @inlinable
  static var longestPause: Interval { .seconds(30) }

  /// Nothing is lost.
  @inlinable
  public init() {}

  /// Whether anybody is waited for.
  @inlinable
  public var isEmpty: Bool { waits.isEmpty }

  /// Whether a peer is not waited for.
  @inlinable
  public func isIdle(_ peer: Peer) -> Bool { waits[peer] == nil }

  /// Takes the loss of a link. The caller bounds how many peers there are.
  ///
  /// - Returns: when to call ``expire(_:at:)``; `nil` if a timer is set already.
  @inlinable
  public mutating func lose(_ peer: Peer, at now: Instant) -> Instant? {
    let before = waits[peer]
    waits[peer] = Wait(due: now + Self.firstPause, pause: Self.firstPause + Self.firstPause)
    guard let before, before.due >= now, before.due <= now + Self.firstPause else {
      return now + Self.firstPause
    }
    waits[peer]?.due = before.due
    return nil
  }

  /// Takes that a peer was heard.
  ///
  /// - Returns: when to call ``expire(_:at:)``, if not when it was said before.
  @inlinable
  public mutating func hear(_ peer: Peer, at now: Instant) -> Instant? {
    guard let wait = waits[peer], !wait.isHeard else { return nil }
    waits[peer]?.isHeard = true
    guard wait.due > now + Self.firstPause else { return nil }
    waits[peer]?.due = now + Self.firstPause
    return now + Self.firstPause
  }

  /// Takes the expiry of a timer.
  ///
  /// - Returns: whether to ask the peer now, and when to call this again.
  @inlinable
  public mutating func expire(_ peer: Peer, at now: Instant) -> (asks: Bool, next: Instant?) {
    // A timer that another one took the place of.
    guard let wait = waits[peer], now >= wait.due else { return (false, nil) }
    if wait.isHeard {
      waits[peer] = nil
      return (true, nil)
    }
    waits[peer]?.due = now + wait.pause
    waits[peer]?.pause = min(wait.pause + wait.pause, Self.longestPause)
    return (true, now + wait.pause)
  }

  /// Gives a peer up.
  @inlinable
  public mutating func forget(_ peer: Peer) { waits[peer] = nil }
}
