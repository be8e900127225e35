import StarlingCore

/// Loss that comes in bursts: each receiver has good times and bad times, of exponentially distributed lengths,
/// and in its bad times loses everything that is sent to it (Gilbert, "Capacity of a burst-noise channel", Bell
/// System Technical Journal 39, 1960, in continuous time).
struct LossBursts: Sendable {
  /// The time for which a receiver stays as it is.
  private struct Spell: Sendable {
    var end: UInt64 = 0
    var isBad = false
  }

  private let share: Double
  private let badMean: Double
  private let goodMean: Double
  private var spells: [Spell]

  /// - Parameters:
  ///   - share: the share of bad time, more than 0 and less than 1.
  ///   - meanLength: the mean length of a bad time, more than zero.
  ///   - capacity: how many peers there can be.
  init(share: Double, meanLength: Interval, capacity: Int) {
    precondition(share > 0 && share < 1 && meanLength > .zero, "bursts of \(meanLength) for \(share)")
    self.share = share
    badMean = Double(meanLength.nanoseconds)
    goodMean = badMean * (1 - share) / share
    spells = [Spell](repeating: Spell(), count: capacity)
  }

  /// Whether what is sent to a peer now is lost.
  mutating func isLosing(to peer: Peer, at now: Instant, random: inout Xoshiro256) -> Bool {
    var spell = spells[Int(peer.index)]
    guard now.nanoseconds >= spell.end else { return spell.isBad }
    let elapsed = Double(now.nanoseconds - spell.end)
    if spell.end == 0 || elapsed > 8 * (badMean + goodMean) {
      // Nobody looked for so long that the past no longer tells anything, and a spell is memoryless: what is left
      // of it is as long as a whole one.
      spell.isBad = random.chance(share)
      spell.end = now.nanoseconds
      spell.end = end(of: spell, &random)
    }
    while now.nanoseconds >= spell.end {
      spell.isBad.toggle()
      spell.end = end(of: spell, &random)
    }
    spells[Int(peer.index)] = spell
    return spell.isBad
  }

  /// When a spell that begins at the end of the one before will end.
  private func end(of spell: Spell, _ random: inout Xoshiro256) -> UInt64 {
    let length = -naturalLogarithm(1 - random.unit()) * (spell.isBad ? badMean : goodMean)
    return spell.end + UInt64(min(max(length, 1), 1e18))
  }
}
