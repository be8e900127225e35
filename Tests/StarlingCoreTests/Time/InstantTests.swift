import StarlingCore
import Testing

@Suite("Instant and Interval")
struct InstantTests {
  @Test("Adding saturates at both ends of time")
  func saturation() {
    #expect(Instant(nanoseconds: .max - 1) + .seconds(1) == .distantFuture)
    #expect(Instant.distantFuture + Interval(nanoseconds: .max) == .distantFuture)
    #expect(Instant(nanoseconds: 5) + .milliseconds(-1) == .zero)
    #expect(Instant.zero + Interval(nanoseconds: .min) == .zero)
    #expect(Instant(nanoseconds: 5) + Interval(nanoseconds: -5) == .zero)
  }

  @Test("A difference is what has to be added, either way round")
  func difference() {
    let (a, b) = (Instant.zero + .seconds(3), Instant.zero + .milliseconds(4_500))
    #expect(b - a == .milliseconds(1_500) && a - b == .milliseconds(-1_500))
    #expect(a + (b - a) == b && b + (a - b) == a && a < b)
  }

  @Test("Units agree")
  func units() {
    #expect(Interval.seconds(2) == .milliseconds(2_000) && Interval.milliseconds(3) == .microseconds(3_000))
    #expect(
      Interval.milliseconds(1_500).inSeconds == 1.5 && Interval.microseconds(2_500).inMilliseconds == 2.5)
    #expect(Interval.seconds(7) * 3 / 2 == .milliseconds(10_500) && .seconds(1) - .seconds(3) == .seconds(-2))
  }
}
