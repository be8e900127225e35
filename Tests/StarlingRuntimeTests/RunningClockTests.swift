import StarlingCore
import Testing

@testable import StarlingRuntime

@Suite("The clock of a process that may stand still")
struct RunningClockTests {
  private let second: UInt64 = 1_000_000_000

  @Test("it goes as the machine's clock does while it is looked at")
  func running() {
    var clock = RunningClock(monotonic: 5 * second, boot: 9 * second)
    for i in 1...10 {
      #expect(clock.now(monotonic: (5 + UInt64(i)) * second) == .zero + .seconds(i))
    }
    #expect(clock.takePause(monotonic: 16 * second, boot: 20 * second) == nil)
    // Busy is not stopped.
    #expect(clock.now(monotonic: 20 * second) == .zero + .seconds(15))
  }

  @Test("a process that was stopped finds a second gone, not all the time, and is told")
  func stopped() {
    var clock = RunningClock(monotonic: 0, boot: 0)
    #expect(clock.now(monotonic: second) == .zero + .seconds(1))
    #expect(clock.now(monotonic: 31 * second) == .zero + .seconds(2))
    #expect(clock.monotonic(at: .zero + .seconds(3)) == 32 * second)
    let pause = clock.takePause(monotonic: 31 * second, boot: 31 * second)
    #expect(pause == RunningClock.Pause(stalled: .seconds(29), slept: .zero))
    #expect(clock.takePause(monotonic: 31 * second, boot: 31 * second) == nil)
    #expect(clock.now(monotonic: 32 * second) == .zero + .seconds(3))
  }

  @Test("a machine that slept is told, though the clock stood still by itself")
  func slept() {
    var clock = RunningClock(monotonic: 0, boot: 0)
    let pause = clock.takePause(monotonic: second, boot: 3_601 * second)
    #expect(pause == RunningClock.Pause(stalled: .zero, slept: .seconds(3_600)))
    #expect(clock.now(monotonic: second) == .zero + .seconds(1))
  }
}

@Suite("Whether the network is there")
struct NetworkWatchTests {
  @Test(
    "only a kernel that refuses everything for a while has lost its network, and the first datagram brings it back"
  )
  func watch() {
    var watch = NetworkWatch()
    func at(_ seconds: Int) -> Instant { .zero + .seconds(seconds) }
    let changes = [
      watch.note(accepted: 1, refused: 0, at: at(0)), watch.note(accepted: 1, refused: 1, at: at(1)),
      watch.note(accepted: 2, refused: 2, at: at(4)), watch.note(accepted: 2, refused: 3, at: at(5)),
      watch.note(accepted: 2, refused: 3, at: at(9)), watch.note(accepted: 2, refused: 4, at: at(10)),
      watch.note(accepted: 2, refused: 9, at: at(11)), watch.note(accepted: 3, refused: 9, at: at(12)),
      watch.note(accepted: 4, refused: 9, at: at(13)),
    ]
    #expect(changes == [nil, nil, nil, nil, nil, .lost, nil, .back, nil])
  }
}
