import StarlingBroadcast
import StarlingCore
import StarlingLedger
import StarlingNode

/// Keeps books of its own on what every correct process applies, and compares: the checker of Definition 1 (thesis, section
/// 3.2). It adds and subtracts for itself, and trusts no ledger.
struct LedgerMeter<Broadcast: SourceOrderedBroadcast>: SimulationObserver
where Broadcast.Auth: TransferAuthenticator {
  typealias Observed = LedgerParticipant<Broadcast>

  /// What became of a transfer.
  struct Fate {
    /// What it says, as the first process that applied it had it.
    let contents: Transfer
    /// How many correct processes have applied it.
    var appliers = 0
  }

  /// Accounts as somebody who applied transfers one by one has them.
  struct Books {
    var balances: [Int128]
    var next: [UInt64]

    /// Applies a transfer.
    ///
    /// - Returns: whether it took no more than was there, and was the next of its account.
    mutating func apply(_ transfer: Transfer, _ index: (PublicKey) -> Int?) -> Bool {
      guard let account = index(transfer.account) else { return false }
      for destination in transfer.destinations {
        balances[account] -= Int128(destination.amount)
        if let credited = index(destination.account) { balances[credited] += Int128(destination.amount) }
      }
      defer { next[account] = transfer.sequence + 1 }
      return balances[account] >= 0 && next[account] == transfer.sequence
    }
  }

  private let index: [PublicKey: Int]
  /// Each correct process's, which show that its local history is legal ...
  private var local: [Books]
  /// ... and those of all: each transfer when a correct process applied it first. They show that this order, which extends
  /// real time, is legal.
  private var global: Books
  private(set) var fates: [[Fate]]
  /// When a client handed in a transfer.
  private var handedIn: [TransferNumber: Instant] = [:]
  private(set) var latencies = LatencyHistogram()
  private(set) var messages: UInt64 = 0
  private(set) var applications = 0
  private(set) var refusals = 0
  private(set) var abandoned = 0
  /// Applications of two different transfers of one number.
  private(set) var consistencyViolations = 0
  /// Applications that took more than there was, or were out of turn; or before they were signed.
  private(set) var overdrafts = 0
  private(set) var accusations = 0

  init(accounts: [PublicKey], balance: UInt64, correct: Int) {
    index = Dictionary(uniqueKeysWithValues: accounts.enumerated().map { ($0.element, $0.offset) })
    let books = Books(
      balances: [Int128](repeating: Int128(balance), count: accounts.count),
      next: [UInt64](repeating: 0, count: accounts.count))
    local = [Books](repeating: books, count: correct)
    global = books
    fates = [[Fate]](repeating: [], count: accounts.count)
  }

  /// A client is about to hand in a transfer.
  mutating func handsIn(_ transfer: Transfer, at now: Instant) {
    if handedIn[transfer.number] == nil { handedIn[transfer.number] = now }
  }

  mutating func sent(_ message: Observed.Message, from sender: Peer, to receiver: Peer, at now: Instant) {
    messages += 1
  }

  mutating func indicated(_ indication: Observed.Indication, by peer: Peer, at now: Instant) {
    switch indication {
    case .applied(let applied): apply(applied.transfer.transfer, by: peer, at: now)
    case .submitted(_, let refusal): if refusal != nil { refusals += 1 }
    case .abandoned: abandoned += 1
    case .broadcast(.misbehaved): accusations += 1
    case .broadcast: break
    }
  }

  private mutating func apply(_ transfer: Transfer, by peer: Peer, at now: Instant) {
    applications += 1
    guard let account = index[transfer.account], transfer.sequence <= UInt64(fates[account].count) else {
      overdrafts += 1
      return
    }
    if !local[Int(peer.index)].apply(transfer, { index[$0] }) { overdrafts += 1 }
    if transfer.sequence == UInt64(fates[account].count) {
      fates[account].append(Fate(contents: transfer))
      if !global.apply(transfer, { index[$0] }) { overdrafts += 1 }
      if let signed = handedIn.removeValue(forKey: transfer.number) { latencies.record(now - signed) }
    }
    if fates[account][Int(transfer.sequence)].contents != transfer { consistencyViolations += 1 }
    fates[account][Int(transfer.sequence)].appliers += 1
  }
}
