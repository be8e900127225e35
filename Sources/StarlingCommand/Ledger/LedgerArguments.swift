import Glibc
import StarlingCore
import StarlingLedger
import StarlingRuntime

extension Option {
  /// `--node`, a node that keeps a ledger.
  static let node = Option(
    "node", "URL", "the control address of a node that keeps the ledger, like http://127.0.0.1:4000",
    readsEnvironment: true)
  /// The same for verbs that ask several.
  static let nodes = Option(node.name, "URL", node.summary, repeats: true, readsEnvironment: true)
  /// `--genesis`, by which a verb makes sure of the ledger.
  static let genesis = Option(
    "genesis", "FILE", "refuse a node that keeps another ledger than the one that begins with this file")
  /// `--dir`, the wallet.
  static let wallet = Option("dir", "DIR", "the wallet (default ~/.starling/wallet)")
}

extension Arguments {
  /// Clients of the nodes that `--node` names.
  func ledgerClients() throws(CommandError) -> [LedgerClient] {
    let clients = try all("node") { LedgerClient(try Arguments.nodeAddress($0)) }
    guard !clients.isEmpty else {
      throw .usage(
        "Say which node with --node URL: the control address of one that was started with --genesis FILE.")
    }
    if let twice = clients.indices.first(where: { i in
      clients[..<i].contains { $0.address == clients[i].address }
    }) {
      throw .usage("--node names \(clients[twice].address) twice: name each node once.")
    }
    return clients
  }

  /// The same, where a node that hangs is not waited for longer than for everything.
  func ledgerClients(within timeout: Interval) throws(CommandError) -> [LedgerClient] {
    var clients = try ledgerClients()
    for index in clients.indices { clients[index].timeout = min(.seconds(30), max(.seconds(1), timeout)) }
    return clients
  }

  /// A client of the one node that `--node` names.
  func ledgerClient() throws(CommandError) -> LedgerClient {
    try ledgerClients()[0]
  }

  /// Understands `http://127.0.0.1:4000` and `127.0.0.1:4000`.
  private static func nodeAddress(_ text: String) throws -> SocketAddress {
    var rest = text[...]
    if rest.hasPrefix("https://") {
      throw QuantityError("\(quoted(text)) is not served: a node speaks http, and to its own machine.")
    }
    if rest.hasPrefix("http://") { rest = rest.dropFirst(7) }
    while rest.last == "/" { rest = rest.dropLast() }
    let address = try Arguments.address(String(rest))
    guard address.port > 0 else {
      throw QuantityError("\(quoted(text)) has port 0, where no node can be: give the node's port.")
    }
    return address
  }

  /// The genesis that `--genesis` names, if it is given.
  func genesis() throws(CommandError) -> Genesis? {
    guard let path = text("genesis") else { return nil }
    let bytes = try InputFile.read(path, limit: 64 << 20)
    return try explaining { try Genesis(parsing: String(decoding: bytes, as: UTF8.self)) }
  }

  /// Where the wallet is.
  func walletPath() throws(CommandError) -> String {
    if let path = text("dir") {
      guard !path.isEmpty else { throw .usage("--dir is empty: name the wallet's directory.") }
      return path
    }
    guard let path = Wallet.defaultPath else {
      throw .usage(
        "HOME is not set, so there is no usual place for a wallet: name its directory with --dir DIR.")
    }
    return path
  }

  /// The wallet, which must be there.
  func wallet() throws(CommandError) -> Wallet {
    let path = try walletPath()
    return try explaining { try Wallet(at: path).telling() }
  }

  /// An account that is named by its key, or by its name in the wallet.
  ///
  /// - Parameter origin: what the text was given for, for errors.
  func account(_ text: String, for origin: String) throws(CommandError) -> PublicKey {
    if let key = PublicKey(hexadecimal: text.utf8) { return key }
    guard Wallet.isName(text) else {
      throw .usage(
        "\(origin): \(quoted(text)) is no account: write its key of 64 hexadecimal digits, or its name in the wallet."
      )
    }
    let wallet = try wallet()
    return try explaining { try wallet.owner(of: text).publicKey }
  }

  /// What names a transfer.
  static func identifier(_ text: String) throws(CommandError) -> TransferNumber {
    guard let number = TransferNumber(text) else {
      throw .usage(
        "\(quoted(text)) names no transfer: write the account's 64 hexadecimal digits, a hyphen and the number."
      )
    }
    return number
  }

  /// An amount to pay, 1 or more.
  static func amount(_ text: String) throws -> UInt64 {
    guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
    else {
      throw QuantityError("\(quoted(text)) is no amount: write it in decimal digits, in the smallest unit.")
    }
    guard let amount = UInt64(text) else {
      throw QuantityError("\(quoted(text)) is more than there can be: an amount is at most \(UInt64.max).")
    }
    guard amount > 0 else { throw QuantityError("An amount is 1 or more.") }
    return amount
  }
}

extension Wallet {
  /// This one, after a word of warning if there is cause.
  func telling() -> Wallet {
    if hasLostRecord {
      Messages.write(
        line:
          "note: The wallet has keys and no record of what they signed, so it begins one: pay only when everything that"
          + " they signed before is final.")
    }
    return self
  }
}

extension Payer {
  /// This one, after telling whom it believed.
  func telling() -> Payer {
    for node in believed {
      Messages.write(
        line:
          "note: Believing the node at \(node), which this wallet never asked before, that its ledger is \(ledger):"
          + " --genesis FILE checks it.")
    }
    for error in unreachable { Messages.write(line: "note: One node is left out: \(error.description)") }
    return self
  }
}

/// What a reading verb asks, once it is sure of the ledger as far as it can be.
struct LedgerReading {
  /// The node.
  let client: LedgerClient
  /// What it says of its ledger.
  let status: LedgerStatus

  /// Asks the node that `--node` names for its ledger, and holds that against `--genesis` or, if there is a wallet, against
  /// what the wallet knows of the node.
  init(_ arguments: Arguments) throws(CommandError) {
    let client = try arguments.ledgerClient()
    let genesis = try arguments.genesis()
    let status: LedgerStatus = try explaining { try client.status() }
    guard let ledger = SHA256Digest(hexadecimal: status.ledger.utf8) else {
      throw .failed("The node at \(client.address) names no ledger: it is none of this version's.")
    }
    if let genesis, genesis.hash != ledger {
      throw .failed(
        "The node at \(client.address) keeps another ledger: it names genesis \(ledger), and this file is \(genesis.hash)."
      )
    }
    if genesis == nil, let path = arguments.text("dir") ?? Wallet.defaultPath, access(path, F_OK) == 0 {
      let isNew = try explaining {
        try Wallet(at: path).telling().trust(ledger, of: client.address, genesis: nil)
      }
      if isNew {
        Messages.write(
          line:
            "note: Believing the node at \(client.address), which this wallet never asked before, that its ledger is"
            + " \(ledger): --genesis FILE checks it.")
      }
    }
    self.client = client
    self.status = status
  }
}
