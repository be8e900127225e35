import StarlingCore

/// The samples of one layer, by the epoch that they were drawn for. An instance is bound to the samples of the epoch in
/// which this process first heard of it, so that none is ever judged by two; an epoch that is not the current one ends,
/// and its samples go, when no instance is bound to it any more.
@usableFromInline
struct SampleEpochs<Samples: Sendable>: Sendable {
  @usableFromInline
  struct Epoch: Sendable {
    @usableFromInline let number: UInt32
    @usableFromInline let samples: Samples
    /// How many instances are bound to it.
    @usableFromInline var bound: Int
    /// When the next one began.
    @usableFromInline let superseded: Instant

    @inlinable
    init(number: UInt32, samples: Samples, bound: Int, superseded: Instant) {
      self.number = number
      self.samples = samples
      self.bound = bound
      self.superseded = superseded
    }
  }

  /// The number of the current epoch.
  @usableFromInline var current: UInt32 = 0
  /// Its samples; `nil` before the first. Apart from those of the others, because nearly every vote is judged by them.
  @usableFromInline var latest: Samples?
  /// How many instances are bound to it.
  @usableFromInline var bound = 0
  /// The earlier ones that have not ended, in ascending order.
  @usableFromInline var past: [Epoch] = []
  /// When an epoch began or ended last.
  @usableFromInline var changed: Instant?

  /// How many epochs there are at most.
  @inlinable
  static var limit: Int { 4 }
  /// For how long what is bound to a past epoch can hold up a new one (a guess; hours after which a correct sender's
  /// batch is delivered, if links are made whole again at all). Then what hangs still is given up here.
  @inlinable
  static var patience: Interval { .seconds(3_600) }
  /// How long after a change the next can be (a guess: longer than a message is under way, so that no subscription is
  /// overtaken by the end of an earlier one).
  @inlinable
  static var rest: Interval { .seconds(30) }

  @inlinable
  init() {}

  /// How many have not ended.
  @inlinable
  var count: Int { past.count + (latest == nil ? 0 : 1) }

  /// The samples of an epoch; `nil` if it has ended.
  @inlinable
  func samples(of number: UInt32) -> Samples? {
    number == current ? latest : past.first { $0.number == number }?.samples
  }

  /// Whether there is such an epoch among those that have not ended.
  @inlinable
  func contains(where isWanted: (Samples) -> Bool) -> Bool {
    latest.map(isWanted) ?? false || past.contains { isWanted($0.samples) }
  }

  /// Whether an epoch may begin.
  @inlinable
  func hasRoom(at now: Instant) -> Bool {
    if let changed, now < changed + Self.rest { return false }
    guard count == Self.limit, let oldest = past.first?.superseded else { return true }
    return now >= oldest + Self.patience
  }

  /// Begins an epoch.
  ///
  /// - Returns: those that end by it.
  @inlinable
  mutating func begin(_ samples: Samples, at now: Instant) -> [Epoch] {
    defer { latest = samples }
    guard let previous = latest else { return [] }
    changed = now
    var ended: [Epoch] = []
    if count == Self.limit { ended.append(past.removeFirst()) }
    past.append(Epoch(number: current, samples: previous, bound: bound, superseded: now))
    ended += past.filter { $0.bound == 0 }
    past.removeAll { $0.bound == 0 }
    (current, bound) = (current &+ 1, 0)
    return ended
  }

  /// Binds an instance to the current epoch.
  ///
  /// - Returns: its number.
  @inlinable
  mutating func bind() -> UInt32 {
    bound += 1
    return current
  }

  /// An instance that was bound to an epoch needs its samples no longer.
  ///
  /// - Returns: the epoch, if it ends by that.
  @inlinable
  mutating func release(_ number: UInt32, at now: Instant) -> Epoch? {
    if current == number {
      bound -= 1
      return nil
    }
    guard let index = past.firstIndex(where: { $0.number == number }) else { return nil }
    past[index].bound -= 1
    guard past[index].bound == 0 else { return nil }
    changed = now
    return past.remove(at: index)
  }
}
