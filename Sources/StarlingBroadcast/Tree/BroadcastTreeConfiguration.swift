import StarlingCore

/// The parameters of the broadcast tree. A million peers carry one each, so it is kept small.
@frozen
public struct BroadcastTreeConfiguration: Sendable {
  /// How many duplicates in a row, with no first copy in between, prune a link: 1 ... 255. One gives a tree
  /// at once; more keep links that some of many senders need, at the price of more duplicates.
  public var pruneThreshold: UInt8
  /// How many messages are kept for peers that missed them, 1 ... 65,535. A guess.
  public var historyMessages: UInt16
  /// How many bytes of payload are kept for them. A guess.
  public var historyBytes: UInt32
  /// How many missing messages are waited for at once. A guess.
  public var missingLimit: UInt16

  /// The defaults.
  ///
  /// - Parameter pruneThreshold: duplicates in a row that prune a link, 1 ... 255.
  @inlinable
  public init(pruneThreshold: Int = 1) {
    precondition(
      (1...255).contains(pruneThreshold), "the prune threshold is \(pruneThreshold); it must be 1 ... 255")
    self.pruneThreshold = UInt8(pruneThreshold)
    historyMessages = 512
    historyBytes = 32 << 20
    missingLimit = 2_048
  }

  /// How many times a missing message is asked for before it is given up. A guess.
  @inlinable
  public static var graftAttempts: UInt8 { 20 }
  /// How many announcers of a missing message are remembered. A guess.
  @inlinable
  public static var announcersPerMessage: Int { 16 }
}
