import StarlingCore

/// Messages to peers to which a connection cannot be opened yet, because too many are being opened to addresses
/// that are hearsay. Bounded; the peer that has waited longest comes first.
struct WaitingMessages<Parcel> {
  /// The bounds: peers, messages of each, bytes of all messages, and how long a message may wait. Guesses: a group
  /// that starts has tens of peers to greet with a message or two each, and a handshake is a round trip.
  static var peerLimit: Int { 64 }
  static var messageLimit: Int { 16 }
  static var byteLimit: Int { 1 << 20 }
  static var patience: Interval { .seconds(10) }

  struct Entry {
    let peer: Peer
    let since: Instant
    var parcels: [Parcel]
    var byteCount: Int
  }

  private(set) var entries: [Entry] = []
  private var byteCount = 0

  var isEmpty: Bool { entries.isEmpty }

  /// Takes a message in; false if there is no room for it.
  mutating func append(_ parcel: Parcel, byteCount: Int, to peer: Peer, at now: Instant) -> Bool {
    guard self.byteCount + byteCount <= WaitingMessages.byteLimit else { return false }
    if let i = entries.firstIndex(where: { $0.peer == peer }) {
      guard entries[i].parcels.count < WaitingMessages.messageLimit else { return false }
      entries[i].parcels.append(parcel)
      entries[i].byteCount += byteCount
    } else {
      guard entries.count < WaitingMessages.peerLimit else { return false }
      entries.append(Entry(peer: peer, since: now, parcels: [parcel], byteCount: byteCount))
    }
    self.byteCount += byteCount
    return true
  }

  /// Whether what waits for a peer has waited for too long.
  func isOverdue(_ peer: Peer, at now: Instant) -> Bool {
    entries.contains { $0.peer == peer && now - $0.since >= WaitingMessages.patience }
  }

  /// Takes out what waits for a peer.
  mutating func take(_ peer: Peer) -> Entry? {
    guard let i = entries.firstIndex(where: { $0.peer == peer }) else { return nil }
    byteCount -= entries[i].byteCount
    return entries.remove(at: i)
  }
}
