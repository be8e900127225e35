import Glibc

/// The wall clock: for people to read, and for numbers that only need to grow from run to run. It decides
/// nothing else.
enum WallClock {
  /// Milliseconds since 1970.
  static func milliseconds() -> UInt64 { microseconds() / 1_000 }

  /// Microseconds since 1970.
  static func microseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return UInt64(max(0, time.tv_sec)) &* 1_000_000 &+ UInt64(max(0, time.tv_nsec)) / 1_000
  }
}
