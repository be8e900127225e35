import Glibc
import StarlingCore
import StarlingLedger
import StarlingNode
import StarlingRuntime

/// Four processes of `starling node` on this machine, with their keys, members and genesis in a folder.
final class Nodes {
  static let count = 4
  /// How many accounts there are.
  static let accountCount = 256

  let genesis: Genesis
  let clients: [LedgerClient]
  private let program: String
  private let folder: String
  private let port: UInt16
  private var processes = [pid_t](repeating: 0, count: Nodes.count)
  /// How often a node was begun anew with nothing: each time it has another directory.
  private var generations = [Int](repeating: 0, count: Nodes.count)
  /// The nodes stop when this program is gone, however it ends: its end of the pipe closes.
  private var lifeline: [Int32] = [-1, -1]

  init(program: String, folder: String, port: UInt16) throws {
    (self.program, self.folder, self.port) = (program, folder, port)
    var members: [PeerRecord] = []
    for index in 0..<Nodes.count {
      let key = try IdentityFile.create(at: "\(folder)/\(index).key").publicKey
      let listen = SocketAddress(host: [127, 0, 0, 1], port: port + UInt16(index))
      members.append(PeerRecord(key: key, address: listen))
    }
    let accounts = try (0..<Nodes.accountCount).map { try Nodes.owner($0).publicKey }
    genesis = try Genesis(
      network: "crashes", members: members.map(\.key), byzantine: (Nodes.count - 1) / 3,
      balances: Dictionary(uniqueKeysWithValues: accounts.map { ($0, 1 << 30) }))
    clients = (0..<Nodes.count).compactMap { index in
      SocketAddress(host: [127, 0, 0, 1], port: port + 500 + UInt16(index)).map {
        var client = LedgerClient($0)
        client.timeout = .seconds(10)
        return client
      }
    }
    try Nodes.write(MemberList(members).text, to: "\(folder)/members")
    try Nodes.write(genesis.text, to: "\(folder)/genesis")
    guard pipe(&lifeline) == 0 else { throw Nodes.failure("There is no pipe", errno) }
    for end in lifeline { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
  }

  /// Who owns an account.
  static func owner(_ index: Int) throws -> Identity {
    var writer = WireWriter(capacity: 32)
    writer.write(text: "starling crash account")
    writer.write(integer: UInt64(index))
    return try Identity(seed: SHA256.hash(writer.bytes).bytes)
  }

  /// Starts a node that does not run.
  func start(_ index: Int) throws {
    let own = port + UInt16(index)
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    let log = "\(folder)/log-\(index)"
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
    posix_spawn_file_actions_adddup2(&actions, lifeline[0], 3)
    let words: [String] = [
      program, "node", "--listen", "127.0.0.1:\(own)", "--control", "127.0.0.1:\(own + 500)", "--data",
      "\(folder)/data-\(index)-\(generations[index])", "--identity", "\(folder)/\(index).key", "--members",
      "\(folder)/members", "--genesis", "\(folder)/genesis", "--log-level", "error",
    ]
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
    arguments.append(nil)
    var environment = [strdup("STARLING_LIFELINE=3"), nil]
    defer { for text in arguments + environment { free(text) } }
    let code = posix_spawn(&processes[index], program, &actions, nil, &arguments, &environment)
    guard code == 0 else { throw Nodes.failure("\(program) could not be started", code) }
  }

  /// Ends nodes by kill -9, all before any is waited for.
  func kill(_ indices: [Int]) throws {
    for index in indices where Glibc.kill(processes[index], SIGKILL) != 0 {
      throw Nodes.failure("Node \(index) could not be killed", errno)
    }
    for index in indices {
      var status: Int32 = 0
      waitpid(processes[index], &status, 0)
      guard status & 0x7F == SIGKILL else {
        throw HostError(
          "Node \(index) had ended by itself, with status \(status); see \(folder)/log-\(index).")
      }
    }
  }

  /// Has a node that does not run begin with nothing the next time.
  func forget(_ index: Int) { generations[index] += 1 }

  private static func failure(_ what: String, _ code: Int32) -> HostError {
    HostError("\(what): \(String(cString: strerror(code))).")
  }

  private static func write(_ text: String, to path: String) throws {
    guard let file = fopen(path, "w") else { throw Nodes.failure("\(path) cannot be written", errno) }
    fputs(text, file)
    fclose(file)
  }
}
