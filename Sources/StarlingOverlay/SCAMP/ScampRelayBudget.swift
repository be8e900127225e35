import StarlingCore

/// What a peer may still send because of others: steps of walks, copies of subscriptions, introductions. A token
/// bucket (Turner, "New directions in communications", IEEE Communications Magazine 24(10), 1986), kept as the one
/// instant until which it is paid for: a million peers have one each.
///
/// A relay cannot see why it is asked, so whoever sends it many walks could have it flood its neighbours, who would
/// take it for the one that floods. Tokens are counted as the one neighbour may receive them that gets all: whatever
/// others do, no neighbour gets more in a second than burst, rate and one introduction together.
@frozen
public struct ScampRelayBudget: Sendable {
  /// What has been spent is earned back by then.
  @usableFromInline var paidUntil = Instant.zero
  /// How often something was not sent, up to 2³² − 1.
  public private(set) var refusals: UInt32 = 0

  /// A full budget.
  @inlinable
  public init() {}

  /// How many tokens are earned in a second. A guess: an eighth of what receivers call a flood, and more than a
  /// calm group of any size needs; the README has what was measured.
  @inlinable
  public static var rate: Int { 256 }
  /// How many tokens there are at most. A guess: half of what receivers call a flood, for groups that a thousand
  /// peers a second join.
  @inlinable
  public static var burst: Int { 1_024 }

  /// Spends tokens, if there is any left: the last may be overdrawn, or a large introduction could never be made.
  ///
  /// - Parameters:
  ///   - tokens: how many messages one neighbour may receive.
  ///   - now: the current instant.
  /// - Returns: whether they may be sent.
  @usableFromInline
  mutating func spend(_ tokens: Int, at now: Instant) -> Bool {
    let price = Interval.seconds(1).nanoseconds / Int64(ScampRelayBudget.rate)
    let owed = max(paidUntil, now)
    guard (owed - now).nanoseconds < price * Int64(ScampRelayBudget.burst) else {
      refusals = refusals == .max ? .max : refusals + 1
      return false
    }
    paidUntil = owed + Interval(nanoseconds: price * Int64(tokens))
    return true
  }
}
