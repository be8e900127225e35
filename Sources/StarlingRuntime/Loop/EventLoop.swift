import CStarlingShims
import Glibc
import StarlingCore

/// Waits, on one thread, for whichever comes first: a readable or writable descriptor, or a deadline.
///
/// The clock is CLOCK_MONOTONIC counted from the loop's creation, so nothing here follows the wall clock. It stands
/// still while the process does not run, as that clock does while the machine sleeps: otherwise everything that
/// was due meanwhile would be due at once, and all peers would seem to have been silent.
public final class EventLoop {
  /// What has happened to a descriptor.
  struct Event {
    let descriptor: Int32
    let isReadable: Bool
    let isWritable: Bool
  }

  private let epoll: FileDescriptor
  private let timer: FileDescriptor
  private var running: RunningClock
  /// What the timer is set to, by CLOCK_MONOTONIC; `nil` if it is not set.
  private var armed: UInt64?

  /// A loop whose time starts now.
  public init() throws(HostError) {
    let fd = epoll_create1(Int32(EPOLL_CLOEXEC))
    epoll = try FileDescriptor(fd < 0 ? -errno : fd, orThrow: "An event queue could not be opened")
    let clock = timerfd_create(CLOCK_MONOTONIC, Int32(TFD_NONBLOCK | TFD_CLOEXEC))
    timer = try FileDescriptor(clock < 0 ? -errno : clock, orThrow: "A timer could not be opened")
    running = RunningClock(
      monotonic: EventLoop.read(CLOCK_MONOTONIC), boot: EventLoop.read(CLOCK_BOOTTIME))
    try watch(timer.number)
  }

  /// The time since the loop's creation in which the process ran.
  public var now: Instant { running.now(monotonic: EventLoop.read(CLOCK_MONOTONIC)) }

  /// For how long the process did not run since the last call; `nil` if nothing was amiss.
  func takePause() -> RunningClock.Pause? {
    running.takePause(monotonic: EventLoop.read(CLOCK_MONOTONIC), boot: EventLoop.read(CLOCK_BOOTTIME))
  }

  /// Reports from now on when a descriptor can be read.
  func watch(_ descriptor: Int32) throws(HostError) {
    try control(EPOLL_CTL_ADD, descriptor, writable: false)
  }

  /// Reports nothing more of a descriptor.
  func forget(_ descriptor: Int32) throws(HostError) {
    try control(EPOLL_CTL_DEL, descriptor, writable: false)
  }

  /// Reports when a descriptor can be written too, or no longer.
  func watch(_ descriptor: Int32, writable: Bool) throws(HostError) {
    try control(EPOLL_CTL_MOD, descriptor, writable: writable)
  }

  /// Waits until something happens or `deadline` has come, and tells what happened: nothing, perhaps. After
  /// ``RunningClock/turn`` it returns in any case.
  func wait(until deadline: Instant) throws(HostError) -> [Event] {
    let deadline = min(deadline, now + RunningClock.turn)
    if deadline <= now { return try poll(timeout: 0) }
    arm(deadline)
    return try poll(timeout: -1)
  }

  private func poll(timeout: Int32) throws(HostError) -> [Event] {
    var events = [epoll_event](repeating: epoll_event(), count: 16)
    let count = epoll_wait(epoll.number, &events, 16, timeout)
    if count < 0 {
      if errno == EINTR { return [] }
      throw HostError("Waiting for events failed", errno: errno)
    }
    return events[..<Int(count)].compactMap { event in
      if event.data.fd == timer.number {
        timer.reset()
        armed = nil
        return nil
      }
      let writable = event.events & EPOLLOUT.rawValue != 0
      // An error or a closed other end shows when the descriptor is read.
      let readable = event.events & ~EPOLLOUT.rawValue != 0
      return Event(descriptor: event.data.fd, isReadable: readable, isWritable: writable)
    }
  }

  /// Sets the timer, unless it is set to that instant already: most turns do not move the next deadline.
  private func arm(_ deadline: Instant) {
    let wanted = deadline == .distantFuture ? nil : running.monotonic(at: deadline)
    guard wanted != armed else { return }
    armed = wanted
    var setting = itimerspec()
    if let wanted {
      setting.it_value.tv_sec = Int(wanted / 1_000_000_000)
      setting.it_value.tv_nsec = Int(wanted % 1_000_000_000)
    }
    timerfd_settime(timer.number, Int32(TFD_TIMER_ABSTIME), &setting, nil)
  }

  private func control(_ operation: Int32, _ descriptor: Int32, writable: Bool) throws(HostError) {
    var event = epoll_event()
    event.events = EPOLLIN.rawValue | (writable ? EPOLLOUT.rawValue : 0)
    event.data.fd = descriptor
    guard epoll_ctl(epoll.number, operation, descriptor, &event) == 0 else {
      throw HostError("A descriptor could not be watched", errno: errno)
    }
  }

  private static func read(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
  }
}
