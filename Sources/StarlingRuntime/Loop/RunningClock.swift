import StarlingCore

/// A clock that counts only the time in which the process runs. It finds out from two others that the process
/// stood still, because it was stopped, or that the machine slept. A pure value: what the other clocks say is
/// handed in.
struct RunningClock {
  /// What lies between two looks at the clock at most, unless something is amiss.
  static let turn = Interval.seconds(1)
  /// How much more it takes to be a pause: well above the delays of a machine that is merely busy. A guess.
  static let threshold = Interval.seconds(4)

  /// A time in which the process did not run.
  struct Pause: Equatable {
    /// How long it stood still while the machine ran: stopped by a signal, or starved.
    var stalled = Interval.zero
    /// How long the machine slept.
    var slept = Interval.zero

    /// Both.
    var total: Interval { stalled + slept }
  }

  private let start: UInt64
  private var last: UInt64
  /// How long the process stood still so far, in nanoseconds.
  private(set) var skipped: UInt64 = 0
  private var untold = Pause()
  /// By how much the clock that counts sleep is ahead of the other.
  private var asleep: UInt64

  /// - Parameters:
  ///   - monotonic: CLOCK_MONOTONIC, which stands still while the machine sleeps, in nanoseconds.
  ///   - boot: CLOCK_BOOTTIME, which does not.
  init(monotonic: UInt64, boot: UInt64) {
    start = monotonic
    last = monotonic
    asleep = boot &- monotonic
  }

  /// The time since the beginning for which the process ran. To be asked at least once in ``turn``.
  mutating func now(monotonic: UInt64) -> Instant {
    let gap = Interval(nanoseconds: Int64(clamping: monotonic &- last))
    last = monotonic
    if gap > RunningClock.turn + RunningClock.threshold {
      let pause = gap - RunningClock.turn
      skipped &+= UInt64(max(0, pause.nanoseconds))
      untold.stalled = untold.stalled + pause
    }
    return Instant(nanoseconds: monotonic &- start &- skipped)
  }

  /// What CLOCK_MONOTONIC will show at an instant of this clock.
  func monotonic(at instant: Instant) -> UInt64 { start &+ skipped &+ instant.nanoseconds }

  /// What the pauses since the last call come to; `nil` if there was none.
  mutating func takePause(monotonic: UInt64, boot: UInt64) -> Pause? {
    _ = now(monotonic: monotonic)
    let slept = Interval(nanoseconds: Int64(truncatingIfNeeded: (boot &- monotonic) &- asleep))
    asleep = boot &- monotonic
    if slept > RunningClock.threshold { untold.slept = slept }
    defer { untold = Pause() }
    return untold == Pause() ? nil : untold
  }
}
