import Glibc
import StarlingCore
import StarlingLedger
import StarlingRuntime

extension Verb {
  /// `starling ledger audit`
  static let ledgerAudit = Verb(
    "ledger audit", "hold nodes' words about their ledger against each other",
    options: [
      .nodes, .genesis,
      Option(
        "timeout", "TIME", "how long to wait for nodes that are busy to have applied as much (default 10s)"),
      .json,
      .out,
    ],
    notes: """
      At each node the balances must add up to the supply, and nodes that have applied as much must have
      the same accounts. The exit code is 1 when something does not hold. `agreeing` is null when nodes
      were busy to the end, so that their accounts could not be compared.
      """
  ) { arguments throws(CommandError) in
    let genesis = try arguments.genesis()
    let timeout = try arguments.duration("timeout", in: .zero...Quantity.longestDuration) ?? .seconds(10)
    let clients = try arguments.ledgerClients(within: timeout)
    let output = try Output(arguments)
    let deadline = ContinuousClock.now + .nanoseconds(timeout.nanoseconds)
    var before: [LedgerStatus] = []
    var hasMoved = false
    while true {
      var reports: [(node: SocketAddress, status: LedgerStatus)] = []
      var silent: [HostError] = []
      for client in clients {
        do throws(HostError) {
          reports.append((client.address, try client.status()))
        } catch {
          silent.append(error)
        }
      }
      if reports.isEmpty, let error = silent.first {
        throw .failed(error.description)
      }
      let audit = LedgerAudit(reports, before: before, genesis: genesis)
      // A doubt is looked at once more, whatever the time.
      let isOver = ContinuousClock.now >= deadline && !before.isEmpty
      if !before.isEmpty, before != reports.map(\.status) { hasMoved = true }
      if !audit.faults.isEmpty || audit.isComplete || isOver {
        try finish(audit, reports, hasMoved: hasMoved, output, json: arguments.has("json"))
        // What the others say is printed all the same.
        if let error = silent.first { throw .failed("One was not looked at: \(error.description)") }
        return
      }
      before = reports.map(\.status)
      usleep(500_000)
    }
  }

  private static func finish(
    _ audit: LedgerAudit, _ reports: [(node: SocketAddress, status: LedgerStatus)], hasMoved: Bool,
    _ output: Output, json: Bool
  ) throws(CommandError) {
    var faults = audit.faults
    if faults.isEmpty, !audit.isComplete, !hasMoved {
      faults = [
        "Nothing moved, and not all nodes have applied as much and have as much that waits: those that are behind are cut off, or"
          + " lack something for good. Look at their logs."
      ]
    }
    let rows = reports.map { node, status in
      [
        "\(node)", status.total.description, "\(status.transfers)", "\(status.waiting)",
        String(status.stateHash.prefix(16)),
      ]
    }
    let holds = faults.isEmpty
    let verdict =
      !holds
      ? faults.joined(separator: "\n")
      : audit.isComplete
        ? "All holds: no money was made or lost, and all nodes have the same accounts."
        : "No money was made or lost; the nodes were busy to the end, so their accounts were not compared."
    try output.write(
      .object([
        ("holds", .bool(holds)),
        ("agreeing", audit.isComplete ? .bool(holds) : (holds ? .null : .bool(false))),
        ("faults", .array(faults.map(JSONValue.string))),
        ("nodes", .array(reports.map { $0.status.json(at: $0.node) })),
      ]), json: json,
      text: (Readable.table(["node", "total", "transfers", "waiting", "state"], rows) + [verdict]).joined(
        separator: "\n"))
    if let fault = faults.first { throw .failed(fault) }
  }
}

extension LedgerStatus {
  fileprivate func json(at node: SocketAddress) -> JSONValue {
    .object([
      ("node", .string("\(node)")), ("ledger", .string(ledger)), ("supply", .string(supply.description)),
      ("total", .string(total.description)), ("accounts", .integer(accounts)),
      ("transfers", .unsigned(transfers)),
      ("waiting", .integer(waiting)), ("state_hash", .string(stateHash)),
    ])
  }
}
