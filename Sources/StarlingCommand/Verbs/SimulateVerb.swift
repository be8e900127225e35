extension Verb {
  /// `starling simulate`
  static let simulate = Verb(
    "simulate", "run the same protocols on simulated peers, in virtual time",
    options: [
      Option("nodes", "N", "how many peers (default 1000)"),
      Option("messages", "N", "how many messages are broadcast (default 100)"),
      Option("senders", "N", "how many peers send them in turn (default 1)"),
      Option("payload", "SIZE", "bytes in a message (default 1024)"),
      Option("overlay", "NAME", "who knows whom: scamp (default) or rings (unfinished)"),
      Option("ring-size", "MIN..MAX", "how many members a ring has (default 10..20)"),
      Option("contacts", "N", "how many contacts a ring has (default 3)"),
      Option("k", "N", "the width of the trees through rings, or random (default)"),
      Option("scamp-c", "N", "extra copies of a subscription in SCAMP (default 1)"),
      Option(
        "broadcast", "NAME", "tree (default), flood, gossip or rings; secure, consistent, bracha or auto"),
      Option("fanout", "N", "neighbours that gossip forwards to (default 3)"),
      Option("prune-threshold", "N", "duplicates in a row that prune a link of the tree (default 1)"),
      Option("delay", "MODEL", "of every message on a link (default gaussian:50ms,10ms)"),
      Option("geography", "NAME", "delays from where peers are, in place of --delay: world, or matrix:FILE"),
      Option("loss", "SHARE", "of the messages on every link (default 0)"),
      Option("interval", "TIME", "between two messages (default 1s)"),
      Option("join-rate", "RATE", "peers that join a second (default 1000)"),
      Option("settle", "TIME", "between the last join and the first message (default 60s)"),
      Option("drain", "TIME", "after the last message (default 60s)"),
      Option(
        "crash", "SHARE@WHEN",
        "a share of the peers crashes: 50%@60s, that long after the first message; 30%@broadcast, anew with"
          + " every message"),
    ] + FaultOptions.options + SecureOptions.options + [SecureOptions.spamOption] + ChaosOptions.options + [
      .flag("check", "hold the run to what is promised once all is calm; leave time for it with --drain"),
      .seed, .json, .out,
      Option("report", "FILE", "write an HTML page with plots and drawings"),
      Option("graph", "FILE", "write the overlay at the end as FILE.dot, .graphml or, drawn, .svg"),
    ],
    notes: """
      Delay models: constant:50ms, uniform:20ms,80ms, gaussian:50ms,10ms, lognormal:60ms,0.5
      (median, sigma), matrix:FILE (round trips in milliseconds).
      Under --geography world each peer is in a large city, and messages take the longer the farther
      they go.
      Faults begin and end at times after the first message; without times, they act from the moment the
      overlay has settled to the end. Each fault may be given more than once.
      The same options and seed give the same report, but for the times it took.
      """
  ) { arguments throws(CommandError) in
    if arguments.has("chaos") {
      let options = try ChaosOptions(arguments)
      return try chaos(options, output: try Output(arguments))
    }
    for name in ["runs", "jobs"] where arguments.text(name) != nil {
      throw .usage("--\(name) goes with --chaos: give both or neither.")
    }
    if SecureOptions.isMeant(arguments) {
      return try starling.simulate(try SecureOptions(arguments), output: try Output(arguments))
    }
    try SecureOptions.refuse(in: arguments)
    let options = try SimulateOptions(arguments)
    let output = try Output(arguments)
    try starling.simulate(options, output: output)
  }
}
