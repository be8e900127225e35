import StarlingCore

/// How many places of a table each peer takes.
@usableFromInline
struct Shares {
  @usableFromInline var counts = PeerMap<Int>()

  @inlinable
  init() {}

  @inlinable
  mutating func add(_ taker: Peer) { counts[counts.insert(0, for: taker).position] += 1 }

  @inlinable
  func share(of taker: Peer) -> Int { counts[taker] ?? 0 }

  /// Who takes the most.
  var greatest: (peer: Peer, share: Int)? {
    guard let most = (0..<counts.count).max(by: { counts[$0] < counts[$1] }) else { return nil }
    return (counts.keys[most], counts[most])
  }
}
