import Glibc
import StarlingRuntime
import Synchronization

/// Listens to the events of all nodes and notes when and where each file became complete.
final class DeliveryWatch: Sendable {
  /// A file that a node has, as a whole.
  struct Delivery: Sendable {
    let instant: ContinuousClock.Instant
    /// Where it is on the disk.
    let path: String?
  }

  private struct State {
    var opened = 0
    /// By file identifier, then by node.
    var deliveries: [String: [Int: Delivery]] = [:]
    var failures: [String: [Int]] = [:]
  }

  private let state = Mutex(State())

  /// Starts to listen, each node in a thread of its own, which ends when the node stops.
  init(_ nodes: [NodeProcess]) {
    for node in nodes { listen(to: node) }
  }

  /// Listens to one more node.
  func listen(to node: NodeProcess) {
    BackgroundThread.start { [self] in
      // A node that cannot be listened to shows as one that never has the file.
      try? node.client.events {
        state.withLock { $0.opened += 1 }
      } each: { event in
        note(event, at: node.index)
        return true
      }
    }
  }

  /// How many nodes are listened to already.
  var opened: Int { state.withLock { $0.opened } }

  /// Who has a file, by node.
  func deliveries(of file: String) -> [Int: Delivery] { state.withLock { $0.deliveries[file] ?? [:] } }

  /// Which nodes gave a file up.
  func failures(of file: String) -> [Int] { state.withLock { $0.failures[file] ?? [] } }

  private func note(_ event: ControlEvent, at node: Int) {
    let now = ContinuousClock.now
    state.withLock { state in
      switch event.event {
      case .completed:
        state.deliveries[event.file, default: [:]][node] = Delivery(instant: now, path: event.path)
      case .failed: state.failures[event.file, default: []].append(node)
      case .announced: break
      }
    }
  }
}

/// A thread that runs a piece of work and is gone.
enum BackgroundThread {
  private final class Work: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  /// Small, since a large network has many of them.
  private static let stackBytes = 512 << 10

  /// Starts it.
  static func start(_ run: @escaping @Sendable () -> Void) {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setstacksize(&attributes, stackBytes)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    defer { pthread_attr_destroy(&attributes) }
    let work = Unmanaged.passRetained(Work(run))
    var thread = pthread_t()
    let code = pthread_create(
      &thread, &attributes,
      { context in
        guard let context else { return nil }
        Unmanaged<Work>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }, work.toOpaque())
    if code != 0 { work.release() }
  }
}
