import StarlingCore

/// A message that others have and that has not come.
@usableFromInline
struct MissingMessage: Sendable {
  /// One who told of it.
  @usableFromInline
  struct Announcer: Sendable {
    @usableFromInline let peer: Peer
    /// How often it was asked for the message, and when last.
    @usableFromInline var requests: UInt8 = 0
    @usableFromInline var askedAt = Instant.zero

    @inlinable
    init(_ peer: Peer) { self.peer = peer }
  }

  @usableFromInline let identifier: MessageIdentifier
  @usableFromInline var announcers: [Announcer]
  /// Against whose share of the table it counts: of those who told of it, one with few others.
  @usableFromInline var account: Peer
  @usableFromInline let announcedAt: Instant
  /// Before this nobody else is asked.
  @usableFromInline var deadline: Instant
  /// Whom the message was last asked of.
  @usableFromInline var asked: Peer?
  /// How often it was asked for, whoever was asked.
  @usableFromInline var attempts: UInt8 = 0
  /// Whether it is known from a digest: it is fetched and not grafted.
  @usableFromInline let isRecovery: Bool
  /// Whether nobody told of it, and it is asked for because others of its origin came: whoever lacks it denies nothing.
  @usableFromInline var isHole = false

  @inlinable
  init(
    _ identifier: MessageIdentifier, announcer: Peer, at now: Instant, deadline: Instant, isRecovery: Bool
  ) {
    self.identifier = identifier
    announcers = [Announcer(announcer)]
    account = announcer
    announcedAt = now
    self.deadline = deadline
    self.isRecovery = isRecovery
  }

  /// Remembers one more who has it, up to a bound: then whoever was asked in vain gives way.
  @inlinable
  mutating func add(_ peer: Peer) {
    guard !announcers.contains(where: { $0.peer == peer }) else { return }
    if announcers.count >= BroadcastTreeConfiguration.announcersPerMessage {
      guard let i = announcers.firstIndex(where: { $0.requests > 0 && $0.peer != asked }) else { return }
      announcers.remove(at: i)
    }
    announcers.append(Announcer(peer))
  }

  /// Chooses whom to ask next: who was asked the least for it, of these who left the fewest requests unanswered lately,
  /// and of these who told of it first.
  ///
  /// - Returns: that peer, and how often it was asked before.
  @usableFromInline
  mutating func nextToAsk(at now: Instant, unanswered: (Peer) -> Int) -> (peer: Peer, before: Int) {
    func rank(_ i: Int) -> (Int, Int) { (Int(announcers[i].requests), unanswered(announcers[i].peer)) }
    var next = 0
    for i in announcers.indices.dropFirst() where rank(i) < rank(next) { next = i }
    let before = Int(announcers[next].requests)
    attempts = attempts == .max ? .max : attempts + 1
    announcers[next].requests += 1
    announcers[next].askedAt = now
    asked = announcers[next].peer
    return (announcers[next].peer, before)
  }
}
