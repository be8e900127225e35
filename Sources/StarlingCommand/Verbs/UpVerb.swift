import Glibc

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
      Option("timeout", "TIME", "give up connecting or broadcasting after this long (default 5min)"),
      .seed, .json, .out,
      Option("report", "FILE", "write an HTML page with drawings of the overlay and the tree"),
      Option("graph", "FILE", "write the overlay as FILE.dot, .graphml or, drawn, .svg"),
    ],
    notes: """
      Every node is a process of its own and joins through a random earlier one. Without --once the
      network stays up until it is interrupted, and can be talked to with publish and watch.
      Delay models: constant:50ms, uniform:20ms,80ms, gaussian:50ms,10ms, lognormal:60ms,0.5
      (median, sigma), matrix:FILE (round trips in milliseconds).
      """
  ) { arguments throws(CommandError) in
    let options = try UpOptions(arguments)
    let output = try Output(arguments)
    let report = try options.report.map { path throws(CommandError) in try Output(path: path) }
    let graph = try options.graph.map { path throws(CommandError) in try Output(path: path) }
    Interruption.watch()
    let network = try LocalNetwork(options)
    defer { network.stop() }
    var progress = Progress()
    defer { progress.finish() }
    try network.start(&progress)
    try network.waitUntilConnected(&progress)
    let result = try broadcast(options, over: network, &progress)
    progress.finish()
    if let report { try report.write(Array(result.page(commandLine: commandLine()).html().utf8)) }
    if let graph, let path = options.graph {
      try graph.write(Array(result.graphText(for: path, seed: options.seed).utf8))
    }
    if options.once || options.json { try output.write(result.json, json: options.json, text: result.text) }
    if options.once || !result.isDelivered { return try result.check() }
    try stay(network, result)
  }

  /// Broadcasts the files and measures what came of it.
  private static func broadcast(
    _ options: UpOptions, over network: LocalNetwork, _ progress: inout Progress
  ) throws(CommandError) -> NetworkResult {
    var files: [NetworkResult.File] = []
    if !options.files.isEmpty {
      let broadcast = try FileBroadcast(network, timeout: options.timeout)
      for path in options.files { files.append(try broadcast.broadcast(path, &progress)) }
      // Chunks that come a second time may still be on their way when the last node has its file.
      usleep(500_000)
    }
    let sent = try network.counter("chunk_messages_sent")
    return NetworkResult(
      views: try network.views(), names: network.nodes.map(\.listen.description), files: files,
      payloadMessagesPerNode: sent)
  }

  /// Leaves the network up until the user interrupts.
  private static func stay(_ network: LocalNetwork, _ result: NetworkResult) throws(CommandError) {
    guard let first = network.nodes.first, let last = network.nodes.last else { return }
    Messages.write(line: "\(result.text)\n")
    Messages.write(
      line: """
        The network is up; its files are in \(network.folder). Talk to it from another terminal, for example
          starling watch --control \(first.client.address)
          starling publish FILE --control \(last.client.address)
        Stop it with Ctrl-C.
        """)
    var monitor = NetworkMonitor(network)
    try monitor.run()
    Messages.write(line: "Stopping \(network.nodes.count) nodes.")
  }
}
