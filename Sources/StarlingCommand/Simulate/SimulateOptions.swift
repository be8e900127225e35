import StarlingCore
import StarlingOverlay
import StarlingSimulator

/// What `starling simulate` was asked for, checked but not connected to any simulator yet.
struct SimulateOptions {
  /// Who knows whom.
  enum Overlay: String, CaseIterable { case scamp, rings }

  /// How a message spreads.
  enum Broadcast: String, CaseIterable { case tree, flood, gossip, rings }

  /// A share of the peers that crashes.
  struct Crash: Equatable {
    /// When it does.
    enum Moment: Equatable {
      /// This long after the first message.
      case at(Interval)
      /// With every message, each a trial of its own from the same settled state.
      case broadcast
    }

    /// Which part of the peers, 0 ... 1.
    let share: Double
    let moment: Moment
  }

  let nodes: Int
  let messages: Int
  let senders: Int
  let payloadBytes: Int
  let overlay: Overlay
  /// The parameters of rings.
  let rings: RingsConfiguration
  /// k of the trees through rings; `nil` for one drawn for each message.
  let arity: UInt8?
  /// SCAMP's c.
  let extraCopies: Int
  let broadcast: Broadcast
  /// To how many neighbours gossip forwards.
  let fanout: Int
  /// How many duplicates in a row prune a link of the tree.
  let pruneThreshold: Int
  let delay: DelayModel
  /// The share of messages that is lost on a link, 0 ... 1.
  let loss: Double
  /// Between two messages.
  let interval: Interval
  /// Peers that join per simulated second.
  let joinRate: Double
  let settle: Interval
  let drain: Interval
  let crash: Crash?
  /// What goes wrong besides.
  let faults: [Fault]
  /// The share of adversaries, 0 ... 1.
  let byzantine: Double
  let adversary: Conduct
  /// Between settling and the first message.
  let hours: Interval
  /// Whether to hold the run to what is promised in the end.
  let isChecked: Bool
  let seed: UInt64
  /// Whether to print JSON instead of text.
  let json: Bool
  /// Where to write an HTML page.
  let report: String?
  /// Where to write the overlay's graph.
  let graph: String?

  private static let longest = Interval.seconds(366 * 24 * 3_600)

  init(_ arguments: Arguments) throws(CommandError) {
    nodes = try arguments.integer("nodes", in: 2...10_000_000, default: 1_000)
    messages = try arguments.integer("messages", in: 0...10_000_000, default: 100)
    senders = try arguments.integer("senders", in: 1...10_000_000, default: 1)
    guard senders <= nodes else {
      throw .usage(
        "--senders \(senders) is more than the \(Quantity.count(nodes, "peer")): give at most as many.")
    }
    payloadBytes = try SimulateOptions.payload(arguments)
    overlay = try arguments.choice("overlay", default: .scamp)
    rings = try SimulateOptions.rings(arguments)
    arity = try SimulateOptions.arity(arguments)
    extraCopies = try arguments.integer("scamp-c", in: 0...100, default: 1)
    broadcast = try arguments.choice(
      "broadcast", default: overlay == .rings ? .rings : .tree,
      beside: SecureOptions.Broadcast.allCases.map(\.rawValue))
    fanout = try arguments.integer("fanout", in: 1...1_000, default: 3)
    pruneThreshold = try arguments.integer("prune-threshold", in: 1...255, default: 1)
    delay = try arguments.delayModel() ?? .gaussian(mean: .milliseconds(50), deviation: .milliseconds(10))
    loss = try arguments.share("loss", default: 0)
    let anyTime = Interval.zero...SimulateOptions.longest
    interval = try arguments.duration("interval", in: anyTime) ?? .seconds(1)
    joinRate = try SimulateOptions.joinRate(arguments)
    settle = try arguments.duration("settle", in: anyTime) ?? .seconds(60)
    drain = try arguments.duration("drain", in: anyTime) ?? .seconds(60)
    crash = try arguments.value("crash", Crash.init(parsing:))
    faults = try FaultOptions.faults(arguments)
    byzantine = try arguments.share("byzantine", default: 0)
    guard nodes - Int((1 - byzantine) * Double(nodes)) <= nodes - senders else {
      throw .usage("--byzantine leaves fewer than the \(senders) correct peers that --senders asks for.")
    }
    if let name = arguments.text("adversary"), Conduct(rawValue: name) == nil,
      SecureConduct(rawValue: name) != nil
    {
      throw .usage("--adversary \(name) attacks broadcasts that liars cannot split: add --broadcast secure.")
    }
    adversary = try arguments.choice("adversary", default: .mute)
    if let name = arguments.text("adversary"), byzantine == 0 {
      throw .usage(
        "--adversary \(name) says what adversaries do, and there are none: add --byzantine 5%, say.")
    }
    hours = try SimulateOptions.hours(arguments)
    if crash?.moment == .broadcast, !faults.isEmpty {
      throw .usage(
        "--crash \(arguments.text("crash") ?? "") makes trials without other faults: give it alone.")
    }
    isChecked = arguments.has("check")
    if isChecked, crash?.moment == .broadcast {
      throw .usage(
        "--check holds a run to what is promised in its end, and --crash \(arguments.text("crash") ?? "") makes"
          + " trials that end before: leave one of them out.")
    }
    let end = interval * max(messages - 1, 0) + drain
    if isChecked, let late = faults.first(where: { $0.end.map { $0 >= end } ?? false }) {
      throw .usage(
        "--check judges what is calm again, and the run ends before --\(late.kind.name) does: give a longer --drain."
      )
    }
    seed = try arguments.seed()
    json = arguments.has("json")
    report = arguments.text("report")
    graph = try arguments.graphFile()
    try arguments.requireDistinctFiles()
  }

  private static func rings(_ arguments: Arguments) throws(CommandError) -> RingsConfiguration {
    var rings = RingsConfiguration()
    rings.contacts = try arguments.integer("contacts", in: 1...16, default: rings.contacts)
    if let size = arguments.text("ring-size") {
      let bounds = size.components(separatedBy: "..").map { Int($0) }
      guard bounds.count == 2, let least = bounds[0], let most = bounds[1], least > rings.contacts,
        most >= 2 * least, most <= 256
      else {
        throw .usage(
          "--ring-size \(quoted(size)) is not a size: write 10..20, the most at least twice the least, which is"
            + " more than --contacts.")
      }
      rings.size = least...most
    }
    return rings
  }

  private static func arity(_ arguments: Arguments) throws(CommandError) -> UInt8? {
    guard arguments.text("k") != "random" else { return nil }
    let arity = try arguments.integer("k", in: 2...255, default: 0)
    return arity == 0 ? nil : UInt8(arity)
  }

  static func payload(_ arguments: Arguments) throws(CommandError) -> Int {
    let limit = 1 << 16
    return try arguments.value("payload") { text in
      let bytes = try Quantity.size(text)
      guard bytes <= limit else {
        throw QuantityError("\(quoted(text)) is out of range; a payload has 0 to 64KiB.")
      }
      return bytes
    } ?? 1_024
  }

  private static func hours(_ arguments: Arguments) throws(CommandError) -> Interval {
    try arguments.value("hours") { text in
      let hours = try Quantity.number(text)
      guard hours <= 8_784 else {
        throw QuantityError("\(quoted(text)) is out of range; it may be 0 to 8784 hours, a year.")
      }
      return Interval(nanoseconds: Int64(hours * 3.6e12))
    } ?? .zero
  }

  private static func joinRate(_ arguments: Arguments) throws(CommandError) -> Double {
    try arguments.value("join-rate") { text in
      let rate = try Quantity.number(text)
      guard (0.001...1_000_000).contains(rate) else {
        throw QuantityError("\(quoted(text)) is out of range; it may be 0.001 to 1000000 peers a second.")
      }
      return rate
    } ?? 1_000
  }
}

extension SimulateOptions.Crash {
  /// Understands `50%@60s` and `30%@broadcast`.
  init(parsing text: String) throws {
    let parts = text.split(separator: "@", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2 else {
      throw QuantityError("\(quoted(text)) is not a crash; write it like 50%@60s or 30%@broadcast.")
    }
    share = try Quantity.share(parts[0])
    moment = parts[1] == "broadcast" ? .broadcast : .at(try Quantity.duration(parts[1]))
  }
}

extension Arguments {
  /// The file of `--graph`, whose name says its form.
  func graphFile() throws(CommandError) -> String? {
    guard let path = text("graph") else { return nil }
    guard [".dot", ".graphml", ".svg"].contains(where: path.hasSuffix) else {
      throw .usage("--graph \(quoted(path)): name a file that ends in .dot, .graphml or .svg.")
    }
    return path
  }

  /// Refuses to write two results to one file.
  func requireDistinctFiles() throws(CommandError) {
    let paths = ["out", "report", "graph"].compactMap { text($0) }.filter { $0 != "-" }
    guard Set(paths).count == paths.count else {
      throw .usage("--out, --report and --graph name one file twice: give each result a file of its own.")
    }
  }

  /// The delay model of `--delay` or `--geography`; a matrix is read from its file.
  func delayModel() throws(CommandError) -> DelayModel? {
    guard verb.option(named: "geography") != nil, text("geography") != nil else {
      return try delayModel("delay") { try DelayModel.parse($0, readFile: $1) }
    }
    guard text("delay") == nil else {
      throw .usage("--geography says how long messages take, as --delay does: leave one of them out.")
    }
    return try delayModel("geography") { try DelayModel.parse(geography: $0, readFile: $1) }
  }

  private func delayModel(
    _ option: String, _ parse: (String, (String) throws -> String) throws -> DelayModel
  ) throws(CommandError) -> DelayModel? {
    // A file that cannot be read is no wrong usage, as a model that cannot be understood is.
    let prefix = "matrix:"
    if let model = text(option), model.hasPrefix(prefix) {
      _ = try InputFile.size(String(model.dropFirst(prefix.count)))
    }
    return try value(option) { text in
      try parse(text) { path in String(decoding: try InputFile.read(path, limit: 64 << 20), as: UTF8.self) }
    }
  }
}
