import StarlingBroadcast
import StarlingCore
import StarlingRuntime

extension Option {
  /// `--broadcast`, by which a command makes sure that a node broadcasts as its user believes.
  static let nodeBroadcast = Option(
    "broadcast", "NAME", "refuse unless the node broadcasts by this: tree, secure, consistent or bracha")
}

extension ControlClient {
  /// Refuses a node that broadcasts otherwise than `--broadcast` says.
  func check(_ arguments: Arguments) throws(CommandError) {
    guard let wanted = arguments.text("broadcast") else { return }
    let names = ["tree", "secure", "consistent", "bracha"]
    guard names.contains(wanted) else {
      throw .usage("--broadcast: \(quoted(wanted)) is none of \(names.joined(separator: ", ")).")
    }
    let status: ControlStatus = try explaining { try self.status() }
    guard status.broadcast == wanted else {
      throw .failed(
        "The node at \(address) broadcasts by \(quoted(status.broadcast)): start it with --broadcast \(wanted), or leave "
          + "the option out.")
    }
  }
}

extension Verb {
  /// `starling post`
  static let post = Verb(
    "post", "have a running node of a secure network post lines, which no liar can split",
    operands: [Operand(name: "FILE", summary: "a post a line, or - for standard input")],
    options: [
      .nodeControl, .nodeBroadcast,
      Option("batch", "N", "how many posts travel together at most, 1 to 1024 (default 1024)"), .json, .out,
    ],
    notes: """
      Every correct member of the network delivers the same posts of each author, in the order of their
      numbers, or none; `starling watch --posts` shows them. A post has 1 to 4,096 bytes;
      empty lines are left out. At most 4 MiB are handed in at once.
      """
  ) { arguments throws(CommandError) in
    let client = try arguments.controlClient()
    let output = try Output(arguments)
    let batch = try arguments.integer("batch", in: 1...BatchLimits.entries, default: BatchLimits.entries)
    let operand = arguments.operands[0]
    let text = try InputFile.read(operand == "-" ? "/dev/stdin" : operand, limit: 4 << 20)
    try client.check(arguments)
    let posting = try explaining { try client.post(text, batch: batch) }
    try output.write(
      .object([("first", .unsigned(posting.first)), ("posts", .integer(posting.posts))]),
      json: arguments.has("json"),
      text: "posted \(Quantity.count(posting.posts, "line")), from number \(posting.first) on")
  }
}
