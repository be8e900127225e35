/// Which of a sender's recent sequence numbers were seen: a sliding window, as IPsec's replay protection
/// keeps one (RFC 4303, section 3.4.3; the blocks are RFC 6479's).
///
/// The newest 193 to 256 numbers are told apart; older ones count as seen.
@frozen
public struct SequenceWindow: Sendable {
  /// The highest number seen.
  @usableFromInline var highest: UInt64
  /// Bit s mod 64 of word (s / 64) mod 4 says whether s was seen.
  @usableFromInline var words: InlineArray<4, UInt64>

  /// A window in which only `first` was seen.
  @inlinable
  public init(first: UInt64) {
    highest = first
    words = InlineArray(repeating: 0)
    words[Int((first >> 6) & 3)] = 1 << (first & 63)
  }

  /// The highest number seen.
  @inlinable
  public var newest: UInt64 { highest }

  /// The lowest number that is told apart from its neighbours; lower ones count as seen.
  @inlinable
  public var oldest: UInt64 { (highest >> 6) < 3 ? 0 : ((highest >> 6) - 3) << 6 }

  /// How many of the numbers that are told apart were seen.
  public var population: Int { (0..<4).reduce(0) { $0 + words[$1].nonzeroBitCount } }

  /// Whether a number, not above the highest seen, is below ``oldest``.
  @inlinable
  public func isTooOld(_ sequence: UInt64) -> Bool { (highest >> 6) &- (sequence >> 6) >= 4 }

  /// Whether a number was seen, or is too old to tell.
  @inlinable
  public func contains(_ sequence: UInt64) -> Bool {
    if sequence > highest { return false }
    if (highest >> 6) - (sequence >> 6) >= 4 { return true }
    return words[Int((sequence >> 6) & 3)] & (1 << (sequence & 63)) != 0
  }

  /// Marks a number as seen.
  ///
  /// - Returns: false if it was seen before, or is too old to tell.
  @inlinable
  public mutating func insert(_ sequence: UInt64) -> Bool {
    if sequence > highest {
      let blocks = (sequence >> 6) - (highest >> 6)
      var block: UInt64 = 1
      while block <= min(blocks, 4) {
        words[Int(((highest >> 6) &+ block) & 3)] = 0
        block += 1
      }
      if blocks > 4 { words = InlineArray(repeating: 0) }
      highest = sequence
    } else if contains(sequence) {
      return false
    }
    words[Int((sequence >> 6) & 3)] |= 1 << (sequence & 63)
    return true
  }
}
