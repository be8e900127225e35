import StarlingCore

/// Who asked for a process's messages. A Byzantine peer may subscribe any number of times, and in an open network under
/// any number of names: each counts once, and there is an end to them.
@frozen
public struct SubscriptionSet: Sendable {
  /// When a subscription is answered with what was said before it.
  @frozen
  public enum Answer: Sendable, Equatable {
    /// At once: it is new.
    case first
    /// At once: the peer had subscribed before, so something was lost.
    case repetition
    /// At this instant, if ``SubscriptionSet/isDue(to:at:)`` says so then.
    case later(Instant)
    /// Not at all: there are too many subscribers, or an answer is due already.
    case none
  }

  @usableFromInline var peers = PeerSet()
  @usableFromInline var pace = RepetitionPace()
  @usableFromInline var limit: Int

  /// - Parameter population: N. Twice as many may subscribe: those who join are members for others before they are for
  ///   this process.
  @inlinable
  public init(population: Int) { limit = 2 * population }

  /// Who subscribed, in the order in which they did.
  @inlinable
  public var members: [Peer] { peers.members }

  /// Takes a subscription. Who subscribed already asks for a repetition by it.
  @inlinable
  public mutating func insert(_ peer: Peer, at now: Instant) -> Answer {
    if peers.count < limit {
      if peers.insert(peer), !pace.isHeld(peer, at: now) { return .first }
    } else if !peers.contains(peer) {
      return .none
    }
    return switch pace.ask(peer, at: now) {
    case .now: .repetition
    case .later(let instant): .later(instant)
    case .dueAlready: .none
    }
  }

  /// Takes the end of a subscription.
  @inlinable
  public mutating func remove(_ peer: Peer, at now: Instant) {
    if peers.remove(peer) != nil { pace.hold(peer, at: now, limit: limit) }
  }

  /// Adapts to a change of the membership: makes room, and drops those that are no members any more, if there are more
  /// subscribers than members.
  ///
  /// - Parameters:
  ///   - before: N so far.
  ///   - population: N from now on.
  ///   - isMember: whether a peer is a member now.
  @inlinable
  public mutating func adapt(from before: Int, to population: Int, members isMember: (Peer) -> Bool) {
    limit = 2 * max(before, population)
    guard peers.count > population else { return }
    for peer in peers.members where !isMember(peer) { peers.remove(peer) }
  }

  /// Takes that something on its way to a peer was lost without its knowing.
  ///
  /// - Returns: when to look at ``isDue(to:at:)``; `nil` if it is no subscriber, or that is arranged already.
  @inlinable
  public mutating func owe(_ peer: Peer, at now: Instant) -> Instant? {
    peers.contains(peer) ? pace.owe(peer, at: now) : nil
  }

  /// Whether a subscriber whose answer was put off is to have it now.
  @inlinable
  public mutating func isDue(to peer: Peer, at now: Instant) -> Bool {
    pace.isDue(to: peer, at: now) && peers.contains(peer)
  }
}
