/// Finds what somebody may have meant.
enum Suggestion {
  /// The candidate that is a few slips of the finger away from `word`, if there is one; the first of the
  /// nearest.
  static func nearest(to word: String, among candidates: [String]) -> String? {
    // Long words are not typing mistakes, and comparing them would take long.
    guard word.utf8.count <= 40 else { return nil }
    let scored = candidates.map { (candidate: $0, slips: distance(Array(word.utf8), Array($0.utf8))) }
    guard let best = scored.min(by: { $0.slips < $1.slips }) else { return nil }
    return best.slips <= max(1, best.candidate.utf8.count / 3) ? best.candidate : nil
  }

  /// How many letters must be changed, added, taken out, or swapped with their neighbour (optimal string
  /// alignment).
  static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for i in a.indices {
      var row = [i + 1]
      for j in b.indices {
        var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforeLast[j - 1] + 1) }
        row.append(cost)
      }
      beforeLast = last
      last = row
    }
    return last[b.count]
  }
}
