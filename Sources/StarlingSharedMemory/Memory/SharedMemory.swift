import StarlingCore

/// What processes share: atomic registers and k-consensus objects. `ThreadMemory` makes them of atomics for real threads,
/// `ExplorerMemory` of numbers for every interleaving there is; the algorithms are the same code in both.
public protocol SharedMemory {
  /// Makes an atomic register that one process writes and all read.
  func makeRegister<Value: Hashable & Sendable>(
    _ initial: Value, writer: Peer
  ) -> any AtomicRegister<Value>

  /// Makes a list of k-consensus objects without an end, and returns its first.
  func makeConsensus<Value: Hashable & Sendable>(
    of type: Value.Type, among k: Int
  ) -> any ConsensusObject<Value>
}

/// A register with one writer and any number of readers, whose reads and writes are atomic: one step each.
public protocol AtomicRegister<Value>: Sendable {
  /// What it holds, of any size.
  associatedtype Value: Hashable & Sendable

  /// The value last written, or the initial one.
  func read(by process: SteppingProcess) throws(ProcessStopped) -> Value

  /// Puts a value into its place. Only the register's writer may.
  func write(_ value: Value, by process: SteppingProcess) throws(ProcessStopped)
}

/// A k-consensus object, one of a list (P. Jayanti and S. Toueg 1992, [JT92] in the thesis).
public protocol ConsensusObject<Value>: Sendable {
  /// What is proposed and decided.
  associatedtype Value: Hashable & Sendable

  /// Proposes a value: one step.
  ///
  /// - Returns: what was proposed first, to the first k who propose; nil, ⊥, to all later.
  func propose(_ value: Value, by process: SteppingProcess) throws(ProcessStopped) -> Value?

  /// The next object of the list. Finding it is no step.
  var next: any ConsensusObject<Value> { get }
}
