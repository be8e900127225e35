import CSQLite
import Glibc
import StarlingApps
import StarlingCore

/// What a node remembers from run to run, in one SQLite file in its data directory. The identity is not in
/// it: whatever happens to this file, the key stays.
///
/// One thread at a time uses it.
final class StateStore {
  /// The most peers that are remembered. A guess: many more than a view holds.
  static let peerLimit = 256
  /// The most finished files that are remembered.
  static let fileLimit = 1_024

  /// Why there is no store.
  enum OpenError: Error {
    /// A newer program wrote it; says which version.
    case newerVersion(String)
    /// It cannot be used any more; says why.
    case corrupt(String)
    /// The disk refuses; says why.
    case refused(String)
  }

  let database: Database
  /// Where a damaged store was moved, if there was one, and what was wrong with it.
  let movedAside: (path: String, reason: String)?

  /// Opens the store of a data directory, makes a new one if there is none, and moves a damaged one aside.
  ///
  /// - Throws: ``HostError`` for a store of a newer version and for a disk that refuses.
  init(at path: String) throws(HostError) {
    switch StateStore.open(path) {
    case .success(let opened):
      database = opened
      movedAside = nil
    case .failure(.newerVersion(let version)):
      throw HostError(
        "The state \"\(path)\" has version \(version), and this starling knows up to \(StateSchema.version);"
          + " upgrade starling.")
    case .failure(.refused(let reason)):
      throw HostError("The state \"\(path)\" could not be opened: \(reason).")
    case .failure(.corrupt(let reason)):
      let aside = StateStore.moveAside(path)
      guard case .success(let opened) = StateStore.open(path) else {
        throw HostError("The state \"\(path)\" is damaged and could not be replaced; move it away.")
      }
      database = opened
      movedAside = (aside, reason)
    }
  }

  private static func open(_ path: String) -> Result<Database, OpenError> {
    do throws(Database.Failure) {
      let database = try Database(path)
      if let error = StateSchema.prepare(database) { return .failure(error) }
      chmod(path, 0o600)
      // The node's other connection writes first. Nobody waits for this one.
      try database.run("PRAGMA busy_timeout = 30000")
      return .success(database)
    } catch {
      return .failure(error.isCorruption ? .corrupt(error.message) : .refused(error.message))
    }
  }

  /// Gives a damaged store, and what belongs to it, another name that nothing has yet.
  private static func moveAside(_ path: String) -> String {
    var number = 1
    while access("\(path).damaged-\(number)", F_OK) == 0, number < 1_000 { number += 1 }
    let aside = "\(path).damaged-\(number)"
    for ending in ["", "-wal", "-shm"] { rename(path + ending, aside + ending) }
    return aside
  }

  private func run<Result>(_ work: () throws(Database.Failure) -> Result) throws(HostError) -> Result {
    do throws(Database.Failure) {
      return try work()
    } catch {
      throw HostError("The node's state could not be kept: \(error.message).")
    }
  }
}

// MARK: - Numbers of messages

extension StateStore {
  /// Reserves numbers for the messages of a key: once this has returned, they are never given out again.
  ///
  /// - Parameters:
  ///   - count: how many.
  ///   - floor: what the first is not below.
  ///   - key: whose messages.
  /// - Returns: the first of them.
  func reserveSequence(_ count: UInt64, atLeast floor: UInt64, for key: PublicKey) throws(HostError) -> UInt64
  {
    try run { () throws(Database.Failure) in
      var first = floor
      try database.transaction { () throws(Database.Failure) in
        let row = try database.run("SELECT reserved FROM sequence WHERE key = ?", [.blob(key.bytes)]).first
        first = max(floor, row?.first?.integer.map { UInt64(clamping: $0) } ?? 0)
        guard let next = Int64(exactly: first.addingReportingOverflow(count).partialValue), first <= next
        else {
          throw Database.Failure(
            code: SQLITE_RANGE,
            message: "it says that no numbers are left; move state.sqlite away, and the key stays")
        }
        try database.run(
          "INSERT INTO sequence VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET reserved = excluded.reserved",
          [.blob(key.bytes), .integer(next)])
      }
      return first
    }
  }
}

// MARK: - Peers

/// A peer that a node knew.
struct RememberedPeer: Hashable, Sendable {
  let key: PublicKey
  let address: SocketAddress
}

extension StateStore {
  /// The peers that were seen last, the most recent first.
  func peers() throws(HostError) -> [RememberedPeer] {
    try run { () throws(Database.Failure) in
      try database.run(
        "SELECT key, address FROM peers ORDER BY seen_ms DESC, key LIMIT ?",
        [.integer(Int64(StateStore.peerLimit))]
      )
      .compactMap { row in
        // A row that says nothing costs nothing: it was not the node that wrote it.
        guard let bytes = row[0].blob, let key = PublicKey(bytes), let text = row[1].text,
          let address = SocketAddress(text)
        else { return nil }
        return RememberedPeer(key: key, address: address)
      }
    }
  }

  /// Notes that peers are there now; those that were seen longest ago are forgotten if there are too many.
  func remember(_ peers: [RememberedPeer], at milliseconds: UInt64) throws(HostError) {
    guard !peers.isEmpty else { return }
    try run { () throws(Database.Failure) in
      try database.transaction { () throws(Database.Failure) in
        for peer in peers {
          try database.run(
            """
            INSERT INTO peers VALUES (?, ?, ?)
              ON CONFLICT (key) DO UPDATE SET address = excluded.address, seen_ms = excluded.seen_ms
            """,
            [.blob(peer.key.bytes), .text(peer.address.description), .integer(Int64(clamping: milliseconds))])
        }
        try database.run(
          "DELETE FROM peers WHERE key NOT IN (SELECT key FROM peers ORDER BY seen_ms DESC, key LIMIT ?)",
          [.integer(Int64(StateStore.peerLimit))])
      }
    }
  }
}

// MARK: - Files

extension StateStore {
  /// The files that were finished, the oldest first.
  func files() throws(HostError) -> [ControlFile] {
    // More chunks than this no file has: the row was not written by a node.
    let limit = Int64(FileManifest.chunkLimit)
    return try run { () throws(Database.Failure) in
      try database.run(
        """
        SELECT file, name, topic, bytes, digest, publisher, is_own, chunks, path FROM files
          ORDER BY finished_ms, rowid
        """
      ).compactMap { row in
        guard let file = row[0].text, let name = row[1].text, let topic = row[2].text,
          let bytes = row[3].integer, let digest = row[4].text, let publisher = row[5].text,
          let chunks = row[7].integer, let path = row[8].text, bytes >= 0, (0...limit).contains(chunks)
        else { return nil }
        return ControlFile(
          file: file, name: name, topic: topic, bytes: UInt64(clamping: bytes), digest: digest,
          publisher: publisher, state: row[6].integer == 1 ? .published : .complete,
          chunksDone: Int(clamping: chunks), chunks: Int(clamping: chunks), path: path, parent: nil)
      }
    }
  }

  /// Notes that a file is here as a whole.
  func remember(_ file: ControlFile, at milliseconds: UInt64) throws(HostError) {
    guard let path = file.path else { return }
    try run { () throws(Database.Failure) in
      try database.transaction { () throws(Database.Failure) in
        try database.run(
          "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
          [
            .text(file.file), .text(file.name), .text(file.topic), .integer(Int64(clamping: file.bytes)),
            .text(file.digest), .text(file.publisher), .integer(file.state == .complete ? 0 : 1),
            .integer(Int64(file.chunks)), .text(path), .integer(Int64(clamping: milliseconds)),
          ])
        try database.run(
          "DELETE FROM files WHERE file NOT IN (SELECT file FROM files ORDER BY finished_ms DESC, rowid DESC LIMIT ?)",
          [.integer(Int64(StateStore.fileLimit))])
      }
    }
  }
}

// MARK: - What a protocol wants to be reminded of

extension StateStore {
  /// What was left under a name; `nil` if nothing was.
  func memory(_ name: String) throws(HostError) -> [UInt8]? {
    try run { () throws(Database.Failure) in
      try database.run("SELECT value FROM memory WHERE name = ?", [.text(name)]).first?.first?.blob
    }
  }

  /// Leaves something under a name, instead of what was there.
  func remember(_ bytes: [UInt8], as name: String) throws(HostError) {
    try run { () throws(Database.Failure) in
      _ = try database.run("INSERT OR REPLACE INTO memory VALUES (?, ?)", [.text(name), .blob(bytes)])
    }
  }
}
