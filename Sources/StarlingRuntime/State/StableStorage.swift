import StarlingCore

/// What a node must not forget, on disk before anything leaves that depends on it. It has a connection of its own to the
/// node's state, since the node waits for it, and for nothing else that is written.
final class StableStorage {
  private let database: Database
  /// Names the key and the network whose values these are: under another key, or in another network, they mean nothing.
  private let scope: Int64
  private let put: Database.Change
  private let remove: Database.Change

  /// Opens what is kept for a key in a network, in a state that ``StateStore`` has prepared.
  init(at path: String, for key: PublicKey, in network: String) throws(HostError) {
    do throws(Database.Failure) {
      database = try Database(path)
      try database.run("PRAGMA synchronous = FULL")
      // The other connection of the node may be writing for as long as the disk takes; a node that cannot keep something stops.
      try database.run("PRAGMA busy_timeout = 30000")
      // Pages that change again and again are brought from the log to their places less often (guesses: 16 MB of pages in
      // memory, 32 MB of log).
      try database.run("PRAGMA cache_size = -16384")
      try database.run("PRAGMA wal_autocheckpoint = 8192")
      let name = Database.Value.blob(key.bytes + Array(network.utf8))
      try database.run("INSERT OR IGNORE INTO scopes (name) VALUES (?)", [name])
      scope =
        try database.run("SELECT scope FROM scopes WHERE name = ?", [name]).first?.first?.integer ?? 0
      put = try database.change("INSERT OR REPLACE INTO stable VALUES (?, ?, ?)")
      remove = try database.change("DELETE FROM stable WHERE scope = ? AND key >= ? AND key < ?")
    } catch {
      throw HostError("The node's state \"\(path)\" could not be opened: \(error.message).")
    }
  }

  /// Makes what is kept at a path, of whomever it is, that of a key in a network.
  static func rename(at path: String, to key: PublicKey, in network: String) throws(HostError) {
    do throws(Database.Failure) {
      let database = try Database(path)
      try database.run("UPDATE scopes SET name = ?", [.blob(key.bytes + Array(network.utf8))])
    } catch {
      throw HostError("The node's state \"\(path)\" could not be changed: \(error.message).")
    }
  }

  /// Answers a question for what is kept.
  func values(_ query: StableQuery) throws(HostError) -> [StableValue] {
    let order = query.isDescending ? "DESC" : "ASC"
    return try run { () throws(Database.Failure) in
      try database.run(
        "SELECT key, value FROM stable WHERE scope = ? AND key >= ? AND key < ? ORDER BY key \(order) LIMIT ?",
        [.integer(scope), .blob(query.from), .blob(query.below), .integer(Int64(clamping: query.limit))]
      )
      .compactMap { row in
        guard let key = row[0].blob, let value = row[1].blob else { return nil }
        return StableValue(key: key, value: value)
      }
    }
  }

  /// Makes changes, in their order: all or none. They are on disk when it returns.
  func commit(_ writes: [StableWrite]) throws(HostError) {
    try run { () throws(Database.Failure) in
      try database.transaction { () throws(Database.Failure) in
        for write in writes {
          switch write {
          case .put(let key, let value): try database.run(put, scope, key, value)
          case .remove(let first, let end): try database.run(remove, scope, first, end)
          }
        }
      }
    }
  }

  private func run<Result>(_ work: () throws(Database.Failure) -> Result) throws(HostError) -> Result {
    do throws(Database.Failure) {
      return try work()
    } catch {
      throw HostError("What the node must not forget could not be kept: \(error.message).")
    }
  }
}
