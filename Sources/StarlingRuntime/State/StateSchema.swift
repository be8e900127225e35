import CSQLite

/// The shape of a node's state on disk, by versions. A store of an older version is brought forward, one step
/// after the other; one of a newer version is refused.
enum StateSchema {
  /// What makes each version of the one before, from 1 on. Never changed, only added to.
  static let steps: [[String]] = [
    [
      // The numbers below `reserved` may have been used by messages signed with the key.
      "CREATE TABLE sequence (key BLOB PRIMARY KEY, reserved INTEGER NOT NULL) STRICT",
      "CREATE TABLE peers (key BLOB PRIMARY KEY, address TEXT NOT NULL, seen_ms INTEGER NOT NULL) STRICT",
    ],
    [
      """
      CREATE TABLE files (
        file TEXT PRIMARY KEY, name TEXT NOT NULL, topic TEXT NOT NULL, bytes INTEGER NOT NULL,
        digest TEXT NOT NULL, publisher TEXT NOT NULL, is_own INTEGER NOT NULL, chunks INTEGER NOT NULL,
        path TEXT NOT NULL, finished_ms INTEGER NOT NULL) STRICT
      """,
      "CREATE TABLE memory (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT",
    ],
    [
      // What was broadcast under a number of a secure broadcast is never replaced by anything else.
      "CREATE TABLE batches (key BLOB NOT NULL, number INTEGER NOT NULL, batch BLOB NOT NULL, PRIMARY KEY (key, number)) STRICT"
    ],
    [
      // Own batches below `next` are delivered.
      "CREATE TABLE delivered (key BLOB PRIMARY KEY, next INTEGER NOT NULL) STRICT"
    ],
    [
      // What each (key, network) must not forget: its layout is the protocols' concern. The tables of the two steps before
      // are of versions that were never released.
      "CREATE TABLE scopes (scope INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE) STRICT",
      "CREATE TABLE stable (scope INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY (scope, key)) STRICT, WITHOUT ROWID",
      "DROP TABLE batches",
      "DROP TABLE delivered",
    ],
  ]

  /// The version that this program writes.
  static var version: Int { steps.count }

  /// Marks the file as a node's state, for file(1) and for whoever opens the wrong one: `Strl`.
  static let application: Int64 = 0x5374_726C

  /// Up to how many bytes a state is looked through before it is used (a guess: half a second). In a larger one most is what
  /// must not be forgotten, and of that most is history: it is looked at when it is read, or a node would be the longer in
  /// starting the more there was.
  static let wholeCheckLimit: Int64 = 256 << 20

  /// Brings a database to the current version.
  ///
  /// - Parameters:
  ///   - database: the database.
  ///   - limit: see ``wholeCheckLimit``.
  /// - Returns: why that is not possible; `nil` when it is done.
  static func prepare(
    _ database: Database, wholeCheckLimit limit: Int64 = wholeCheckLimit
  ) -> StateStore.OpenError? {
    do throws(Database.Failure) {
      let found = try database.run("PRAGMA user_version").first?.first?.integer ?? 0
      let application = try database.run("PRAGMA application_id").first?.first?.integer ?? 0
      guard found <= Int64(version) else { throw Database.Failure(code: newer, message: "\(found)") }
      guard found >= 0, application == StateSchema.application || (found == 0 && application == 0) else {
        throw Database.Failure(code: foreign, message: "it is another program's database")
      }
      // Readers do not wait for the writer, and a crash costs nothing that was committed.
      try database.run("PRAGMA journal_mode = WAL")
      try database.run("PRAGMA synchronous = FULL")
      let isWhole = try size(of: database) <= limit || found < Int64(version)
      for part in isWhole ? ["1"] : tables.filter({ $0 != "stable" }) {
        guard try database.run("PRAGMA quick_check(\(part))").first?.first?.text == "ok" else {
          throw Database.Failure(code: foreign, message: "it is damaged")
        }
      }
      guard found < Int64(version) else {
        for table in tables { try database.run("SELECT * FROM \(table) LIMIT 0") }
        return nil
      }
      try database.transaction { () throws(Database.Failure) in
        for step in steps[Int(found)...] { for statement in step { try database.run(statement) } }
        try database.run("PRAGMA application_id = \(StateSchema.application)")
        try database.run("PRAGMA user_version = \(version)")
      }
      return nil
    } catch {
      switch error.code {
      case newer: return .newerVersion(error.message)
      case foreign: return .corrupt(error.message)
      case SQLITE_ERROR: return .corrupt("it is not what a node wrote: \(error.message)")
      default: return error.isCorruption ? .corrupt(error.message) : .refused(error.message)
      }
    }
  }

  /// How many bytes a database has.
  private static func size(of database: Database) throws(Database.Failure) -> Int64 {
    let pages = try database.run("PRAGMA page_count").first?.first?.integer ?? 0
    return try pages * (database.run("PRAGMA page_size").first?.first?.integer ?? 0)
  }

  /// What the current version consists of.
  private static let tables = ["sequence", "peers", "files", "memory", "scopes", "stable"]

  /// Codes that SQLite does not have.
  private static let newer: Int32 = -1
  private static let foreign: Int32 = -2
}
