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
    @usableFromInline var bound = 0
    /// When the next one began.
    @usableFromInline var superseded: Instant?

    @inlinable
    init(number: UInt32, samples: Samples) {
      self.number = number
      self.samples = samples
    }
  }

  /// The epochs that have not ended, in ascending order; the last is the current one.
  @usableFromInline var live: [Epoch] = []
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

  /// The number of the current epoch.
  @inlinable
  var current: UInt32 { live.last?.number ?? 0 }

  /// The samples of an epoch; `nil` if it has ended.
  @inlinable
  func samples(of number: UInt32) -> Samples? {
    // Nearly always the current one.
    for epoch in live.reversed() where epoch.number == number { return epoch.samples }
    return nil
  }

  /// Whether an epoch may begin.
  @inlinable
  func hasRoom(at now: Instant) -> Bool {
    if let changed, now < changed + Self.rest { return false }
    guard live.count == Self.limit, let oldest = live.first?.superseded else { return true }
    return now >= oldest + Self.patience
  }

  /// Begins an epoch.
  ///
  /// - Returns: those that end by it.
  @inlinable
  mutating func begin(_ samples: Samples, at now: Instant) -> [Epoch] {
    let number = live.last.map { $0.number &+ 1 } ?? 0
    var ended: [Epoch] = []
    if !live.isEmpty {
      changed = now
      live[live.count - 1].superseded = now
      if live.count == Self.limit { ended.append(live.removeFirst()) }
    }
    ended += live.filter { $0.bound == 0 }
    live.removeAll { $0.bound == 0 }
    live.append(Epoch(number: number, samples: samples))
    return ended
  }

  /// Binds an instance to the current epoch.
  ///
  /// - Returns: its number.
  @inlinable
  mutating func bind() -> UInt32 {
    if !live.isEmpty { live[live.count - 1].bound += 1 }
    return current
  }

  /// An instance that was bound to an epoch needs its samples no longer.
  ///
  /// - Returns: the epoch, if it ends by that.
  @inlinable
  mutating func release(_ number: UInt32, at now: Instant) -> Epoch? {
    guard let index = live.firstIndex(where: { $0.number == number }) else { return nil }
    live[index].bound -= 1
    guard live[index].bound == 0, index < live.count - 1 else { return nil }
    changed = now
    return live.remove(at: index)
  }
}
