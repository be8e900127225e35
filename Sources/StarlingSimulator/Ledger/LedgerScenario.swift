import StarlingBroadcast
import StarlingCore
import StarlingLedger
import StarlingNode

/// Payments among many accounts over a ledger of which some processes, and some owners, are Byzantine.
public struct LedgerScenario: Sendable {
  /// How many processes keep the ledger, 2 or more.
  public var nodes = 4
  /// The share of them that are Byzantine; and of the accounts whose owners are, where owners cheat.
  public var byzantine = 0.0
  /// What they do.
  public var adversary = LedgerConduct.mute
  /// Whether a leader orders all transfers, or nobody does.
  public var order = LedgerOrder.none
  /// For how long a leader may order nothing that another process waits for (a guess: several times the slowest round of
  /// four delays between continents, as a leader that is changed for nothing costs more than one that is changed late).
  public var leaderTimeout = Interval.seconds(2)
  /// The share of the processes that may be Byzantine by the thresholds of Bracha's broadcast and of the leader's quorums,
  /// below a third; `nil` for as many as are, or with a leader for as many as there may be.
  public var tolerated: Double?
  /// When, after payments begin, the first leader crashes; or the same process where there is none. `nil` for never.
  public var crash: Interval?
  /// After how long the clients of a process that has crashed ask another (a guess).
  public var clientTimeout = Interval.seconds(2)
  /// Which process leads first.
  public var firstLeader = 0
  /// What bounds each process apart from delays.
  public var machine = MachineModel()
  /// What carries transfers where no leader orders them: Ready Broadcast or Bracha's.
  public var broadcast = SecureScenario.Broadcast.bracha
  /// How many accounts there are, 2 or more.
  public var accounts = 1_000
  /// What each holds at first.
  public var balance: UInt64 = 1_000_000
  /// How many transfers honest owners make.
  public var transfers = 10_000
  /// How many of them a second.
  public var rate = 1_000
  /// How long messages take.
  public var delay = DelayModel.gaussian(mean: .milliseconds(50), deviation: .milliseconds(10))
  /// How long after the last transfer all are judged.
  public var drain = Interval.seconds(30)
  /// Decides every random choice.
  public var seed: UInt64 = 1

  /// The defaults.
  public init() {}

  /// How many processes are Byzantine: those with the highest numbers.
  public var liars: Int { EpsilonCalculator(nodes: nodes, byzantine: byzantine).byzantine }

  /// How many may be by the thresholds.
  public var toleratedLiars: Int {
    if let tolerated { return EpsilonCalculator(nodes: nodes, byzantine: tolerated).byzantine }
    return order == .leader ? (nodes - 1) / 3 : liars
  }

  /// Who crashes.
  var crashing: Peer? { crash == nil ? nil : Peer(firstLeader) }

  /// Runs it.
  ///
  /// - Parameter progress: called now and then with how many transfers honest owners have made.
  public func run(progress: (Int) -> Void = { _ in }) -> LedgerReport {
    let oracle = NumberedMembership(population: nodes)
    let entries = EntryLog<PublicKey, SIMD4<UInt64>>(
      authorLimit: max(1_024, accounts), windowLimit: LedgerKeeper.accountWindow)
    if order == .leader {
      var run = LedgerRun<LeaderOrder>(self) { peer, auth, ledger in
        LeaderOrder(
          identity: peer, auth: auth, members: nodes, faulty: toleratedLiars, firstLeader: firstLeader,
          timeout: leaderTimeout, ledger: ledger)
      }
      return run.report(progress: progress)
    }
    switch broadcast {
    case .secure(let parameters):
      return run(progress: progress) { peer, auth in
        ReadyBroadcast(identity: peer, auth: auth, oracle: oracle, parameters: parameters, entries: entries)
      }
    default:
      let everybody = MultisetSample(all: oracle)
      return run(progress: progress) { [toleratedLiars] peer, auth in
        BrachaBroadcast(
          identity: peer, auth: auth, members: everybody, byzantine: toleratedLiars, entries: entries)
      }
    }
  }

  private func run<Inner: SecureBroadcastProcess>(
    progress: (Int) -> Void, make: (Peer, CountingTransferAuthenticator) -> Inner
  ) -> LedgerReport where Inner.Auth == CountingTransferAuthenticator, Inner.Message: SizedMessage {
    var run = LedgerRun<LedgerMember<OrderedBroadcast<Inner>>>(self) { peer, auth, ledger in
      LedgerMember(
        identity: peer, auth: auth,
        broadcast: OrderedBroadcast(identity: peer, auth: auth, inner: make(peer, auth)), ledger: ledger)
    }
    return run.report(progress: progress)
  }
}

/// Who decides in which order transfers are applied.
public enum LedgerOrder: String, CaseIterable, Sendable {
  /// Nobody: each process applies a transfer when it is the next of its account and what it depends on is there.
  case none
  /// A leader, with whom a quorum agrees: the baseline, after Castro and Liskov.
  case leader
}

/// What became of the transfers of a ``LedgerScenario``.
public struct LedgerReport: Sendable {
  /// What was run.
  public let scenario: LedgerScenario
  /// Transfers that honest owners made, and that their processes took.
  public internal(set) var transfers = 0
  /// Transfers that some correct process applied, of Byzantine owners too.
  public internal(set) var final = 0
  /// Transfers that a correct process refused to bring, or gave up.
  public internal(set) var refused = 0
  /// Transfers of honest owners that are not final.
  public internal(set) var unfinished = 0
  /// Accounts of Byzantine owners that have signed what is not applied, and can do no more.
  public internal(set) var accountsBlocked = 0
  /// Applications of two different transfers of one account and number, by any two correct processes.
  public internal(set) var consistencyViolations = 0
  /// Transfers that some correct processes applied and others did not.
  public internal(set) var totalityViolations = 0
  /// Applications that took what was not there, or came out of turn: in a process's own order, or in the order of all.
  public internal(set) var overdrafts = 0
  /// How often a correct process's balances did not add up to the supply after an input, or an account's balance after a
  /// transfer was not what the books say.
  public internal(set) var supplyViolations = 0
  /// After how many inputs of correct processes their balances were looked at: after each.
  public internal(set) var supplyLooks: UInt64 = 0
  /// Transfers that Byzantine owners and processes cheated with.
  public internal(set) var frauds = 0
  /// Correct processes that ended with another state than the first.
  public internal(set) var divergent = 0
  /// The hash of the accounts at the end, as the first correct process that has not crashed has them.
  public internal(set) var stateHash: SHA256Digest?
  /// From when a client handed a transfer in to when a correct process applied it.
  public internal(set) var latencies = LatencyHistogram()
  /// Transfers a second that became final, from when a tenth of them were to when nine tenths were.
  public internal(set) var transfersPerSecond = 0.0
  /// The longest time in which no transfer became final, between the first payment and the last final one.
  public internal(set) var longestStall = Interval.zero
  /// Messages of all processes for each final transfer.
  public internal(set) var messagesPerTransfer = 0.0
  /// Bytes that all processes sent for each final transfer.
  public internal(set) var bytesPerTransfer = 0.0
  /// Signatures that all processes checked for each final transfer, of transfers and of all else.
  public internal(set) var checksPerTransfer = 0.0
  /// Messages for each final transfer of the process that sent most of them.
  public internal(set) var busiestMessagesPerTransfer = 0.0
  /// Bytes for each final transfer of the process that sent most of them.
  public internal(set) var busiestBytesPerTransfer = 0.0
  /// Signatures for each final transfer of the process that checked most of them.
  public internal(set) var busiestChecksPerTransfer = 0.0
  /// How often a correct process found that another had done what no correct process does.
  public internal(set) var accusations = 0
  /// A hash over every event, in order.
  public internal(set) var traceHash: UInt64 = 0
  /// Deliveries and timers.
  public internal(set) var events: UInt64 = 0
  /// The simulated time.
  public internal(set) var simulated = Interval.zero

  init(scenario: LedgerScenario) { self.scenario = scenario }
}
