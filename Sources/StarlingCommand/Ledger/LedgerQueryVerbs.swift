import StarlingCore
import StarlingLedger
import StarlingRuntime

extension Operand {
  fileprivate static let account = Operand(
    name: "ACCOUNT",
    summary: "its key, or its name in the wallet (default: the wallet's only account, or `default`)",
    isOptional: true)
  fileprivate static let identifier = Operand(
    name: "ID", summary: "the transfer's identifier, as `starling pay` printed it")
}

extension Arguments {
  /// The account that a verb is about.
  fileprivate func account() throws(CommandError) -> PublicKey {
    if let text = operands.first { return try account(text, for: "ACCOUNT") }
    let wallet = try wallet()
    return try explaining { try wallet.owner(of: wallet.defaultName()).publicKey }
  }
}

extension Verb {
  /// `starling balance`
  static let balance = Verb(
    "balance", "print what an account holds, as a node has it", operands: [.account],
    options: [.node, .genesis, .wallet, .json, .out],
    notes: "`pending` transfers of the account are under way at the node, and not in the balance yet."
  ) { arguments throws(CommandError) in
    let key = try arguments.account()
    let output = try Output(arguments)
    let reading = try LedgerReading(arguments)
    let account = try explaining { try reading.client.account(key) }
    var text = account.balance.description
    if account.pending > 0 {
      text +=
        " (\(account.expectedBalance) when \(Quantity.count(account.pending, "transfer")) under way is applied)"
    }
    if account.known == false { text += " (nobody has paid to this account yet)" }
    try output.write(
      .object([
        ("account", .string(key.description)), ("ledger", .string(reading.status.ledger)),
        ("balance", .string(account.balance.description)), ("next", .unsigned(account.next)),
        ("expected_balance", .string(account.expectedBalance.description)),
        ("expected_next", .unsigned(account.expectedNext)), ("pending", .integer(account.pending)),
        ("known", .bool(account.known ?? true)),
      ]), json: arguments.has("json"), text: text)
  }

  /// `starling history`
  static let history = Verb(
    "history", "print what came into an account and what left it, newest first", operands: [.account],
    options: [
      Option("limit", "N", "how many entries at most, 1 to 1000000 (default 50)"), .node, .genesis, .wallet,
      .json, .out,
    ],
    notes: "The order is that in which the node applied transfers; other nodes may have another one."
  ) { arguments throws(CommandError) in
    let limit = try arguments.integer("limit", in: 1...1_000_000, default: 50)
    let key = try arguments.account()
    let output = try Output(arguments)
    let reading = try LedgerReading(arguments)
    var entries: [LedgerEntry] = []
    var before: UInt64?
    repeat {
      let page = try explaining {
        try reading.client.history(
          of: key, before: before, limit: min(limit - entries.count, LedgerClient.longestPage))
      }
      entries += page.entries
      // A page that does not lead on must not be asked for again and again.
      guard let next = page.next, !page.entries.isEmpty, before.map({ next < $0 }) ?? true else { break }
      before = next
    } while entries.count < limit
    try output.write(
      .object([
        ("account", .string(key.description)), ("ledger", .string(reading.status.ledger)),
        ("entries", .array(entries.map(\.json))),
      ]), json: arguments.has("json"),
      text: entries.isEmpty ? "Nothing came in or went out." : entries.map(\.line).joined(separator: "\n"))
  }

  /// `starling transfer`
  static let transfer = Verb(
    "transfer", "print how far a transfer is at a node, and what it says", operands: [.identifier],
    options: [.node, .genesis, .wallet, .json, .out],
    notes: "`unknown` means that this node has not heard of it; others may have."
  ) { arguments throws(CommandError) in
    let identifier = try Arguments.identifier(arguments.operands[0])
    let output = try Output(arguments)
    let reading = try LedgerReading(arguments)
    let transfer = try explaining { try reading.client.transfer(identifier) }
    var lines = [transfer.state.rawValue + (transfer.reason.map { ": \($0)" } ?? "")]
    if let account = transfer.account {
      lines.append("from \(account), number \(transfer.sequence.map(String.init) ?? "?")")
    }
    lines += (transfer.destinations ?? []).map { "to   \($0.account) \($0.amount)" }
    if let memo = transfer.memo, !memo.isEmpty { lines.append("memo \(memo)") }
    try output.write(
      .object([
        ("id", .string(identifier.description)), ("ledger", .string(reading.status.ledger)),
        ("state", .string(transfer.state.rawValue)),
        ("reason", transfer.reason.map(JSONValue.string) ?? .null),
        ("account", transfer.account.map(JSONValue.string) ?? .null),
        ("sequence", transfer.sequence.map(JSONValue.unsigned) ?? .null),
        ("destinations", transfer.destinations.map { .array($0.map(\.json)) } ?? .null),
        ("memo", transfer.memo.map(JSONValue.string) ?? .null),
        ("transfer", transfer.transfer.map(JSONValue.string) ?? .null),
      ]), json: arguments.has("json"),
      text: lines.map(printable).joined(separator: "\n"))
  }

  /// `starling certificate`
  static let certificate = Verb(
    "certificate", "get the proof that a transfer is final, or check one without asking anybody",
    operands: [
      Operand(name: "ID", summary: "the transfer's identifier; left out with --verify", isOptional: true)
    ],
    options: [
      Option("verify", "FILE", "check this certificate with --genesis FILE, offline"), .node, .genesis,
      .wallet, .json,
      .out,
    ],
    notes: """
      The proof is the word of one member more than may lie. Whoever has it and the genesis file needs
      nobody else: `starling certificate --verify FILE --genesis FILE` exits with 0 if it proves what it
      says, and with 1 otherwise.
      """
  ) { arguments throws(CommandError) in
    guard let file = arguments.text("verify") else { return try CertificateCommand.fetch(arguments) }
    guard arguments.operands.isEmpty, !arguments.isGiven("node") else {
      throw .usage("--verify asks nobody: leave ID and --node out.")
    }
    guard let genesis = try arguments.genesis() else {
      throw .usage(
        "A certificate is checked by the genesis of its ledger: name that file with --genesis FILE.")
    }
    let text = String(decoding: try InputFile.read(file, limit: CertificateCommand.byteLimit), as: UTF8.self)
    let certificate = try explaining { try Certificate(parsing: text) }
    let output = try Output(arguments)
    if !SignatureRule.isKept { Messages.write(line: "note: " + SignatureRule.warning) }
    try explaining { try certificate.verify(by: genesis) }
    let transfer = certificate.transfer.transfer
    let identifier = certificate.transfer.transfer.number
    let lines = transfer.destinations.map { "to       \($0.account) \($0.amount)" }
    try output.write(
      CertificateCommand.json(certificate), json: arguments.has("json"),
      text: """
        final: the transfer is applied, or will be, at every correct member
        transfer \(identifier)
        from     \(transfer.account), number \(transfer.sequence)
        \(lines.joined(separator: "\n"))
        """)
  }
}

/// Getting a certificate from a node.
private enum CertificateCommand {
  /// More than any certificate has: 32,768 members' signatures.
  static let byteLimit = 8 << 20

  static func fetch(_ arguments: Arguments) throws(CommandError) {
    guard let operand = arguments.operands.first else {
      throw .usage("`starling certificate` needs ID, the transfer's identifier, or --verify FILE.")
    }
    let identifier = try Arguments.identifier(operand)
    let genesis = try arguments.genesis()
    let reading = try LedgerReading(arguments)
    let text = try explaining { try reading.client.certificate(identifier) }
    let certificate = try explaining { try Certificate(parsing: text) }
    guard certificate.transfer.transfer.number == identifier else {
      throw .failed(
        "The node at \(reading.client.address) gave the certificate of another transfer: ask another node.")
    }
    // Whoever has the genesis need not believe the node.
    if let genesis { try explaining { try certificate.verify(by: genesis) } }
    let output = try Output(arguments)
    if arguments.has("json") {
      try output.write(line: json(certificate).text(indented: true))
    } else {
      // Written anew: what a stranger's comments hold is not for a terminal.
      try output.write(Array(certificate.text.utf8))
    }
  }

  static func json(_ certificate: Certificate) -> JSONValue {
    let transfer = certificate.transfer.transfer
    return .object([
      ("id", .string(certificate.transfer.transfer.number.description)),
      ("ledger", .string(certificate.ledger.description)), ("account", .string(transfer.account.description)),
      ("sequence", .unsigned(transfer.sequence)), ("total", .string(String(transfer.total ?? 0))),
      ("destinations", .array(transfer.destinations.map { LedgerDestination($0).json })),
      ("memo", .string(String(decoding: transfer.memo, as: UTF8.self))),
      ("signers", .array(certificate.signatures.keys.sorted().map { .string($0.description) })),
      ("certificate", .string(certificate.text)),
    ])
  }
}

extension LedgerEntry {
  fileprivate var json: JSONValue {
    .object([
      ("position", .unsigned(position)), ("id", .string(id)), ("direction", .string(direction.rawValue)),
      ("account", .string(account)), ("sequence", .unsigned(sequence)),
      ("amount", .string(amount.description)),
      ("destinations", .array(destinations.map(\.json))), ("memo", .string(memo)),
      ("balance", .string(balance.description)),
    ])
  }

  fileprivate var line: String {
    let other =
      direction == .in
      ? "from \(account.prefix(16))"
      : "to \(destinations.map { $0.account.prefix(16) }.joined(separator: ", "))"
    let sign = direction == .in ? "+" : "-"
    return printable(
      "\(id.prefix(16))  \(sign)\(amount)  \(other)  holds \(balance)" + (memo.isEmpty ? "" : "  \(memo)"))
  }
}
