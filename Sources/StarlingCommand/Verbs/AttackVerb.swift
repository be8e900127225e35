extension Verb {
  /// `starling simulate attack`
  static let simulateAttack = Verb(
    "simulate attack", "count how often an attack on a secure broadcast succeeds, beside the bound",
    options: [
      Option("nodes", "N", "how many processes there are (default 1000)"),
      Option("byzantine", "SHARE", "how many of them lie, below a third (default 0)"),
      Option(
        "adversary", "NAME", "what those do: \(AttackOptions.adversaries)"),
      Option("broadcast", "NAME", "secure (default), consistent, bracha or auto"),
      Option("runs", "K", "attacks, each on samples drawn for it (default 100)"),
      .flag(
        "estimate",
        "draw what the samples come to, and send no messages: a million attacks in seconds to minutes"),
      Option("jobs", "N", "so many attacks at once (default: one a core)"),
    ] + SecureOptions.options + [.seed, .json, .out],
    notes: """
      Without --estimate every message of every attack is sent in a simulated network. Both count the
      attacks that broke consistency, totality and, where the sender is correct, validity.
      A bound belongs to one broadcast; the interval holds its true probability with 95%.
      """
  ) { arguments throws(CommandError) in
    let options = try AttackOptions(arguments)
    try attack(options, output: try Output(arguments))
  }
}
