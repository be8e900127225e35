import FoundationEssentials
import Glibc
import StarlingCore
import StarlingRuntime
import StarlingSimulator

/// A network of node processes on this machine, each joining through a random earlier one.
///
/// The nodes never outlive it: each holds one end of a pipe whose other end closes with this process, however
/// that ends.
final class LocalNetwork {
  private(set) var nodes: [NodeProcess] = []
  /// Where the nodes keep their files; gone with the network.
  let folder: String
  private let options: UpOptions
  private var random: Xoshiro256
  private var lifeline: [Int32] = [-1, -1]

  init(_ options: UpOptions) throws(CommandError) {
    self.options = options
    random = Xoshiro256(seed: options.seed)
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(parent)/starling-up-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil, closingPipe(&lifeline) == 0 else {
      throw .failed(
        "No folder for the nodes could be made in \(quoted(parent)): \(String(cString: strerror(errno)));"
          + " name another one in TMPDIR.")
    }
    folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// A node drawn at random.
  func randomNode() -> NodeProcess { nodes[random.uniform(below: nodes.count)] }

  /// The numbers of the nodes by their keys.
  private var indices: [String: Int] = [:]

  // MARK: - Starting and stopping

  /// Starts all nodes.
  func start(_ progress: inout Progress) throws(CommandError) {
    for index in 0..<options.nodes {
      try Interruption.check()
      progress.report("starting nodes", index + 1, of: options.nodes)
      let node = try NodeProcess(
        index, options: nodeOptions(index), lifeline: lifeline[0], log: "\(folder)/node-\(index).log")
      nodes.append(node)
      indices[node.key] = index
    }
  }

  private func nodeOptions(_ index: Int) -> [String] {
    var words = [
      "--listen", "127.0.0.1:0", "--data", "\(folder)/node-\(index)",
      // The network's own time-out is the one that counts.
      "--join-timeout", "0s", "--loss", "\(options.loss)",
      "--seed", "\(random.next())",
    ]
    if index > 0 { words += ["--join", "\(nodes[random.uniform(below: index)].listen)"] }
    if let delay = options.delay { words += ["--delay", "\(delay)"] }
    return words
  }

  /// Stops all nodes, and removes their files.
  func stop() {
    for node in nodes { kill(node.process, SIGTERM) }
    close(lifeline[1])
    let deadline = ContinuousClock.now + .seconds(5)
    for node in nodes {
      while node.ending() == nil {
        if ContinuousClock.now >= deadline { kill(node.process, SIGKILL) }
        usleep(5_000)
      }
    }
    close(lifeline[0])
    nodes = []
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// Looks after the nodes while something is waited for.
  func check() throws(CommandError) {
    try Interruption.check()
    if let ending = takeEnded().first { throw .failed("\(ending).") }
  }

  /// Lets go of the nodes that have ended.
  ///
  /// - Returns: what became of each, as `Node 3 was ended by signal 9`.
  func takeEnded() -> [String] {
    var endings: [String] = []
    nodes.removeAll { node in
      guard let ending = node.ending() else { return false }
      endings.append("Node \(node.index) \(ending)")
      return true
    }
    return endings
  }

  // MARK: - Looking

  /// From which node each got a file's last chunk; `nil` where it did not come over a link.
  func parents(of file: String) throws(CommandError) -> [Int?] {
    var parents: [Int?] = []
    for node in nodes {
      let known = try explaining { try node.client.files() }.last { $0.file == file }
      parents.append(known?.parent.flatMap { indices[$0] })
    }
    return parents
  }

  /// Each node's partial view, as numbers of nodes.
  func views() throws(CommandError) -> [[Int]] {
    var views: [[Int]] = []
    for node in nodes {
      let peers = try explaining { try node.client.peers() }
      views.append(peers.filter(\.inPartialView).compactMap { indices[$0.key] })
    }
    return views
  }

  /// Waits until every node can reach every other over the overlay, and the overlay no longer changes.
  func waitUntilConnected(_ progress: inout Progress) throws(CommandError) {
    let deadline = ContinuousClock.now + .nanoseconds(options.timeout.nanoseconds)
    var last: [[Int]] = []
    while true {
      try check()
      let views = try views()
      let components = DirectedGraph(adjacency: views).weakComponents()
      progress.report("connecting nodes", components.largest, of: nodes.count)
      if components.count == 1, views == last { return }
      last = views
      guard ContinuousClock.now < deadline else {
        throw .failed(
          "After \(Quantity.text(of: options.timeout)) only \(components.largest) of \(nodes.count) nodes"
            + " were connected: allow more with --timeout, or start fewer with --nodes.")
      }
      usleep(250_000)
    }
  }

  /// The sum and the single values of one of the nodes' counters.
  func counter(_ name: String) throws(CommandError) -> [Int] {
    var values: [Int] = []
    for node in nodes {
      values.append(Int(clamping: try explaining { try node.client.status() }.counters[name] ?? 0))
    }
    return values
  }
}
