import StarlingCore

/// What a process thinks of the peers that misbehaved: a budget for each, which misbehaviour spends and time
/// gives back. Whose budget is spent is shunned for a while. See the folder's README.
///
/// Takes 24 bytes while nobody misbehaves and nothing floods, because a million peers are simulated.
@frozen
public struct Conduct: Sendable {
  /// What is known of one peer.
  @usableFromInline
  struct Record: Sendable {
    let peer: Peer
    /// Points left at `updatedAt`.
    var points: Int32
    var updatedAt: Instant
    /// Until when it is shunned; in the past if it is not.
    var shunnedUntil: Instant
    /// How often it was shunned.
    var sentences: UInt8 = 0
    var lastFault: Misbehaviour
  }

  /// Empty until somebody misbehaves, and at most ``recordLimit`` long.
  @usableFromInline var records: [Record] = []
  @usableFromInline var pace = MessagePace()

  /// Nobody has misbehaved.
  @inlinable
  public init() {}

  /// Whether a peer is shunned.
  @inlinable
  public func isShunned(_ peer: Peer, at now: Instant) -> Bool {
    !records.isEmpty && isRecordedAsShunned(peer, at: now)
  }

  @usableFromInline
  func isRecordedAsShunned(_ peer: Peer, at now: Instant) -> Bool {
    records.contains { $0.peer == peer && $0.shunnedUntil > now }
  }

  /// Charges a peer for what it did.
  ///
  /// - Parameters:
  ///   - peer: whom to charge.
  ///   - what: what it did.
  ///   - price: points; see ``price(of:)`` and ``floodPrice``.
  ///   - now: the current instant.
  /// - Returns: whether its budget is spent now, so that it is to be shunned from this moment.
  public mutating func charge(
    _ peer: Peer, for what: Misbehaviour, price: Int32, at now: Instant
  ) -> Bool {
    let i = index(of: peer, fault: what, at: now)
    guard records[i].shunnedUntil <= now else { return false }
    records[i].refill(at: now)
    records[i].lastFault = what
    records[i].points -= price
    guard records[i].points <= 0 else { return false }
    records[i].shunnedUntil = now + Conduct.sentence(after: records[i].sentences)
    records[i].sentences = min(records[i].sentences + 1, 32)
    // It comes back with a full budget, and a longer sentence before it.
    records[i].points = Conduct.budget
    records[i].updatedAt = records[i].shunnedUntil
    return true
  }

  /// Counts a message.
  ///
  /// - Parameter weight: what it costs its receiver; see ``MessagePace``.
  /// - Returns: whether its sender has just sent too many at once.
  @inlinable
  public mutating func countMessage(from peer: Peer, weight: Int, at now: Instant) -> Bool {
    pace.count(weight, from: peer, at: now)
  }

  /// The peers that are shunned, until when and for what, in the order in which they first misbehaved.
  public func shunned(at now: Instant) -> [(peer: Peer, until: Instant, fault: Misbehaviour)] {
    records.filter { $0.shunnedUntil > now }.map { ($0.peer, $0.shunnedUntil, $0.lastFault) }
  }

  /// Until when a peer is shunned; `nil` if it is not.
  public func end(ofShunning peer: Peer, at now: Instant) -> Instant? {
    records.first { $0.peer == peer && $0.shunnedUntil > now }?.shunnedUntil
  }

  /// Calls `body` with every peer that is remembered: the handles that a driver must not give to others.
  public func forEachPeer(_ body: (Peer) -> Void) {
    for record in records { body(record.peer) }
  }

  // MARK: - Records

  /// The record of a peer; a new one takes the place of the one that is missed least if there are too many.
  private mutating func index(of peer: Peer, fault: Misbehaviour, at now: Instant) -> Int {
    if let known = records.firstIndex(where: { $0.peer == peer }) { return known }
    records.removeAll { Conduct.isForgiven($0, at: now) }
    if records.count >= Conduct.recordLimit { forgetOne(at: now) }
    records.appendTightly(
      Record(peer: peer, points: Conduct.budget, updatedAt: now, shunnedUntil: .zero, lastFault: fault))
    return records.count - 1
  }

  private mutating func forgetOne(at now: Instant) {
    var least = 0
    for i in records.indices.dropFirst() where isMissedLess(records[i], than: records[least], at: now) {
      least = i
    }
    records.remove(at: least)
  }

  /// Peers that are not shunned are forgotten before those that are, and among each those that have been quiet
  /// longest, or have the least time left.
  private func isMissedLess(_ a: Record, than b: Record, at now: Instant) -> Bool {
    let (aShunned, bShunned) = (a.shunnedUntil > now, b.shunnedUntil > now)
    if aShunned != bShunned { return !aShunned }
    return aShunned ? a.shunnedUntil < b.shunnedUntil : a.updatedAt < b.updatedAt
  }

  private static func isForgiven(_ record: Record, at now: Instant) -> Bool {
    var record = record
    record.refill(at: now)
    guard record.points == budget else { return false }
    return record.sentences == 0 || now - record.shunnedUntil > sentence(after: record.sentences) * 2
  }
}

extension Conduct.Record {
  /// Gives back what was earned since the last time; what was earned of the next point is not lost.
  mutating func refill(at now: Instant) {
    let interval = Conduct.refillInterval
    let earned = max(0, (now - updatedAt).nanoseconds) / interval.nanoseconds
    points += Int32(clamping: min(earned, Int64(Conduct.budget)))
    updatedAt = updatedAt + Interval(nanoseconds: earned * interval.nanoseconds)
    if points >= Conduct.budget {
      points = Conduct.budget
      updatedAt = max(updatedAt, now)
    }
  }
}

// MARK: - Constants

extension Conduct {
  /// The points of a peer that never misbehaved. A guess, in units of the least fault.
  public static let budget: Int32 = 64
  /// How long it takes to earn a point back. A guess: what a peer may do for ever without being shunned, a fault
  /// of one point a second, costs its receiver one signature check in ten thousand of a core.
  public static let refillInterval = Interval.seconds(1)
  /// How many peers are remembered that misbehaved and are not forgiven. A guess; more than a node has
  /// connections, and some 12 KB.
  public static let recordLimit = 256
  /// How long a peer is shunned the first time. It doubles each time, up to ``longestSentence``. A guess.
  public static let firstSentence = Interval.seconds(60)
  /// The longest that a peer is shunned. A guess.
  public static let longestSentence = Interval.seconds(86_400)

  /// What a fault costs: the more, the less a correct peer could look as if it had committed it. All are guesses.
  public static func price(of fault: Misbehaviour) -> Int32 {
    switch fault {
    // No correct peer sends these: links are authenticated, and it checks what it passes on. Eight are enough.
    case .malformed, .badSignature: 8
    // A list of keys that is newer at the sender than here looks like this for a while.
    case .inadmissible: 4
    // Its own requests, over its own link: many times what a joiner sends.
    case .subscriptionFlood: 4
    // A network that duplicates or delays may make a correct peer look like this now and then.
    case .unsolicited: 2
    case .replay: 1
    // To tell the operators is all that helps.
    case .otherBroadcast: 0
    }
  }

  /// What it costs to send too many messages in one second. A guess: four such seconds are enough.
  public static let floodPrice: Int32 = 16

  /// How long a peer is shunned that was shunned so often before.
  static func sentence(after sentences: UInt8) -> Interval {
    min(firstSentence * (1 << Int(min(sentences, 16))), longestSentence)
  }
}
