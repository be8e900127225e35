import Glibc
import StarlingCore

extension Verb {
  /// `starling up`
  static let up = Verb(
    "up", "start a network of real nodes on this machine, and broadcast files over it",
    options: [
      Option("nodes", "N", "how many node processes (default 32)"),
      Option(
        "broadcast", "FILE",
        "a file to broadcast from a random node; or how: tree, secure, consistent, bracha or auto",
        repeats: true),
      Option(
        "guest", "PROGRAM", "with a secure broadcast: a program of yours that takes part as one more member",
        repeats: true),
      .flag("ledger", "keep a ledger with some demonstration accounts: a payment network (default 4 nodes)"),
      Option("posts", "N", "with a secure broadcast: broadcast N posts and measure (default 0)"),
      Option(
        "batch", "N", "how many posts travel together (default 1024); again for another measurement",
        repeats: true),
      Option("delay", "MODEL", "hold every datagram back (default not at all)"),
      Option("loss", "SHARE", "lose this share of the datagrams (default 0)"),
      .flag("once", "stop when every node holds every file"),
      Option("timeout", "TIME", "give up connecting or broadcasting after this long (default 5min)"),
      Option(
        "interval", "TIME",
        "publish the next file after this long (default: when all have it; 1s with faults)"),
      Option("kill", "N@TIME", "end N nodes by force (kill -9), TIME after the first file", repeats: true),
      Option(
        "restart", "N@TIME", "start N of the killed nodes again, with what they had on disk", repeats: true),
      Option("stop", "N@FROM..TO", "let N nodes stand still (SIGSTOP) for that time", repeats: true),
      .flag("settle", "with faults: leave the network alone for 75 s before its memory is measured"),
      .seed, .json, .out,
      Option("report", "FILE", "write an HTML page with drawings of the overlay and the tree"),
      Option("graph", "FILE", "write the overlay as FILE.dot, .graphml or, drawn, .svg"),
    ] + SecureNodeOptions.safety,
    notes: """
      Every node is a process of its own and joins through a random earlier one. Without --once the
      network stays up until it is interrupted, and can be talked to with publish and watch.
      Delay models: constant:50ms, uniform:20ms,80ms, gaussian:50ms,10ms, lognormal:60ms,0.5
      (median, sigma), matrix:FILE (round trips in milliseconds).
      With faults, such as --kill 10@5s --restart 5@10s --stop 3@8s..38s, files are published at nodes
      that nothing befalls, and every node that was not killed must get every file.
      With --broadcast secure, consistent, bracha or auto the nodes run a broadcast that liars cannot
      split (docs/guide-secure.md); their list of members is in the network's folder. A guest is started
      with --members FILE --identity FILE --listen ADDR:PORT --broadcast NAME.
      """
  ) { arguments throws(CommandError) in
    let options = try UpOptions(arguments)
    let output = try Output(arguments)
    let report = try options.report.map { path throws(CommandError) in try Output(path: path) }
    let graph = try options.graph.map { path throws(CommandError) in try Output(path: path) }
    Interruption.watch()
    // What cannot be done is found out before anything is started.
    _ = try FaultInjector(options.faults, nodes: options.nodes, seed: options.seed)
    if let summary = options.secureSummary { Messages.write(line: "\(summary).") }
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
    try stay(network, result, isSecure: options.secure.isSecure)
  }

  /// Broadcasts the files and measures what came of it.
  private static func broadcast(
    _ options: UpOptions, over network: LocalNetwork, _ progress: inout Progress
  ) throws(CommandError) -> NetworkResult {
    var files: [NetworkResult.File] = []
    var outcome: FileStream.Outcome?
    if options.interval != nil, !options.files.isEmpty {
      let injector = try FaultInjector(options.faults, nodes: options.nodes, seed: options.seed)
      var stream = FileStream(try FileBroadcast(network, timeout: options.timeout), options, injector)
      let result = try stream.run(options.files, settles: options.settles, &progress)
      files = result.files
      outcome = result
    } else if !options.files.isEmpty {
      let broadcast = try FileBroadcast(network, timeout: options.timeout)
      for path in options.files { files.append(try broadcast.broadcast(path, &progress)) }
      // Chunks that come a second time may still be on their way when the last node has its file.
      usleep(500_000)
    }
    let sent = try network.counter(options.secure.isSecure ? "batch_messages_sent" : "chunk_messages_sent")
    var posts: [PostMeasurement] = []
    if options.posts > 0 {
      var stream = try PostStream(network, options)
      posts = try stream.run(&progress)
    }
    var result = NetworkResult(
      views: try network.views(), names: network.nodes.map(\.listen.description), files: files,
      payloadMessagesPerNode: sent, faults: outcome, numbers: network.nodes.map(\.index))
    result.posts = posts
    return result
  }

  /// Leaves the network up until the user interrupts.
  private static func stay(
    _ network: LocalNetwork, _ result: NetworkResult, isSecure: Bool
  ) throws(CommandError) {
    guard let first = network.nodes.first, let last = network.nodes.last else { return }
    let posting =
      isSecure
      ? "\n  starling watch --posts --control \(first.client.address)"
        + "\n  starling post FILE --control \(last.client.address)" : ""
    let paying =
      network.ledger.map { ledger in
        """

          starling pay --dir \(ledger.wallet) --genesis \(ledger.genesis) --node \(first.client.address) --from alice --to bob --amount 30 --wait
          starling balance bob --dir \(ledger.wallet) --node \(last.client.address)
        Look at the ledger, and pay, in a browser: http://\(first.client.address)/
        """
      } ?? ""
    Messages.write(line: "\(result.text)\n")
    Messages.write(
      line: """
        The network is up; its files are in \(network.folder). Talk to it from another terminal, for example
          starling watch --control \(first.client.address)
          starling publish FILE --control \(last.client.address)\(posting)\(paying)
        Stop it with Ctrl-C.
        """)
    var monitor = NetworkMonitor(network)
    try monitor.run()
    Messages.write(line: "Stopping \(Quantity.count(network.nodes.count, "node")).")
  }
}
