import StarlingCore
import StarlingTransport

/// A connection as the host sees it.
struct HostConnection {
  let identifier: ConnectionID
  /// Who is at the other end; `nil` before the handshake with a peer that is known by its address alone.
  var peer: Peer?
  /// Whether this end opened it.
  let isOutgoing: Bool
  /// Where it is being opened to, if that address is hearsay.
  var hearsay: SocketAddress?
  /// When the handshake was done; `nil` before.
  var establishedAt: Instant?
  /// Where the other end was when the handshake was done.
  var address: SocketAddress?
  /// Whether the end with the smaller key opened it.
  var isOfSmallerKey = false
  /// When a message last went over it, in either direction.
  var lastUsed: Instant
  var hasIntroduction = false
  /// Whether a message was dropped because the queue was full, and there was no room since.
  var isCongested = false
  /// How many bytes waited when that was last asked, and when they last grew fewer.
  var waitingBytes = 0
  var drainedAt = Instant.zero
  /// Whether this end closes it only because it is not needed: no loss to the process.
  var isClosedQuietly = false
}

/// The connections of a host, in the order in which they began. A node has tens of them and the transport
/// bounds their number, so a search looks at one after the other.
struct HostConnections {
  /// Two connections established within so long of each other were opened by both ends at once. A guess: it
  /// is well above a handshake and well below an idle timeout.
  static let simultaneity = Interval.seconds(5)

  private(set) var all: [HostConnection] = []

  func index(of connection: ConnectionID) -> Int? {
    all.firstIndex { $0.identifier == connection }
  }

  subscript(index: Int) -> HostConnection {
    get { all[index] }
    _modify { yield &all[index] }
  }

  mutating func append(_ connection: HostConnection) { all.append(connection) }

  mutating func remove(_ connection: ConnectionID) -> HostConnection? {
    index(of: connection).map { all.remove(at: $0) }
  }

  /// How many connections are being opened to addresses that are hearsay: in all, and to one host.
  func openings(toHostOf address: SocketAddress) -> (all: Int, ofHost: Int) {
    var (all, ofHost) = (0, 0)
    for connection in self.all where connection.establishedAt == nil {
      guard let hearsay = connection.hearsay else { continue }
      all += 1
      if hearsay.isOnHost(of: address) { ofHost += 1 }
    }
    return (all, ofHost)
  }

  /// Whether a connection to a peer is already up that is not of this moment, so that another one means that the peer
  /// has come back: as a new process, or from where it could not be reached.
  func isReturn(of peer: Peer, at address: SocketAddress, isOutgoing: Bool, now: Instant) -> Bool {
    all.contains { connection in
      guard connection.peer == peer, let since = connection.establishedAt else { return false }
      return now - since > HostConnections.simultaneity || connection.address != address
        || connection.isOutgoing == isOutgoing
    }
  }

  func hasConnection(to peer: Peer) -> Bool { all.contains { $0.peer == peer } }

  /// The connection to send to a peer over; `nil` if there is none.
  ///
  /// When both ends opened one at once, both choose the one whose opener has the smaller key. Otherwise the
  /// newest is right: its opener would not have opened it if the older one had still worked.
  func preferredIndex(for peer: Peer) -> Int? {
    var best: Int?
    for i in all.indices where all[i].peer == peer && !all[i].isClosedQuietly {
      if let known = best, !isBetter(all[i], than: all[known]) { continue }
      best = i
    }
    return best
  }

  /// - Parameter newer: begins later in the list.
  private func isBetter(_ newer: HostConnection, than older: HostConnection) -> Bool {
    guard let newerSince = newer.establishedAt else { return false }
    guard let olderSince = older.establishedAt else { return true }
    let distance = newerSince < olderSince ? olderSince - newerSince : newerSince - olderSince
    // A peer that was started anew is somewhere else: its former life's connection is dead.
    if distance <= HostConnections.simultaneity, newer.isOfSmallerKey != older.isOfSmallerKey,
      newer.address == older.address
    {
      return newer.isOfSmallerKey
    }
    return newerSince >= olderSince
  }
}
