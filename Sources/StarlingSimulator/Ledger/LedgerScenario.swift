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
  /// The secure broadcast: Ready Broadcast or Bracha's.
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

  /// Runs it.
  ///
  /// - Parameter progress: called now and then with how many transfers honest owners have made.
  public func run(progress: (Int) -> Void = { _ in }) -> LedgerReport {
    let oracle = NumberedMembership(population: nodes)
    let entries = EntryLog<PublicKey, SIMD4<UInt64>>(
      authorLimit: max(1_024, accounts), windowLimit: LedgerKeeper.accountWindow)
    typealias Auth = IdealTransferAuthenticator
    switch broadcast {
    case .secure(let parameters):
      return run(progress: progress) { peer, auth in
        ReadyBroadcast(identity: peer, auth: auth, oracle: oracle, parameters: parameters, entries: entries)
      }
    default:
      let everybody = MultisetSample(all: oracle)
      return run(progress: progress) { [liars] peer, auth in
        BrachaBroadcast(identity: peer, auth: auth, members: everybody, byzantine: liars, entries: entries)
      }
    }
  }

  private func run<Inner: SecureBroadcastProcess>(
    progress: (Int) -> Void, make: (Peer, IdealTransferAuthenticator) -> Inner
  ) -> LedgerReport where Inner.Auth == IdealTransferAuthenticator {
    var run = LedgerRun<OrderedBroadcast<Inner>>(self) { peer, auth in
      OrderedBroadcast(identity: peer, auth: auth, inner: make(peer, auth))
    }
    return run.report(progress: progress)
  }
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
  /// How often a correct process's balances did not add up to the supply; looked at after each step, which is a hundredth
  /// of a second.
  public internal(set) var supplyViolations = 0
  /// Correct processes that ended with another state than the first.
  public internal(set) var divergent = 0
  /// From when a client handed a transfer in to when a correct process applied it.
  public internal(set) var latencies = LatencyHistogram()
  /// Messages of all processes for each final transfer.
  public internal(set) var messagesPerTransfer = 0.0
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
