import StarlingCore
import StarlingSimulator

extension BroadcastReport {
  /// The report for people.
  func text(cost: Cost) -> String {
    func figure(_ value: Double?, _ decimals: Int) -> String {
      value.map { Readable.decimal($0, decimals) } ?? "-"
    }
    let views = Distribution(viewSizes)
    let sent = Distribution(messagesPerNode)
    var lines = [
      "\(peopleText), \(Quantity.count(scenario.messages, "message")) by \(scenario.broadcast.name) over"
        + " \(scenario.overlay == .scamp ? "SCAMP (c = \(scenario.extraCopies))" : "rings"), seed \(scenario.seed)",
      "reliability    \(figure(reliability, 6)), least \(figure(reliabilityMinimum, 6))",
      "redundancy     \(figure(redundancy, 4)), first message \(figure(redundancyFirst, 2))",
      "latency        p50 \(figure(liveLatencies.percentile(50)?.inMilliseconds, 1)) ms,"
        + " p99 \(figure(liveLatencies.percentile(99)?.inMilliseconds, 1)) ms,"
        + " \(figure(lastDeliveryHop, 1)) hops to the last",
    ]
    if catchUps.count > 0 {
      lines.append(
        "catch-up       \(Quantity.count(Int(clamping: catchUps.count), "delivery", "deliveries")) to peers that came"
          + " after the sending, p50 \(figure(catchUps.percentile(50)?.inSeconds, 1)) s; not in the latency")
    }
    lines += [
      "partial views  mean \(figure(views?.mean, 2)) (law \(figure(viewLaw, 2))),"
        + " p1 \(figure(views?.p1, 0)), least \(figure(views?.min, 0)), most \(figure(views?.max, 0))",
      "components     \(components), strong \(strongComponents)",
      "sent per peer  mean \(figure(sent?.mean, 1)), p99 \(figure(sent?.p99, 0)), most \(figure(sent?.max, 0))",
    ]
    if missed > 0 {
      lines.append(
        "missed         \(Quantity.grouped(missed)) times a peer was told of a message that nobody could give it"
      )
    }
    if scenario.isChecked { verdict.map { lines.append("promises       \($0)") } }
    lines += cautions.map { "note           \($0)" }
    lines.append(
      "\(Quantity.count(Int(clamping: events), "event")) in \(figure(cost.cpuSeconds, 1)) s of processor time, "
        + "\(figure(Double(events) / max(cost.cpuSeconds, 1e-9) / 1e6, 2)) million a second")
    return lines.joined(separator: "\n")
  }

  private var peopleText: String {
    let peers = Quantity.count(scenario.nodes, "peer")
    let adversaries = isAdversary.count { $0 }
    if adversaries == 0 { return peers }
    return
      "\(peers), \(Quantity.grouped(adversaries)) of them \(adversaries == 1 ? "an adversary" : "adversaries")"
      + " (\(scenario.adversary.rawValue))"
  }

  /// What to know before the figures are read, in sentences.
  private var cautions: [String] {
    var cautions: [String] = []
    if unsent > 0 {
      cautions.append(
        "\(Quantity.grouped(unsent)) of \(Quantity.count(scenario.messages, "message")) never left, because their sender"
          + " had crashed or gone: more --senders make it likely that some live.")
    }
    let lasting = timeline.filter { $0.end == nil && $0.fault.end != nil }.map(\.fault.kind.name)
    for name in Set(lasting).sorted() {
      cautions.append(
        "The run ended before the fault --\(name) did: a longer --drain shows what comes after it.")
    }
    if case .atEachBroadcast = scenario.crash {
      cautions.append(
        "Every message was the first of a trial of its own, and a tree's first message goes over all links.")
    }
    return cautions
  }

  /// That what was promised holds, and what that was; `nil` if a promise was broken.
  var verdict: String? {
    guard violations.isEmpty else { return nil }
    let names = checkedPromises.map(\.rawValue).joined(separator: ", ")
    return "checked and held: \(names)"
  }

  /// What drawings call the message whose way they show.
  var messageName: String { scenario.messages == 1 ? "the message" : "the last message" }

  /// The tree that the last message took.
  private var tree: RootedTree? {
    trace.parents.isEmpty
      ? nil : trace.root.flatMap { RootedTree(root: Int($0.index), parents: trace.parents) }
  }

  /// The overlay and the tree of those peers alone that live, adversaries among them, with their numbers: thousands
  /// that came and went would hide the others.
  var living: (graph: DirectedGraph, tree: RootedTree?, peers: DrawnPeers) {
    let all = overlayWithAdversaries ?? overlay
    let whole = DrawnPeers(adversaries: isAdversary)
    guard isPresent.contains(false) else { return (all, tree, whole) }
    let (graph, originals) = all.induced(on: isPresent)
    var peers = DrawnPeers(numbers: originals)
    if isAdversary.contains(true) { peers.adversaries = originals.map(whole.isAdversary) }
    return (graph, tree.flatMap { $0.contracted(to: originals) }, peers)
  }

  /// The page with plots and drawings.
  func page(commandLine: String) -> ReportPage {
    let living = living
    var report = OverlayReport(
      title: "A murmuration of \(Quantity.grouped(scenario.nodes))", commandLine: commandLine,
      graph: living.graph)
    report.peers = living.peers
    report.message = messageName
    report.subtitle =
      "\(Quantity.count(scenario.messages, "message")) by \(scenario.broadcast.name) over"
      + " \(scenario.overlay == .scamp ? "SCAMP" : "rings"), simulated with delays"
      + " \(scenario.delay.description) and "
      + (scenario.loss > 0 ? "\(Readable.decimal(scenario.loss * 100, 1))% loss" : "no loss")
    report.summary = figures
    if let sender = trace.root { report.messageNote = "Peer \(sender.index) sent it\(turn)." }
    report.tree = living.tree
    let addressees = isJudged.indices.filter { isJudged[$0] && $0 != trace.root.map { Int($0.index) } }
    report.addressees = addressees.count
    if !trace.parents.isEmpty {
      report.deliveryTimes = addressees.compactMap { trace.milliseconds[$0] }
      report.hops = addressees.compactMap { trace.hops[$0] }
    }
    report.timeline = faultTimeline
    report.viewSizes = viewSizes
    report.viewSizeLaw = (viewLaw, "(c+1)·ln N")
    report.viewNote = viewNote
    report.messagesPerPeer = messagesPerNode
    report.seed = scenario.seed
    if let tree, let drawn = living.tree, tree.reached > drawn.reached {
      report.notes.append(
        "Peers that passed the message on and no longer live are not drawn; branches lead past them.")
    }
    report.notes += cautions
    if scenario.isChecked, let verdict { report.notes.append("Promises \(verdict).") }
    report.notes += violations.prefix(3).map { "Broken promise: \($0.description)." }
    return report.page()
  }

  /// Whose views are counted, and which N the law is of.
  private var viewNote: String {
    let count = Quantity.count(lawNodes, "peer")
    guard isAdversary.contains(true) else { return "Its N is the \(count) that live at the end." }
    return
      "Counted are the views of correct peers, with the adversaries in them; the law's N is the \(count) that"
      + " live at the end, adversaries among them."
  }

  /// When the last message left.
  private var turn: String {
    guard scenario.messages > 1 else { return "" }
    return ", the last of \(Quantity.grouped(scenario.messages)); \(Quantity.count(addressees, "peer"))"
      + " \(addressees == 1 ? "was a member" : "were members") from then to the end and should have it"
  }

  private var addressees: Int {
    isJudged.indices.count { isJudged[$0] && $0 != trace.root.map { Int($0.index) } }
  }

  /// The figures at the top of the page.
  private var figures: [ReportFigure] {
    let adversaries = isAdversary.count { $0 }
    var figures = [
      ReportFigure("Peers at the end", count: isPresent.count { $0 }, detail: comings),
      ReportFigure(
        "Reliability", Readable.decimal(reliability * 100, 2) + "%",
        detail: "of the peers that should have a message do, mean over all messages"),
      ReportFigure(
        "Redundancy", redundancy.map { Readable.decimal($0, 3) } ?? "–",
        detail: "copies with payload per delivery, minus 1"),
      ReportFigure(
        "Median latency",
        liveLatencies.percentile(50).map {
          ReportFigure("", number: $0.inMilliseconds, decimals: 0, unit: "ms").value
        }
          ?? "–", detail: deliveries),
      ReportFigure("Components", count: components, detail: "of the overlay at the end"),
    ]
    if adversaries > 0 {
      figures.append(
        ReportFigure(
          "Adversaries", count: adversaries,
          detail: "of kind \(scenario.adversary.rawValue), in no other figure but the first"))
    }
    return figures
  }

  private var comings: String {
    let crashed = scenario.nodes + joined - departed - isPresent.count { $0 }
    var parts = ["\(Quantity.grouped(scenario.nodes)) at first"]
    if joined > 0 { parts.append("\(Quantity.grouped(joined)) came") }
    if departed > 0 { parts.append("\(Quantity.grouped(departed)) went") }
    if crashed > 0 { parts.append("\(Quantity.grouped(crashed)) crashed") }
    return parts.joined(separator: ", ")
  }

  private var deliveries: String {
    let live = Quantity.count(Int(clamping: liveLatencies.count), "delivery", "deliveries")
    let messages = scenario.messages == 1 ? "" : " of all messages"
    if catchUps.count == 0 { return live + messages }
    return
      "\(live)\(messages), without \(Quantity.grouped(Int(clamping: catchUps.count))) to peers that came later"
  }
}
