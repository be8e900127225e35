import Glibc
import StarlingCore
import StarlingRuntime

/// Shows a network that stays up: a table that is redrawn on a terminal, a line now and then elsewhere.
struct NetworkMonitor {
  private let network: LocalNetwork
  private let isOnTerminal: Bool
  private var linesDrawn = 0

  /// The most nodes that are shown one by one.
  private static let rowsLimit = 40

  init(_ network: LocalNetwork, isOnTerminal: Bool = Messages.areOnTerminal) {
    self.network = network
    self.isOnTerminal = isOnTerminal
  }

  /// Shows the network until the user interrupts.
  mutating func run() throws(CommandError) {
    var turns = 0
    while !Interruption.isWanted {
      // Once a second on a terminal, every five seconds elsewhere; a signal ends the pause at once.
      if turns % (isOnTerminal ? 10 : 50) == 0 { show() }
      turns += 1
      usleep(100_000)
      if Interruption.isWanted { return }
      for ending in network.takeEnded() {
        linesDrawn = 0
        Messages.write(line: "\(ending); \(Quantity.count(network.nodes.count, "node")) left.")
      }
      guard !network.nodes.isEmpty else { throw .failed("All nodes have ended: start the network again.") }
    }
  }

  private mutating func show() {
    var rows: [[String]] = []
    var files = 0
    var connections = 0
    for node in network.nodes {
      // A node that does not answer has ended, which the next turn tells, or is stopped and may go on.
      guard let status = try? node.client.status(), let known = try? node.client.files() else { continue }
      let held = known.count { $0.state == .complete || $0.state == .published }
      files = max(files, held)
      connections += status.connections
      if rows.count < NetworkMonitor.rowsLimit {
        rows.append([
          "\(node.index)", status.listen, status.control, "\(status.partialView)", "\(status.inView)",
          "\(held)", "\(status.counters["chunk_messages_sent"] ?? 0)",
          "\(status.counters["datagrams_sent"] ?? 0)",
        ])
      }
    }
    guard isOnTerminal else {
      return Messages.write(
        line:
          "\(Quantity.count(network.nodes.count, "node")), \(Quantity.count(connections / 2, "connection")),"
          + " \(Quantity.count(files, "file"))")
    }
    var lines = Readable.table(
      ["node", "listens", "control", "view", "in-view", "files", "chunks sent", "datagrams sent"], rows)
    if network.nodes.count > rows.count { lines.append("and \(network.nodes.count - rows.count) more") }
    // Back to the table's first line; each line is erased before it is written anew.
    var text = linesDrawn > 0 ? "\u{1B}[\(linesDrawn)A" : ""
    for line in lines { text += "\u{1B}[K\(line)\n" }
    linesDrawn = lines.count
    Messages.write(text)
  }
}
