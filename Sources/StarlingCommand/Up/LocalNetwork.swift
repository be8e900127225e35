import Glibc
import StarlingCore
import StarlingRuntime
import StarlingSimulator

/// A network of node processes on this machine, each joining through a random earlier one.
///
/// The nodes never outlive it: each holds one end of a pipe whose other end closes with this process, however
/// that ends.
final class LocalNetwork {
  /// Those that run, in the order of their numbers.
  private(set) var nodes: [NodeProcess] = []
  /// Where the nodes keep their files; gone with the network.
  var folder: String { temporary.path }
  private let temporary: TemporaryFolder
  /// Those that were ended by force, and how often each was started.
  private var killed: [Int: NodeProcess] = [:]
  private var starts: [Int: Int] = [:]
  /// Those that stand still.
  private var stopped: Set<Int> = []
  /// Who takes part in the secure broadcast, if one is run.
  private(set) var membership: LocalMembership?
  /// The ledger that the nodes keep, if they do.
  private(set) var ledger: LocalLedger?
  /// The processes of the programs that take part as members.
  private var guests: [pid_t] = []
  private let options: UpOptions
  private var random: Xoshiro256
  private var lifeline: [Int32] = [-1, -1]

  init(_ options: UpOptions) throws(CommandError) {
    self.options = options
    random = Xoshiro256(seed: options.seed)
    temporary = try explaining { try TemporaryFolder(prefix: "starling-up-") }
    guard closingPipe(&lifeline) == 0 else {
      temporary.remove()
      throw .failed("A pipe could not be made: \(String(cString: strerror(errno))); close some programs.")
    }
  }

  /// A node drawn at random.
  func randomNode() -> NodeProcess { nodes[random.uniform(below: nodes.count)] }

  // MARK: - Starting and stopping

  /// Starts all nodes.
  func start(_ progress: inout Progress) throws(CommandError) {
    if options.secure.isSecure {
      membership = try LocalMembership(of: options.nodes + options.guests.count, in: folder)
    }
    if let byzantine = options.ledgerByzantine, let membership {
      ledger = try LocalLedger(of: membership, byzantine: byzantine, in: folder)
    }
    try startGuests()
    for index in 0..<options.nodes {
      try Interruption.check()
      progress.report("starting nodes", index + 1, of: options.nodes)
      let node = try NodeProcess(
        index, options: nodeOptions(index, listen: membership?.address(of: index) ?? "127.0.0.1:0"),
        lifeline: lifeline[0], log: "\(folder)/node-\(index).log")
      nodes.append(node)
    }
  }

  private func nodeOptions(_ index: Int, listen: String) -> [String] {
    var words = [
      "--listen", listen, "--data", "\(folder)/node-\(index)",
      // The network's own time-out is the one that counts.
      "--join-timeout", "0s", "--loss", "\(options.loss)",
      "--seed", "\(random.next())",
    ]
    if !nodes.isEmpty { words += ["--join", "\(nodes[random.uniform(below: nodes.count)].listen)"] }
    if let membership {
      words +=
        options.secureWords + ["--members", membership.path, "--identity", membership.identity(of: index)]
    }
    if let ledger { words += ["--genesis", ledger.genesis, "--demo-wallet", ledger.wallet] }
    if let delay = options.delay { words += ["--delay", "\(delay)"] }
    return words
  }

  /// Starts the programs that take part as members.
  private func startGuests() throws(CommandError) {
    guard let membership else { return }
    for (i, program) in options.guests.enumerated() {
      let index = options.nodes + i
      let words = [
        program, "--members", membership.path, "--identity", membership.identity(of: index),
        "--listen", membership.address(of: index), "--broadcast", options.secureName,
      ]
      guests.append(
        try NodeProcess.startProgram(words, lifeline: lifeline[0], log: "\(folder)/guest-\(i).log"))
    }
  }

  /// Stops all nodes, and removes their files.
  func stop() {
    for guest in guests {
      Glibc.kill(guest, SIGKILL)
      waitpid(guest, nil, 0)
    }
    guests = []
    for node in nodes {
      Glibc.kill(node.process, SIGTERM)
      if stopped.contains(node.index) { Glibc.kill(node.process, SIGCONT) }
    }
    close(lifeline[1])
    let deadline = ContinuousClock.now + .seconds(5)
    for node in nodes {
      while node.ending() == nil {
        if ContinuousClock.now >= deadline { Glibc.kill(node.process, SIGKILL) }
        usleep(5_000)
      }
    }
    close(lifeline[0])
    nodes = []
    temporary.remove()
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

  // MARK: - Harming

  /// Ends a node by force.
  func kill(_ index: Int) {
    guard let position = nodes.firstIndex(where: { $0.index == index }) else { return }
    let node = nodes.remove(at: position)
    Glibc.kill(node.process, SIGKILL)
    waitpid(node.process, nil, 0)
    killed[index] = node
  }

  /// Starts a killed node again, in its directory and at its address.
  func restart(_ index: Int) throws(CommandError) -> NodeProcess {
    guard let earlier = killed.removeValue(forKey: index) else {
      throw .failed("Node \(index) was to be restarted and is not down.")
    }
    starts[index, default: 1] += 1
    let node = try NodeProcess(
      index, options: nodeOptions(index, listen: "\(earlier.listen)"), lifeline: lifeline[0],
      log: "\(folder)/node-\(index)-\(starts[index, default: 1]).log")
    nodes.insert(node, at: nodes.firstIndex { $0.index > index } ?? nodes.count)
    return node
  }

  /// Lets a node stand still, or go on.
  func signal(_ index: Int, _ number: Int32) {
    guard let node = nodes.first(where: { $0.index == index }) else { return }
    Glibc.kill(node.process, number)
    if number == SIGSTOP { stopped.insert(index) } else { stopped.remove(index) }
  }

  // MARK: - Looking

  /// The places of the nodes by their keys.
  private var places: [String: Int] {
    Dictionary(
      nodes.enumerated().map { ($0.element.key, $0.offset) }, uniquingKeysWith: { first, _ in first })
  }

  /// From which node each got a file's last chunk; `nil` where it did not come over a link.
  func parents(of file: String) throws(CommandError) -> [Int?] {
    var parents: [Int?] = []
    let places = places
    for node in nodes {
      let known = try explaining { try node.client.files() }.last { $0.file == file }
      parents.append(known?.parent.flatMap { places[$0] })
    }
    return parents
  }

  /// Each node's partial view, as numbers of nodes.
  func views() throws(CommandError) -> [[Int]] {
    var views: [[Int]] = []
    let places = places
    for node in nodes {
      let peers = try explaining { try node.client.peers() }
      views.append(peers.filter(\.inPartialView).compactMap { places[$0.key] })
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
