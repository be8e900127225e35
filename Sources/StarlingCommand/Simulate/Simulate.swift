import Glibc
import StarlingCore
import StarlingSimulator

/// Runs a simulation and writes its report.
///
/// - Parameters:
///   - options: what to simulate.
///   - output: where the report goes, as JSON or text.
func simulate(_ options: SimulateOptions, output: Output) throws(CommandError) {
  let scenario = BroadcastScenario(options)
  guard scenario.capacity <= BroadcastScenario.peerLimit else {
    throw .usage(
      "--churn brings the peers to \(scenario.capacity), where a simulation has room for"
        + " \(BroadcastScenario.peerLimit): make it weaker or shorter.")
  }
  // Opened first, so that a long run does not end in finding that its page cannot be written.
  var page: Output?
  if let path = options.report { page = try Output(path: path) }
  var graph: Output?
  if let path = options.graph { graph = try Output(path: path) }
  var bar = Progress()
  let start = ContinuousClock().now
  let report = scenario.run { bar.report($0) }
  bar.finish()
  let cost = BroadcastReport.Cost(since: start)
  try output.write(report.json(cost: cost), json: options.json, text: report.text(cost: cost))
  if scenario.isChecked, options.json, let line = report.verdict { Messages.write(line: line) }
  if let page { try page.write(Array(report.page(commandLine: commandLine()).html().utf8)) }
  if let graph, let path = options.graph {
    let living = report.living
    let text = graphText(
      for: path, living.graph, tree: living.tree, message: report.messageName, peers: living.peers,
      seed: options.seed)
    try graph.write(Array(text.utf8))
  }
  if let first = report.violations.first {
    throw .failed("A promise was broken, \(first.description); replay with: \(commandLine())")
  }
}

/// The command as it can be typed again.
func commandLine() -> String {
  let plain = { (text: String) in
    !text.isEmpty && text.allSatisfy { $0.isLetter || $0.isNumber || "-_./:,%@=+".contains($0) }
  }
  let arguments = CommandLine.arguments.dropFirst().map { plain($0) ? $0 : "'\($0)'" }
  return (["starling"] + arguments).joined(separator: " ")
}

/// An overlay in the form that a file's name asks for: GraphML, a drawing, or else DOT.
func graphText(
  for path: String, _ graph: DirectedGraph, tree: RootedTree?, message: String, peers: DrawnPeers,
  seed: UInt64
) -> String {
  if path.hasSuffix(".graphml") { return graph.graphML(peers: peers) }
  if path.hasSuffix(".svg") {
    return OverlayDrawing(graph: graph, tree: tree, message: message, peers: peers, seed: seed)
      .svg(standalone: true)
  }
  return graph.dot(peers: peers)
}

extension Progress {
  /// Says how far a simulation is: how much of its virtual time is over, and in how many events.
  mutating func report(_ run: BroadcastScenario.Progress) {
    let isOver = run.phase == "done"
    let share = isOver ? 1 : run.simulated.inSeconds / max(run.total.inSeconds, 1e-9)
    let total = Progress.time(run.total.inSeconds)
    let events = Quantity.count(Int(clamping: run.events), "event")
    report(
      "simulating", Int(min(share, 1) * 1_000), of: 1_000,
      counts: isOver
        ? "\(total) simulated, \(events)"
        : "\(Progress.time(run.simulated.inSeconds)) of \(total) simulated, \(events), \(run.phase)",
      isOver: isOver)
  }

  /// A length of time in seconds, or from ten minutes on in the larger units.
  private static func time(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded(.down))
    if whole < 600 { return "\(whole) s" }
    if whole < 36_000 { return "\(whole / 60) min" }
    return "\(Quantity.grouped(whole / 3_600)) h \(whole / 60 % 60) min"
  }
}

extension BroadcastScenario {
  init(_ options: SimulateOptions) {
    self.init()
    nodes = options.nodes
    messages = options.messages
    senders = options.senders
    payload = options.payloadBytes
    extraCopies = options.extraCopies
    broadcast =
      switch options.broadcast {
      case .tree: .tree(pruneThreshold: options.pruneThreshold)
      case .flood: .flood
      case .gossip: .gossip(fanout: options.fanout)
      case .rings: .rings(arity: options.arity)
      }
    overlay = options.overlay == .rings ? .rings : .scamp
    rings = options.rings
    delay = options.delay
    loss = options.loss
    joinRate = options.joinRate
    settle = options.settle
    interval = options.interval
    drain = options.drain
    crash = options.crash.map { crash in
      switch crash.moment {
      case .at(let after): .once(share: crash.share, after: after)
      case .broadcast: .atEachBroadcast(share: crash.share)
      }
    }
    faults = options.faults
    hours = options.hours
    byzantine = options.byzantine
    adversary = options.adversary
    isChecked = options.isChecked
    seed = options.seed
  }
}

extension BroadcastReport.Cost {
  /// What this process has used since it began.
  init(since start: ContinuousClock.Instant) {
    var usage = rusage()
    // RUSAGE_SELF is 0; it is imported as a type that the function does not take.
    getrusage(0, &usage)
    let cpu = [usage.ru_utime, usage.ru_stime].reduce(0) {
      $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6
    }
    let wall = (ContinuousClock().now - start).components
    self.init(
      cpuSeconds: cpu, wallSeconds: Double(wall.seconds) + Double(wall.attoseconds) / 1e18,
      peakBytes: usage.ru_maxrss * 1_024)
  }
}
