import StarlingCore

/// Makes datagrams that no correct peer sends, from those that one has sent and from nothing.
struct DatagramForge {
  /// The ways in which a datagram is made.
  enum Kind: Int, CaseIterable {
    case random, flipped, cut, grown, replayed, spliced, headed, opening

    /// How many of a hundred are made so. Openings cost their receiver two key agreements each: 1% of them take
    /// about as much of its time as all the others.
    var share: Int {
      switch self {
      case .random: 18
      case .flipped: 30
      case .cut: 12
      case .grown: 5
      case .replayed: 16
      case .spliced: 8
      case .headed: 10
      case .opening: 1
      }
    }
  }

  /// The longest datagram that is made: longer than any that is taken.
  static let limit = 2_500

  private var random: Xoshiro256
  /// Real datagrams, as a peer sent or got them.
  var recorded: [[UInt8]] = []
  /// How many were made, by kind.
  private(set) var made = [Int](repeating: 0, count: Kind.allCases.count)

  init(seed: UInt64) { random = Xoshiro256(seed: seed) }

  /// The next datagram.
  mutating func next() -> [UInt8] {
    var draw = random.uniform(below: Kind.allCases.reduce(0) { $0 + $1.share })
    var kind = Kind.random
    for candidate in Kind.allCases {
      kind = candidate
      draw -= candidate.share
      if draw < 0 { break }
    }
    made[kind.rawValue] += 1
    return make(kind)
  }

  private mutating func make(_ kind: Kind) -> [UInt8] {
    guard !recorded.isEmpty else { return noise(random.uniform(below: DatagramForge.limit)) }
    var bytes = recorded[random.uniform(below: recorded.count)]
    switch kind {
    case .random: return noise(random.uniform(below: DatagramForge.limit))
    case .replayed: return bytes
    case .flipped:
      guard !bytes.isEmpty else { return bytes }
      for _ in 0...random.uniform(below: 12) {
        // The first bytes steer: they are changed as often as all the others.
        let range = random.oneIn(2) ? min(24, bytes.count) : bytes.count
        bytes[random.uniform(below: range)] ^= 1 << UInt8(random.uniform(below: 8))
      }
      return bytes
    case .cut: return Array(bytes.prefix(random.uniform(below: bytes.count + 1)))
    case .grown: return bytes + noise(random.uniform(below: 1_000))
    case .spliced:
      let other = recorded[random.uniform(below: recorded.count)]
      return Array(bytes.prefix(random.uniform(below: bytes.count + 1)))
        + other.dropFirst(random.uniform(below: other.count + 1))
    case .headed:
      // A known kind and identifier before what is nothing.
      let head = bytes.prefix(9 + random.uniform(below: 4))
      return Array(head) + noise(random.uniform(below: 1_300))
    case .opening:
      // An opening of the right form with a key of its own: the tag that it needs is in none of the recorded ones.
      guard let opening = recorded.first(where: { $0.first == 1 }), opening.count >= 1_200 else {
        return bytes
      }
      var fresh = opening
      for i in 2..<10 { fresh[i] = UInt8(truncatingIfNeeded: random.next()) }
      return fresh
    }
  }

  private mutating func noise(_ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 8)
    while bytes.count < count {
      var word = random.next()
      for _ in 0..<8 {
        bytes.append(UInt8(truncatingIfNeeded: word))
        word >>= 8
      }
    }
    bytes.removeLast(bytes.count - count)
    // Half of them claim to be of a kind that there is.
    if count > 0, random.oneIn(2) { bytes[0] = UInt8(1 + random.uniform(below: 5)) }
    return bytes
  }
}
