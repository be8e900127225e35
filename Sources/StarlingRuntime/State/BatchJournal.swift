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

  /// Keeps a batch, and lets go of those below a number, but for the last.
  ///
  /// - Throws: ``HostError`` when it cannot, or something else has this number.
  func keep(_ batch: [UInt8], as number: UInt64, delivered next: UInt64) throws(HostError) {
    guard let number = Int64(exactly: number) else {
      throw HostError("The numbers of own batches are used up.")
    }
    try run { () throws(Database.Failure) in
      try database.transaction { () throws(Database.Failure) in
        try database.run(
          "DELETE FROM batches WHERE key = ? AND number < ?",
          [.blob(key.bytes), .integer(Int64(clamping: next))])
        try database.run(
          "INSERT INTO batches VALUES (?, ?, ?)", [.blob(key.bytes), .integer(number), .blob(batch)])
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
