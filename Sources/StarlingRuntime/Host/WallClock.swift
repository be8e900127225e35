import Glibc

/// The wall clock: for people to read, and for numbers that only need to grow from run to run. It decides
/// nothing else.
enum WallClock {
  /// Milliseconds since 1970.
  static func milliseconds() -> UInt64 { microseconds() / 1_000 }

  /// An instant as RFC 3339 writes it, in universal time, such as `2026-11-21T09:30:00.125Z`.
  static func text(milliseconds: UInt64) -> String {
    var seconds = time_t(clamping: milliseconds / 1_000)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    func digits(_ value: Int, _ count: Int) -> String {
      let text = String(value)
      return String(repeating: "0", count: max(0, count - text.count)) + text
    }
    let date = [
      digits(Int(parts.tm_year) + 1_900, 4), digits(Int(parts.tm_mon) + 1, 2), digits(Int(parts.tm_mday), 2),
    ]
    let time = [digits(Int(parts.tm_hour), 2), digits(Int(parts.tm_min), 2), digits(Int(parts.tm_sec), 2)]
    return date.joined(separator: "-") + "T" + time.joined(separator: ":") + "."
      + digits(Int(milliseconds % 1_000), 3) + "Z"
  }

  /// Microseconds since 1970.
  static func microseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return UInt64(max(0, time.tv_sec)) &* 1_000_000 &+ UInt64(max(0, time.tv_nsec)) / 1_000
  }
}
