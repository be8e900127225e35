import StarlingCore

/// Making digests.
extension BroadcastTree {
  /// How many digests answer a summary; the origins that find no place in them come first the next time. A
  /// guess: 256 origins.
  private static var digestsAtOnce: Int { 4 }

  /// Tells a neighbour what this peer has.
  @usableFromInline
  mutating func sendDigests(
    to peer: Peer, wantingAnswer: Bool, into effects: inout some Effects<Self> & ~Copyable
  ) {
    var builder = DigestBuilder()
    let origins = gate.seen.origins
    let first = repair.ifNeeded?.digestHand ?? 0
    var looked = 0
    while looked < origins.count {
      let position = (first + looked) % origins.count
      let sequences = origins[position]
      if sequences.keptFrom <= sequences.window.newest {
        let ranges = sequences.seenRanges(from: sequences.keptFrom).suffix(Digest.rangesPerEntry)
        let entry = Digest.Entry(origin: origins.keys[position], ranges: Array(ranges))
        guard builder.add(entry, digestLimit: BroadcastTree.digestsAtOnce) else { break }
      }
      looked += 1
    }
    if looked < origins.count { changeRepair { $0.digestHand = (first + looked) % origins.count } }
    if builder.digests.isEmpty, wantingAnswer { builder.digests = [Digest()] }
    for (i, digest) in builder.digests.enumerated() {
      effects.send(
        .digest(Digest(entries: digest.entries, wantsAnswer: wantingAnswer && i == 0)), to: peer)
    }
  }

  /// Tells all neighbours of the messages that were fetched since the last time.
  @usableFromInline
  mutating func tellRecovered(into effects: inout some Effects<Self> & ~Copyable) {
    var identifiers = changeRepair { repair in
      defer { repair.recovered = [] }
      return repair.recovered
    }
    identifiers.sort { ($0.origin, $0.sequence) < ($1.origin, $1.sequence) }
    var builder = DigestBuilder()
    var ranges: [SequenceRange] = []
    for (i, identifier) in identifiers.enumerated() {
      if let last = ranges.last, last.upper &+ 1 == identifier.sequence {
        ranges[ranges.count - 1].upper = identifier.sequence
      } else {
        ranges.append(SequenceRange(identifier.sequence, identifier.sequence))
      }
      let isLast = i + 1 == identifiers.count || identifiers[i + 1].origin != identifier.origin
      if isLast || ranges.count == Digest.rangesPerEntry {
        _ = builder.add(Digest.Entry(origin: identifier.origin, ranges: ranges), digestLimit: .max)
        ranges = []
      }
    }
    for digest in builder.digests {
      let parcel = effects.prepare(.digest(digest))
      for position in 0..<storedLinks.count { effects.send(parcel, to: storedLinks.keys[position]) }
    }
  }
}

/// Puts origins into as few digests as their bounds allow.
struct DigestBuilder {
  var digests: [Digest] = []
  private var rangeCount = 0

  /// - Returns: false if it would take more digests than the limit.
  mutating func add(_ entry: Digest.Entry, digestLimit: Int) -> Bool {
    let isFull =
      digests.isEmpty || digests[digests.count - 1].entries.count == Digest.entryLimit
      || rangeCount + entry.ranges.count > Digest.rangeLimit
    if isFull {
      guard digests.count < digestLimit else { return false }
      digests.append(Digest())
      rangeCount = 0
    }
    digests[digests.count - 1].entries.append(entry)
    rangeCount += entry.ranges.count
    return true
  }
}
