/// Numbers without a gap, both ends included.
@frozen
public struct SequenceRange: Hashable, Sendable {
  /// The lowest number.
  public var lower: UInt64
  /// The highest number, at least `lower`.
  public var upper: UInt64

  /// - Parameters:
  ///   - lower: the lowest number.
  ///   - upper: the highest; a range must not be empty.
  @inlinable
  public init(_ lower: UInt64, _ upper: UInt64) {
    self.lower = lower
    self.upper = upper
  }

  /// Whether a number is one of these.
  @inlinable
  public func contains(_ number: UInt64) -> Bool { lower <= number && number <= upper }
}
