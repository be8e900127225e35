extension Verb {
  /// `starling up`
  static let up = Verb(
    "up", "start a network of real nodes on this machine, and broadcast files over it",
    options: [
      Option("nodes", "N", "how many node processes (default 32)"),
      Option("broadcast", "FILE", "a file to broadcast from a random node", repeats: true),
      Option("delay", "MODEL", "hold every datagram back (default not at all)"),
      Option("loss", "SHARE", "lose this share of the datagrams (default 0)"),
      .flag("once", "stop when every node holds every file"),
      Option("timeout", "TIME", "give up connecting or broadcasting after this long (default 2min)"),
      .seed, .json, .out,
      Option("report", "FILE", "write an HTML page with drawings of the overlay and the tree"),
    ],
    notes: """
      Every node is a process of its own and joins through a random earlier one. Without --once the
      network stays up until it is interrupted, and can be talked to with publish and watch.
      Delay models: constant:50ms, uniform:20ms,80ms, gaussian:50ms,10ms, lognormal:60ms,0.5
      (median, sigma), matrix:FILE (round trips in milliseconds).
      """
  ) { arguments throws(CommandError) in
    let options = try UpOptions(arguments)
    throw .failed("not yet \(options.nodes)")
  }
}
