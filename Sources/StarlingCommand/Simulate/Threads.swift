import Glibc

/// Work that several threads share.
enum Threads {
  private final class Work: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  /// Runs a body on so many threads at once, this one among them, and waits until all have done. With fewer threads
  /// than asked for, if the system gives no more.
  static func run(_ count: Int, _ body: @escaping @Sendable () -> Void) {
    let work = Work(body)
    var others: [pthread_t] = []
    for _ in 1..<max(count, 1) {
      var thread = pthread_t()
      let box = Unmanaged.passRetained(work)
      let code = pthread_create(
        &thread, nil,
        { argument in
          if let argument { Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body() }
          return nil
        }, box.toOpaque())
      guard code == 0 else {
        box.release()
        break
      }
      others.append(thread)
    }
    body()
    for thread in others { pthread_join(thread, nil) }
  }
}
