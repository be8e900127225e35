import StarlingCore
import StarlingLedger
import StarlingRuntime

extension Verb {
  /// `starling pay`
  static let pay = Verb(
    "pay", "pay from an account of the wallet",
    options: [
      Option("to", "ACCOUNT", "who is paid: a key, or a name in the wallet", repeats: true),
      Option("amount", "N", "how much, in the smallest unit; one for each --to", repeats: true),
      Option("memo", "TEXT", "a note for those who are paid, which everybody can read"),
      Option("from", "NAME", "who pays (default: the wallet's only account, or `default`)"),
      .nodes, .genesis, .wallet,
      .flag("wait", "wait until the transfer is final"),
      Option("timeout", "TIME", "how long to try to send it, and then to wait (default 30s)"),
      .flag("resend", "pay nobody: send what the account signed and is not final"), .json, .out,
    ],
    notes: """
      What is signed is written down before it is sent, and the account's next `starling pay` sends it
      if this one could not: whatever happens, no number is signed twice. Without --genesis the node
      is believed about the ledger when the wallet asks it first, and must name the same one after.
      With several nodes the payment relies on the least that any of them says the account holds.
      The exit code is 0 when a node took the transfer, or with --wait when it is final.
      """
  ) { arguments throws(CommandError) in
    let genesis = try arguments.genesis()
    let timeout =
      try arguments.duration("timeout", in: .milliseconds(1)...Quantity.longestDuration) ?? .seconds(30)
    let clients = try arguments.ledgerClients(within: timeout)
    let destinations = try PaymentOptions.destinations(arguments)
    let memo = Array((arguments.text("memo") ?? "").utf8)
    guard memo.count <= Transfer.memoByteLimit else {
      throw .usage("--memo: \(TransferFault.memoTooLong.sentence)")
    }
    let wallet = try arguments.wallet()
    let output = try Output(arguments)
    let owner = try explaining { try wallet.owner(of: try arguments.text("from") ?? wallet.defaultName()) }
    let payer = try explaining { try Payer(wallet, clients: clients, genesis: genesis?.hash).telling() }
    let payment = try destinations.map { destinations throws(CommandError) in
      try explaining { try payer.sign(destinations, memo: memo, by: owner) }
    }
    let sent = try explaining { try payer.send(of: owner.publicKey, within: timeout) }
    for overtaken in sent where overtaken.isOvertaken {
      Messages.write(
        line:
          "note: Number \(overtaken.transfer.transfer.sequence) of the account is used, and the node does not know transfer"
          + " \(overtaken.id), which this wallet signed under it: use one copy of a wallet alone.")
    }
    if arguments.has("wait") {
      for waiting in sent where waiting.state != .final && !waiting.isOvertaken {
        let reason = try explaining { try payer.wait(for: waiting, within: timeout) }
        if let reason {
          let end = reason.hasSuffix(".") ? "" : "."
          throw .failed("\(reason)\(end) It is kept; `starling pay --resend --wait` sends it again.")
        }
      }
    }
    let result = PaymentResult(
      payment: payment, sent: sent, isFinal: arguments.has("wait"), ledger: payer.ledger)
    try output.write(result.json, json: arguments.has("json"), text: result.text)
  }
}

/// What `starling pay` was asked to pay.
private enum PaymentOptions {
  /// The pairs of `--to` and `--amount`; `nil` with `--resend`.
  static func destinations(_ arguments: Arguments) throws(CommandError) -> [Transfer.Destination]? {
    let accounts = arguments.values("to")
    let amounts = try arguments.all("amount", Arguments.amount)
    if arguments.has("resend") {
      guard accounts.isEmpty, amounts.isEmpty, arguments.text("memo") == nil else {
        throw .usage("--resend pays nobody: leave --to, --amount and --memo out.")
      }
      return nil
    }
    guard !accounts.isEmpty else { throw .usage("Say who is paid with --to ACCOUNT --amount N.") }
    guard accounts.count == amounts.count else {
      throw .usage("--to and --amount go together: give an amount for each account, in the same order.")
    }
    guard accounts.count <= Transfer.destinationLimit else {
      throw .usage("--to: \(TransferFault.tooManyDestinations.sentence)")
    }
    guard
      amounts.dropFirst().reduce(
        (amounts[0], false),
        { sum, amount in
          let (next, overflow) = sum.0.addingReportingOverflow(amount)
          return (next, sum.1 || overflow)
        }
      ).1 == false
    else { throw .usage("--amount: \(TransferFault.overflow.sentence)") }
    var destinations: [Transfer.Destination] = []
    for (account, amount) in zip(accounts, amounts) {
      destinations.append(
        .init(account: try arguments.account(account.text, for: account.origin), amount: amount))
    }
    return destinations
  }
}

/// What came of a payment.
private struct PaymentResult {
  let payment: Payer.Payment?
  let sent: [Payer.Payment]
  /// Whether all was waited for.
  let isFinal: Bool
  let ledger: SHA256Digest

  private var others: [Payer.Payment] { sent.filter { $0.id != payment?.id } }

  private func state(of payment: Payer.Payment) -> LedgerTransferState {
    // What is not among the unfinished any more, because another process has seen to it, is final.
    guard let known = sent.first(where: { $0.id == payment.id }) else { return .final }
    return isFinal && !known.isOvertaken ? .final : known.state
  }

  var json: JSONValue {
    let resent = JSONValue.array(
      others.map {
        .object([("id", .string($0.id.description)), ("state", .string(state(of: $0).rawValue))])
      })
    guard let payment else { return .object([("ledger", .string(ledger.description)), ("resent", resent)]) }
    let transfer = payment.transfer.transfer
    return .object([
      ("id", .string(payment.id.description)), ("state", .string(state(of: payment).rawValue)),
      ("ledger", .string(ledger.description)), ("account", .string(transfer.account.description)),
      ("sequence", .unsigned(transfer.sequence)), ("funds", .string(String(transfer.funds))),
      ("total", .string(String(transfer.total ?? 0))),
      ("destinations", .array(transfer.destinations.map { LedgerDestination($0).json })),
      ("memo", .string(String(decoding: transfer.memo, as: UTF8.self))), ("resent", resent),
    ])
  }

  var text: String {
    var lines: [String] = []
    for other in others { lines.append("sent again, \(state(of: other).rawValue): \(other.id)") }
    if let payment {
      let transfer = payment.transfer.transfer
      lines.append(
        "paid \(transfer.total ?? 0) as number \(transfer.sequence), \(state(of: payment).rawValue)\ntransfer \(payment.id)"
      )
    } else if others.isEmpty {
      lines.append("Nothing waits to be sent: all that was signed is final.")
    }
    return lines.joined(separator: "\n")
  }
}

extension LedgerDestination {
  /// As the ledger's verbs print it.
  var json: JSONValue {
    .object([("account", .string(account)), ("amount", .string(amount.description))])
  }
}
