import StarlingCore

/// The live peers, to draw from in constant time.
struct Roster {
  /// In no particular order, but the same in every run.
  private(set) var peers: [Peer] = []
  /// Where each peer stands in `peers`; −1 for one that does not live.
  private var positions: [Int32] = []

  mutating func insert(_ peer: Peer) {
    while positions.count <= Int(peer.index) { positions.append(-1) }
    guard positions[Int(peer.index)] < 0 else { return }
    positions[Int(peer.index)] = Int32(peers.count)
    peers.append(peer)
  }

  mutating func remove(_ peer: Peer) {
    guard Int(peer.index) < positions.count, positions[Int(peer.index)] >= 0 else { return }
    let position = Int(positions[Int(peer.index)])
    let last = peers.removeLast()
    if position < peers.count {
      peers[position] = last
      positions[Int(last.index)] = Int32(position)
    }
    positions[Int(peer.index)] = -1
  }

  /// A live peer for which `suits` is true; `nil` if a hundred draws find none.
  func random(
    from source: inout some RandomSource, where suits: (Peer) -> Bool = { _ in true }
  ) -> Peer? {
    guard !peers.isEmpty else { return nil }
    for _ in 0..<100 {
      let peer = peers[source.uniform(below: peers.count)]
      if suits(peer) { return peer }
    }
    return nil
  }
}
