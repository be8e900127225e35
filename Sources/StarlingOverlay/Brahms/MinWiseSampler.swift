import StarlingCore

/// Keeps one peer of all that it is shown, each with the same probability, however often each is shown: the one that is
/// least in a secret random order (A. Broder et al., "Min-wise independent permutations", Journal of Computer and System
/// Sciences 60, 2000).
@frozen
public struct MinWiseSampler: Sendable {
  @usableFromInline var key: UInt64
  @usableFromInline var least: UInt64 = .max
  /// The peer that is kept; `nil` before any was shown.
  public private(set) var peer: Peer?

  /// A sampler with an order of its own.
  public init(random: inout some RandomSource & ~Copyable) { key = random.next() }

  /// Where the kept peer is in the order, 0 ..< 1; 1 if there is none. Of n peers it is 1/(n + 1) in the mean.
  @inlinable
  public var rank: Double { Double(least >> 11) * 0x1p-53 }

  /// Shows a peer.
  public mutating func show(_ shown: Peer) {
    // Who does not know the key cannot choose what comes early. Twice, so that keys that differ little order
    // peers that differ little in different ways.
    let place = SplitMix64.mix(key ^ SplitMix64.mix(UInt64(shown.index) &+ 0x9E37_79B9_7F4A_7C15))
    guard place < least || peer == nil else { return }
    (least, peer) = (place, shown)
  }

  /// Begins anew, with another order.
  public mutating func reset(random: inout some RandomSource & ~Copyable) {
    self = MinWiseSampler(random: &random)
  }
}
