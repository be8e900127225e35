import Glibc
import StarlingCore
import StarlingRuntime

extension Verb {
  /// `starling watch`
  static let watch = Verb(
    "watch", "print which files a running node hears of and receives, as it happens",
    options: [
      .nodeControl, Option("topic", "NAME", "only files that were published with this label"),
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
    let isJSON = arguments.has("json")
    var left = try arguments.integer("count", in: 1...1_000_000_000, default: .max)
    // Nothing is left undone when watching stops, so an interruption is no failure.
    for number in [SIGINT, SIGTERM] { signal(number) { _ in _exit(0) } }
    var outputError: CommandError?
    try explaining {
      try client.events(topic: arguments.text("topic")) {
        Messages.write(line: "watching \(client.address)")
      } each: { event in
        do throws(CommandError) {
          try Output.standard.write(line: isJSON ? event.json.text(indented: false) : event.line)
        } catch {
          outputError = error
        }
        left -= 1
        return left > 0 && outputError == nil
      }
    }
    if let outputError { throw outputError }
    if left > 0 { throw .failed("The node at \(client.address) has stopped: start it again to go on.") }
  }
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
