import CSQLite
import CStarlingShims
import Glibc
import StarlingCore
import StarlingLedger

/// What a wallet has signed, in one SQLite file.
///
/// A transfer is in it, and on the disk, before anybody else sees it, and under one (ledger, account, number) there is one
/// only: so neither a crash nor a second process makes an honest owner sign two. Nothing is ever replaced or removed.
///
/// One thread at a time uses it; any number of processes do.
final class WalletRecord {
  /// Marks the file for file(1) and for whoever opens the wrong one: `StrW`.
  static let application: Int64 = 0x5374_7257
  static let version: Int64 = 1
  /// How long one process waits for another that signs, in milliseconds.
  private static let patience = 30_000

  private static let statements = [
    """
    CREATE TABLE transfers (
      ledger BLOB NOT NULL, account BLOB NOT NULL, sequence INTEGER NOT NULL, transfer BLOB NOT NULL,
      signed_ms INTEGER NOT NULL, is_final INTEGER NOT NULL, PRIMARY KEY (ledger, account, sequence)) STRICT
    """,
    // Which ledger a node served when it was first asked.
    "CREATE TABLE nodes (address TEXT PRIMARY KEY, ledger BLOB NOT NULL) STRICT",
  ]

  /// Codes that SQLite does not have.
  private static let refusal: Int32 = -1

  let database: Database
  private let path: String

  /// Opens the record, making it if there is none.
  ///
  /// - Throws: ``HostError`` for a damaged one, which is not replaced: it is all that tells which numbers were signed.
  init(at path: String) throws(HostError) {
    self.path = path
    // For its owner alone from the beginning: what SQLite puts beside it takes after it. Only a new one is opened here, since
    // closing a file gives back the locks that SQLite has on it in this process.
    let descriptor = starling_open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
    if descriptor != -EEXIST {
      _ = try FileDescriptor(descriptor, orThrow: "The wallet's record \"\(path)\" could not be made")
    }
    chmod(path, 0o600)
    do throws(Database.Failure) {
      let database = try Database(path)
      self.database = database
      try database.run("PRAGMA busy_timeout = \(WalletRecord.patience)")
      try WalletRecord.prepare(database)
    } catch {
      switch error {
      case _ where error.code == WalletRecord.refusal:
        throw HostError("The wallet's record \"\(path)\" \(error.message).")
      case _ where error.isCorruption:
        throw HostError(
          "The wallet's record \"\(path)\" is damaged: put back a copy that is not older than the last payment; it tells "
            + "which numbers were signed already.")
      default: throw HostError("The wallet's record \"\(path)\" could not be opened: \(error.message).")
      }
    }
  }

  private static func prepare(_ database: Database) throws(Database.Failure) {
    try database.run("PRAGMA journal_mode = WAL")
    // What COMMIT has answered is on the disk.
    try database.run("PRAGMA synchronous = FULL")
    guard try database.run("PRAGMA quick_check(1)").first?.first?.text == "ok" else {
      throw Database.Failure(code: SQLITE_CORRUPT, message: "")
    }
    try database.transaction { () throws(Database.Failure) in
      let found = try database.run("PRAGMA user_version").first?.first?.integer ?? 0
      let application = try database.run("PRAGMA application_id").first?.first?.integer ?? 0
      guard found <= version else {
        throw Database.Failure(
          code: refusal,
          message: "has version \(found), and this starling knows up to \(version): upgrade starling")
      }
      guard application == WalletRecord.application || (found == 0 && application == 0) else {
        throw Database.Failure(
          code: refusal, message: "is another program's database: move it away, or name another wallet")
      }
      guard found == 0 else { return }
      for statement in statements { try database.run(statement) }
      try database.run("PRAGMA application_id = \(WalletRecord.application)")
      try database.run("PRAGMA user_version = \(version)")
    }
  }

  private func run<Result>(_ work: () throws(Database.Failure) -> Result) throws(HostError) -> Result {
    do throws(Database.Failure) {
      return try work()
    } catch {
      throw HostError(
        error.code == WalletRecord.refusal
          ? error.message : "The wallet's record \"\(path)\" could not be kept: \(error.message).")
    }
  }
}

// MARK: - Transfers

extension WalletRecord {
  /// Signs payments and keeps them, all or none, each under the next number that was never signed.
  ///
  /// - Parameters:
  ///   - payments: with the accounts that pay; several of one account get numbers in their order.
  ///   - ledger: the genesis' hash.
  ///   - known: what an account will be when all is applied that the node knows of.
  /// - Returns: what is on the disk now and may be sent.
  func sign(
    _ payments: [(owner: Identity, destinations: [Transfer.Destination], memo: [UInt8])],
    in ledger: SHA256Digest,
    from known: (PublicKey) -> Ledger.Account
  ) throws(HostError) -> [SignedTransfer] {
    try run { () throws(Database.Failure) in
      var signed: [SignedTransfer] = []
      try database.transaction { () throws(Database.Failure) in
        var ends: [PublicKey: Ledger.Account] = [:]
        for payment in payments {
          let key = payment.owner.publicKey
          // Another process may have signed since the node was asked, so the record is read under the lock.
          let account: Ledger.Account
          if let end = ends[key] {
            account = end
          } else {
            account = try end(of: key, in: ledger, from: known(key))
          }
          let transfer = Transfer(
            account: key, sequence: account.next, funds: account.balance, destinations: payment.destinations,
            memo: payment.memo)
          if let fault = transfer.fault {
            throw Database.Failure(
              code: WalletRecord.refusal, message: WalletRecord.sentence(fault, transfer))
          }
          let result = SignedTransfer(transfer, in: ledger, by: payment.owner)
          try insert(result, in: ledger)
          ends[key] = Ledger.Account(
            balance: account.balance - (transfer.total ?? 0), next: account.next + 1)
          signed.append(result)
        }
      }
      return signed
    }
  }

  /// An account when all that was signed from a number on is applied too.
  private func end(
    of key: PublicKey, in ledger: SHA256Digest, from known: Ledger.Account
  ) throws(Database.Failure) -> Ledger.Account {
    var (balance, next) = (known.balance, known.next)
    while let sequence = Int64(exactly: next) {
      let row = try database.run(
        "SELECT transfer FROM transfers WHERE ledger = ? AND account = ? AND sequence = ?",
        [.blob(ledger.bytes), .blob(key.bytes), .integer(sequence)]
      ).first
      guard let row else { return Ledger.Account(balance: balance, next: next) }
      balance -= min(balance, WalletRecord.transfer(row[0])?.transfer.total ?? 0)
      next += 1
    }
    throw Database.Failure(
      code: WalletRecord.refusal,
      message:
        "The node says that the account's next transfer has number \(next), which no account ever reaches: "
        + "ask another node.")
  }

  private func insert(_ signed: SignedTransfer, in ledger: SHA256Digest) throws(Database.Failure) {
    // Fails if the number is taken.
    try database.run(
      "INSERT INTO transfers VALUES (?, ?, ?, ?, ?, 0)",
      [
        .blob(ledger.bytes), .blob(signed.transfer.account.bytes),
        .integer(Int64(clamping: signed.transfer.sequence)),
        .blob(signed.encoded),
        .integer(Int64(clamping: WallClock.milliseconds())),
      ])
  }

  private static func sentence(_ fault: TransferFault, _ transfer: Transfer) -> String {
    guard fault == .overdraft, let total = transfer.total else { return fault.sentence }
    return
      "The account holds \(transfer.funds), less than the \(total) to pay: pay less, or wait for what is to come in."
  }

  private static func transfer(_ value: Database.Value) -> SignedTransfer? {
    value.blob.flatMap { try? SignedTransfer(encoded: $0) }
  }

  /// What an account has signed and is not known to be final, in the order of its numbers.
  ///
  /// - Parameter next: from this number on all that was signed, whatever is known: a node that has not heard of it says so,
  ///   and another may have lied.
  func unfinished(
    of key: PublicKey, in ledger: SHA256Digest, allFrom next: UInt64 = .max
  ) throws(HostError) -> [SignedTransfer] {
    try run { () throws(Database.Failure) in
      try database.run(
        """
        SELECT transfer FROM transfers WHERE ledger = ? AND account = ? AND (is_final = 0 OR sequence >= ?)
          ORDER BY sequence
        """,
        [.blob(ledger.bytes), .blob(key.bytes), .integer(Int64(clamping: next))]
      ).compactMap { WalletRecord.transfer($0[0]) }
    }
  }

  /// How many transfers an account has signed in any ledger, and how many of them are not known to be final.
  func counts(of key: PublicKey) throws(HostError) -> (signed: Int, unfinished: Int) {
    try run { () throws(Database.Failure) in
      let row = try database.run(
        "SELECT COUNT(*), COUNT(*) FILTER (WHERE is_final = 0) FROM transfers WHERE account = ?",
        [.blob(key.bytes)]
      ).first
      return (Int(row?[0].integer ?? 0), Int(row?[1].integer ?? 0))
    }
  }

  /// Notes that transfers are final, so that they are not sent again.
  func settle(_ transfers: [SignedTransfer], in ledger: SHA256Digest) throws(HostError) {
    guard !transfers.isEmpty else { return }
    try run { () throws(Database.Failure) in
      try database.transaction { () throws(Database.Failure) in
        for signed in transfers {
          try database.run(
            "UPDATE transfers SET is_final = 1 WHERE ledger = ? AND account = ? AND sequence = ?",
            [
              .blob(ledger.bytes), .blob(signed.transfer.account.bytes),
              .integer(Int64(clamping: signed.transfer.sequence)),
            ])
        }
      }
    }
  }
}

// MARK: - Trust

extension WalletRecord {
  /// The ledger that a node served when it was first asked; `nil` if it never was.
  func ledger(of node: SocketAddress) throws(HostError) -> SHA256Digest? {
    try run { () throws(Database.Failure) in
      try database.run("SELECT ledger FROM nodes WHERE address = ?", [.text(node.description)])
        .first?.first?.blob.flatMap { SHA256Digest($0) }
    }
  }

  /// Remembers which ledger a node serves.
  func remember(_ ledger: SHA256Digest, of node: SocketAddress) throws(HostError) {
    _ = try run { () throws(Database.Failure) in
      try database.run(
        "INSERT INTO nodes VALUES (?, ?) ON CONFLICT (address) DO UPDATE SET ledger = excluded.ledger",
        [.text(node.description), .blob(ledger.bytes)])
    }
  }
}
