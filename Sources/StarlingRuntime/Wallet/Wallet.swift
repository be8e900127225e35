import CStarlingShims
import Glibc
import StarlingCore
import StarlingLedger

/// A directory with a user's accounts: a key file for each, `NAME.key`, and the record of all that they signed,
/// `wallet.sqlite`.
///
/// One thread at a time uses it; any number of processes may use one directory.
public final class Wallet {
  /// An account of the wallet.
  public struct Account: Sendable {
    /// What its owner calls it.
    public let name: String
    /// What the ledger calls it.
    public let key: PublicKey
  }

  /// The directory, without a slash at the end.
  public let path: String
  /// Whether there are keys without the record of what they signed: it is new.
  public let hasLostRecord: Bool
  let record: WalletRecord

  /// The most bytes of an account's name.
  public static let nameByteLimit = 64

  /// Where the wallet is if nobody says otherwise; `nil` if the user has no home.
  public static var defaultPath: String? {
    getenv("HOME").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 + "/.starling/wallet" }
  }

  /// Opens a wallet.
  ///
  /// - Parameters:
  ///   - path: its directory.
  ///   - isMaking: whether to make one if there is none.
  /// - Throws: ``HostError`` when there is none, others may write it, or its record is damaged.
  public init(at path: String, making isMaking: Bool = false) throws(HostError) {
    var trimmed = path[...]
    while trimmed.count > 1, trimmed.last == "/" { trimmed = trimmed.dropLast() }
    self.path = String(trimmed)
    if isMaking { try Wallet.make(self.path) }
    try Wallet.check(self.path)
    // Two processes that make the record at once would be in each other's way.
    let lock = try FileDescriptor(
      starling_open(self.path + "/lock", O_RDWR | O_CREAT, 0o600),
      orThrow: "The wallet \"\(self.path)\" could not be opened")
    while flock(lock.number, LOCK_EX) != 0 {
      guard errno == EINTR else {
        throw HostError("The wallet \"\(self.path)\" could not be locked", errno: errno)
      }
    }
    let file = self.path + "/wallet.sqlite"
    hasLostRecord = access(file, F_OK) != 0 && !Wallet.names(in: self.path).isEmpty
    record = try WalletRecord(at: file)
    flock(lock.number, LOCK_UN)
  }

  /// Makes a directory and those that it is in.
  private static func make(_ path: String) throws(HostError) {
    var end = path.startIndex
    while end < path.endIndex {
      end = path[path.index(after: end)...].firstIndex(of: "/") ?? path.endIndex
      let part = String(path[..<end])
      if mkdir(part, 0o700) == 0 {
        // A power cut must not take the directory away with a key in it.
        try sync(part.lastIndex(of: "/").map { String(part[...$0]) } ?? ".")
      } else if errno != EEXIST {
        throw HostError("The wallet's directory \"\(part)\" could not be made", errno: errno)
      }
    }
  }

  /// Has the names in a directory written to the disk.
  private static func sync(_ path: String) throws(HostError) {
    let what = "The directory \"\(path)\" could not be written"
    let directory = try FileDescriptor(starling_open(path, O_RDONLY | O_DIRECTORY, 0), orThrow: what)
    guard fsync(directory.number) == 0 else { throw HostError(what, errno: errno) }
  }

  private static func check(_ path: String) throws(HostError) {
    var status = stat()
    guard stat(path, &status) == 0 else {
      if errno == ENOENT {
        throw HostError("There is no wallet at \"\(path)\"; make one with: starling wallet new --dir \(path)")
      }
      throw HostError("The wallet \"\(path)\" could not be opened", errno: errno)
    }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw HostError("\"\(path)\" is no directory, and so no wallet: name another one.")
    }
    // Whoever can write it can put an older record in its place, and so have a number signed twice.
    guard IdentityFile.isTrusted(owner: status.st_uid), status.st_mode & 0o022 == 0 else {
      throw HostError(
        "The wallet \"\(path)\" is another user's or can be written by others; protect it with: chmod 700 \(path)"
      )
    }
  }
}

// MARK: - Accounts

extension Wallet {
  /// Its accounts, by name.
  public func accounts() throws(HostError) -> [Account] {
    var accounts: [Account] = []
    for name in Wallet.names(in: path) {
      accounts.append(Account(name: name, key: try IdentityFile.read(file(of: name)).publicKey))
    }
    return accounts
  }

  /// Makes a key for a new account.
  ///
  /// - Parameter name: what to call it: 1 ... ``nameByteLimit`` letters, digits, `.`, `-` and `_`, and no key.
  public func addAccount(_ name: String) throws(HostError) -> PublicKey {
    try Wallet.check(name: name)
    let key = try IdentityFile.create(at: file(of: name)).publicKey
    // The file's name is on the disk before anybody pays to the key.
    try Wallet.sync(path)
    return key
  }

  /// The key pair of an account.
  public func owner(of name: String) throws(HostError) -> Identity {
    try Wallet.check(name: name)
    guard access(file(of: name), F_OK) == 0 else {
      let names = Wallet.names(in: path)
      let advice =
        names.isEmpty
        ? "it is empty; make one with: starling wallet new \(name)"
        : "it has \(names.prefix(8).joined(separator: ", "))\(names.count > 8 ? " and others" : "")."
      throw HostError("The wallet \"\(path)\" has no account \"\(name)\": \(advice)")
    }
    return try IdentityFile.read(file(of: name))
  }

  /// An account by its name.
  public func account(named name: String) throws(HostError) -> Account {
    Account(name: name, key: try owner(of: name).publicKey)
  }

  /// The account that is meant if none is named: the only one, or the one called `default`.
  public func defaultName() throws(HostError) -> String {
    let names = Wallet.names(in: path)
    if names.count == 1 { return names[0] }
    if names.contains("default") { return "default" }
    if names.isEmpty {
      throw HostError(
        "The wallet \"\(path)\" is empty; make an account with: starling wallet new --dir \(path)")
    }
    throw HostError(
      "The wallet \"\(path)\" has \(names.count) accounts and none is called default: say which one is meant."
    )
  }

  /// How many transfers an account has signed, and how many of them are not known to be final.
  public func counts(of key: PublicKey) throws(HostError) -> (signed: Int, unfinished: Int) {
    try record.counts(of: key)
  }

  /// Whether a text can name an account.
  public static func isName(_ text: String) -> Bool {
    (1...nameByteLimit).contains(text.utf8.count) && text.first != "."
      && PublicKey(hexadecimal: text.utf8) == nil
      && text.unicodeScalars.allSatisfy {
        $0.isASCII
          && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || ".-_".unicodeScalars.contains($0))
      }
  }

  private static func check(name: String) throws(HostError) {
    guard !isName(name) else { return }
    throw HostError(
      "No account can have that name: it has 1 to \(nameByteLimit) letters, digits, dots, dashes and underscores, does not "
        + "begin with a dot, and is no key.")
  }

  private func file(of name: String) -> String { "\(path)/\(name).key" }

  private static func names(in path: String) -> [String] {
    DataDirectory.names(in: path).filter { $0.hasSuffix(".key") }.map { String($0.dropLast(4)) }
      .filter(isName)
  }
}

// MARK: - Trust

extension Wallet {
  /// Makes sure that a node serves the ledger that is meant, before anything is signed for it.
  ///
  /// - Parameters:
  ///   - ledger: what the node says that it serves.
  ///   - node: the node.
  ///   - genesis: the genesis' hash if the user has its file; otherwise the node must serve what it served when this
  ///     wallet first asked it.
  /// - Returns: whether the node was believed because it had never been asked before.
  /// - Throws: ``HostError`` when it serves another.
  @discardableResult
  public func trust(
    _ ledger: SHA256Digest, of node: SocketAddress, genesis: SHA256Digest?
  ) throws(HostError) -> Bool {
    let known = try record.ledger(of: node)
    if let genesis {
      guard ledger == genesis else {
        throw HostError(
          "The node at \(node) keeps another ledger: it names genesis \(ledger), and this file is \(genesis)."
        )
      }
      if known != ledger { try record.remember(ledger, of: node) }
      return false
    }
    if let known {
      guard known == ledger else {
        throw HostError(
          "The node at \(node) names genesis \(ledger), and it was \(known) when this wallet first asked it: name the "
            + "genesis file that you trust with --genesis FILE.")
      }
      return false
    }
    try record.remember(ledger, of: node)
    return true
  }
}
