import Glibc
import Synchronization

/// Whether the user asked to stop with Ctrl-C, or the system with SIGTERM.
enum Interruption {
  private static let happened = Atomic<Bool>(false)

  /// Notes signals down from now on instead of ending the process.
  static func watch() {
    // Made now, since a signal handler must not make it.
    happened.store(false, ordering: .relaxed)
    for number in [SIGINT, SIGTERM, SIGHUP] {
      signal(number) { _ in Interruption.happened.store(true, ordering: .relaxed) }
    }
  }

  /// Whether a signal came.
  static var isWanted: Bool { happened.load(ordering: .relaxed) }

  /// Ends what is being done if a signal came.
  static func check() throws(CommandError) {
    if isWanted { throw .failed("Interrupted.") }
  }
}
