import StarlingCore

/// Messages that somebody told of and then said to have no more. They stay wanted; this only keeps a peer from asking
/// the same ones over and over for what is truly gone.
///
/// Each neighbour's word counts for itself alone. It may be honest, and true only for now: whoever fetches the message
/// later tells of it again.
@usableFromInline
struct DeniedMessages: Sendable {
  @usableFromInline
  struct Denier: Sendable {
    let peer: Peer
    var times: UInt8
    var askAgainAt: Instant
  }

  @usableFromInline
  struct Entry: Sendable {
    /// When the message was first heard of.
    let heardAt: Instant
    var isGivenUp = false
    /// The oldest gives way to a new one.
    var deniers: [Denier] = []
  }

  @usableFromInline private(set) var entries: [MessageIdentifier: Entry] = [:]
  /// A ring once it is full: `oldest` is the next to be forgotten.
  private var ring: [MessageIdentifier] = []
  private var oldest = 0
  /// Whether any entry is given up, so that a look through all is worth it.
  private var hasGivenUp = false

  @usableFromInline
  init() {}

  /// Whether a peer denied a message, and is not to be asked for it again yet.
  @usableFromInline
  func contains(_ identifier: MessageIdentifier, by peer: Peer, at now: Instant) -> Bool {
    guard let denier = entries[identifier]?.deniers.first(where: { $0.peer == peer }) else { return false }
    return now < denier.askAgainAt
  }

  /// Notes that a peer said that a message is gone.
  ///
  /// - Parameters:
  ///   - identifier: the message.
  ///   - peer: who said so.
  ///   - heardAt: when the message was heard of, this time.
  ///   - now: the current instant.
  @usableFromInline
  mutating func note(_ identifier: MessageIdentifier, by peer: Peer, heardAt: Instant, at now: Instant) {
    if entries[identifier] == nil { makeRoom(for: identifier) }
    var entry = entries[identifier] ?? Entry(heardAt: heardAt)
    var times: UInt8 = 0
    if let known = entry.deniers.firstIndex(where: { $0.peer == peer }) {
      times = min(entry.deniers.remove(at: known).times + 1, BroadcastTreeConfiguration.denialDoublings)
    } else if entry.deniers.count >= BroadcastTreeConfiguration.announcersPerMessage {
      entry.deniers.removeFirst()
    }
    let wait = BroadcastTreeConfiguration.denial * (1 << Int(times))
    entry.deniers.append(Denier(peer: peer, times: times, askAgainAt: now + wait))
    entries[identifier] = entry
  }

  private mutating func makeRoom(for identifier: MessageIdentifier) {
    if ring.count < BroadcastTreeConfiguration.deniedLimit { return ring.append(identifier) }
    entries[ring[oldest]] = nil
    ring[oldest] = identifier
    oldest = (oldest + 1) % ring.count
  }

  /// Notes that nobody is left to ask for a message.
  @usableFromInline
  mutating func giveUp(_ identifier: MessageIdentifier) {
    entries[identifier]?.isGivenUp = true
    hasGivenUp = true
  }

  /// Notes that not everybody who told of a message denied it: some said nothing.
  @usableFromInline
  mutating func keepHoping(for identifier: MessageIdentifier) { entries[identifier]?.isGivenUp = false }

  /// The messages that were given up and first heard of so long ago that others would have told of them; the earliest
  /// denied first, and each once.
  @usableFromInline
  mutating func takeGivenUp(at now: Instant) -> [MessageIdentifier] {
    guard hasGivenUp else { return [] }
    hasGivenUp = false
    var taken: [MessageIdentifier] = []
    for identifier in ring[oldest...] + ring[..<oldest] {
      guard let entry = entries[identifier], entry.isGivenUp else { continue }
      if entry.heardAt + BroadcastTreeConfiguration.patience <= now {
        entries[identifier]?.isGivenUp = false
        taken.append(identifier)
      } else {
        hasGivenUp = true
      }
    }
    return taken
  }

  /// Calls `body` with every peer that is named here.
  func forEachPeer(_ body: (Peer) -> Void) {
    for (identifier, entry) in entries {
      body(identifier.origin)
      for denier in entry.deniers { body(denier.peer) }
    }
    for identifier in ring { body(identifier.origin) }
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
