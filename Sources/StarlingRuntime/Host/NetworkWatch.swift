import StarlingCore

/// Tells a network that is gone from a datagram that did not leave: the kernel refuses all that is sent, for a
/// while.
struct NetworkWatch {
  /// How long everything must be refused. A guess.
  static let patience = Interval.seconds(2)

  /// What changed.
  enum Change: Equatable {
    case lost
    case back
  }

  private var accepted: UInt64 = 0
  private var refused: UInt64 = 0
  private var refusedSince: Instant?
  private(set) var isLost = false

  /// Takes note of how many datagrams the kernel has taken and refused so far.
  mutating func note(accepted newAccepted: UInt64, refused newRefused: UInt64, at now: Instant) -> Change? {
    defer { (accepted, refused) = (newAccepted, newRefused) }
    if newAccepted > accepted {
      refusedSince = nil
      guard isLost else { return nil }
      isLost = false
      return .back
    }
    guard newRefused > refused else { return nil }
    let since = refusedSince ?? now
    refusedSince = since
    guard !isLost, now - since >= NetworkWatch.patience else { return nil }
    isLost = true
    return .lost
  }
}
