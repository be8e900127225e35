import StarlingCore

/// Making digests.
extension BroadcastTree {
  /// Tells a neighbour what this peer has. Origins that find no place come first the next time.
  @inlinable
  mutating func sendDigests(
    to peer: Peer, wantingAnswer: Bool, into effects: inout some Effects<Self> & ~Copyable
  ) {
    var digests: [Digest] = []
    let origins = gate.seen.origins
    let first = repair.ifNeeded?.digestHand ?? 0
    var looked = 0
    while looked < origins.count {
      let position = (first + looked) % origins.count
      let sequences = origins[position]
      if sequences.keptFrom <= sequences.window.newest {
        let ranges = sequences.seenRanges(from: sequences.keptFrom).suffix(Digest.rangesPerOrigin)
        let more = Digest.several(telling: ranges, of: origins.keys[position])
        guard digests.count + more.count <= BroadcastTreeConfiguration.digestsAtOnce else { break }
        digests += more
      }
      looked += 1
    }
    if looked < origins.count { changeRepair { $0.digestHand = (first + looked) % origins.count } }
    if wantingAnswer {
      if digests.isEmpty { digests = [Digest(origin: gate.identity)] }
      digests[0].wantsAnswer = true
    }
    for digest in digests { effects.send(.digest(digest), to: peer) }
  }

  /// Tells all neighbours of the messages that were fetched since the last time, or of as many as may be told
  /// of at once.
  @usableFromInline
  mutating func tellRecovered(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    var identifiers = changeRepair { $0.recovered }
    identifiers.sort { ($0.origin, $0.sequence) < ($1.origin, $1.sequence) }
    var told = 0
    for _ in 0..<BroadcastTreeConfiguration.newsAtOnce where told < identifiers.count {
      let origin = identifiers[told].origin
      var ranges: [SequenceRange] = []
      while told < identifiers.count, identifiers[told].origin == origin {
        let number = identifiers[told].sequence
        if let last = ranges.last, last.upper &+ 1 == number {
          ranges[ranges.count - 1].upper = number
        } else if ranges.count < Digest.rangeLimit {
          ranges.append(SequenceRange(number, number))
        } else {
          break
        }
        told += 1
      }
      let parcel = effects.prepare(.digest(Digest(origin: origin, ranges: ranges)))
      for position in 0..<storedLinks.count { effects.send(parcel, to: storedLinks.keys[position]) }
    }
    identifiers.removeFirst(told)
    if !identifiers.isEmpty { effects.schedule(.news, at: now + BroadcastTreeConfiguration.gathering) }
    changeRepair { $0.recovered = identifiers }
  }
}
