import Glibc
import StarlingCore
import StarlingLedger
import StarlingRuntime

extension Verb {
  /// `starling load`
  static let load = Verb(
    "load", "pay among accounts of the wallet at a given rate, and measure how long it takes",
    options: [
      .nodes, .genesis, .wallet,
      Option("accounts", "A", "how many accounts pay, 2 to 1000, called load-1 and so on (default 16)"),
      Option("rate", "R", "how many transfers a second (default 50)"),
      Option("seconds", "S", "for how long (default 10)"),
      Option("connections", "C", "how many transfers are waited for at once, 1 to 120 (default 16)"),
      Option("from", "NAME", "the account that gives the others what they lack before it begins"), .json,
      .out,
    ],
    notes: """
      Every transfer is of 1 unit, from one of the accounts to the next. An account needs as much as it
      pays: rate times seconds divided by accounts. The money stays in these accounts for the next run.
      A transfer's latency is the time from handing it in to the answer that it is final; `late_ms` is
      how long after its time it was handed in, because all connections were busy. Transfers are signed
      in the wallet like any other; what could not be sent in the end is sent by the next run.
      """
  ) { arguments throws(CommandError) in
    let options = try LoadOptions(arguments)
    let output = try Output(arguments)
    let report = try Load(options).run()
    try output.write(report.json, json: arguments.has("json"), text: report.text)
    if report.latencies.isEmpty {
      throw .failed("No transfer became final: see what the nodes say in their logs.")
    }
  }
}

/// What `starling load` was asked for.
struct LoadOptions {
  let clients: [LedgerClient]
  let genesis: SHA256Digest?
  let wallet: Wallet
  let accounts: Int
  let rate: Int
  let seconds: Int
  let connections: Int
  let from: String?

  init(_ arguments: Arguments) throws(CommandError) {
    clients = try arguments.ledgerClients()
    genesis = try arguments.genesis()?.hash
    accounts = try arguments.integer("accounts", in: 2...1_000, default: 16)
    rate = try arguments.integer("rate", in: 1...100_000, default: 50)
    seconds = try arguments.integer("seconds", in: 1...86_400, default: 10)
    connections = min(try arguments.integer("connections", in: 1...120, default: 16), accounts)
    from = arguments.text("from")
    wallet = try arguments.wallet()
  }

  /// What an account pays at most.
  var need: UInt64 { UInt64((rate * seconds + accounts - 1) / accounts) }
}
