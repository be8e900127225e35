import StarlingBroadcast
import StarlingCore
import StarlingLedger
import StarlingNode

/// One run of a ``LedgerScenario``.
struct LedgerRun<Broadcast: SourceOrderedBroadcast>: ~Copyable
where Broadcast.Auth == IdealTransferAuthenticator {
  private let scenario: LedgerScenario
  private var network: Simulation<LedgerParticipant<Broadcast>, LossyNetwork, LedgerMeter<Broadcast>>
  /// How many processes are correct: those with the lowest numbers.
  private let correct: Int
  private let accounts: [PublicKey]
  /// How many accounts have honest owners: those with the lowest numbers.
  private let honest: Int
  private let supply: UInt64
  private var random: Xoshiro256
  private var report: LedgerReport
  /// What was handed in before, to be replayed.
  private var past: [SignedTransfer] = []
  /// The next number under which each Byzantine owner cheats.
  private var cheated: [Int: UInt64] = [:]

  init(_ scenario: LedgerScenario, make: (Peer, IdealTransferAuthenticator) -> Broadcast) {
    self.scenario = scenario
    let (nodes, liars) = (scenario.nodes, scenario.liars)
    correct = nodes - liars
    accounts = (0..<scenario.accounts).map(accountKey)
    let cheats = scenario.adversary == .doubleSpend || scenario.adversary == .overdraft
    honest =
      cheats && liars > 0
      ? max(1, Int(Double(scenario.accounts) * (1 - scenario.byzantine))) : scenario.accounts
    supply = scenario.balance * UInt64(scenario.accounts)
    var random = Xoshiro256(seed: scenario.seed)
    let delays = DelaySampler(scenario.delay, peers: nodes, random: &random)
    network = Simulation(
      capacity: nodes, network: LossyNetwork(delays: delays, loss: 0),
      observer: LedgerMeter(accounts: accounts, balance: scenario.balance, correct: correct),
      seed: random.next())
    self.random = random
    report = LedgerReport(scenario: scenario)
    let ledger = Ledger(
      accounts: Dictionary(
        uniqueKeysWithValues: accounts.map { ($0, .init(balance: scenario.balance, next: 0)) }), waiting: [])
    for number in 0..<nodes {
      _ = network.add { [correct] peer in
        let auth = IdealTransferAuthenticator(owner: peer, members: nodes)
        func member() -> LedgerMember<Broadcast> {
          LedgerMember(identity: peer, auth: auth, broadcast: make(peer, auth), ledger: ledger)
        }
        if number < correct { return LedgerParticipant(correct: member()) }
        return LedgerParticipant(byzantine: scenario.adversary == .mute ? nil : (member(), member()))
      }
    }
    // For subscriptions to arrive.
    network.run(until: .zero + .seconds(5))
  }

  /// The steps in which transfers are made and books are looked at.
  private static var step: Interval { .milliseconds(10) }

  mutating func report(progress: (Int) -> Void) -> LedgerReport {
    var made = 0
    var due = 0.0
    while made < scenario.transfers {
      due += Double(scenario.rate) * 0.01
      while Double(made) < due, made < scenario.transfers {
        pay()
        made += 1
        if made % 10 == 0 { cheat() }
      }
      network.run(until: network.now + LedgerRun.step)
      audit()
      if made % 1_000 == 0 { progress(made) }
    }
    let end = network.now + scenario.drain
    while network.now < end {
      network.run(until: network.now + .seconds(1))
      audit()
    }
    judge()
    return report
  }

  // MARK: Owners

  private func keeper(_ peer: Peer) -> LedgerKeeper? { network[peer].first?.keeper }

  /// The correct process that an account's owner asks.
  private func home(_ account: Int) -> Peer { Peer(account % correct) }

  /// An honest owner pays one to three others, of what it has.
  private mutating func pay() {
    let account = random.uniform(below: honest)
    guard let state = keeper(home(account))?.expected(of: accounts[account]), state.balance > 0 else {
      report.refused += 1
      return
    }
    let count = 1 + random.uniform(below: 3)
    let most = max(1, state.balance / 8)
    let destinations = (0..<count).map { _ in
      Transfer.Destination(
        account: accounts[random.uniform(below: accounts.count)], amount: 1 + random.next() % most)
    }
    let transfer = Transfer(
      account: accounts[account], sequence: state.next, funds: state.balance, destinations: destinations)
    guard transfer.fault == nil else {
      report.refused += 1
      return
    }
    submit(IdealTransferAuthenticator.sign(transfer), to: home(account))
    report.transfers += 1
  }

  private mutating func submit(_ transfer: SignedTransfer, to peer: Peer) {
    network.observer.handsIn(transfer.transfer, at: network.now)
    network.request(.submit(transfer), of: peer)
    if past.count < 1_000 { past.append(transfer) } else { past[random.uniform(below: 1_000)] = transfer }
  }

  // MARK: Byzantine owners and processes

  private mutating func cheat() {
    guard correct < scenario.nodes else { return }
    let liar = Peer(correct + random.uniform(below: scenario.nodes - correct))
    switch scenario.adversary {
    case .mute: break
    case .doubleSpend: doubleSpend(by: liar)
    case .overdraft: overdraw(by: liar)
    case .replay:
      guard !past.isEmpty else { return }
      let again = past[random.uniform(below: past.count)]
      network.request(.bring([again], random.next() % 2 == 0 ? .both : .first), of: liar)
      let peer = Peer(random.uniform(below: correct))
      network.request(.submit(again), of: peer)
    }
  }

  /// A Byzantine owner, and the next number that it has not cheated with.
  private mutating func nextFraud() -> (account: Int, state: Ledger.Account)? {
    guard honest < accounts.count else { return nil }
    let account = honest + random.uniform(below: accounts.count - honest)
    guard let state = keeper(home(account))?.expected(of: accounts[account]), state.balance > 0 else {
      return nil
    }
    guard state.next >= cheated[account, default: 0] else { return nil }
    cheated[account] = state.next + 1
    return (account, state)
  }

  /// Gives all that the account holds to two, and each transfer to different processes.
  private mutating func doubleSpend(by liar: Peer) {
    guard let (account, state) = nextFraud() else { return }
    let pair = (0..<2).map { _ in
      IdealTransferAuthenticator.sign(
        Transfer(
          account: accounts[account], sequence: state.next, funds: state.balance,
          destinations: [
            .init(account: accounts[random.uniform(below: accounts.count)], amount: state.balance)
          ]))
    }
    switch random.uniform(below: 3) {
    case 0:
      // Two correct processes bring them at once.
      submit(pair[0], to: Peer(random.uniform(below: correct)))
      submit(pair[1], to: Peer(random.uniform(below: correct)))
    case 1:
      // The Byzantine process brings a different one to each half, under one number of its own.
      network.request(.bring([pair[0]], .first), of: liar)
      network.request(.bring([pair[1]], .second), of: liar)
    default:
      network.request(.bring([pair[0]], .both), of: liar)
      submit(pair[1], to: Peer(random.uniform(below: correct)))
    }
  }

  /// Spends more than the account holds, and says that it holds as much.
  private mutating func overdraw(by liar: Peer) {
    guard let (account, state) = nextFraud() else { return }
    let amount = state.balance + 1 + random.next() % (supply - state.balance)
    let claims = random.next() % 2 == 0
    let transfer = IdealTransferAuthenticator.sign(
      Transfer(
        account: accounts[account], sequence: state.next, funds: claims ? amount : state.balance,
        destinations: [.init(account: accounts[random.uniform(below: accounts.count)], amount: amount)]))
    network.request(.submit(transfer), of: Peer(random.uniform(below: correct)))
    network.request(.bring([transfer], .both), of: liar)
  }

  // MARK: Judgement

  private mutating func audit() {
    for number in 0..<correct where keeper(Peer(number))?.ledger.total != supply {
      report.supplyViolations += 1
    }
  }

  private mutating func judge() {
    let meter = network.observer
    report.final = meter.fates.reduce(0) { $0 + $1.count }
    report.refused += meter.refusals + meter.abandoned
    report.consistencyViolations = meter.consistencyViolations
    report.overdrafts = meter.overdrafts
    report.totalityViolations = meter.fates.joined().count { $0.appliers != correct }
    report.unfinished = report.transfers - meter.fates[..<honest].reduce(0) { $0 + $1.count }
    report.accountsBlocked = (honest..<accounts.count).count {
      cheated[$0, default: 0] > UInt64(meter.fates[$0].count)
    }
    let hashes = (0..<correct).map { keeper(Peer($0))?.ledger.stateHash }
    report.divergent = hashes.count { $0 != hashes[0] }
    report.latencies = meter.latencies
    report.messagesPerTransfer = Double(meter.messages) / Double(max(1, report.final))
    report.accusations = meter.accusations
    report.traceHash = network.traceHash
    report.events = network.eventCount
    report.simulated = network.now - .zero
  }
}

/// A key for each number.
private func accountKey(_ number: Int) -> PublicKey {
  var writer = WireWriter(capacity: 32)
  for i in 0..<4 { writer.write(integer: SplitMix64.mix(UInt64(number) &* 4 &+ UInt64(i))) }
  guard let key = PublicKey(writer.bytes) else { preconditionFailure("a key of 32 bytes") }
  return key
}
