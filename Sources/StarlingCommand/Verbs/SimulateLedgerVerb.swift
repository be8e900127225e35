extension Verb {
  /// `starling simulate ledger`
  static let simulateLedger = Verb(
    "simulate ledger", "pay among simulated accounts, some of whose owners and nodes cheat",
    options: [
      Option("nodes", "N", "how many nodes keep the ledger (default 4)"),
      Option("accounts", "N", "how many accounts there are (default 1000)"),
      Option("transfers", "N", "how many transfers honest owners make (default 10000)"),
      Option("rate", "N", "how many of them a second (default 1000)"),
      Option("byzantine", "SHARE", "how many nodes lie, and owners where owners cheat (default 0)"),
      Option("adversary", "NAME", "what those do: \(LedgerOptions.adversaries)"),
      Option("broadcast", "NAME", "auto (default), bracha or secure"),
      Option(
        "order", "NAME",
        "none (default): nobody orders transfers; leader: a leader orders all, to compare with"),
      Option(
        "tolerate", "SHARE",
        "how many liars thresholds allow for (default: --byzantine; leader: all they can)"),
      Option(
        "crash", "TIME", "when node 0 crashes, who leads first, after the first transfer (default never)"),
      Option("bandwidth", "SIZE", "bytes a second that leave a node (default no bound)"),
      Option("check-time", "TIME", "a node's time for each signature that it checks (default 0)"),
      Option("message-time", "TIME", "a node's time for each message that it takes in (default 0)"),
      Option("delay", "MODEL", "of every message on a link (default gaussian:50ms,10ms)"),
      Option("drain", "TIME", "after the last transfer (default 30s)"),
    ] + SecureOptions.options + [.seed, .json, .out],
    notes: """
      Books are kept on every transfer that a correct node applies, apart from the ledgers, and compared:
      nothing spent twice, nothing below zero, the same history everywhere. --order leader runs the same
      payments over a consensus (PBFT), where all wait for one leader.
      """
  ) { arguments throws(CommandError) in
    try starling.simulateLedger(try LedgerOptions(arguments), output: try Output(arguments))
  }
}
