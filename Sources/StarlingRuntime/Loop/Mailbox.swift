import Synchronization

/// Work that other threads leave for the one thread that owns an `Owner`. Bounded: when it is full, work is
/// refused and the caller says so to whoever asked.
public final class Mailbox<Owner>: Sendable {
  /// A piece of work, done on the owner's thread.
  public typealias Work = @Sendable (Owner) -> Void

  private struct State: Sendable {
    var work: [Work] = []
    var isClosed = false
  }

  /// The most pieces of work that may wait.
  public let limit: Int
  private let state = Mutex(State())
  private let counter: FileDescriptor

  /// An empty mailbox.
  public init(limit: Int = 1_024) throws(HostError) {
    self.limit = limit
    counter = try FileDescriptor.counter()
  }

  /// What an ``EventLoop`` waits for: readable when there is work.
  var descriptor: Int32 { counter.number }

  /// Whether work is refused for good.
  var isClosed: Bool { state.withLock { $0.isClosed } }

  /// Leaves work, from any thread.
  ///
  /// - Returns: false if the mailbox is full or closed; the work will not be done then.
  public func post(_ work: @escaping Work) -> Bool {
    let accepted = state.withLock { state in
      guard !state.isClosed, state.work.count < limit else { return false }
      state.work.append(work)
      return true
    }
    if accepted { counter.increment() }
    return accepted
  }

  /// Takes all the work that waits, oldest first; called on the owner's thread.
  func take() -> [Work] {
    counter.reset()
    return state.withLock { state in
      let work = state.work
      state.work.removeAll(keepingCapacity: true)
      return work
    }
  }

  /// Refuses all work from now on, and answers with what still waited.
  func close() -> [Work] {
    state.withLock { state in
      state.isClosed = true
      let work = state.work
      state.work = []
      return work
    }
  }
}
