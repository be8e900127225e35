import CStarlingShims
import Glibc

/// An open file descriptor with one owner, who closes it by letting go of it.
struct FileDescriptor: ~Copyable {
  let number: Int32

  /// Takes over a descriptor that a call answered with.
  ///
  /// - Parameters:
  ///   - result: a descriptor, or −`errno`, as the shims answer.
  ///   - what: the beginning of the sentence that an error makes.
  init(_ result: Int32, orThrow what: @autoclosure () -> String) throws(HostError) {
    guard result >= 0 else { throw HostError(what(), errno: -result) }
    number = result
  }

  deinit { close(number) }

  /// An eventfd: a counter that wakes an ``EventLoop`` when another thread adds to it.
  static func counter() throws(HostError) -> FileDescriptor {
    let fd = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
    return try FileDescriptor(fd < 0 ? -errno : fd, orThrow: "An event counter could not be opened")
  }

  /// Adds 1 to the counter.
  func increment() {
    var one: UInt64 = 1
    // The one way to fail is a full counter, and then the reader is awake already.
    _ = write(number, &one, 8)
  }

  /// Sets the counter, or a timer's count of expiries, back to 0.
  func reset() { FileDescriptor.reset(number) }

  /// The same for a counter or a timer that another owns.
  static func reset(_ number: Int32) {
    var count: UInt64 = 0
    _ = read(number, &count, 8)
  }
}
