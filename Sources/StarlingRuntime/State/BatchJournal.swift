import StarlingCore

/// The own batches of a member of a secure broadcast, kept before they are sent: a member that forgot what it broadcast
/// under a number could contradict itself after a crash. It has a connection of its own to the node's state, since the
/// node waits for it, and for nothing else that is written.
final class BatchJournal {
  private let database: Database
  private let key: PublicKey

  /// Opens the journal in a state that ``StateStore`` has prepared.
  init(at path: String, for key: PublicKey) throws(HostError) {
    self.key = key
    do throws(Database.Failure) {
      database = try Database(path)
      try database.run("PRAGMA synchronous = FULL")
      // The other connection of the node may be writing for as long as the disk takes; a node that cannot keep a batch stops.
      try database.run("PRAGMA busy_timeout = 30000")
    } catch {
      throw HostError("The node's state \"\(path)\" could not be opened: \(error.message).")
    }
  }

  /// What was kept, in ascending order of its numbers.
  func batches() throws(HostError) -> [(number: UInt64, batch: [UInt8])] {
    try run { () throws(Database.Failure) in
      try database.run("SELECT number, batch FROM batches WHERE key = ? ORDER BY number", [.blob(key.bytes)])
        .compactMap { row in
          guard let number = row[0].integer, let batch = row[1].blob else { return nil }
          return (UInt64(clamping: number), batch)
        }
    }
  }

  /// The number of the own batch that was delivered next when a batch was kept last.
  func nextDelivered() throws(HostError) -> UInt64 {
    try run { () throws(Database.Failure) in
      let rows = try database.run("SELECT next FROM delivered WHERE key = ?", [.blob(key.bytes)])
      return UInt64(clamping: rows.first?.first?.integer ?? 0)
    }
  }

  /// Keeps batches, all or none, and lets go of those below a number.
  ///
  /// - Parameters:
  ///   - batches: with their numbers, which none had before.
  ///   - next: the number of the own batch that is delivered next.
  ///   - first: below it nothing need be kept.
  /// - Throws: ``HostError`` when it cannot, or something else has one of the numbers.
  func keep(
    _ batches: [(number: UInt64, batch: [UInt8])], delivered next: UInt64, first: UInt64
  ) throws(HostError) {
    guard batches.allSatisfy({ $0.number <= UInt64(Int64.max) }) else {
      throw HostError("The numbers of own batches are used up.")
    }
    try run { () throws(Database.Failure) in
      try database.transaction { () throws(Database.Failure) in
        try database.run(
          "DELETE FROM batches WHERE key = ? AND number < ?",
          [.blob(key.bytes), .integer(Int64(clamping: first))])
        try database.run(
          "INSERT INTO delivered VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET next = max(next, excluded.next)",
          [.blob(key.bytes), .integer(Int64(clamping: next))])
        for (number, batch) in batches {
          try database.run(
            "INSERT INTO batches VALUES (?, ?, ?)",
            [.blob(key.bytes), .integer(Int64(number)), .blob(batch)])
        }
      }
    }
  }

  private func run<Result>(_ work: () throws(Database.Failure) -> Result) throws(HostError) -> Result {
    do throws(Database.Failure) {
      return try work()
    } catch {
      throw HostError("An own batch could not be kept: \(error.message).")
    }
  }
}
