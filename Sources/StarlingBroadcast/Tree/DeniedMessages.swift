import StarlingCore

/// Messages that somebody told of and then said to have no more. They stay wanted; this only keeps a peer from asking
/// the same ones over and over for what is truly gone.
///
/// Each neighbour's word counts for itself alone. It may be honest, and true only for now: whoever fetches the message
/// later tells of it again.
@usableFromInline
struct DeniedMessages: Sendable {
  @usableFromInline
  struct Denial: Sendable {
    let identifier: MessageIdentifier
    let askAgainAt: Instant
    let peer: Peer
    let times: UInt8
  }

  private struct GivenUp {
    let identifier: MessageIdentifier
    /// When the message was first heard of.
    let heardAt: Instant
  }

  /// The oldest first. Flat, and with a share for each peer: liars deny as much as they like, and every peer keeps it.
  @usableFromInline private(set) var denials: [Denial] = []
  /// The messages that nobody is left to ask for, and of which the layer above was not told yet.
  private var givenUp: [GivenUp] = []

  @usableFromInline
  init() {}

  /// Whether a peer denied a message, and is not to be asked for it again yet.
  @usableFromInline
  func contains(_ identifier: MessageIdentifier, by peer: Peer, at now: Instant) -> Bool {
    denials.contains { $0.peer == peer && $0.identifier == identifier && now < $0.askAgainAt }
  }

  /// Notes that a peer said that a message is gone. What it denied before everything else gives way, or, where many deny,
  /// what anybody did.
  @usableFromInline
  mutating func note(_ identifier: MessageIdentifier, by peer: Peer, at now: Instant) {
    var times: UInt8 = 0
    if let known = denials.firstIndex(where: { $0.peer == peer && $0.identifier == identifier }) {
      times = min(denials.remove(at: known).times + 1, BroadcastTreeConfiguration.denialDoublings)
    } else if denials.count(where: { $0.peer == peer }) >= BroadcastTreeConfiguration.denied.perPeer,
      let oldest = denials.firstIndex(where: { $0.peer == peer })
    {
      denials.remove(at: oldest)
    } else if denials.count >= BroadcastTreeConfiguration.denied.total {
      denials.removeFirst()
    }
    let wait = BroadcastTreeConfiguration.denial * (1 << Int(times))
    denials.append(Denial(identifier: identifier, askAgainAt: now + wait, peer: peer, times: times))
  }

  /// Forgets what a peer denied that is no neighbour any more: what it tells of is not looked at.
  @usableFromInline
  mutating func forget(_ peer: Peer) { denials.removeAll { $0.peer == peer } }

  /// Notes that nobody is left to ask for a message.
  @usableFromInline
  mutating func giveUp(_ identifier: MessageIdentifier, heardAt: Instant) {
    guard givenUp.count < BroadcastTreeConfiguration.givenUpLimit,
      !givenUp.contains(where: { $0.identifier == identifier })
    else { return }
    givenUp.append(GivenUp(identifier: identifier, heardAt: heardAt))
  }

  /// Notes that not everybody who told of a message denied it: some said nothing.
  @usableFromInline
  mutating func keepHoping(for identifier: MessageIdentifier) {
    givenUp.removeAll { $0.identifier == identifier }
  }

  /// The messages that were given up and first heard of so long ago that others would have told of them; those that were
  /// given up first come first, and each once.
  @usableFromInline
  mutating func takeGivenUp(at now: Instant) -> [MessageIdentifier] {
    let taken = givenUp.filter { $0.heardAt + BroadcastTreeConfiguration.patience <= now }
    givenUp.removeAll { $0.heardAt + BroadcastTreeConfiguration.patience <= now }
    return taken.map(\.identifier)
  }

  /// Calls `body` with every peer that is named here.
  func forEachPeer(_ body: (Peer) -> Void) {
    for denial in denials {
      body(denial.identifier.origin)
      body(denial.peer)
    }
    for entry in givenUp { body(entry.identifier.origin) }
  }
}

/// The messages that the layer above was told to have been missed, so that it is told once: ranges, since what is
/// missed was mostly sent in a row.
@usableFromInline
struct MissedMessages: Sendable {
  private var ranges: [(origin: Peer, numbers: SequenceRange)] = []

  @usableFromInline
  init() {}

  /// Takes a message in.
  ///
  /// - Returns: false if it was there, or there is no room.
  @usableFromInline
  mutating func insert(_ identifier: MessageIdentifier) -> Bool {
    let (origin, number) = (identifier.origin, identifier.sequence)
    if ranges.contains(where: { $0.origin == origin && $0.numbers.contains(number) }) { return false }
    if number > 0,
      let before = ranges.firstIndex(where: { $0.origin == origin && $0.numbers.upper == number - 1 })
    {
      ranges[before].numbers.upper = number
      return true
    }
    guard ranges.count < BroadcastTreeConfiguration.missedLimit else { return false }
    ranges.append((origin, SequenceRange(number, number)))
    return true
  }

  /// Calls `body` with every peer that is named here.
  func forEachPeer(_ body: (Peer) -> Void) {
    for range in ranges { body(range.origin) }
  }
}
