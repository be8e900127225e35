import StarlingCore

/// What a scenario has to do at which instant, in the order of time; what is due at one instant, in the order in
/// which it was put down.
struct Agenda {
  enum Entry {
    /// The fault of this number begins.
    case begin(Int)
    /// The fault of this number ends.
    case end(Int)
    /// One peer leaves and one joins, on account of the fault of this number; counts the steps.
    case churn(Int, step: Int)
    /// Whoever has not found the group yet asks somebody else.
    case join(Peer, tries: Int)
    /// The network is looked at.
    case sample
  }

  private var entries: [(at: Instant, entry: Entry)] = []

  mutating func add(_ entry: Entry, at instant: Instant) {
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      // The earliest stands last, to be taken off cheaply.
      if entries[middle].at <= instant { high = middle } else { low = middle + 1 }
    }
    entries.insert((instant, entry), at: low)
  }

  /// Takes out what is due first, if that is not after an instant.
  mutating func next(until instant: Instant) -> (at: Instant, entry: Entry)? {
    guard let last = entries.last, last.at <= instant else { return nil }
    return entries.popLast()
  }
}
