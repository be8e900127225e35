import Glibc
import StarlingCore
import StarlingRuntime

/// Broadcasts files one after another at fixed times, while faults befall the network, and waits until those who
/// survive have them all.
struct FileStream {
  /// What came of it.
  struct Outcome {
    var files: [NetworkResult.File] = []
    /// When each file was published, in seconds after the first.
    var publishedAt: [Double] = []
    /// How long it all took, in seconds.
    var seconds = 0.0
    var timeline: [FaultInjector.Entry] = []
    /// The numbers of the nodes that nobody ended: each must have every file.
    var survivors: [Int] = []
    /// Of the files published before and after they came back, how many the restarted nodes have.
    var restarted: (held: Int, expected: Int) = (0, 0)
    /// How many restarted nodes have every file, and how many were restarted.
    var caughtUp: (nodes: Int, of: Int) = (0, 0)
    /// What the survivors took of the machine before the first fault, and at the end.
    var usageBefore: NetworkUsage?
    var usageAfter: NetworkUsage?
  }

  private struct Publication {
    let path: String
    let publication: ControlPublication
    let publisher: NodeProcess
    let start: ContinuousClock.Instant
  }

  /// How long the network is left alone at the end before it is measured: connections that nobody needs are
  /// closed after a minute of silence. A guess.
  private static let settling = Interval.seconds(75)

  /// How long restarted nodes get to fetch what they missed, once the survivors have everything. A guess: joining
  /// again and the tree's repair take some ten seconds each.
  private static let catchingUp = Interval.seconds(60)

  private let broadcast: FileBroadcast
  private let interval: Interval
  private var injector: FaultInjector
  private var random: Xoshiro256
  private var published: [Publication] = []
  private var usageBefore: NetworkUsage?
  private let start = ContinuousClock.now
  private var network: LocalNetwork { broadcast.network }
  private var elapsed: Interval {
    Interval(nanoseconds: Int64((ContinuousClock.now - start) / .nanoseconds(1)))
  }

  init(_ broadcast: FileBroadcast, _ options: UpOptions, _ injector: FaultInjector) {
    self.broadcast = broadcast
    self.injector = injector
    interval = options.interval ?? .seconds(1)
    random = Xoshiro256(seed: options.seed &+ 0xF1)
  }

  /// Does it all.
  mutating func run(_ files: [String], settles: Bool, _ progress: inout Progress) throws(CommandError)
    -> Outcome
  {
    var next = 0
    while next < files.count || injector.isPending {
      try look()
      progress.report("publishing while faults happen", next, of: files.count)
      try harm()
      if next < files.count, elapsed >= interval * next {
        try publish(files[next])
        next += 1
      }
      usleep(10_000)
    }
    try drain(&progress)
    let caughtUp = try waitForRestarted(&progress)
    var outcome = try judge(settles: settles, &progress)
    outcome.caughtUp = caughtUp
    progress.finish()
    return outcome
  }

  private mutating func harm() throws(CommandError) {
    guard let time = injector.nextTime, time <= elapsed else { return }
    if usageBefore == nil { usageBefore = NetworkUsage(survivors) }
    for node in try injector.proceed(network, at: elapsed) { broadcast.watch.listen(to: node) }
  }

  /// A file is published where nothing happens: one whose publisher is killed reaches nobody in whole.
  private mutating func publish(_ path: String) throws(CommandError) {
    let index = injector.untouched[random.uniform(below: injector.untouched.count)]
    guard let publisher = network.nodes.first(where: { $0.index == index }) else { return }
    let start = ContinuousClock.now
    let publication = try explaining { try publisher.client.publish(file: path) }
    published.append(
      Publication(path: path, publication: publication, publisher: publisher, start: start))
  }

  /// Nobody else may end.
  private mutating func look() throws(CommandError) {
    try Interruption.check()
    for ending in network.takeEnded() {
      injector.note("died: \(ending)", [], at: elapsed)
      throw .failed("\(ending).")
    }
  }

  private var survivors: [NodeProcess] { network.nodes.filter { !injector.killed.contains($0.index) } }

  private func missing(_ nodes: [NodeProcess]) -> Int {
    var missing = 0
    for publication in published {
      let holders = broadcast.watch.deliveries(of: publication.publication.file)
      missing += nodes.count { $0.index != publication.publisher.index && holders[$0.index] == nil }
    }
    return missing
  }

  private mutating func drain(_ progress: inout Progress) throws(CommandError) {
    let deadline = ContinuousClock.now + .nanoseconds(broadcast.timeout.nanoseconds)
    let total = published.count * (survivors.count - 1)
    while ContinuousClock.now < deadline {
      try look()
      let left = missing(survivors)
      progress.report("delivering to the survivors", total - left, of: total)
      if left == 0 { return }
      usleep(50_000)
    }
  }

  /// Which of the published files a node holds as a whole.
  private func held(by node: NodeProcess) throws(CommandError) -> Int {
    let known = try explaining { try node.client.files() }
    let held = Set(known.filter { $0.state == .complete }.map(\.file))
    return published.count { held.contains($0.publication.file) }
  }

  /// Waits until those that were started again have what the others have, for a while: files that nobody keeps any
  /// more cannot be had.
  private mutating func waitForRestarted(
    _ progress: inout Progress
  ) throws(CommandError) -> (nodes: Int, of: Int) {
    let nodes = network.nodes.filter { injector.restarted.contains($0.index) }
    let deadline = ContinuousClock.now + .nanoseconds(FileStream.catchingUp.nanoseconds)
    while true {
      try look()
      var ready = 0
      for node in nodes where try held(by: node) == published.count { ready += 1 }
      progress.report("letting restarted nodes catch up", ready, of: nodes.count)
      if ready == nodes.count || ContinuousClock.now >= deadline { return (ready, nodes.count) }
      usleep(250_000)
    }
  }

  private mutating func judge(
    settles: Bool, _ progress: inout Progress
  ) throws(CommandError) -> Outcome {
    var outcome = Outcome()
    if settles {
      let end = elapsed + FileStream.settling
      while elapsed < end {
        try look()
        progress.report(
          "letting the network settle", Int((elapsed - (end - FileStream.settling)).inSeconds), of: 75)
        usleep(100_000)
      }
    }
    outcome.seconds = elapsed.inSeconds
    for publication in published {
      outcome.publishedAt.append(Readable.milliseconds(publication.start - start) / 1_000)
      let name = publication.path.split(separator: "/").last.map(String.init) ?? publication.path
      outcome.files.append(
        try broadcast.result(
          publication.path, name, publication.publication, publication.publisher, since: publication.start))
    }
    outcome.timeline = injector.timeline
    outcome.survivors = survivors.map(\.index)
    for node in network.nodes where injector.restarted.contains(node.index) {
      outcome.restarted.held += try held(by: node)
      outcome.restarted.expected += published.count
    }
    outcome.usageBefore = usageBefore
    outcome.usageAfter = NetworkUsage(survivors)
    return outcome
  }
}
