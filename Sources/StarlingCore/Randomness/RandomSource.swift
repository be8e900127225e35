/// Where randomness comes from: handed in, never the system's. A simulation hands in a generator seeded by
/// the user; a node one that the operating system's entropy seeded.
public protocol RandomSource: ~Copyable {
  /// The next 64 uniformly random bits.
  mutating func next() -> UInt64
}

extension RandomSource where Self: ~Copyable {
  /// A whole number drawn uniformly from 0 ..< `bound`, which must be positive.
  ///
  /// Lemire, "Fast random integer generation in an interval", ACM TOMACS 29(1), 2019: exact, and almost
  /// never a division.
  @inlinable
  public mutating func uniform(below bound: Int) -> Int {
    precondition(bound > 0, "uniform(below: \(bound)) needs a positive bound")
    let n = UInt64(bound)
    var (high, low) = n.multipliedFullWidth(by: next())
    if low < n {
      let threshold = (0 &- n) % n
      while low < threshold { (high, low) = n.multipliedFullWidth(by: next()) }
    }
    return Int(high)
  }

  /// A number drawn uniformly from 0 ..< 1, a multiple of 2⁻⁵³.
  @inlinable
  public mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// True with probability `probability`: always at 1, never at 0.
  @inlinable
  public mutating func chance(_ probability: Double) -> Bool { unit() < probability }

  /// True with probability 1/`n`.
  @inlinable
  public mutating func oneIn(_ n: Int) -> Bool { uniform(below: n) == 0 }

  /// Puts the elements into uniformly random order (Fisher and Yates; Knuth's Algorithm P).
  @inlinable
  public mutating func shuffle<Element>(_ elements: inout [Element]) {
    var i = elements.count - 1
    while i > 0 {
      elements.swapAt(i, uniform(below: i + 1))
      i -= 1
    }
  }

  /// `count` distinct numbers from 0 ..< `bound` in random order; all of them if there are fewer.
  @inlinable
  public mutating func sample(_ count: Int, below bound: Int) -> [Int] {
    let count = min(count, bound)
    guard count > 0 else { return [] }
    if count * 4 >= bound {
      var all = Array(0..<bound)
      for i in 0..<count { all.swapAt(i, i + uniform(below: bound - i)) }
      return Array(all[0..<count])
    }
    // Floyd's sampling needs no table of `bound` entries; the final shuffle makes the order uniform too.
    var chosen: [Int] = []
    chosen.reserveCapacity(count)
    for top in (bound - count)..<bound {
      let candidate = uniform(below: top + 1)
      chosen.append(chosen.contains(candidate) ? top : candidate)
    }
    shuffle(&chosen)
    return chosen
  }
}
