import StarlingCore

/// Something that happened in a process host and that an operator may want to know.
public enum HostEvent: Hashable, Sendable {
  /// A peer sent what no correct peer sends; says what.
  case violation(PublicKey, String)
  /// A peer that connected was turned away: its key is not admitted.
  case inadmissible(PublicKey)
  /// Messages to a peer are being dropped, because its connection's queue is full. Said once until there is
  /// room again.
  case queueFull(PublicKey)
  /// A message was dropped, because every handle of the peer table is in use.
  case peerTableFull
  /// A timer was not set, because too many are.
  case tooManyTimers
}

/// Messages and their bytes, as the process encoded them.
public struct TrafficCounters: Hashable, Sendable {
  /// How many messages.
  public var messages: UInt64 = 0
  /// How many bytes they have.
  public var bytes: UInt64 = 0

  mutating func count(_ byteCount: Int) {
    messages += 1
    bytes += UInt64(byteCount)
  }
}

/// What a process host did so far.
public struct ProcessHostCounters: Hashable, Sendable {
  /// The process's messages handed to the transport, by ``ProcessHooks/trafficClass``.
  public internal(set) var sent: [TrafficCounters]
  /// The process's messages that came and could be decoded, by class.
  public internal(set) var received: [TrafficCounters]
  /// Messages that a full queue did not take.
  public internal(set) var droppedQueueFull: UInt64 = 0
  /// Messages that are longer than any connection takes.
  public internal(set) var droppedTooLarge: UInt64 = 0
  /// Messages to peers to which there is no connection, and none can be opened now.
  public internal(set) var droppedUnreachable: UInt64 = 0
  /// Messages that had to wait, because too many connections were being opened to addresses that are hearsay.
  public internal(set) var deferred: UInt64 = 0
  /// Messages that were dropped because the peer table was full.
  public internal(set) var droppedTableFull: UInt64 = 0
  /// Connections that were closed as soon as they were up, because their peers are shunned or not admitted.
  public internal(set) var connectionsRefused: UInt64 = 0
  /// Messages that could not be decoded.
  public internal(set) var violations: UInt64 = 0
  /// Timers that were not set because too many were.
  public internal(set) var timersRefused: UInt64 = 0
  /// Handles of the peer table that were freed.
  public internal(set) var peersFreed: UInt64 = 0

  /// Messages that were handed to a connection.
  var handedOver: UInt64 { sent.reduce(0) { $0 + $1.messages } }
  /// Messages that were meant for a peer and handed to no connection.
  var lost: UInt64 { droppedQueueFull + droppedTooLarge + droppedUnreachable }

  /// How many classes of traffic are told apart.
  public static let classCount = 8

  init() {
    sent = Array(repeating: TrafficCounters(), count: ProcessHostCounters.classCount)
    received = sent
  }
}
