/// What a peer's tree did and suffered since it was made. Nothing is lost in silence: whatever is dropped,
/// refused or given up counts here.
@frozen
public struct BroadcastTreeCounters: Hashable, Sendable {
  /// Messages that came again.
  public var duplicates: UInt64 = 0
  /// Messages not signed by their origin.
  public var forged: UInt64 = 0
  /// Grafts sent: messages asked for together with a place in the tree.
  public var graftsSent: UInt64 = 0
  /// Fetches sent: messages asked for without.
  public var fetchesSent: UInt64 = 0
  /// Grafts and fetches answered with the message.
  public var answered: UInt64 = 0
  /// Grafts and fetches answered with "gone".
  public var goneSent: UInt64 = 0
  /// Answers "gone" received.
  public var goneReceived: UInt64 = 0
  /// Messages delivered that came because they were fetched.
  public var recovered: UInt64 = 0
  /// Messages told to have been missed: everybody who had told of them has them no longer.
  public var missed: UInt64 = 0
  /// Messages no longer asked for, because nobody answered or nothing proves that they exist. They may be
  /// announced anew.
  public var abandoned: UInt64 = 0
  /// Announcements refused because the table of missing messages, or the announcer's share, was full.
  public var missingTableFull: UInt64 = 0
  /// Ranges told of in digests that found no room in the table of offers. They are told of again.
  public var offersRefused: UInt64 = 0
  /// Announcements and digests that were not looked at because their sender is no neighbour.
  public var strangersIgnored: UInt64 = 0
  /// Messages that left the history for newer ones.
  public var historyEvictions: UInt64 = 0
  /// Ranges of missing numbers given up because an origin had too many of them.
  public var gapsGivenUp: UInt64 = 0
  /// Links made lazy because the other end, pushed to, had not said anything for a while.
  public var silentLinks: UInt64 = 0
  /// Own payloads refused because they were too large.
  public var oversized: UInt64 = 0

  /// All zero.
  @inlinable
  public init() {}
}
