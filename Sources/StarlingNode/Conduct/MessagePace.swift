import StarlingCore

/// Notices a peer that sends far more messages than protocols do, without a counter for every peer.
///
/// In each second all messages are counted together. No peer can have sent too many before all together have, so
/// peers are only told apart in a second in which that happens, and at most ``peersWatched`` of them: the
/// frequent ones, as found by Misra and Gries, "Finding repeated elements", Science of Computer Programming 2(2),
/// 1982.
@frozen
public struct MessagePace: Sendable {
  @usableFromInline
  struct Watched: Sendable {
    @usableFromInline let peer: Peer
    @usableFromInline var weight: UInt32
  }

  /// The second that is being counted; wraps around.
  @usableFromInline var second: UInt32 = 0
  @usableFromInline var total: UInt32 = 0
  /// Empty in most seconds.
  @usableFromInline var watched: [Watched] = []

  /// Nothing counted.
  @inlinable
  public init() {}

  /// The weight that one peer may send in a second. A guess; the README has what was measured.
  @inlinable
  public static var limit: UInt32 { 32_768 }
  /// The weight of a membership message: it may cost its receiver two signature checks and several sends.
  @inlinable
  public static var membershipWeight: Int { 16 }
  /// The weight of a broadcast's message. Those that cost much are charged by what they are.
  @inlinable
  public static var broadcastWeight: Int { 1 }
  /// How many peers are told apart at once. A guess.
  @inlinable
  public static var peersWatched: Int { 16 }

  /// Counts a message.
  ///
  /// - Returns: true each time that its sender has sent the limit of one second in this one. Who sends twice the
  ///   limit is surely noticed.
  @inlinable
  public mutating func count(_ weight: Int, from peer: Peer, at now: Instant) -> Bool {
    let current = UInt32(truncatingIfNeeded: now.nanoseconds / 1_000_000_000)
    if current != second {
      second = current
      total = 0
      if !watched.isEmpty { watched = [] }
    }
    if total < MessagePace.limit {
      total += UInt32(truncatingIfNeeded: weight)
      return false
    }
    return watch(peer, weight: UInt32(truncatingIfNeeded: weight))
  }

  @usableFromInline
  mutating func watch(_ peer: Peer, weight: UInt32) -> Bool {
    if let i = watched.firstIndex(where: { $0.peer == peer }) {
      watched[i].weight += weight
      guard watched[i].weight >= MessagePace.limit else { return false }
      watched[i].weight = 0
      return true
    }
    if watched.count < MessagePace.peersWatched {
      watched.append(Watched(peer: peer, weight: weight))
    } else {
      for i in watched.indices { watched[i].weight -= min(weight, watched[i].weight) }
      watched.removeAll { $0.weight == 0 }
    }
    return false
  }
}
