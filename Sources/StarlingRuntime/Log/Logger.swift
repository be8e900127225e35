import StarlingCore

/// Writes a node's log: those events that are urgent enough, each kind limited in its rate, so that no peer
/// can fill a disk. What is left out is counted, and told with the next event of its kind or after a while.
///
/// Confined to the thread that runs the node.
struct Logger {
  /// How many events of one kind are told at once, and how many a second in the long run. Guesses: a person
  /// reads no faster, and a day of the worst is 8 MB a kind.
  static let burst = 20.0
  static let rate = 0.5

  private let level: LogLevel
  private let format: LogFormat
  private let write: (String) -> Void
  private var buckets: [(event: String, level: LogLevel, bucket: TokenBucket)] = []

  /// - Parameters:
  ///   - level: the least urgent level that is told.
  ///   - format: how lines are written.
  ///   - write: takes each line, without its end.
  init(level: LogLevel, format: LogFormat, write: @escaping (String) -> Void) {
    self.level = level
    self.format = format
    self.write = write
  }

  /// Tells an event, or counts it.
  mutating func log(_ entry: LogEntry, at now: Instant) {
    guard entry.level <= level else { return }
    let position = bucket(for: entry, at: now)
    guard let suppressed = buckets[position].bucket.admit(at: now) else { return }
    write(entry.line(format, at: WallClock.milliseconds(), suppressed: suppressed))
  }

  /// Tells how many events were left out, kind by kind.
  mutating func tellSuppressed() {
    for i in buckets.indices {
      let count = buckets[i].bucket.takeSuppressed()
      guard count > 0 else { continue }
      let entry = LogEntry(
        buckets[i].level, buckets[i].event, "More of these events were left out of the log.",
        [("suppressed", .number(count))])
      write(entry.line(format, at: WallClock.milliseconds()))
    }
  }

  /// The kinds are few, since they are written in the program: a search looks at one after the other.
  private mutating func bucket(for entry: LogEntry, at now: Instant) -> Int {
    if let known = buckets.firstIndex(where: { $0.event == entry.event }) { return known }
    buckets.append(
      (entry.event, entry.level, TokenBucket(burst: Logger.burst, rate: Logger.rate, at: now)))
    return buckets.count - 1
  }
}
