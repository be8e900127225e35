import Glibc
import StarlingCore
import StarlingRuntime

extension Option {
  /// `--control`, where a running node takes orders.
  static let nodeControl = Option(
    "control", "ADDR:PORT", "the control address of a running node", readsEnvironment: true)
}

extension Arguments {
  /// A client of the node that `--control` names.
  func controlClient() throws(CommandError) -> ControlClient {
    guard let address = try address("control") else {
      throw .usage("Say which node with --control ADDR:PORT; `starling node` and `starling up` print theirs.")
    }
    guard address.port > 0 else {
      throw .usage(
        "--control: \(quoted("\(address)")) has port 0, where no node can be: give the node's port.")
    }
    return ControlClient(address)
  }
}

extension Verb {
  /// `starling publish`
  static let publish = Verb(
    "publish", "give a file to a running node, which broadcasts it",
    operands: [Operand(name: "FILE", summary: "the file, or - for standard input")],
    options: [
      .nodeControl, .nodeBroadcast,
      Option("topic", "NAME", "a label by which receivers choose (default none)"),
      Option("name", "NAME", "what receivers call the file (default its own name)"), .json, .out,
    ]
  ) { arguments throws(CommandError) in
    let client = try arguments.controlClient()
    let output = try Output(arguments)
    let operand = arguments.operands[0]
    let file = operand == "-" ? try StandardInputFile() : nil
    let path = file?.path ?? operand
    let bytes = try InputFile.size(path)
    try InputFile.checkThatBroadcasts(operand, bytes)
    try client.check(arguments)
    let name = arguments.text("name") ?? (file == nil ? nil : "standard-input")
    let topic = arguments.text("topic") ?? ""
    let publication = try explaining { try client.publish(file: path, name: name, topic: topic) }
    try output.write(
      .object([
        ("file", .string(publication.file)), ("digest", .string(publication.digest)),
        ("bytes", .integer(bytes)), ("topic", .string(topic)),
      ]), json: arguments.has("json"),
      text: "published \(Readable.size(bytes))\nfile   \(publication.file)\nsha256 \(publication.digest)")
  }
}

/// What came on standard input, as a file without a name that is gone with this process.
private struct StandardInputFile {
  let path: String

  init() throws(CommandError) {
    let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(folder)/starling-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else {
      throw .failed(
        "Standard input could not be kept in \(quoted(folder)): \(String(cString: strerror(errno)));"
          + " name another folder in TMPDIR.")
    }
    unlink(template)
    path = "/proc/self/fd/\(descriptor)"
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(STDIN_FILENO, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        throw .failed("Standard input could not be read: \(String(cString: strerror(errno))).")
      }
      if count == 0 { return }
      guard write(descriptor, buffer, count) == count else {
        throw .failed("Standard input could not be kept in \(quoted(folder)): make room there.")
      }
    }
  }
}
