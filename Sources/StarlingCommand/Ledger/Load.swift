import Glibc
import StarlingCore
import StarlingLedger
import StarlingRuntime
import Synchronization

/// Pays among accounts of a wallet at a given rate.
///
/// One thread signs, a quarter of a second ahead and with one write to the disk for all; the others send, each for accounts
/// of its own and one transfer at a time, so that no transfer overtakes another of its account.
struct Load {
  private let options: LoadOptions
  private let payer: Payer
  private let owners: [Identity]
  private let clock = ContinuousClock()

  /// How far ahead transfers are signed.
  private static let slice = Duration.milliseconds(250)
  /// How long what is signed may take to be sent after the end.
  private static let drain = Duration.seconds(10)

  /// Asks the nodes, and makes the accounts that are not there.
  init(_ options: LoadOptions) throws(CommandError) {
    self.options = options
    payer = try explaining {
      try Payer(options.wallet, clients: options.clients, genesis: options.genesis).telling()
    }
    owners = try explaining {
      let names = Set(try options.wallet.accounts().map(\.name))
      return try (1...options.accounts).map { number in
        if !names.contains("load-\(number)") { _ = try options.wallet.addAccount("load-\(number)") }
        return try options.wallet.owner(of: "load-\(number)")
      }
    }
  }

  /// Funds the accounts, and pays.
  func run() throws(CommandError) -> LoadReport {
    try finish(owners)
    var known = try explaining { try owners.map { try payer.account($0.publicKey) } }
    try fund(&known)
    let desk = LoadDesk(options.connections)
    let clients = options.clients
    let numbers = Atomic<Int>(0)
    let outcome = Mutex<CommandError?>(nil)
    let signer = Signer(payer, owners, known)
    let (rate, seconds, connections) = (options.rate, options.seconds, options.connections)
    let clock = clock
    Threads.run(connections + 1) {
      let number = numbers.wrappingAdd(1, ordering: .relaxed).oldValue
      if number > 0 {
        LoadWorker(desk: desk, lane: number - 1, client: clients[(number - 1) % clients.count]).run()
        return
      }
      do throws(CommandError) {
        try signer.run(desk, rate: rate, seconds: seconds, connections: connections)
        desk.end(at: clock.now + Load.drain)
      } catch {
        outcome.withLock { $0 = error }
        desk.end(at: clock.now)
      }
    }
    if let error = outcome.withLock({ $0 }) { throw error }
    let results = desk.results
    try explaining { try payer.settle(desk.takeFinal()) }
    return LoadReport(options, results, skipped: signer.skipped, unsent: desk.unsent)
  }

  /// Sends what earlier runs left, and waits for it.
  private func finish(_ owners: [Identity]) throws(CommandError) {
    for owner in owners {
      for payment in try explaining({ try payer.send(of: owner.publicKey, within: .seconds(30)) })
      where payment.state != .final && !payment.isOvertaken {
        if let reason = try explaining({ try payer.wait(for: payment, within: .seconds(60)) }) {
          throw .failed("A transfer of an earlier run is not final: \(reason)")
        }
      }
    }
  }

  /// Gives the accounts what they lack.
  private func fund(_ known: inout [Ledger.Account]) throws(CommandError) {
    let need = options.need
    let poor = known.indices.filter { known[$0].balance < need }
    guard !poor.isEmpty else { return }
    let lack = poor.reduce(UInt64(0)) { $0 + (need - known[$1].balance) }
    guard let name = options.from else {
      throw .failed(
        "The accounts lack \(lack) of the \(need) that each pays: name an account of the wallet that gives it to them with "
          + "--from NAME.")
    }
    try explaining {
      let giver = try options.wallet.owner(of: name)
      Messages.write(line: "giving \(lack) to \(Quantity.count(poor.count, "account"))")
      var rest = poor[...]
      while !rest.isEmpty {
        let some = rest.prefix(Transfer.destinationLimit)
        rest = rest.dropFirst(some.count)
        _ = try payer.sign(
          some.map { .init(account: owners[$0].publicKey, amount: need - known[$0].balance) },
          memo: Array("load".utf8), by: giver)
        // One after the other: a node takes few of one account at once.
        for payment in try payer.send(of: giver.publicKey, within: .seconds(30)) where payment.state != .final
        {
          if let reason = try payer.wait(for: payment, within: .seconds(60)) { throw HostError(reason) }
        }
      }
    }
    // Every node that is asked must have heard of it.
    let deadline = clock.now + .seconds(30)
    while true {
      known = try explaining { try owners.map { try payer.account($0.publicKey) } }
      if known.allSatisfy({ $0.balance >= need }) { return }
      guard clock.now < deadline else {
        throw .failed("The accounts did not get what they lack in 30 s: look whether all nodes take part.")
      }
      usleep(200_000)
    }
  }

  /// Signs what is due soon. Only the thread that runs it uses it.
  private final class Signer: @unchecked Sendable {
    private let payer: Payer
    private let owners: [Identity]
    private var known: [PublicKey: Ledger.Account]
    private(set) var skipped = 0
    private var next = 0

    init(_ payer: Payer, _ owners: [Identity], _ known: [Ledger.Account]) {
      self.payer = payer
      self.owners = owners
      self.known = Dictionary(uniqueKeysWithValues: zip(owners.map(\.publicKey), known))
    }

    func run(_ desk: LoadDesk, rate: Int, seconds: Int, connections: Int) throws(CommandError) {
      let clock = ContinuousClock()
      let start = clock.now
      var planned = 0
      var end = Load.slice
      while planned < rate * seconds {
        let due = min(rate * seconds, Int(Double(rate) * (end / .seconds(1))))
        let room = max(0, rate + 2 * connections - desk.waiting)
        let count = min(due - planned, room)
        if count > 0 {
          try sign(count, from: planned, rate: rate, start: start, connections: connections, to: desk)
        }
        skipped += due - planned - max(0, count)
        planned = due
        try explaining { try payer.settle(desk.takeFinal()) }
        clock.sleep(until: start + end - Load.slice / 2)
        end += Load.slice
      }
    }

    private func sign(
      _ count: Int, from planned: Int, rate: Int, start: ContinuousClock.Instant, connections: Int,
      to desk: LoadDesk
    ) throws(CommandError) {
      let payers = (0..<count).map { (next + $0) % owners.count }
      next = (next + count) % owners.count
      let payments = try explaining {
        try payer.sign(
          payers.map { index in
            (owners[index], [.init(account: owners[(index + 1) % owners.count].publicKey, amount: 1)])
          }, from: { self.known[$0] ?? Ledger.Account(balance: 0, next: 0) })
      }
      for (offset, payment) in payments.enumerated() {
        let transfer = payment.transfer.transfer
        known[transfer.account] = Ledger.Account(balance: transfer.funds - 1, next: transfer.sequence + 1)
        let due = start + .seconds(Double(planned + offset) / Double(rate))
        desk.put(LoadJob(payment: payment, due: due), lane: payers[offset] % connections)
      }
    }
  }
}

extension ContinuousClock {
  /// Waits on this thread.
  fileprivate func sleep(until instant: Instant) {
    let left = now.duration(to: instant)
    guard left > .zero else { return }
    usleep(UInt32(min(left / .microseconds(1), 1e9)))
  }
}

/// A transfer that is to be sent.
struct LoadJob: Sendable {
  let payment: Payer.Payment
  let due: ContinuousClock.Instant
}

/// What a worker saw.
struct LoadResults: Sendable {
  /// Milliseconds from handing in to final.
  var latencies: [Double] = []
  /// Milliseconds from when they were due to handing in.
  var lateness: [Double] = []
  /// Refusals by reason.
  var refusals: [String: Int] = [:]
  /// Not final when the node had waited as long as it would.
  var pending = 0
  /// When the first was handed in, and when the last was final.
  var first: ContinuousClock.Instant?
  var last: ContinuousClock.Instant?

  mutating func merge(_ other: LoadResults) {
    latencies += other.latencies
    lateness += other.lateness
    refusals.merge(other.refusals) { $0 + $1 }
    pending += other.pending
    first = [first, other.first].compactMap(\.self).min()
    last = [last, other.last].compactMap(\.self).max()
  }
}

/// Where the signer puts what the workers take.
final class LoadDesk: Sendable {
  private struct State {
    var lanes: [[LoadJob]]
    var heads: [Int]
    var final: [Payer.Payment] = []
    var results = LoadResults()
    var deadline: ContinuousClock.Instant?
    var waiting = 0
  }

  private let state: Mutex<State>

  init(_ lanes: Int) {
    state = Mutex(State(lanes: Array(repeating: [], count: lanes), heads: Array(repeating: 0, count: lanes)))
  }

  /// How many jobs no worker has taken.
  var waiting: Int { state.withLock { $0.waiting } }
  /// What all workers saw.
  var results: LoadResults { state.withLock { $0.results } }
  /// What was signed and is not known to be with a node.
  var unsent: Int { state.withLock { $0.waiting } }

  func put(_ job: LoadJob, lane: Int) {
    state.withLock {
      $0.lanes[lane].append(job)
      $0.waiting += 1
    }
  }

  /// Nothing more comes; what is not sent by `deadline` stays.
  func end(at deadline: ContinuousClock.Instant) { state.withLock { $0.deadline = deadline } }

  /// The next job of a lane, which stays there until it is done; `nil` if there is none.
  func peek(_ lane: Int) -> LoadJob? {
    state.withLock { $0.heads[lane] < $0.lanes[lane].count ? $0.lanes[lane][$0.heads[lane]] : nil }
  }

  /// Takes the next job of a lane away.
  func pop(_ lane: Int) {
    state.withLock { state in
      state.heads[lane] += 1
      state.waiting -= 1
      if state.heads[lane] > 1_024 {
        state.lanes[lane].removeFirst(state.heads[lane])
        state.heads[lane] = 0
      }
    }
  }

  /// Whether a worker with nothing to do may go, or one with something must.
  func isOver(at now: ContinuousClock.Instant, isIdle: Bool) -> Bool {
    state.withLock { state in state.deadline.map { isIdle || now >= $0 } ?? false }
  }

  func note(_ payment: Payer.Payment) { state.withLock { $0.final.append(payment) } }

  func takeFinal() -> [Payer.Payment] {
    state.withLock { state in
      defer { state.final = [] }
      return state.final
    }
  }

  func add(_ results: LoadResults) { state.withLock { $0.results.merge(results) } }
}

/// Sends one lane's transfers, one at a time.
struct LoadWorker {
  let desk: LoadDesk
  let lane: Int
  let client: LedgerClient
  private let clock = ContinuousClock()

  init(desk: LoadDesk, lane: Int, client: LedgerClient) {
    self.desk = desk
    self.lane = lane
    self.client = client
  }

  func run() {
    var results = LoadResults()
    while true {
      let now = clock.now
      let job = desk.peek(lane)
      if desk.isOver(at: now, isIdle: job == nil) { break }
      guard let job, job.due <= now else {
        usleep(1_000)
        continue
      }
      if results.first == nil { results.first = now }
      if send(job, at: now, &results) { desk.pop(lane) } else { usleep(100_000) }
    }
    desk.add(results)
  }

  /// Hands a transfer in.
  ///
  /// - Returns: whether it is done with; otherwise it is sent again, before all that follow it.
  private func send(_ job: LoadJob, at now: ContinuousClock.Instant, _ results: inout LoadResults) -> Bool {
    do throws(HostError) {
      switch try client.submit(job.payment.transfer, waiting: 10) {
      case .refused(let status, _):
        results.refusals[LoadWorker.name(status), default: 0] += 1
        return false
      case .taken(let receipt)
      where receipt.state == .final || receipt.state == .pending && isFinal(job, until: now + .seconds(10)):
        let done = clock.now
        results.latencies.append(Readable.milliseconds(now.duration(to: done)))
        results.lateness.append(Readable.milliseconds(job.due.duration(to: now)))
        results.last = done
        desk.note(job.payment)
        return true
      case .taken(let receipt) where receipt.state == .pending:
        results.pending += 1
        return true
      case .taken:
        results.refusals["given_up", default: 0] += 1
        return false
      }
    } catch {
      results.refusals["no_answer", default: 0] += 1
      return false
    }
  }

  /// Waits for a transfer with whose answer the node did not wait, because too many others do.
  private func isFinal(_ job: LoadJob, until end: ContinuousClock.Instant) -> Bool {
    repeat {
      if let known = try? client.transfer(job.payment.id), known.state == .final {
        return !known.isAnother(than: job.payment.transfer)
      }
      usleep(20_000)
    } while clock.now < end
    return false
  }

  /// Why a node refused, by the status of HTTP.
  static func name(_ status: Int) -> String {
    switch status {
    case 400: "malformed"
    case 403: "unsigned"
    case 409: "sequence_or_funds"
    case 413: "too_large"
    case 429: "account_busy"
    case 503: "overloaded"
    default: "status_\(status)"
    }
  }
}

/// What `starling load` measured.
struct LoadReport {
  private let options: LoadOptions
  private let results: LoadResults
  private let skipped: Int
  private let unsent: Int
  private let rate: Double

  init(_ options: LoadOptions, _ results: LoadResults, skipped: Int, unsent: Int) {
    self.options = options
    self.results = results
    self.skipped = skipped
    self.unsent = unsent
    let seconds =
      results.first.flatMap { first in results.last.map { first.duration(to: $0) / .seconds(1) } } ?? 0
    rate = seconds > 0 ? Double(results.latencies.count) / seconds : 0
  }

  var latencies: [Double] { results.latencies }

  private static func percentiles(_ values: [Double]) -> [(name: String, value: Double)]? {
    guard !values.isEmpty else { return nil }
    let sorted = values.sorted()
    // The nearest rank.
    func at(_ percent: Int) -> Double { sorted[max(0, (sorted.count * percent + 99) / 100 - 1)] }
    return [("p50", at(50)), ("p90", at(90)), ("p99", at(99)), ("max", sorted[sorted.count - 1])]
  }

  private static func json(_ values: [Double]) -> JSONValue {
    percentiles(values).map { .object($0.map { ($0.name, .number($0.value)) }) } ?? .null
  }

  private static func text(_ values: [Double]) -> String {
    percentiles(values)?.map { "\($0.name) \(Readable.decimal($0.value, 1)) ms" }.joined(separator: ", ")
      ?? "-"
  }

  var json: JSONValue {
    .object([
      ("nodes", .integer(options.clients.count)), ("accounts", .integer(options.accounts)),
      ("connections", .integer(options.connections)), ("seconds", .integer(options.seconds)),
      ("rate_wanted", .integer(options.rate)), ("rate", .number(rate)),
      ("final", .integer(results.latencies.count)), ("pending", .integer(results.pending)),
      ("skipped", .integer(skipped)), ("unsent", .integer(unsent)),
      ("refusals", .object(results.refusals.sorted { $0.key < $1.key }.map { ($0.key, .integer($0.value)) })),
      ("latency_ms", LoadReport.json(results.latencies)), ("late_ms", LoadReport.json(results.lateness)),
    ])
  }

  var text: String {
    var lines = [
      "\(results.latencies.count) final at \(Readable.decimal(rate, 1)) a second, of \(options.rate) that were wanted",
      "latency \(LoadReport.text(results.latencies))", "late    \(LoadReport.text(results.lateness))",
    ]
    if results.pending > 0 { lines.append("\(results.pending) were not final after 10 s") }
    if skipped > 0 { lines.append("\(skipped) were not signed, because too many waited to be sent") }
    if unsent > 0 { lines.append("\(unsent) are signed and not sent: the next run sends them") }
    for (name, count) in results.refusals.sorted(by: { $0.key < $1.key }) {
      lines.append("\(count) refused: \(name)")
    }
    return lines.joined(separator: "\n")
  }
}
