import StarlingCore

/// When peers that lost what was on its way to them may have it repeated: each once in an interval, however often it
/// asks, and none in vain.
@frozen
public struct RepetitionPace: Sendable {
  /// When a peer is answered.
  @frozen
  public enum Answer: Sendable, Equatable {
    /// At once.
    case now
    /// At this instant, if ``RepetitionPace/isDue(to:at:)`` says so then.
    case later(Instant)
    /// By an answer that is due already.
    case dueAlready
  }

  @usableFromInline
  struct Pace: Sendable {
    /// When the peer may be answered again.
    @usableFromInline let next: Instant
    /// Whether it will be, then.
    @usableFromInline var isDue = false

    @inlinable
    init(next: Instant) { self.next = next }
  }

  @usableFromInline var paces: [Peer: Pace] = [:]

  /// How far apart the answers to one peer are (a guess). To ask costs a peer next to nothing, and the answer is all
  /// that this process said about the live instances, so the interval is what bounds the work.
  @inlinable
  public static var interval: Interval { .seconds(5) }

  /// Nobody has asked.
  @inlinable
  public init() {}

  /// Takes a peer's wish to have everything repeated. The caller bounds how many peers there are.
  @inlinable
  public mutating func ask(_ peer: Peer, at now: Instant) -> Answer {
    if let pace = paces[peer], now < pace.next {
      if pace.isDue { return .dueAlready }
      paces[peer]?.isDue = true
      return .later(pace.next)
    }
    paces[peer] = Pace(next: now + Self.interval)
    return .now
  }

  /// Takes that something on its way to a peer was lost without the peer's knowing: it is to have everything repeated after
  /// an interval, unless it asks before. The caller bounds how many peers there are.
  ///
  /// - Returns: when to look at ``isDue(to:at:)``; `nil` if that is arranged already.
  @inlinable
  public mutating func owe(_ peer: Peer, at now: Instant) -> Instant? {
    var pace = paces[peer] ?? Pace(next: now)
    guard !pace.isDue else { return nil }
    pace.isDue = true
    paces[peer] = pace
    return max(pace.next, now + Self.interval)
  }

  /// Holds a peer's next answer back as if it had been answered now: it may end a subscription and begin another, and be
  /// told no more by that.
  ///
  /// - Parameter limit: how many peers may be known before those are dropped that may be answered again.
  @inlinable
  public mutating func hold(_ peer: Peer, at now: Instant, limit: Int) {
    if paces.count > limit { paces = paces.filter { $0.value.isDue || now < $0.value.next } }
    if paces[peer].map({ $0.next <= now }) ?? true { paces[peer] = Pace(next: now + Self.interval) }
  }

  /// Whether a peer would not be answered at once.
  @inlinable
  public func isHeld(_ peer: Peer, at now: Instant) -> Bool { paces[peer].map { now < $0.next } ?? false }

  /// Whether a peer whose answer was put off is to have it now. It then counts as answered.
  @inlinable
  public mutating func isDue(to peer: Peer, at now: Instant) -> Bool {
    guard let pace = paces[peer], pace.isDue, now >= pace.next else { return false }
    paces[peer] = Pace(next: now + Self.interval)
    return true
  }
}
