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
    let clients = try arguments.ledgerClients()
    let genesis = try arguments.genesis()
    let timeout = try arguments.duration("timeout", in: .zero...Quantity.longestDuration) ?? .seconds(10)
    let output = try Output(arguments)
    let deadline = ContinuousClock.now + .nanoseconds(timeout.nanoseconds)
    var before: [LedgerStatus] = []
    while true {
      var reports: [(node: SocketAddress, status: LedgerStatus)] = []
      for client in clients {
        reports.append((client.address, try explaining { try client.status() }))
      }
      let audit = LedgerAudit(reports, before: before, genesis: genesis)
      // A doubt is looked at once more, whatever the time.
      let isOver = ContinuousClock.now >= deadline && !(audit.isDoubtful && before.isEmpty)
      if !audit.faults.isEmpty || audit.isComplete || isOver {
        return try finish(audit, reports, output, json: arguments.has("json"))
      }
      before = reports.map(\.status)
      usleep(500_000)
    }
  }

  private static func finish(
    _ audit: LedgerAudit, _ reports: [(node: SocketAddress, status: LedgerStatus)], _ output: Output,
    json: Bool
  ) throws(CommandError) {
    let rows = reports.map { node, status in
      [
        "\(node)", status.total.description, "\(status.transfers)", "\(status.waiting)",
        String(status.stateHash.prefix(16)),
      ]
    }
    let holds = audit.faults.isEmpty
    let verdict =
      !holds
      ? audit.faults.joined(separator: "\n")
      : audit.isComplete
        ? "All holds: no money was made or lost, and all nodes have the same accounts."
        : "No money was made or lost; the nodes were busy to the end, so their accounts were not compared."
    try output.write(
      .object([
        ("holds", .bool(holds)),
        ("agreeing", audit.isComplete ? .bool(holds) : (holds ? .null : .bool(false))),
        ("faults", .array(audit.faults.map(JSONValue.string))),
        ("nodes", .array(reports.map { $0.status.json(at: $0.node) })),
      ]), json: json,
      text: (Readable.table(["node", "total", "transfers", "waiting", "state"], rows) + [verdict]).joined(
        separator: "\n"))
    if let fault = audit.faults.first { throw .failed(fault) }
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
