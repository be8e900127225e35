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
  @usableFromInline let limit: Int

  /// - Parameter limit: how many peers may subscribe: N in a permissioned network.
  @inlinable
  public init(limit: Int) { self.limit = limit }

  /// Who subscribed, in the order in which they did.
  @inlinable
  public var members: [Peer] { peers.members }

  /// Takes a subscription. Who subscribed already asks for a repetition by it.
  @inlinable
  public mutating func insert(_ peer: Peer, at now: Instant) -> Answer {
    if !peers.contains(peer) {
      guard peers.count < limit else { return .none }
      peers.insert(peer)
      return .first
    }
    return switch pace.ask(peer, at: now) {
    case .now: .repetition
    case .later(let instant): .later(instant)
    case .dueAlready: .none
    }
  }

  /// Whether a subscriber whose answer was put off is to have it now.
  @inlinable
  public mutating func isDue(to peer: Peer, at now: Instant) -> Bool {
    pace.isDue(to: peer, at: now) && peers.contains(peer)
  }
}
