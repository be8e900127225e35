import StarlingCore
import Synchronization

/// A memory of atomics, for processes that are threads. README.md says how memory is reclaimed.
public struct ThreadMemory: SharedMemory, Sendable {
  /// A memory with nothing in it.
  public init() {}

  /// Makes an atomic register that one process writes and all read.
  public func makeRegister<Value: Hashable & Sendable>(
    _ initial: Value, writer: Peer
  ) -> any AtomicRegister<Value> {
    VersionedRegister(initial, writer: writer)
  }

  /// Makes a list of k-consensus objects without an end, and returns its first.
  public func makeConsensus<Value: Hashable & Sendable>(
    of type: Value.Type, among k: Int
  ) -> any ConsensusObject<Value> {
    CompareExchangeConsensus<Value>(among: k)
  }
}

/// A value that threads share by reference.
private final class Version<Value: Sendable>: Sendable {
  let value: Value
  init(_ value: Value) { self.value = value }
}

/// A register as a pointer to its latest version. A version is written before its address is, with release, and read
/// after its address, with acquire. Each is kept until the register goes, so a reader's version never vanishes.
private final class VersionedRegister<Value: Hashable & Sendable>: AtomicRegister, @unchecked Sendable {
  private let writer: Peer
  private let latest: Atomic<Unmanaged<Version<Value>>>
  /// Holds all versions alive. Only the writer touches it, which is what is unchecked.
  private var versions: [Version<Value>]

  init(_ initial: Value, writer: Peer) {
    self.writer = writer
    let version = Version(initial)
    versions = [version]
    latest = Atomic(Unmanaged.passUnretained(version))
  }

  func read(by process: SteppingProcess) throws(ProcessStopped) -> Value {
    try process.takeStep()
    return latest.load(ordering: .sequentiallyConsistent).takeUnretainedValue().value
  }

  func write(_ value: Value, by process: SteppingProcess) throws(ProcessStopped) {
    precondition(process.peer == writer, "\(process.peer) writes to a register of \(writer)")
    try process.takeStep()
    let version = Version(value)
    versions.append(version)
    latest.store(Unmanaged.passUnretained(version), ordering: .sequentiallyConsistent)
  }
}

/// Consensus by compare-and-exchange: the first to put its proposal into the empty place decides.
private final class CompareExchangeConsensus<Value: Hashable & Sendable>: ConsensusObject {
  private let k: Int
  private let proposals = Atomic(0)
  private let decision = AtomicLazyReference<Version<Value>>()
  private let following = Atomic<Unmanaged<CompareExchangeConsensus>?>(nil)

  init(among k: Int) { self.k = k }

  func propose(_ value: Value, by process: SteppingProcess) throws(ProcessStopped) -> Value? {
    try process.takeStep()
    guard proposals.add(1, ordering: .sequentiallyConsistent).oldValue < k else { return nil }
    // A compare-and-exchange with nothing, which answers with what is there after it.
    return decision.storeIfNil(Version(value)).value
  }

  var next: any ConsensusObject<Value> {
    if let next = following.load(ordering: .acquiring) { return next.takeUnretainedValue() }
    let made = Unmanaged.passRetained(CompareExchangeConsensus(among: k))
    let (isFirst, found) = following.compareExchange(
      expected: nil, desired: made, successOrdering: .acquiringAndReleasing, failureOrdering: .acquiring)
    guard !isFirst, let found else { return made.takeUnretainedValue() }
    made.release()
    return found.takeUnretainedValue()
  }

  /// Takes what follows, with the duty to release it.
  private func detachNext() -> CompareExchangeConsensus? {
    following.exchange(nil, ordering: .acquiringAndReleasing)?.takeRetainedValue()
  }

  // One after another: a list that released its next in its own deinit would need a stack as long as the list.
  deinit {
    var next = detachNext()
    while next != nil, isKnownUniquelyReferenced(&next) { next = next?.detachNext() }
  }
}
