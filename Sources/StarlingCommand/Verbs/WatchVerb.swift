import Glibc
import StarlingCore
import StarlingRuntime

extension Verb {
  /// `starling watch`
  static let watch = Verb(
    "watch", "print which files a running node hears of and receives, as it happens",
    options: [
      .nodeControl, .nodeBroadcast, .flag("posts", "print posts of a secure network instead of files"),
      Option("topic", "NAME", "only files that were published with this label"),
      Option("count", "N", "stop after N events (default: go on until interrupted)"),
      .flag("json", "print every event as one JSON object, on a line of its own"),
    ],
    notes: """
      An event is a file that was announced, is complete (in the node's data folder) or has failed. Only
      what happens from now on is told; a file that is published at the same node is no news to it.
      It ends with exit code 0 when it is interrupted, and with 1 when the node stops.
      """
  ) { arguments throws(CommandError) in
    let client = try arguments.controlClient()
    try client.check(arguments)
    let isJSON = arguments.has("json")
    var left = try arguments.integer("count", in: 1...1_000_000_000, default: .max)
    // Nothing is left undone when watching stops, so an interruption is no failure.
    for number in [SIGINT, SIGTERM] { signal(number) { _ in _exit(0) } }
    var outputError: CommandError?
    func write(_ json: JSONValue, _ line: String) -> Bool {
      do throws(CommandError) {
        try Output.standard.write(line: isJSON ? json.text(indented: false) : line)
      } catch {
        outputError = error
      }
      left -= 1
      return left > 0 && outputError == nil
    }
    let opened = { Messages.write(line: "watching \(client.address)") }
    if arguments.has("posts") {
      guard arguments.text("topic") == nil else {
        throw .usage("--topic is a label of files: leave it or --posts out.")
      }
      let status: ControlStatus = try explaining { try client.status() }
      guard status.broadcast != "tree" else {
        throw .failed(
          "The node at \(client.address) runs no secure broadcast, so it has no posts: leave --posts out to watch files,"
            + " or start it with --members.")
      }
      try explaining { try client.posts(opened: opened) { write($0.json, $0.line) } }
    } else {
      try explaining {
        try client.events(topic: arguments.text("topic"), opened: opened) { write($0.json, $0.line) }
      }
    }
    if let outputError { throw outputError }
    guard left > 0 else { return }
    // A node ends the stream of whoever reads too slowly.
    let isRunning = (try? client.status()) != nil
    throw .failed(
      isRunning
        ? "The node at \(client.address) told more than this reader took, and ended the stream; what came since was missed:"
          + " watch again, and read faster."
        : "The node at \(client.address) has stopped: start it again to go on.")
  }
}

extension ControlPost {
  fileprivate var json: JSONValue {
    .object([
      ("event", .string("post")), ("author", .string(author)), ("number", .unsigned(number)),
      ("text", .string(text)), ("time", .unsigned(time)),
    ])
  }

  fileprivate var line: String { printable("\(author.prefix(16)) \(number): \(text)") }
}

extension ControlEvent {
  fileprivate var json: JSONValue {
    .object([
      ("event", .string(event.rawValue)), ("name", .string(name)), ("topic", .string(topic)),
      ("bytes", .unsigned(bytes)), ("digest", .string(digest)), ("file", .string(file)),
      ("path", path.map(JSONValue.string) ?? .null), ("publisher", .string(publisher)),
      ("time", .unsigned(time)),
    ])
  }

  fileprivate var line: String {
    var line = "\(event.rawValue) \(name), \(Readable.size(Int(clamping: bytes)))"
    if !topic.isEmpty { line += ", topic \(topic)" }
    line += ", from \(publisher.prefix(16))"
    if let path { line += ", at \(path)" }
    return printable(line)
  }
}
