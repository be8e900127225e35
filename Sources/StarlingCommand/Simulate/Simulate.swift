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
  let report = scenario.run { progress in
    bar.report(progress.phase + ", per cent", Int(progress.share * 100), of: 100)
  }
  bar.finish()
  let cost = BroadcastReport.Cost(since: start)
  try output.write(report.json(cost: cost), json: options.json, text: report.text(cost: cost))
  if let page { try page.write(Array(report.page(commandLine: commandLine()).html().utf8)) }
  if let graph, let path = options.graph {
    let text = graphText(for: path, report.overlay, tree: report.tree, seed: options.seed)
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
  for path: String, _ graph: DirectedGraph, tree: RootedTree?, names: [String] = [], seed: UInt64
) -> String {
  if path.hasSuffix(".graphml") { return graph.graphML(labels: names) }
  if path.hasSuffix(".svg") {
    return OverlayDrawing(graph: graph, tree: tree, names: names, seed: seed).svg(standalone: true)
  }
  return graph.dot(labels: names)
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
      }
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

extension BroadcastReport {
  /// The report for people.
  func text(cost: Cost) -> String {
    func figure(_ value: Double?, _ decimals: Int) -> String {
      value.map { Readable.decimal($0, decimals) } ?? "-"
    }
    let views = Distribution(viewSizes)
    let sent = Distribution(messagesPerNode)
    return [
      "\(scenario.nodes) peers, \(scenario.messages) messages by \(scenario.broadcast.name) over SCAMP"
        + " (c = \(scenario.extraCopies)), seed \(scenario.seed)",
      "reliability    \(figure(reliability, 6)), least \(figure(reliabilityMinimum, 6))",
      "redundancy     \(figure(redundancy, 4)), first message \(figure(redundancyFirst, 2))",
      "latency        p50 \(figure(latencies.percentile(50)?.inMilliseconds, 1)) ms,"
        + " p99 \(figure(latencies.percentile(99)?.inMilliseconds, 1)) ms,"
        + " \(figure(lastDeliveryHop, 1)) hops to the last",
      "partial views  mean \(figure(views?.mean, 2)) (law \(figure(viewLaw, 2))),"
        + " p1 \(figure(views?.p1, 0)), least \(figure(views?.min, 0)), most \(figure(views?.max, 0))",
      "components     \(components), strong \(strongComponents)",
      "sent per peer  mean \(figure(sent?.mean, 1)), p99 \(figure(sent?.p99, 0)), most \(figure(sent?.max, 0))",
      "\(events) events in \(figure(cost.cpuSeconds, 1)) s of processor time, "
        + "\(figure(Double(events) / max(cost.cpuSeconds, 1e-9) / 1e6, 2)) million a second",
    ].joined(separator: "\n")
  }

  /// The tree that the last message took.
  var tree: RootedTree? {
    trace.parents.isEmpty
      ? nil : trace.root.flatMap { RootedTree(root: Int($0.index), parents: trace.parents) }
  }

  /// The overlay and the tree of those peers alone that live, with their numbers: thousands that came and went
  /// would hide the others.
  private var living: (graph: DirectedGraph, tree: RootedTree?, names: [String]) {
    guard isLive.contains(false) else { return (overlay, tree, []) }
    let (graph, originals) = overlay.induced(on: isLive)
    var numbers = [Int?](repeating: nil, count: isLive.count)
    for (number, original) in originals.enumerated() { numbers[original] = number }
    let known = originals.allSatisfy { $0 < trace.parents.count }
    let parents = known ? originals.map { trace.parents[$0].flatMap { numbers[$0] } } : []
    let root = trace.root.flatMap { numbers[Int($0.index)] }
    let tree = known ? root.flatMap { RootedTree(root: $0, parents: parents) } : nil
    return (graph, tree, originals.map(String.init))
  }

  /// The page with plots and drawings.
  func page(commandLine: String) -> ReportPage {
    let living = living
    var report = OverlayReport(
      title: "A murmuration of \(scenario.nodes)", commandLine: commandLine, graph: living.graph)
    report.names = living.names
    report.subtitle =
      "\(scenario.messages) messages by \(scenario.broadcast.name) over SCAMP, simulated with "
      + "\(scenario.delay.description) and \(Readable.decimal(scenario.loss * 100, 1))% loss"
    report.summary = [
      ReportFigure("Reliability", Readable.decimal(reliability * 100, 2) + "%"),
      ReportFigure(
        "Redundancy", redundancy.map { Readable.decimal($0, 3) } ?? "–",
        detail: "payload messages / deliveries − 1"),
      ReportFigure(
        "Median latency",
        latencies.percentile(50).map { Readable.decimal($0.inMilliseconds, 0) + " ms" } ?? "–"),
      ReportFigure("Components", count: components),
    ]
    if let tree = living.tree {
      report.tree = tree
      report.deliveryTimes = trace.milliseconds.compactMap { $0 }
      report.hops = trace.hops.compactMap { $0 }
    }
    report.timeline = faultTimeline
    report.viewSizeLaw = (viewLaw, "(c+1)·ln N")
    report.messagesPerPeer = messagesPerNode
    report.seed = scenario.seed
    return report.page()
  }
}
