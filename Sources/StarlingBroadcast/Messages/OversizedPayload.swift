/// A payload that is too large to be broadcast.
public struct OversizedPayload: Error, Hashable, Sendable, CustomStringConvertible {
  /// How many bytes it has.
  public let byteCount: Int
  /// How many it may have.
  public let limit: Int

  /// - Parameters:
  ///   - byteCount: how many bytes it has.
  ///   - limit: how many it may have.
  public init(byteCount: Int, limit: Int) {
    self.byteCount = byteCount
    self.limit = limit
  }

  /// One sentence.
  public var description: String {
    "The payload has \(byteCount) bytes, and a broadcast carries at most \(limit); split it, or publish it "
      + "as a file."
  }
}
