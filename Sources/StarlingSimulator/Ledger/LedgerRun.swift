import StarlingCore
import StarlingLedger
import StarlingNode

/// One run of a ``LedgerScenario``.
struct LedgerRun<Member: LedgerReplica>: ~Copyable {
  private typealias Host = HostedProcess<LedgerParticipant<Member>>

  private let scenario: LedgerScenario
  private var network: Simulation<Host, LossyNetwork, LedgerMeter<Member>>
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
  /// What each honest owner signed last. It signs nothing else under that number: what was refused it hands in again.
  private var signed: [Int: SignedTransfer] = [:]
  /// The next number under which each Byzantine owner cheats.
  private var cheated: [Int: UInt64] = [:]
  /// What the clients of the process that will crash, or has crashed, handed in.
  private var entrusted: [Int: [SignedTransfer]] = [:]
  private var hasCrashed = false
  /// Whether its clients know.
  private var isMissed = false
  /// When payments began.
  private var beginning = Instant.zero

  init(_ scenario: LedgerScenario, make: (Peer, CountingTransferAuthenticator, Ledger) -> Member) {
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
      observer: LedgerMeter(
        accounts: accounts, balance: scenario.balance, correct: correct, crashing: scenario.crashing),
      seed: random.next())
    self.random = random
    report = LedgerReport(scenario: scenario)
    let ledger = Ledger(
      accounts: Dictionary(
        uniqueKeysWithValues: accounts.map { ($0, .init(balance: scenario.balance, next: 0)) }), waiting: [])
    for number in 0..<nodes {
      _ = network.add { [correct, supply] peer in
        let checks = CheckCounter()
        let auth = CountingTransferAuthenticator(
          IdealTransferAuthenticator(owner: peer, members: nodes), checks: checks)
        let participant: LedgerParticipant<Member>
        if number < correct {
          participant = LedgerParticipant(correct: make(peer, auth, ledger), supply: supply)
        } else {
          let lives = (make(peer, auth, ledger), make(peer, auth, ledger))
          participant = LedgerParticipant(byzantine: scenario.adversary == .mute ? nil : lives)
        }
        return HostedProcess(participant, on: scenario.machine, checks: checks)
      }
    }
    // For subscriptions to arrive.
    network.run(until: .zero + .seconds(5))
  }

  /// The steps in which transfers are made.
  private static var step: Interval { .milliseconds(10) }

  mutating func report(progress: (Int) -> Void) -> LedgerReport {
    var made = 0
    var due = 0.0
    beginning = network.now
    for number in 0..<scenario.nodes { network[Peer(number)].checks.count = 0 }
    while made < scenario.transfers {
      due += Double(scenario.rate) * 0.01
      while Double(made) < due, made < scenario.transfers {
        pay()
        made += 1
        if made % 10 == 0 { cheat() }
      }
      advance(by: LedgerRun.step)
      if made % 1_000 == 0 { progress(made) }
    }
    let end = network.now + scenario.drain
    while network.now < end {
      advance(by: entrusted.isEmpty ? .seconds(1) : LedgerRun.step)
    }
    judge()
    return report
  }

  private mutating func advance(by interval: Interval) {
    if let peer = scenario.crashing, let crash = scenario.crash {
      if !hasCrashed, network.now >= beginning + crash {
        hasCrashed = true
        network.crash(peer)
      }
      if hasCrashed, !isMissed, network.now >= beginning + crash + scenario.clientTimeout {
        isMissed = true
        network.observer.forgetQuestions(to: peer)
      }
      if isMissed { entrustAgain() }
    }
    network.run(until: network.now + interval)
  }

  /// The correct processes that have not crashed.
  private var survivors: [Peer] {
    (0..<correct).map { Peer($0) }.filter { !hasCrashed || $0 != scenario.crashing }
  }

  // MARK: Owners

  private func keeper(_ peer: Peer) -> LedgerKeeper? { network[peer].guest.first?.keeper }

  /// The correct process that an account's owner asks; the next one when it knows that the first has crashed.
  private func home(_ account: Int) -> Peer {
    let first = account % correct
    return isMissed && Peer(first) == scenario.crashing ? Peer((first + 1) % correct) : Peer(first)
  }

  /// Whether an account's owner has nobody to ask, or asked and has no answer, or waits for what it asked of a process that
  /// has crashed: it signs no second transfer of a number, and none at a guess.
  private func isWaiting(_ account: Int, next: UInt64) -> Bool {
    if hasCrashed, home(account) == scenario.crashing { return true }
    if let last = entrusted[account]?.last, isMissed, last.transfer.sequence >= next { return true }
    return network.observer.isAwaiting(accounts[account], next)
  }

  /// Owners whose process has crashed hand to another what is not final, each transfer when the other knows enough.
  private mutating func entrustAgain() {
    for (account, transfers) in entrusted.sorted(by: { $0.key < $1.key }) {
      let open = transfers.filter { $0.transfer.sequence >= UInt64(network.observer.fates[account].count) }
      entrusted[account] = open.isEmpty ? nil : open
      guard let next = open.first(where: { isExpected($0, of: account) }),
        !network.observer.isAwaiting(accounts[account], next.transfer.sequence)
      else { continue }
      submit(next, to: home(account), waits: true)
    }
  }

  private func isExpected(_ transfer: SignedTransfer, of account: Int) -> Bool {
    guard let state = keeper(home(account))?.expected(of: accounts[account]) else { return false }
    return state.next == transfer.transfer.sequence && state.balance >= transfer.transfer.funds
  }

  /// An honest owner pays one to three others, of what it has.
  private mutating func pay() {
    let account = random.uniform(below: honest)
    guard let state = keeper(home(account))?.expected(of: accounts[account]), state.balance > 0 else {
      report.refused += 1
      return
    }
    if isWaiting(account, next: state.next) { return }
    if let last = signed[account], last.transfer.sequence >= state.next {
      return submit(last, to: home(account), waits: true)
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
    let own = IdealTransferAuthenticator.sign(transfer)
    signed[account] = own
    if scenario.crash != nil, Peer(account % correct) == scenario.crashing, !isMissed {
      // One that was refused may be in the way.
      entrusted[account, default: []].removeAll { $0.transfer.sequence >= transfer.sequence }
      entrusted[account, default: []].append(own)
    }
    submit(own, to: home(account), waits: true)
    report.transfers += 1
  }

  /// - Parameter waits: whether the client signs nothing else before it is answered, as honest ones do.
  private mutating func submit(_ transfer: SignedTransfer, to peer: Peer, waits: Bool) {
    network.observer.handsIn(transfer.transfer, to: waits ? peer : nil, at: network.now)
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
      report.frauds += 1
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
    report.frauds += 1
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
      submit(pair[0], to: Peer(random.uniform(below: correct)), waits: false)
      submit(pair[1], to: Peer(random.uniform(below: correct)), waits: false)
    case 1:
      // The Byzantine process brings a different one to each half, under one number of its own.
      network.request(.bring([pair[0]], .first), of: liar)
      network.request(.bring([pair[1]], .second), of: liar)
    default:
      network.request(.bring([pair[0]], .both), of: liar)
      submit(pair[1], to: Peer(random.uniform(below: correct)), waits: false)
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

  private mutating func judge() {
    for peer in survivors {
      if let ledger = keeper(peer)?.ledger { network.observer.compare(ledger, of: peer) }
    }
    let meter = network.observer
    report.final = meter.fates.reduce(0) { $0 + $1.count }
    report.refused += meter.refusals + meter.abandoned
    report.consistencyViolations = meter.consistencyViolations
    report.overdrafts = meter.overdrafts
    let participants = (0..<correct).map { network[Peer($0)].guest }
    report.supplyLooks = participants.reduce(0) { $0 + $1.looks }
    report.supplyViolations = participants.reduce(meter.falseBalances) { $0 + $1.supplyViolations }
    report.totalityViolations = meter.fates.joined().count { $0.appliers != survivors.count }
    report.transfers -= meter.rejected.count
    report.unfinished = report.transfers - meter.fates[..<honest].reduce(0) { $0 + $1.count }
    report.accountsBlocked = (honest..<accounts.count).count {
      cheated[$0, default: 0] > UInt64(meter.fates[$0].count)
    }
    let hashes = survivors.map { keeper($0)?.ledger.stateHash }
    report.divergent = hashes.count { $0 != hashes[0] }
    report.stateHash = survivors.first.flatMap { keeper($0)?.ledger.stateHash }
    report.latencies = meter.latencies
    measure()
    report.accusations = meter.accusations
    report.traceHash = network.traceHash
    report.events = network.eventCount
    report.simulated = network.now - .zero
  }
}

extension LedgerRun {
  /// What it cost, and how steadily transfers became final.
  private mutating func measure() {
    let final = Double(max(1, report.final))
    let hosts = (0..<scenario.nodes).map { network[Peer($0)] }
    report.messagesPerTransfer = Double(hosts.reduce(0) { $0 + $1.sentMessages }) / final
    report.bytesPerTransfer = Double(hosts.reduce(0) { $0 + $1.sentBytes }) / final
    report.checksPerTransfer = Double(hosts.reduce(0) { $0 + $1.checks.count }) / final
    report.busiestBytesPerTransfer = Double(hosts.map(\.sentBytes).max() ?? 0) / final
    report.busiestMessagesPerTransfer = Double(hosts.map(\.sentMessages).max() ?? 0) / final
    report.busiestChecksPerTransfer = Double(hosts.map(\.checks.count).max() ?? 0) / final
    let finals = network.observer.finals.sorted()
    for (before, after) in zip([beginning] + finals, finals) {
      report.longestStall = max(report.longestStall, after - before)
    }
    if finals.count >= 10 {
      let (first, last) = (finals.count / 10, finals.count * 9 / 10)
      let seconds = (finals[last] - finals[first]).inSeconds
      if seconds > 0 { report.transfersPerSecond = Double(last - first) / seconds }
    }
  }
}

/// A key for each number.
private func accountKey(_ number: Int) -> PublicKey {
  var writer = WireWriter(capacity: 32)
  for i in 0..<4 { writer.write(integer: SplitMix64.mix(UInt64(number) &* 4 &+ UInt64(i))) }
  guard let key = PublicKey(writer.bytes) else { preconditionFailure("a key of 32 bytes") }
  return key
}
