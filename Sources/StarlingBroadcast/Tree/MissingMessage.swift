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
  /// Against whose share of the table it counts.
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

  @inlinable
  init(
    _ identifier: MessageIdentifier, announcer: Peer, account: Peer, at now: Instant, deadline: Instant,
    isRecovery: Bool
  ) {
    self.identifier = identifier
    announcers = [Announcer(announcer)]
    self.account = account
    announcedAt = now
    self.deadline = deadline
    self.isRecovery = isRecovery
  }

  /// Remembers one more who has it, up to a bound.
  @inlinable
  mutating func add(_ peer: Peer) {
    guard announcers.count < BroadcastTreeConfiguration.announcersPerMessage,
      !announcers.contains(where: { $0.peer == peer })
    else { return }
    announcers.append(Announcer(peer))
  }

  /// Chooses whom to ask next: those who told of it in turn.
  ///
  /// - Returns: that peer, and how many rounds of all of them are over.
  @usableFromInline
  mutating func nextToAsk(at now: Instant) -> (peer: Peer, round: Int) {
    let (round, turn) = Int(attempts).quotientAndRemainder(dividingBy: announcers.count)
    attempts += 1
    announcers[turn].requests += 1
    announcers[turn].askedAt = now
    asked = announcers[turn].peer
    return (announcers[turn].peer, round)
  }
}
