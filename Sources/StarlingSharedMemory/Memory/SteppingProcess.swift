import StarlingCore

/// Thrown where a process stops for ever: between two of its steps. Algorithms pass it on, and nobody goes on after it.
public struct ProcessStopped: Error {
  /// The process took no further step.
  public init() {}
}

/// One of the processes that share a memory: who it is, and how many steps it has taken. It belongs to one thread.
public final class SteppingProcess {
  /// The process; its index is its place among the N processes.
  public let peer: Peer
  /// How many steps it has taken: reads and writes of registers, and proposals to consensus objects.
  public private(set) var steps = 0

  private let stopsAfter: Int
  private let beforeStep: () -> Void

  /// A process that has not begun.
  ///
  /// - Parameters:
  ///   - peer: who it is.
  ///   - stopsAfter: the number of steps after which it stops for ever; never, by default.
  ///   - beforeStep: called before each step, for delays.
  public init(_ peer: Peer, stopsAfter: Int = .max, beforeStep: @escaping () -> Void = {}) {
    self.peer = peer
    self.stopsAfter = stopsAfter
    self.beforeStep = beforeStep
  }

  /// The process's place among the N processes.
  public var index: Int { Int(peer.index) }

  /// Counts the step that is about to be taken, unless the process stops before it.
  func takeStep() throws(ProcessStopped) {
    guard steps < stopsAfter else { throw ProcessStopped() }
    steps += 1
    beforeStep()
  }
}
