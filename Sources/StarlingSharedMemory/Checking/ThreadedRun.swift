import StarlingCore
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Runs processes as real threads and records the history.
///
/// - Parameters:
///   - programs: for each process the operations it performs, one after another.
///   - stops: for each process after how many steps it stops for ever, if it does.
///   - seed: of the delays before steps, which make threads meet that would otherwise run one after another.
///   - participant: makes a process of the implementation, in its thread.
/// - Returns: the history. Its times are drawn from a common counter, right before an operation and right after it, so
///   whatever precedes something in the history preceded it in truth.
public func recordHistory<P: Participant>(
  of programs: [[P.Operation]], stops: [Int?] = [], seed: UInt64,
  participant: @escaping @Sendable (SteppingProcess) -> P
) -> ConcurrentHistory<P.Operation, P.Response> {
  let common = CommonCounters(threads: programs.count)
  let threads = programs.indices.map { index in
    let stop = index < stops.count ? stops[index] ?? .max : .max
    let delays = StepDelays(threads: programs.count, seed: SplitMix64.mix(seed &+ UInt64(index)))
    return RecordingThread<P.Operation, P.Response>(common) { thread in
      let process = SteppingProcess(Peer(index), stopsAfter: stop) { delays.pause() }
      var participant = participant(process)
      for operation in programs[index] {
        let invokedAt = common.tick()
        guard let response = try? participant.perform(operation) else {
          return thread.calls.append(.init(process.peer, operation, from: invokedAt))
        }
        thread.calls.append(.init(process.peer, operation, response, from: invokedAt, to: common.tick()))
      }
    }
  }
  for thread in threads { thread.start() }
  return ConcurrentHistory(threads.flatMap { $0.join() })
}

/// What the threads of a run share besides their memory: a clock that only counts, and where they wait for each other.
private final class CommonCounters: Sendable {
  private let time = Atomic(0)
  private let waitedFor: Atomic<Int>

  init(threads: Int) { waitedFor = Atomic(threads) }

  func tick() -> Int { time.add(1, ordering: .sequentiallyConsistent).oldValue }

  /// Returns when all threads have come here.
  func meet() {
    waitedFor.subtract(1, ordering: .sequentiallyConsistent)
    while waitedFor.load(ordering: .sequentiallyConsistent) > 0 { sched_yield() }
  }
}

/// Lets other threads go first, now and then, as a seed decides. It belongs to one thread.
private final class StepDelays: @unchecked Sendable {
  private var random: Xoshiro256
  private let oneIn: Int

  /// Some threads often, some rarely: some ten times to once in an operation, as a collect has a step for each thread.
  init(threads: Int, seed: UInt64) {
    random = Xoshiro256(seed: seed)
    oneIn = threads * (1 + random.uniform(below: 16))
  }

  func pause() {
    if random.oneIn(oneIn) { sched_yield() }
  }
}

/// A thread and what it recorded, which is read only after it has ended.
private final class RecordingThread<Operation: Hashable & Sendable, Response: Hashable & Sendable>:
  @unchecked Sendable
{
  var calls: [ConcurrentHistory<Operation, Response>.Call] = []
  private let common: CommonCounters
  private let body: @Sendable (RecordingThread) -> Void
  #if canImport(Glibc)
    private var handle = pthread_t()
  #else
    private var handle: pthread_t?
  #endif

  init(_ common: CommonCounters, _ body: @escaping @Sendable (RecordingThread) -> Void) {
    self.common = common
    self.body = body
  }

  private func run() {
    common.meet()
    body(self)
  }

  func start() {
    // The C function knows no generic type, so it is handed a closure.
    let routine = ThreadRoutine { self.run() }
    let result = pthread_create(
      &handle, nil,
      { context in
        #if canImport(Glibc)
          guard let context else { return nil }
        #endif
        Unmanaged<ThreadRoutine>.fromOpaque(context).takeRetainedValue().body()
        return nil
      }, Unmanaged.passRetained(routine).toOpaque())
    precondition(result == 0, "no thread could be started: error \(result)")
  }

  func join() -> [ConcurrentHistory<Operation, Response>.Call] {
    #if canImport(Glibc)
      pthread_join(handle, nil)
    #else
      if let handle { pthread_join(handle, nil) }
    #endif
    return calls
  }
}

private final class ThreadRoutine: Sendable {
  let body: @Sendable () -> Void
  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}
