import StarlingCore
import StarlingSimulator

/// What was measured when files were broadcast over a network of real nodes.
struct NetworkResult {
  /// One file and how it spread.
  struct File {
    let name: String
    let bytes: Int
    /// Lower-case hexadecimal digits.
    let sha256: String
    let chunks: Int
    /// The node that published it.
    let publisher: Int
    /// From publishing until a node had the whole file, in milliseconds; `nil` if it never had. The
    /// publisher's own entry is not looked at.
    let latencies: [Double?]
    /// Whether what a node has stored is the file: its SHA-256 was computed from the stored bytes.
    let digestsMatch: [Bool]
    /// From which node each got the file's last chunk: the tree that it took.
    let parents: [Int?]

    /// How many of these nodes hold the right bytes, the publisher included.
    func holders(among nodes: [Int]) -> Int { nodes.count { digestsMatch[$0] } }
    /// The latencies of those of them that received it.
    func received(among nodes: [Int]) -> [Double] {
      nodes.filter { $0 != publisher && digestsMatch[$0] }.compactMap { latencies[$0] }
    }
  }

  /// Each node's partial view, as numbers of nodes.
  let views: [[Int]]
  /// Each node's address, in the order of ``numbers``.
  let names: [String]
  let files: [File]
  /// Messages that carried a chunk, by the node that sent them.
  let payloadMessagesPerNode: [Int]
  /// What was done to the nodes, if anything was.
  var faults: FileStream.Outcome?
  /// The numbers under which the nodes were started; they are counted here without those that are gone.
  var numbers: [Int] = []

  /// What was measured with posts, by the size of their batches.
  var posts: [PostMeasurement] = []

  var nodes: Int { views.count }
  var payloadMessages: Int { payloadMessagesPerNode.reduce(0, +) }
  var chunks: Int { files.map(\.chunks).reduce(0, +) }
  /// Whether everybody who was not ended by force holds every file.
  var isDelivered: Bool { files.allSatisfy { $0.holders(among: judged) == judged.count } }

  /// The nodes that must have the files: all of them, or those that survived. Whatever is counted or timed here is
  /// counted and timed at these: a node that was started again fetches what it missed, however old it is by then.
  var judged: [Int] {
    guard let faults else { return Array(views.indices) }
    let survivors = Set(faults.survivors)
    return views.indices.filter { survivors.contains($0 < numbers.count ? numbers[$0] : $0) }
  }

  /// Fails if a node is without one of the files.
  func check() throws(CommandError) {
    let judged = judged
    guard let file = files.first(where: { $0.holders(among: judged) < judged.count }) else { return }
    throw .failed(
      "Only \(held(file)) hold \(quoted(file.name)): allow more time with --timeout.")
  }

  /// How many of those that must have a file hold it, such as `20 of 20 survivors`.
  func held(_ file: File) -> String {
    let noun = faults == nil ? "node" : "survivor"
    return "\(file.holders(among: judged)) of \(Quantity.count(judged.count, noun))"
  }

  /// The share of the other nodes that received a file, over all files.
  var reliability: Double {
    let judged = judged
    let expected = files.count * (judged.count - 1)
    guard expected > 0 else { return 1 }
    let holders = files.map { file in
      judged.count { $0 != file.publisher && file.digestsMatch[$0] }
    }
    return Double(holders.reduce(0, +)) / Double(expected)
  }

  /// Relative message redundancy: how many more messages with chunks were sent than one per chunk and node.
  var redundancy: Double? {
    guard nodes > 1, chunks > 0 else { return nil }
    return Double(payloadMessages) / Double(nodes - 1) / Double(chunks) - 1
  }
}

extension NetworkResult {
  /// The result as `--json` prints it.
  var json: JSONValue {
    let graph = DirectedGraph(adjacency: views)
    let judged = judged
    var fields: [(String, JSONValue)] = [
      ("nodes", .integer(nodes)),
      // A file is a manifest and its chunks, each a broadcast message.
      ("messages", .integer(files.count + chunks)),
      ("chunks", .integer(chunks)),
      ("files", .array(files.map { $0.json(publisher: peers.number($0.publisher), among: judged) })),
      ("delivered", .integer(files.map { $0.holders(among: judged) }.reduce(0, +))),
      ("reliability", .number(reliability)),
      ("digest_ok", .bool(isDelivered)),
      ("payload_messages", .integer(payloadMessages)),
      ("rmr", redundancy.map(JSONValue.number) ?? .null),
      ("latency_ms", NetworkResult.latency(files.flatMap { $0.received(among: judged) })),
      ("view_size", viewSize),
      ("components", .integer(graph.weakComponents().count)),
      ("strong_components", .integer(graph.strongComponents().count)),
    ]
    if !posts.isEmpty { fields.append(("posts", .array(posts.map(\.json)))) }
    if let faults { fields.append(("faults", faults.json)) }
    return .object(fields)
  }

  private var viewSize: JSONValue {
    guard let sizes = Distribution(views.map(\.count)) else { return .null }
    return .object([
      ("mean", .number(sizes.mean)), ("stddev", .number(sizes.stddev)), ("p1", .integer(Int(sizes.p1))),
      ("min", .integer(Int(sizes.min))), ("max", .integer(Int(sizes.max))),
    ])
  }

  fileprivate static func latency(_ values: [Double]) -> JSONValue {
    let spread = Distribution(values)
    func rounded(_ value: Double?) -> JSONValue {
      value.map { .number(($0 * 1_000).rounded() / 1_000) } ?? .null
    }
    return .object([
      ("p50", rounded(spread?.p50)), ("p99", rounded(spread?.p99)), ("max", rounded(spread?.max)),
    ])
  }

  /// The result for people.
  var text: String {
    let graph = DirectedGraph(adjacency: views)
    let components = graph.weakComponents().count
    let sizes = Distribution(views.map(\.count))
    let judged = judged
    var lines = [
      "\(Quantity.count(nodes, "node")) in \(components == 1 ? "one component" : "\(components) components")"
        + (sizes.map { ", knowing \(Readable.decimal($0.mean, 1)) others on average" } ?? "")
    ]
    for file in files {
      let spread = Distribution(file.received(among: judged))
      lines.append("")
      lines.append("  \(printable(file.name))  \(Readable.size(file.bytes))")
      lines.append("  sha256 \(file.sha256)")
      lines.append("  \(held(file)) hold it with this digest")
      if let spread {
        lines.append(
          "  half of them after \(Readable.decimal(spread.p50, 0)) ms, the last after"
            + " \(Readable.decimal(spread.max, 0)) ms")
      }
    }
    if !files.isEmpty {
      let redundancy = redundancy.map { ", rmr \(Readable.decimal($0, 3))" } ?? ""
      let carried = "\(Quantity.count(payloadMessages, "message")) carried \(Quantity.count(chunks, "chunk"))"
      lines += ["", carried + redundancy]
      lines.append(isDelivered ? "Everything was delivered." : "Not everything was delivered.")
    }
    if !posts.isEmpty { lines += [""] + posts.map(\.line) }
    if let faults { lines += faults.lines }
    return lines.joined(separator: "\n")
  }
}

extension NetworkResult.File {
  /// - Parameters:
  ///   - number: that of the node that published it.
  ///   - nodes: those that must have it.
  fileprivate func json(publisher number: Int, among nodes: [Int]) -> JSONValue {
    .object([
      ("name", .string(name)),
      ("bytes", .integer(bytes)),
      ("sha256", .string(sha256)),
      ("chunks", .integer(chunks)),
      ("publisher", .integer(number)),
      ("delivered", .integer(holders(among: nodes))),
      ("latency_ms", NetworkResult.latency(received(among: nodes))),
    ])
  }
}
