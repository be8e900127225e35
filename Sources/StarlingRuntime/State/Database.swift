import CSQLite
import Glibc

/// A SQLite database that one thread at a time uses.
final class Database {
  /// Why a statement failed.
  struct Failure: Error {
    /// SQLite's extended result code.
    let code: Int32
    let message: String

    /// Whether the file is damaged or is none of SQLite's.
    var isCorruption: Bool { [SQLITE_CORRUPT, SQLITE_NOTADB].contains(code & 0xFF) }
    /// Whether somebody else uses the file.
    var isBusy: Bool { [SQLITE_BUSY, SQLITE_LOCKED].contains(code & 0xFF) }
  }

  /// A value that a statement takes or gives.
  enum Value: Hashable {
    case null
    case integer(Int64)
    case text(String)
    case blob([UInt8])
  }

  private let handle: OpaquePointer
  /// Statements that were run before, by their text: to prepare one takes longer than to run it.
  private var statements: [String: OpaquePointer] = [:]

  /// Opens a file, making it if need be. The first statement shows whether it is a database.
  init(_ path: String) throws(Failure) {
    var handle: OpaquePointer?
    let path = Database.inRealFolder(path)
    let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW
    let code = sqlite3_open_v2(path, &handle, flags, nil)
    guard code == SQLITE_OK, let handle else {
      let message = handle.map { String(cString: sqlite3_errmsg($0)) } ?? "there is no memory"
      sqlite3_close_v2(handle)
      throw Failure(code: code, message: message)
    }
    self.handle = handle
    sqlite3_extended_result_codes(handle, 1)
    sqlite3_busy_timeout(handle, 1_000)
  }

  /// A path with no link in it but perhaps the last: the folder is the user's choice, and the file must not be a link.
  private static func inRealFolder(_ path: String) -> String {
    // No file at all.
    if path == ":memory:" { return path }
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    guard let real = realpath(folder, nil) else { return path }
    defer { free(real) }
    return String(cString: real) + "/" + path[(slash.map { path.index(after: $0) } ?? path.startIndex)...]
  }

  deinit {
    for statement in statements.values { sqlite3_finalize(statement) }
    sqlite3_close_v2(handle)
  }

  /// Runs a statement.
  ///
  /// - Parameters:
  ///   - sql: the statement, with `?` for each value; one of a few, since each is remembered.
  ///   - values: what stands for these.
  /// - Returns: the rows that it gives.
  @discardableResult
  func run(_ sql: String, _ values: [Value] = []) throws(Failure) -> [[Value]] {
    let statement = try prepare(sql)
    defer {
      sqlite3_reset(statement)
      sqlite3_clear_bindings(statement)
    }
    for (i, value) in values.enumerated() { try check(bind(value, at: Int32(i + 1), of: statement)) }
    var rows: [[Value]] = []
    while true {
      let code = sqlite3_step(statement)
      if code == SQLITE_DONE { return rows }
      guard code == SQLITE_ROW else { throw failure(code) }
      rows.append((0..<sqlite3_column_count(statement)).map { Database.value(at: $0, of: statement) })
    }
  }

  /// A statement that changes something, for ``run(_:_:_:_:)``.
  struct Change {
    fileprivate let statement: OpaquePointer?
  }

  /// Makes a statement ready that is run very often.
  ///
  /// - Parameter sql: the statement, with `?` for a number and for two runs of bytes, in this order; it gives no rows.
  func change(_ sql: String) throws(Failure) -> Change { Change(statement: try prepare(sql)) }

  /// Runs a statement with a number and two runs of bytes, which are not copied for it.
  func run(
    _ change: Change, _ number: Int64, _ first: [UInt8], _ second: [UInt8]
  ) throws(Failure) {
    let statement = change.statement
    defer {
      sqlite3_reset(statement)
      sqlite3_clear_bindings(statement)
    }
    try check(sqlite3_bind_int64(statement, 1, number))
    let code = first.withUnsafeBytes { first in
      second.withUnsafeBytes { second in
        let code = Database.bind(borrowed: first, at: 2, of: statement)
        if code != SQLITE_OK { return code }
        let next = Database.bind(borrowed: second, at: 3, of: statement)
        return next == SQLITE_OK ? sqlite3_step(statement) : next
      }
    }
    guard code == SQLITE_DONE else { throw failure(code) }
  }

  /// Binds bytes that stay where they are until the statement has run.
  private static func bind(
    borrowed bytes: UnsafeRawBufferPointer, at index: Int32, of statement: OpaquePointer?
  ) -> Int32 {
    // No bytes at all must not become NULL.
    bytes.isEmpty
      ? sqlite3_bind_zeroblob(statement, index, 0)
      : sqlite3_bind_blob(statement, index, bytes.baseAddress, Int32(bytes.count), nil)
  }

  private func prepare(_ sql: String) throws(Failure) -> OpaquePointer? {
    if let statement = statements[sql] { return statement }
    var statement: OpaquePointer?
    try check(sqlite3_prepare_v2(handle, sql, -1, &statement, nil))
    statements[sql] = statement
    return statement
  }

  /// Does all of some work, or, if it throws, nothing of it.
  func transaction(_ work: () throws(Failure) -> Void) throws(Failure) {
    try run("BEGIN IMMEDIATE")
    do throws(Failure) {
      try work()
      try run("COMMIT")
    } catch {
      _ = try? run("ROLLBACK")
      throw error
    }
  }

  private func bind(_ value: Value, at index: Int32, of statement: OpaquePointer?) -> Int32 {
    // SQLite copies the bytes: the arrays are gone when the statement runs.
    let copying = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    switch value {
    case .null: return sqlite3_bind_null(statement, index)
    case .integer(let number): return sqlite3_bind_int64(statement, index, number)
    case .text(let text): return sqlite3_bind_text(statement, index, text, -1, copying)
    case .blob(let bytes):
      // No bytes at all must not become NULL.
      guard !bytes.isEmpty else { return sqlite3_bind_zeroblob(statement, index, 0) }
      return sqlite3_bind_blob(statement, index, bytes, Int32(bytes.count), copying)
    }
  }

  private static func value(at column: Int32, of statement: OpaquePointer?) -> Value {
    switch sqlite3_column_type(statement, column) {
    case SQLITE_INTEGER: return .integer(sqlite3_column_int64(statement, column))
    case SQLITE_TEXT:
      return .text(sqlite3_column_text(statement, column).map { String(cString: $0) } ?? "")
    case SQLITE_BLOB:
      let count = Int(sqlite3_column_bytes(statement, column))
      guard let start = sqlite3_column_blob(statement, column) else { return .blob([]) }
      return .blob(Array(UnsafeRawBufferPointer(start: start, count: count)))
    default: return .null
    }
  }

  private func check(_ code: Int32) throws(Failure) {
    if code != SQLITE_OK { throw failure(code) }
  }

  private func failure(_ code: Int32) -> Failure {
    Failure(code: sqlite3_extended_errcode(handle), message: String(cString: sqlite3_errmsg(handle)))
  }
}

extension Database.Value {
  var integer: Int64? { if case .integer(let number) = self { number } else { nil } }
  var text: String? { if case .text(let text) = self { text } else { nil } }
  var blob: [UInt8]? { if case .blob(let bytes) = self { bytes } else { nil } }
}
