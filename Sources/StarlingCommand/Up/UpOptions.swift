import StarlingCore

/// What `starling up` was asked for.
struct UpOptions {
  let nodes: Int
  /// The files to broadcast, with their sizes.
  let files: [String]
  let delay: DelayModel?
  /// The share of datagrams that is lost, 0 ... 1.
  let loss: Double
  /// Whether to stop when everything was delivered.
  let once: Bool
  let json: Bool
  let report: String?
  /// Where to write the overlay's graph.
  let graph: String?
  let seed: UInt64
  /// When the next file is published; when all have the one before if `nil`.
  let interval: Interval?
  /// What happens to the nodes while the files flow, in the order of time.
  let faults: [UpFault]
  /// Whether the network is left alone before it is measured at the end.
  let settles: Bool
  /// How long connecting and broadcasting may take.
  let timeout: Interval

  /// More processes than this bring a machine to its knees: a guess.
  static let nodesLimit = 1_000

  init(_ arguments: Arguments) throws(CommandError) {
    nodes = try arguments.integer("nodes", in: 2...UpOptions.nodesLimit, default: 32)
    delay = try arguments.delayModel()
    loss = try arguments.share("loss", default: 0)
    guard loss <= 0.9 else {
      throw .usage("--loss: With more than 90% of the datagrams lost nothing gets through: give less.")
    }
    once = arguments.has("once")
    json = arguments.has("json")
    report = arguments.text("report")
    graph = try arguments.graphFile()
    try arguments.requireDistinctFiles()
    seed = try arguments.seed()
    timeout =
      try arguments.duration("timeout", in: .seconds(1)...Interval.seconds(86_400)) ?? .seconds(300)
    files = arguments.values("broadcast").map(\.text)
    guard !once || !files.isEmpty else {
      throw .usage("--once stops when all files have arrived: name one with --broadcast FILE.")
    }
    faults = try arguments.faults()
    let interval = try arguments.duration("interval", in: .zero...Interval.seconds(86_400))
    self.interval = interval ?? (faults.isEmpty ? nil : .seconds(1))
    settles = arguments.has("settle")
    guard faults.isEmpty || !files.isEmpty else {
      throw .usage("--kill, --restart and --stop happen while files flow: name some with --broadcast FILE.")
    }
    guard Set(files).count == files.count else {
      throw .usage("--broadcast names the same file twice: name each once.")
    }
    for file in files { try InputFile.checkThatBroadcasts(file, try InputFile.size(file)) }
  }
}
