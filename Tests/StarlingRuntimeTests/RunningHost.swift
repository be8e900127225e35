import Dispatch
import Glibc
import StarlingCore
import Synchronization
import Testing

@testable import StarlingRuntime

/// A node that runs on a thread of its own, over real sockets, until it is let go of.
final class RunningHost: Sendable {
  let host: NodeHost
  let client: ControlClient
  private let outcome = Outcome()
  private let lines = Mutex<[String]>([])

  /// Starts a node.
  init(_ change: (inout HostConfiguration) -> Void = { _ in }) throws {
    var configuration = HostConfiguration()
    configuration.control = HostConfiguration.loopback
    configuration.handlesSignals = false
    configuration.network = "test"
    configuration.seed = 1
    change(&configuration)
    let log = Mutex<@Sendable (String) -> Void>({ _ in })
    host = try NodeHost(configuration) { line in log.withLock { $0 }(line) }
    client = ControlClient(try #require(host.control))
    log.withLock { log in
      log = { [weak self] line in self?.lines.withLock { $0.append(line) } }
    }
    // A thread of its own: the host blocks it for as long as it lives.
    let work = ThreadWork { [host, outcome] in
      let result = Result { () throws(HostError) in try host.run() }
      outcome.result.withLock { $0 = result }
    }
    work.start()
  }

  deinit {
    host.stop()
    // It removes its files before it ends.
    _ = waitForEnd()
  }

  /// What it logged.
  var log: [String] { lines.withLock { $0 } }

  /// Waits until ``NodeHost/run()`` has returned; `nil` if it does not within half a minute.
  func waitForEnd() -> Result<Void, HostError>? {
    _ = eventually { outcome.result.withLock { $0 != nil } }
    return outcome.result.withLock { $0 }
  }
}

/// How a host's run ended.
private final class Outcome: Sendable {
  let result = Mutex<Result<Void, HostError>?>(nil)
}

/// Runs a closure on a new thread.
private final class ThreadWork {
  private let body: @Sendable () -> Void

  init(_ body: @escaping @Sendable () -> Void) { self.body = body }

  func start() {
    var thread = pthread_t()
    let context = Unmanaged.passRetained(self).toOpaque()
    pthread_create(
      &thread, nil,
      { context in
        if let context { Unmanaged<ThreadWork>.fromOpaque(context).takeRetainedValue().body() }
        return nil
      }, context)
    pthread_detach(thread)
  }
}

/// Whether something becomes true within half a minute: on a busy machine a join may have to be asked for twice.
func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
  for _ in 0..<3_000 {
    if try condition() { return true }
    usleep(10_000)
  }
  return false
}
