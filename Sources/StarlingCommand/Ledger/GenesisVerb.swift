import Glibc
import StarlingCore
import StarlingLedger
import StarlingNode
import StarlingRuntime

extension Verb {
  /// `starling genesis new`
  static let genesisNew = Verb(
    "genesis new", "write the file with which a ledger begins: who keeps it, and who has what",
    options: [
      Option(
        "members", "DIR|FILE",
        "who keeps it: a list of members as `starling node --members` reads it, or a directory of key files"),
      Option(
        "account", "KEY=AMOUNT", "what an account begins with; a name in the wallet will do", repeats: true),
      Option(
        "byzantine", "B", "how many members may lie (default: the most that can be, fewer than a third)"),
      Option("network", "NAME", "the network's name (default starling)"),
      Option("out", "FILE", "where to write it; nothing may be there yet"),
      .wallet, .json,
    ],
    notes: """
      Everybody who keeps the ledger or pays in it needs the file. Its hash names the ledger: transfers
      that are signed for one ledger count in no other. There is never more money than the accounts
      of the file have together. A directory holds identities (`starling keys new`) or public keys.
      """
  ) { arguments throws(CommandError) in
    guard let source = arguments.text("members") else {
      throw .usage("Say who keeps the ledger with --members DIR, or --members FILE.")
    }
    guard let path = arguments.text("out") else {
      throw .usage("Say where to write the genesis with --out FILE.")
    }
    var balances: [PublicKey: UInt64] = [:]
    for value in arguments.values("account") {
      let parts = value.text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
        String.init)
      guard parts.count == 2 else {
        throw .usage(
          "\(value.origin): \(quoted(value.text)) is no account with its amount: write KEY=AMOUNT.")
      }
      let key = try arguments.account(parts[0], for: value.origin)
      guard balances[key] == nil else {
        throw .usage("\(value.origin) gives \(key) twice: give each account once.")
      }
      do {
        balances[key] = try Arguments.amount(parts[1])
      } catch {
        throw .usage("\(value.origin): \(error)")
      }
    }
    guard !balances.isEmpty else {
      throw .usage("Nobody has anything: give accounts what they begin with by --account KEY=AMOUNT.")
    }
    let members = try MemberKeys.read(source)
    let most = max(0, members.count - 1) / 3
    let byzantine = try arguments.integer("byzantine", in: 0...MemberList.limit, default: most)
    let genesis: Genesis
    do throws(QuantityError) {
      genesis = try Genesis(
        network: arguments.text("network") ?? "starling", members: members, byzantine: byzantine,
        balances: balances)
    } catch {
      throw .usage(error.description)
    }
    try NewFile.write(Array(genesis.text.utf8), to: path)
    try Output.standard.write(
      .object([
        ("ledger", .string(genesis.hash.description)), ("network", .string(genesis.network)),
        ("members", .array(genesis.members.map { .string($0.description) })),
        ("byzantine", .integer(genesis.byzantine)), ("accounts", .integer(genesis.balances.count)),
        ("supply", .string(String(genesis.supply))), ("file", .string(path)),
      ]), json: arguments.has("json"),
      text: """
        ledger  \(genesis.hash)
        supply  \(genesis.supply) in \(Quantity.count(genesis.balances.count, "account"))
        members \(genesis.members.count), of which \(genesis.byzantine) may lie
        \(genesis.members.map { "  \($0)" }.joined(separator: "\n"))
        written to \(path)
        """)
  }
}

/// Reads who keeps a ledger.
enum MemberKeys {
  private static let byteLimit = 1 << 20

  /// The keys in a list of members, or in the files of a directory.
  static func read(_ path: String) throws(CommandError) -> [PublicKey] {
    guard let entries = Directory.entries(path) else { return try list(path) }
    var keys: [PublicKey] = []
    for name in entries where name.first != "." { keys.append(try key(in: "\(path)/\(name)")) }
    guard !keys.isEmpty else {
      throw .failed("There are no key files in \(quoted(path)): name another directory.")
    }
    return keys
  }

  private static func list(_ path: String) throws(CommandError) -> [PublicKey] {
    let text = String(decoding: try InputFile.read(path, limit: byteLimit), as: UTF8.self)
    let members = try explaining { try MemberList(parsing: text) }.members
    guard !members.isEmpty else {
      throw .failed("The list \(quoted(path)) names no members: name another one.")
    }
    return members.map(\.key)
  }

  /// The key in an identity file, or in a file with nothing but a public key.
  private static func key(in path: String) throws(CommandError) -> PublicKey {
    let text = String(decoding: try InputFile.read(path, limit: byteLimit), as: UTF8.self)
    let words = text.split(whereSeparator: \.isNewline).flatMap {
      $0.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
    }
    if words.count == 1, let key = PublicKey(hexadecimal: words[0].utf8) { return key }
    guard text.hasPrefix("starling-identity ") else {
      throw .failed(
        "\(quoted(path)) is neither an identity nor a public key of 64 hexadecimal digits: take it out of the directory."
      )
    }
    return try explaining { try IdentityFile.read(path).publicKey }
  }
}

/// Lists a directory.
enum Directory {
  /// The names in it, in order; `nil` if it is no directory.
  static func entries(_ path: String) -> [String]? {
    guard let directory = opendir(path) else { return nil }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }
}

/// Writes files that may not be there yet.
enum NewFile {
  /// Writes a file whole, or leaves nothing.
  static func write(_ bytes: [UInt8], to path: String) throws(CommandError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      if errno == EEXIST {
        throw .failed("The file \(quoted(path)) exists already and is not overwritten: choose another name.")
      }
      throw .failed(
        "\(quoted(path)) could not be written: \(String(cString: strerror(errno))); name another file.")
    }
    defer { close(descriptor) }
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        let reason = String(cString: strerror(errno))
        unlink(path)
        throw .failed("\(quoted(path)) could not be written: \(reason).")
      }
      rest = rest.dropFirst(count)
    }
    guard fsync(descriptor) == 0 else {
      let reason = String(cString: strerror(errno))
      unlink(path)
      throw .failed("\(quoted(path)) could not be written: \(reason).")
    }
  }
}
