import StarlingBroadcast
import StarlingCore
import StarlingNode

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
  /// The secure broadcast that the nodes run, if any.
  let secure: SecureNodeOptions
  /// Its name; `tree` if there is none.
  let secureName: String
  /// What each node is told of it, as options.
  let secureWords: [String]
  /// What is to be known of it, for people.
  let secureSummary: String?
  /// Of a ledger that the nodes keep how many members may lie; `nil` if they keep none.
  let ledgerByzantine: Int?
  /// Programs that take part as members, one each.
  let guests: [String]
  /// How many posts are broadcast with each of the batch sizes.
  let posts: Int
  /// How many posts travel together, in one measurement after the other.
  let batches: [Int]

  /// More processes than this bring a machine to its knees: a guess.
  static let nodesLimit = 1_000

  init(_ arguments: Arguments) throws(CommandError) {
    let keepsLedger = arguments.has("ledger")
    nodes = try arguments.integer("nodes", in: 2...UpOptions.nodesLimit, default: keepsLedger ? 4 : 32)
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
    // A protocol's name is no file; one that is called so can be given as ./secure.
    let (names, files) = UpOptions.parted(arguments.values("broadcast").map(\.text))
    guard names.count <= 1 else {
      throw .usage("--broadcast names \(names.count) protocols, and the nodes run one: leave the others out.")
    }
    self.files = files
    secure = try SecureNodeOptions(arguments, names.first ?? (keepsLedger ? .auto : .tree))
    guard !keepsLedger || [.secure, .bracha, .auto].contains(secure.broadcast) else {
      throw .usage("--ledger needs a broadcast that all deliver or none: secure, bracha or auto.")
    }
    posts = try arguments.integer("posts", in: 0...1_000_000, default: 0)
    let batches = try arguments.all("batch") { text in
      guard let size = Int(text), (1...BatchLimits.entries).contains(size) else {
        throw QuantityError("\(quoted(text)) is no number of posts from 1 to \(BatchLimits.entries).")
      }
      return size
    }
    self.batches = batches.isEmpty ? [BatchLimits.entries] : batches
    guard secure.isSecure || (posts == 0 && batches.isEmpty) else {
      throw .usage(
        "--posts and --batch go with --broadcast secure, consistent, bracha or auto: give both or neither.")
    }
    guests = arguments.values("guest").map(\.text)
    guard secure.isSecure || guests.isEmpty else {
      throw .usage("--guest goes with --broadcast secure, consistent, bracha or auto: give both or neither.")
    }
    if secure.isSecure {
      let members = nodes + guests.count
      // As many as can be, of a few who keep a ledger.
      let usual = keepsLedger && members < 100 ? Double((members - 1) / 3) / Double(members) : 0.1
      let chosen = try SecureNodeOptions.settings(
        arguments, secure.broadcast, among: members, byzantine: usual)
      let byzantine = try arguments.share("byzantine", default: usual)
      ledgerByzantine =
        keepsLedger ? EpsilonCalculator(nodes: members, byzantine: byzantine).byzantine : nil
      secureWords = chosen.broadcast.words + ["--byzantine", "\(byzantine)"]
      secureSummary = chosen.why
      secureName = chosen.broadcast.name
    } else {
      (secureWords, secureSummary, secureName) = ([], nil, "tree")
      ledgerByzantine = nil
    }
    guard !once || !files.isEmpty || posts > 0 else {
      throw .usage(
        "--once stops when everything has arrived: name a file with --broadcast FILE"
          + (secure.isSecure ? ", or give --posts N." : "."))
    }
    faults = try arguments.faults()
    let interval = try arguments.duration("interval", in: .zero...Interval.seconds(86_400))
    self.interval = interval ?? (faults.isEmpty ? nil : .seconds(1))
    settles = arguments.has("settle")
    guard faults.isEmpty || !files.isEmpty || posts > 0 else {
      throw .usage(
        "--kill, --restart and --stop happen while something flows: name files with --broadcast FILE"
          + (secure.isSecure ? ", or give --posts N." : "."))
    }
    if secure.isSecure {
      try UpOptions.check(
        faults, members: nodes + guests.count, byzantine: try arguments.share("byzantine", default: 0.1))
    }
    guard Set(files).count == files.count else {
      throw .usage("--broadcast names the same file twice: name each once.")
    }
    for file in files { try InputFile.checkThatBroadcasts(file, try InputFile.size(file)) }
  }

  /// Refuses to kill more members for good than may fail: what is delivered then nobody promises, and mostly nothing is.
  private static func check(
    _ faults: [UpFault], members: Int, byzantine: Double
  ) throws(CommandError) {
    let lost = faults.reduce(0) { sum, fault in
      switch fault.kind {
      case .kill: sum + fault.count
      case .restart: sum - fault.count
      case .stop: sum
      }
    }
    let bearable = EpsilonCalculator(nodes: members, byzantine: byzantine).byzantine
    guard lost <= bearable else {
      throw .usage(
        "--kill: \(lost) of \(members) members would be down for good, and with --byzantine"
          + " \(Readable.percent(byzantine)) only \(bearable) may fail: kill fewer, --restart some, or give a greater"
          + " --byzantine.")
    }
  }

  /// Parts the names of protocols from those of files.
  private static func parted(_ values: [String]) -> (names: [SecureNodeOptions.Broadcast], files: [String]) {
    let names = values.compactMap { SecureNodeOptions.Broadcast(rawValue: $0) }
    return (names, values.filter { SecureNodeOptions.Broadcast(rawValue: $0) == nil })
  }
}

extension SecureConfiguration.Broadcast {
  /// The options by which a node runs just this broadcast: what was chosen once is not searched for by every node.
  fileprivate var words: [String] {
    switch self {
    case .bracha: return ["--broadcast", name]
    case .secure(let sizes), .consistent(let sizes):
      let values = [
        ("gossip", sizes.gossip), ("echo", sizes.echo), ("echo-threshold", sizes.echoThreshold),
        ("ready", sizes.ready), ("ready-threshold", sizes.readyThreshold), ("delivery", sizes.delivery),
        ("delivery-threshold", sizes.deliveryThreshold),
      ]
      // Whether it is weak was asked already.
      return ["--broadcast", name, "--accept-weak"] + values.flatMap { ["--\($0.0)", "\($0.1)"] }
    }
  }
}
