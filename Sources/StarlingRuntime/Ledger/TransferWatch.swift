import StarlingCore
import StarlingLedger

/// Clients that wait until their transfers are final, and what was given up lately.
struct TransferWatch {
  private struct Client {
    let reply: LedgerReply<[LedgerSubmissionResult]>
    /// What it handed in.
    let transfers: [SignedTransfer]
    var results: [LedgerSubmissionResult]
    /// The positions of those that are not decided.
    var open: Set<Int>
    let deadline: Instant
  }

  /// How many transfers that were given up are remembered (a guess).
  private static let abandonedLimit = 4_096
  /// What is said of one that was given up.
  static let reason =
    "Other nodes refused it again and again: another transfer of its number may be under way; ask for that number later."

  private var clients: [UInt64: Client] = [:]
  private var nextClient: UInt64 = 0
  /// Who waits for a transfer, and where it is among the client's.
  private var watched: [TransferNumber: [(client: UInt64, position: Int)]] = [:]
  private var abandoned: Set<TransferNumber> = []
  /// The same, the oldest first.
  private var abandonedOrder: [TransferNumber] = []

  /// When the first client has waited for long enough.
  var nextDeadline: Instant { clients.values.map(\.deadline).min() ?? .distantFuture }

  /// Whether a transfer was given up lately.
  func wasAbandoned(_ number: TransferNumber) -> Bool { abandoned.contains(number) }

  /// Has a client wait for what is pending of its transfers.
  mutating func add(
    _ reply: LedgerReply<[LedgerSubmissionResult]>, for transfers: [SignedTransfer],
    _ results: [LedgerSubmissionResult], until deadline: Instant
  ) {
    let open = results.indices.filter { results[$0].outcome == .pending }
    guard !open.isEmpty else { return reply.send(results) }
    nextClient += 1
    clients[nextClient] = Client(
      reply: reply, transfers: transfers, results: results, open: Set(open), deadline: deadline)
    for position in open { watched[results[position].number, default: []].append((nextClient, position)) }
  }

  /// A transfer is final. Whoever waits for another of its number has lost: its owner signed two.
  mutating func applied(_ transfer: Transfer) {
    decide(transfer.number) {
      $0.transfer == transfer ? .final : .refused(.numberUsed(next: transfer.sequence + 1))
    }
  }

  /// A transfer was given up.
  mutating func abandoned(_ number: TransferNumber) {
    if abandoned.insert(number).inserted { abandonedOrder.append(number) }
    if abandonedOrder.count > TransferWatch.abandonedLimit { abandoned.remove(abandonedOrder.removeFirst()) }
    decide(number) { _ in .abandoned(TransferWatch.reason) }
  }

  private mutating func decide(
    _ number: TransferNumber, _ outcome: (SignedTransfer) -> LedgerSubmissionResult.Outcome
  ) {
    if watched.isEmpty { return }
    for (id, position) in watched.removeValue(forKey: number) ?? [] {
      guard var client = clients[id] else { continue }
      clients[id] = nil
      client.results[position].outcome = outcome(client.transfers[position])
      client.open.remove(position)
      if client.open.isEmpty { client.reply.send(client.results) } else { clients[id] = client }
    }
  }

  /// Answers those that have waited for long enough.
  mutating func expire(at now: Instant) {
    for (id, client) in clients where client.deadline <= now { end(id, client) }
  }

  /// Answers everybody.
  mutating func finish() { for (id, client) in clients { end(id, client) } }

  private mutating func end(_ id: UInt64, _ client: Client) {
    clients[id] = nil
    for position in client.open {
      let number = client.results[position].number
      watched[number]?.removeAll { $0.client == id }
      if watched[number]?.isEmpty == true { watched[number] = nil }
    }
    client.reply.send(client.results)
  }
}
