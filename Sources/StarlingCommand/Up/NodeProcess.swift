import FoundationEssentials
import Glibc
import StarlingCore
import StarlingRuntime

/// A `starling node` that was started as a process of its own.
struct NodeProcess {
  /// Its number in the network, 0 for the first.
  let index: Int
  let process: pid_t
  /// Its public key in hexadecimal.
  let key: String
  /// Where its UDP socket listens.
  let listen: SocketAddress
  /// Where it takes orders.
  let client: ControlClient
  /// Where its messages for people go.
  let log: String

  /// What a node says of itself on standard output, once it listens.
  private struct Announcement: Decodable {
    let key: String
    let listen: String
    let control: String
  }

  /// Starts a node and waits until it listens.
  ///
  /// - Parameters:
  ///   - index: its number.
  ///   - options: what follows `starling node`, besides its control address.
  ///   - lifeline: the end of a pipe that the node watches: when the other end closes, it stops.
  ///   - log: the file for its messages.
  init(_ index: Int, options: [String], lifeline: Int32, log: String) throws(CommandError) {
    self.index = index
    self.log = log
    let words = ["starling", "node", "--control", "127.0.0.1:0", "--json"] + options
    var pipe: [Int32] = [-1, -1]
    guard closingPipe(&pipe) == 0 else { throw NodeProcess.notStarted(index, errno) }
    defer { close(pipe[0]) }
    let result = NodeProcess.spawn(words, output: pipe[1], lifeline: lifeline, log: log)
    close(pipe[1])
    process = try NodeProcess.started(result, index)
    let text = NodeProcess.readObject(from: pipe[0])
    guard let node = try? JSONDecoder().decode(Announcement.self, from: Data(text)),
      let listen = SocketAddress(node.listen), let control = SocketAddress(node.control)
    else {
      kill(process, SIGKILL)
      waitpid(process, nil, 0)
      throw .failed("Node \(index) did not start: \(NodeProcess.lastLine(of: log)).")
    }
    key = node.key
    self.listen = listen
    client = ControlClient(control)
  }

  /// How it ended, to follow its name in a sentence; `nil` while it runs. Its number is free for the system to
  /// use again afterwards, so this is asked at most until it answers.
  func ending() -> String? {
    var status: Int32 = 0
    let result = waitpid(process, &status, WNOHANG)
    if result == 0 { return nil }
    let signal = status & 0x7F
    if result > 0, signal != 0 { return "was ended by signal \(signal)" }
    let code = status >> 8 & 0xFF
    return code == 0 ? "has stopped" : "has failed: \(NodeProcess.lastLine(of: log))"
  }

  private static func started(
    _ result: (process: pid_t, code: Int32), _ index: Int
  ) throws(CommandError) -> pid_t {
    guard result.code == 0 else { throw notStarted(index, result.code) }
    return result.process
  }

  private static func notStarted(_ index: Int, _ code: Int32) -> CommandError {
    .failed("Node \(index) could not be started: \(String(cString: strerror(code))); try fewer nodes.")
  }

  /// The descriptor under which a node finds its lifeline.
  private static let lifelineNumber: Int32 = 3

  /// Starts another program with the same lifeline; what it writes goes to a file.
  static func startProgram(_ words: [String], lifeline: Int32, log: String) throws(CommandError) -> pid_t {
    let output = open("/dev/null", O_WRONLY | O_CLOEXEC)
    defer { close(output) }
    let result = spawn(words, path: words[0], output: output, lifeline: lifeline, log: log)
    guard result.code == 0 else {
      throw .failed(
        "The program \(quoted(words[0])) could not be started: \(String(cString: strerror(result.code))).")
    }
    return result.process
  }

  private static func spawn(
    _ words: [String], path: String = "/proc/self/exe", output: Int32, lifeline: Int32, log: String
  ) -> (process: pid_t, code: Int32) {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    posix_spawn_file_actions_adddup2(&actions, lifeline, lifelineNumber)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // A group of its own: a Ctrl-C of the terminal is for whoever started the network, not for its nodes.
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
    var process: pid_t = 0
    let code = withStrings(words) { words in
      withStrings(environment()) { environment in
        posix_spawn(&process, path, &actions, &attributes, words, environment)
      }
    }
    return (process, code)
  }

  /// The environment without what is meant for a single node, and with the lifeline.
  private static func environment() -> [String] {
    var variables: [String] = []
    var next = environ
    while let entry = next.pointee {
      let text = String(cString: entry)
      if !text.hasPrefix("STARLING_") { variables.append(text) }
      next += 1
    }
    return variables + ["STARLING_LIFELINE=\(lifelineNumber)"]
  }

  private static func withStrings<Result>(
    _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
  ) -> Result {
    let copies = texts.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return body(copies + [nil])
  }

  /// Everything until an object is complete, as far as that shows: its closing brace has a line of its own.
  private static func readObject(from descriptor: Int32) -> [UInt8] {
    let limit = 1 << 16
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4_096)
    while text.count < limit, !text.suffix(3).elementsEqual(Array("\n}\n".utf8)) {
      let count = read(descriptor, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      text += buffer[..<count]
    }
    return text
  }

  private static func lastLine(of log: String) -> String {
    guard let text = try? InputFile.read(log, limit: 1 << 26) else { return "it said nothing" }
    let lines = String(decoding: text.suffix(4_096), as: UTF8.self).split(separator: "\n")
    guard var line = lines.last.map(String.init) else { return "it said nothing" }
    if line.hasPrefix("starling: ") { line.removeFirst("starling: ".count) }
    while line.last == "." { line.removeLast() }
    return line
  }
}

/// Makes a pipe whose ends no other process inherits unless it is given them.
func closingPipe(_ ends: inout [Int32]) -> Int32 {
  guard pipe(&ends) == 0 else { return -1 }
  for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
  return 0
}
