import StarlingCore

/// Which of one origin's messages were seen: a window over the newest numbers, and below it the *gaps*, ranges
/// that the window slid over unseen. What is neither above the window nor in a gap counts as seen.
///
/// A message of an unbroken sequence costs what the window costs; only every 64th looks for gaps.
@frozen
public struct SeenSequences: Sendable {
  @usableFromInline var window: SequenceWindow
  /// Ascending, apart from each other, all below the window.
  @usableFromInline var gaps: [SequenceRange]
  /// The lowest number that this peer may still keep in its history.
  @usableFromInline var keptFrom: UInt64
  /// How many messages were seen that are no longer in the window, less those that were put into it unseen.
  @usableFromInline var past: Int32 = 0
  /// When the origin was taken in, counted in origins.
  @usableFromInline var addition: UInt32 = 0
  /// In so many pulses its holes are asked for; 0 while it has none.
  @usableFromInline var holeWait: UInt8 = 0
  /// How often in a row they were asked for and none was filled.
  @usableFromInline var holeTurns: UInt8 = 0

  /// How many gaps are kept; the oldest is given up for a new one. A guess: four times as many as the messages
  /// that are asked for at a time, each of which may come to lie in the middle of a gap and make it two.
  @inlinable
  public static var gapLimit: Int { 128 }
  /// How many numbers before the first one seen are waited for by a peer that does not want to catch up: those
  /// that may have been on their way. A guess.
  @inlinable
  public static var reach: UInt64 { 64 }

  /// Only one number seen.
  ///
  /// - Parameters:
  ///   - first: that number.
  ///   - catchingUp: whether all numbers before it may still be had; otherwise only the ``reach`` before it.
  @inlinable
  public init(first: UInt64, catchingUp: Bool) {
    window = SequenceWindow(first: first)
    gaps = []
    keptFrom = first
    let oldest = window.oldest
    if catchingUp {
      if oldest > 0 { gaps = [SequenceRange(0, oldest - 1)] }
    } else if first > SeenSequences.reach {
      var number = oldest
      while number < first - SeenSequences.reach {
        _ = window.insert(number)
        past -= 1
        number += 1
      }
    }
  }

  /// Whether a number was seen, or given up.
  @inlinable
  public func contains(_ number: UInt64) -> Bool {
    if number > window.newest { return false }
    return window.isTooOld(number) ? !isInGap(number) : window.contains(number)
  }

  /// Marks a number as seen.
  ///
  /// - Parameters:
  ///   - number: the number.
  ///   - lostGaps: counts the gaps that are given up because there is no room for all.
  /// - Returns: false if the number was seen before, or given up.
  @inlinable
  public mutating func insert(_ number: UInt64, lostGaps: inout UInt32) -> Bool {
    if number > window.newest {
      if number >> 6 != window.newest >> 6 { keepGaps(before: number, lostGaps: &lostGaps) }
    } else if window.isTooOld(number) {
      return closeGap(at: number, lostGaps: &lostGaps)
    }
    return window.insert(number)
  }

  /// How many of the origin's messages were seen. Counted where the window moves on, and not with each message.
  var record: Int { Int(past) + window.population }

  private mutating func addToPast(_ count: Int) { past = Int32(clamping: Int(past) + count) }

  @usableFromInline
  func isInGap(_ number: UInt64) -> Bool { gap(endingFrom: number).map { gaps[$0].lower <= number } ?? false }

  /// The position of the first gap that ends at `number` or after it.
  private func gap(endingFrom number: UInt64) -> Int? { gaps.firstIndex { $0.upper >= number } }
}

// MARK: - Gaps

extension SeenSequences {
  /// Notes what the window has not seen and will slide over when it takes in `number`.
  @usableFromInline
  mutating func keepGaps(before number: UInt64, lostGaps: inout UInt32) {
    let next = SequenceWindow(first: number).oldest
    var moved = window
    _ = moved.insert(number)
    addToPast(window.population + 1 - moved.population)
    var start = window.oldest
    while start < next {
      if start > window.newest {
        append(SequenceRange(start, next - 1))
        break
      }
      if window.contains(start) {
        start += 1
        continue
      }
      var end = start
      while end + 1 < next, end < window.newest, !window.contains(end + 1) { end += 1 }
      append(SequenceRange(start, end))
      start = end + 1
    }
    dropExcess(&lostGaps)
  }

  private mutating func dropExcess(_ lostGaps: inout UInt32) {
    let excess = max(0, gaps.count - SeenSequences.gapLimit)
    gaps.removeFirst(excess)
    lostGaps &+= UInt32(excess)
  }

  private mutating func append(_ range: SequenceRange) {
    if let last = gaps.last, last.upper + 1 == range.lower {
      gaps[gaps.count - 1].upper = range.upper
    } else {
      gaps.append(range)
    }
  }

  /// Takes a number out of the gap that it is in, which may leave two.
  @usableFromInline
  mutating func closeGap(at number: UInt64, lostGaps: inout UInt32) -> Bool {
    guard let i = gap(endingFrom: number), gaps[i].lower <= number else { return false }
    let gap = gaps[i]
    if gap.lower == gap.upper {
      gaps.remove(at: i)
    } else if number == gap.lower {
      gaps[i].lower += 1
    } else if number == gap.upper {
      gaps[i].upper -= 1
    } else {
      gaps[i].upper = number - 1
      gaps.insert(SequenceRange(number + 1, gap.upper), at: i + 1)
    }
    addToPast(1)
    dropExcess(&lostGaps)
    return true
  }
}

// MARK: - What is there and what is not

extension SeenSequences {
  /// The lowest number of a range that was not seen; `nil` if all were.
  ///
  /// - Parameter range: where to look; it may reach above the highest number seen.
  @usableFromInline
  func firstMissing(in range: SequenceRange) -> UInt64? {
    var number = range.lower
    if number < window.oldest {
      if let i = gap(endingFrom: number) {
        let candidate = max(gaps[i].lower, number)
        return candidate <= range.upper ? candidate : nil
      }
      number = window.oldest
    }
    while number <= range.upper {
      if !window.contains(number) { return number }
      if number == .max { return nil }
      number += 1
    }
    return nil
  }

  /// Whether there are holes. Nearly every window has none, and each is looked at with every pulse.
  private var hasHoles: Bool {
    let seen = UInt64(window.population)
    guard seen > 1, let first = firstSeen(from: window.oldest) else { return false }
    return window.newest - first >= seen
  }

  /// The holes: the numbers within the window that were not seen, though a lower and a higher one were, ascending.
  var holes: [UInt64] {
    var holes: [UInt64] = []
    guard var start = firstSeen(from: window.oldest) else { return [] }
    while start < window.newest, let hole = firstMissing(in: SequenceRange(start, window.newest)) {
      holes.append(hole)
      start = hole + 1
    }
    return holes
  }

  /// A pulse went by: what is missing may be on its way until the next, and what was asked for in vain is asked for again
  /// ever more rarely.
  ///
  /// - Returns: whether there are holes that are to be asked for now; they are until ``askedForHoles()``.
  mutating func areHolesDue() -> Bool {
    guard hasHoles else {
      if holeWait > 0 { (holeWait, holeTurns) = (0, 0) }
      return false
    }
    if holeWait == 1 { return true }
    holeWait = holeWait == 0 ? 1 : holeWait - 1
    return false
  }

  /// Some of the holes were asked for.
  mutating func askedForHoles() {
    holeTurns = min(holeTurns + 1, SeenSequences.holeDoublings)
    holeWait = 1 << holeTurns
  }

  /// One of the holes was filled: the others are worth asking for with the next pulse.
  mutating func filledHole() { (holeWait, holeTurns) = (1, 0) }

  /// How often the time between asking for the same origin's holes doubles. A guess: two minutes.
  static var holeDoublings: UInt8 { 5 }

  /// The lowest number at or above one that was seen; `nil` if none was.
  func firstSeen(from start: UInt64) -> UInt64? {
    var number = start
    if number < window.oldest {
      guard let i = gap(endingFrom: number), gaps[i].lower <= number else { return number }
      if gaps[i].upper + 1 < window.oldest { return gaps[i].upper + 1 }
      number = window.oldest
    }
    while number <= window.newest {
      if window.contains(number) { return number }
      if number == .max { return nil }
      number += 1
    }
    return nil
  }

  /// The ranges of numbers from one on that were seen, ascending.
  @usableFromInline
  func seenRanges(from start: UInt64) -> [SequenceRange] {
    var ranges: [SequenceRange] = []
    var next = firstSeen(from: start)
    while let lower = next {
      guard let missing = firstMissing(in: SequenceRange(lower, window.newest)) else {
        ranges.append(SequenceRange(lower, window.newest))
        break
      }
      ranges.append(SequenceRange(lower, missing - 1))
      next = firstSeen(from: missing)
    }
    return ranges
  }

  /// The ranges up to the highest number that were neither seen nor given up, ascending.
  func missingRanges() -> [SequenceRange] {
    var ranges = gaps
    var next = firstMissing(in: SequenceRange(window.oldest, window.newest))
    while let lower = next {
      // The highest number was seen, so there is one.
      let upper = (firstSeen(from: lower) ?? window.newest) - 1
      if let last = ranges.last, last.upper + 1 == lower {
        ranges[ranges.count - 1].upper = upper
      } else {
        ranges.append(SequenceRange(lower, upper))
      }
      next = firstMissing(in: SequenceRange(upper + 1, window.newest))
    }
    return ranges
  }
}
