import StarlingCore

/// A limit on how many peers one contact may introduce in a time: a token bucket for each contact (Turner, "New
/// directions in communications", IEEE Communications Magazine 24(10), 1986).
///
/// A contact keeps to the limit itself. Others, whom a subscription passes, allow it twice as many at once: what
/// leaves an honest contact evenly may arrive bunched, but not by more than the time that the limit is about. So
/// an honest contact's introductions are refused by nobody else.
public struct ContactLimit: AdmissionPolicy {
  private struct Bucket: Sendable {
    let contact: PublicKey
    /// Introductions left, in units of a nanosecond's refill.
    var level: Int64
    var filledAt: Instant
  }

  /// How many contacts are remembered. Beyond it the contact that has been in the table longest is forgotten
  /// first, and begins anew if it is seen again. A guess: some 300 KB.
  public static let contactsRemembered = 4_096
  /// The most introductions, and the longest time, that a limit can be about.
  public static let countLimit = 1_000_000
  /// See ``countLimit``.
  public static let longestInterval = Interval.seconds(86_400)

  /// How many introductions a contact may make …
  public let count: Int
  /// … in how long.
  public let interval: Interval
  /// How long one introduction takes to be earned, in nanoseconds.
  private let price: Int64
  /// A ring once it is full: `oldest` is the next to be forgotten.
  private var buckets: [Bucket] = []
  private var oldest = 0
  private var positions: [PublicKey: Int] = [:]

  /// - Parameters:
  ///   - count: how many introductions, 1 ... ``countLimit``, a contact may make …
  ///   - interval: … in how long: more than nothing, at most ``longestInterval``.
  public init(count: Int, per interval: Interval) {
    precondition((1...ContactLimit.countLimit).contains(count), "a limit of \(count) introductions")
    precondition(interval > .zero && interval <= ContactLimit.longestInterval, "a limit per no time, or ages")
    self.count = count
    self.interval = interval
    price = max(1, interval.nanoseconds / Int64(count))
  }

  /// `nil`: the limit is not about keys.
  public func refusal(of key: PublicKey) -> AdmissionRefusal? { nil }

  /// Refuses what is beyond the contact's limit.
  public mutating func refusal(of introduction: Introduction, at now: Instant) -> AdmissionRefusal? {
    let capacity = price * Int64(count) * (introduction.isOwn ? 1 : 2)
    let position = position(of: introduction.contact, full: capacity, at: now)
    // More time than fills the bucket is as good as any.
    let earned = min(max(0, (now - buckets[position].filledAt).nanoseconds), capacity)
    buckets[position].level = min(capacity, buckets[position].level + earned)
    buckets[position].filledAt = max(now, buckets[position].filledAt)
    guard buckets[position].level >= price else { return .contactOverLimit }
    buckets[position].level -= price
    return nil
  }

  private mutating func position(of contact: PublicKey, full: Int64, at now: Instant) -> Int {
    if let known = positions[contact] { return known }
    let bucket = Bucket(contact: contact, level: full, filledAt: now)
    let position = buckets.count < ContactLimit.contactsRemembered ? buckets.count : oldest
    if position == buckets.count {
      buckets.append(bucket)
    } else {
      positions[buckets[position].contact] = nil
      buckets[position] = bucket
      oldest = (oldest + 1) % buckets.count
    }
    positions[contact] = position
    return position
  }

  /// How many contacts are remembered now.
  var contactCount: Int { buckets.count }
}
