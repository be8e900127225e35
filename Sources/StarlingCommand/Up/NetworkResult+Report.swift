import StarlingCore
import StarlingSimulator

extension NetworkResult {
  /// How drawings call the nodes: by the numbers that they have in logs and results.
  var peers: DrawnPeers { DrawnPeers(noun: "node", numbers: numbers, names: names) }

  /// The file whose tree is drawn: the largest, which took the most chunks.
  private var drawn: File? { files.max { $0.bytes < $1.bytes } }

  /// The overlay in the form that a file's name asks for, with the tree that the largest file took.
  func graphText(for path: String, seed: UInt64) -> String {
    let tree = drawn.flatMap { RootedTree(root: $0.publisher, parents: $0.parents) }
    return starling.graphText(
      for: path, DirectedGraph(adjacency: views), tree: tree, message: drawn?.title ?? "the file",
      peers: peers,
      seed: seed)
  }

  /// The page of `--report`.
  func page(commandLine: String) -> ReportPage {
    let started = nodes + gone.count
    var report = OverlayReport(
      title: "A murmuration of \(Quantity.count(started, "node"))", commandLine: commandLine, views: views)
    report.peers = peers
    report.subtitle = "Real processes on one machine, each with its own UDP socket."
    report.messagesPerPeer = payloadMessagesPerNode
    report.loadUnit = "messages with chunks"
    let judged = judged
    if let file = drawn {
      report.message = file.title
      report.tree = RootedTree(root: file.publisher, parents: file.parents)
      report.addressees = judged.count { $0 != file.publisher }
      report.deliveryTimes = file.received(among: judged)
      report.messageNote =
        (files.count > 1 ? "It is the largest of \(Quantity.count(files.count, "file")). " : "")
        + "Times are those of the whole file, the tree is the one that its last chunk took."
        + (faults == nil ? "" : " Times are those of the survivors: the nodes that were not killed.")
    }
    report.summary = figures
    if !files.isEmpty { report.tables = [table] }
    if let faults, !faults.timeline.isEmpty {
      report.timeline = faults.drawing { $0.received(among: judged).max() }
      report.tables.append(faults.table)
      report.notes += faults.sentences
      report.notes.append(
        "Nodes keep their numbers: those that were killed and not started again are missing from the drawings."
      )
    }
    return report.page()
  }

  /// The numbers of the nodes that were killed and not started again.
  private var gone: [Int] {
    guard let faults else { return [] }
    let killed = faults.timeline.filter { $0.event == "killed" }.flatMap(\.nodes)
    return killed.filter { !numbers.contains($0) }
  }

  private var figures: [ReportFigure] {
    var figures = [ReportFigure("Nodes at the end", count: nodes, detail: fates)]
    guard !files.isEmpty else { return figures }
    figures += [
      ReportFigure(
        "Reliability", Readable.decimal(reliability * 100, 2) + "%",
        detail: "of the \(faults == nil ? "nodes" : "survivors") hold a file, mean over all files"),
      ReportFigure(
        "Redundancy", redundancy.map { Readable.decimal($0, 3) } ?? "–",
        detail: "messages with a chunk per chunk and node, minus 1"),
      ReportFigure(
        "Files", count: files.count, detail: Readable.size(files.map(\.bytes).reduce(0, +)) + " together"),
    ]
    return figures
  }

  /// What became of the nodes, in a few words.
  private var fates: String {
    guard let faults else { return "all that were started" }
    func count(_ event: String) -> Int {
      faults.timeline.filter { $0.event == event }.map(\.nodes.count).reduce(0, +)
    }
    let parts = ["killed", "restarted", "stopped"].compactMap { event in
      count(event) > 0 ? "\(count(event)) \(event == "stopped" ? "stopped for a time" : event)" : nil
    }
    return (["\(nodes + gone.count) started"] + parts).joined(separator: ", ")
  }

  private var table: ReportTable {
    let judged = judged
    return ReportTable(
      "Files", columns: ["name", "size", "published at", "held by", "last after", "sha256"],
      rows: files.map { file in
        [
          file.name, Readable.size(file.bytes), peers.title(of: file.publisher), held(file),
          file.received(among: judged).max().map { Quantity.grouped(Int($0.rounded())) + " ms" } ?? "–",
          file.sha256,
        ]
      },
      caption: faults == nil
        ? "" : "Survivors are the nodes that were not killed; those that were started again are not counted.")
  }
}

extension NetworkResult.File {
  /// Its name as a sentence has it.
  fileprivate var title: String { "“\(printable(name))”" }
}

extension DrawnPeers {
  fileprivate func title(of vertex: Int) -> String { "\(noun) \(number(vertex))" }
}
