import StarlingCore
import StarlingLedger
import StarlingRuntime

extension Operand {
  /// The account of a wallet that a verb is about.
  fileprivate static let name = Operand(
    name: "NAME", summary: "the account's name in the wallet (default: the only one, or `default`)",
    isOptional: true)
}

extension Verb {
  /// `starling wallet new`
  static let walletNew = Verb(
    "wallet new", "make an account, which is a key, and the wallet if there is none",
    operands: [
      Operand(name: "NAME", summary: "what to call it (default `default`)", isOptional: true)
    ],
    options: [.wallet, .json],
    notes: """
      An account is its key: whoever has the file can spend what the account holds, and nobody can
      make it anew, so keep a copy. Keep one wallet for each key: two wallets that sign with one key
      may sign two transfers under one number, and block the account for good.
      """
  ) { arguments throws(CommandError) in
    let path = try arguments.walletPath()
    let name = arguments.operands.first ?? "default"
    guard Wallet.isName(name) else {
      throw .usage(
        "\(quoted(name)) can name no account: a name has 1 to \(Wallet.nameByteLimit) letters, digits, dots, dashes and"
          + " underscores, does not begin with a dot, and is no key.")
    }
    let wallet = try explaining { try Wallet(at: path, making: true).telling() }
    let key = try explaining { try wallet.addAccount(name) }
    let file = "\(wallet.path)/\(name).key"
    try Output.standard.write(
      .object([("name", .string(name)), ("account", .string(key.description)), ("file", .string(file))]),
      json: arguments.has("json"), text: "\(key)\nwritten to \(file)")
  }

  /// `starling wallet list`
  static let walletList = Verb(
    "wallet list", "print the accounts of the wallet", options: [.wallet, .json, .out]
  ) { arguments throws(CommandError) in
    let wallet = try arguments.wallet()
    let accounts = try explaining { try wallet.accounts() }
    var rows: [JSONValue] = []
    for account in accounts { rows.append(try wallet.json(account)) }
    try Output(arguments).write(
      .object([("wallet", .string(wallet.path)), ("accounts", .array(rows))]), json: arguments.has("json"),
      text: accounts.isEmpty
        ? "The wallet \(quoted(wallet.path)) is empty."
        : accounts.map { "\($0.key)  \($0.name)" }.joined(separator: "\n"))
  }

  /// `starling wallet show`
  static let walletShow = Verb(
    "wallet show", "print the key of an account of the wallet", operands: [.name],
    options: [.wallet, .json, .out],
    notes:
      "With --json it also says how many transfers it has signed, and how many are not known to be final."
  ) { arguments throws(CommandError) in
    let wallet = try arguments.wallet()
    let account = try explaining {
      try wallet.account(named: try arguments.operands.first ?? wallet.defaultName())
    }
    let json = try wallet.json(account)
    try Output(arguments).write(json, json: arguments.has("json"), text: account.key.description)
  }
}

extension Wallet {
  fileprivate func json(_ account: Account) throws(CommandError) -> JSONValue {
    let counts = try explaining { try self.counts(of: account.key) }
    return .object([
      ("name", .string(account.name)), ("account", .string(account.key.description)),
      ("signed", .integer(counts.signed)), ("unfinished", .integer(counts.unfinished)),
    ])
  }
}
