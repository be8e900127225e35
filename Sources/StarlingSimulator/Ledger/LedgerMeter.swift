import StarlingCore
import StarlingLedger

/// Keeps books of its own on what every correct process applies, and compares: the checker of Definition 1 (thesis, section
/// 3.2). It adds and subtracts for itself, and trusts no ledger.
struct LedgerMeter<Member: LedgerReplica>: SimulationObserver {
  typealias Observed = HostedProcess<LedgerParticipant<Member>>

  /// What became of a transfer.
  struct Fate {
    /// What it says, as the first process that applied it had it.
    let contents: Transfer
    /// How many correct processes have applied it, of those that do not crash.
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
  /// When each transfer became final, in about that order.
  private(set) var finals: [Instant] = []
  /// What clients handed in, and to whom, that was not answered yet.
  private(set) var awaiting: [TransferNumber: Peer] = [:]
  /// What clients handed in and was not taken, but for what came to be final all the same, because a cheat brought it. They
  /// hand it in again.
  private(set) var rejected: Set<Transfer> = []
  /// Who will crash, if anybody.
  private let crashing: Peer?
  private(set) var applications = 0
  private(set) var refusals = 0
  private(set) var abandoned = 0
  /// Applications of two different transfers of one number.
  private(set) var consistencyViolations = 0
  /// Applications that took more than there was, or were out of turn; or before they were signed.
  private(set) var overdrafts = 0
  /// What an application left an account with that its transfers do not.
  private(set) var falseBalances = 0
  private(set) var accusations = 0

  init(accounts: [PublicKey], balance: UInt64, correct: Int, crashing: Peer?) {
    self.crashing = crashing
    index = Dictionary(uniqueKeysWithValues: accounts.enumerated().map { ($0.element, $0.offset) })
    let books = Books(
      balances: [Int128](repeating: Int128(balance), count: accounts.count),
      next: [UInt64](repeating: 0, count: accounts.count))
    local = [Books](repeating: books, count: correct)
    global = books
    fates = [[Fate]](repeating: [], count: accounts.count)
  }

  /// A client is about to hand in a transfer.
  ///
  /// - Parameter peer: from whom it waits for an answer; `nil` of a cheat, who does not.
  mutating func handsIn(_ transfer: Transfer, to peer: Peer?, at now: Instant) {
    if handedIn[transfer.number] == nil { handedIn[transfer.number] = now }
    rejected.remove(transfer)
    if let peer { awaiting[transfer.number] = peer }
  }

  /// Whether a client waits for an answer to a transfer.
  func isAwaiting(_ account: PublicKey, _ sequence: UInt64) -> Bool {
    awaiting[TransferNumber(account: account, sequence: sequence)] != nil
  }

  /// Those who asked a process that has crashed wait no longer.
  mutating func forgetQuestions(to peer: Peer) { awaiting = awaiting.filter { $0.value != peer } }

  /// Messages are counted where they leave.
  mutating func sent(_ message: Observed.Message, from sender: Peer, to receiver: Peer, at now: Instant) {}

  mutating func indicated(_ indication: Observed.Indication, by peer: Peer, at now: Instant) {
    switch Member.news(indication.told) {
    case .applied(let applied):
      apply(applied.transfer.transfer, by: peer, at: indication.at)
      compare(applied.events, with: local[Int(peer.index)])
    case .answered(let signed, let isTaken): answer(signed.transfer, isTaken: isTaken, by: peer)
    case .abandoned: abandoned += 1
    case .misbehaved: accusations += 1
    case nil: break
    }
  }

  private mutating func answer(_ transfer: Transfer, isTaken: Bool, by peer: Peer) {
    if !isTaken { refusals += 1 }
    guard awaiting[transfer.number] == peer else { return }
    awaiting[transfer.number] = nil
    if !isTaken, handedIn.removeValue(forKey: transfer.number) != nil { rejected.insert(transfer) }
  }

  /// Holds what a process says that a transfer has left each account with against its books, in which what is taken is what
  /// is given.
  private mutating func compare(_ events: [Ledger.Event], with books: Books) {
    // The same account more than once, if it pays itself: what it has in the end is the last.
    var seen: [PublicKey] = []
    for event in events.reversed() where !seen.contains(event.account) {
      seen.append(event.account)
      guard let account = index[event.account] else { continue }
      if books.balances[account] != Int128(event.balance) { falseBalances += 1 }
    }
  }

  /// Holds all of a process's accounts against its books.
  mutating func compare(_ ledger: Ledger, of peer: Peer) {
    for (key, account) in index {
      if local[Int(peer.index)].balances[account] != Int128(ledger[key].balance) { falseBalances += 1 }
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
      finals.append(now)
      rejected.remove(transfer)
      if let signed = handedIn.removeValue(forKey: transfer.number) { latencies.record(now - signed) }
    }
    if fates[account][Int(transfer.sequence)].contents != transfer { consistencyViolations += 1 }
    if peer != crashing { fates[account][Int(transfer.sequence)].appliers += 1 }
  }
}
