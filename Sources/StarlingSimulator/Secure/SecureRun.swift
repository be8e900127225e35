import StarlingBroadcast
import StarlingCore

/// One run of a ``SecureScenario`` with one kind of broadcast.
struct SecureRun<Inner: AttackedBroadcast>: ~Copyable {
  private let scenario: SecureScenario
  private var network:
    Simulation<SecureParticipant<Inner>, LossyNetwork, SecureMeter<SecureParticipant<Inner>>>
  /// The share of echoes by which a process commits.
  private let committing: Double
  /// How many are correct: those with the lowest numbers. Samples do not look at numbers.
  private let correct: Int
  private var report: SecureReport
  /// The Byzantine processes that each correct one asked for echoes.
  private var asked: [[Peer]] = []
  /// Instances that are not judged yet, the oldest first.
  private var open: [(instance: MessageIdentifier, judgedAt: Instant)] = []

  init(
    _ scenario: SecureScenario, committing: Double,
    make: (Peer) -> Inner
  ) {
    self.scenario = scenario
    self.committing = committing
    let (nodes, liars) = (scenario.nodes, scenario.liars)
    correct = nodes - liars
    var random = Xoshiro256(seed: scenario.seed)
    let delays = DelaySampler(scenario.delay, peers: nodes, random: &random)
    network = Simulation(
      capacity: nodes, network: LossyNetwork(delays: delays, loss: 0),
      observer: SecureMeter(processes: nodes),
      seed: random.next())
    report = SecureReport(scenario: scenario)
    let range = liars > 0 ? UInt32(correct)...UInt32(nodes - 1) : nil
    // The Byzantine ones first take note of who asks them.
    for number in 0..<nodes {
      let isCorrect = number < correct
      _ = network.add { SecureParticipant(correct: isCorrect ? make($0) : nil, liars: range) }
    }
    network.run(until: .zero + SecureRun.settling)
    network.observer.forgetMessages()
    report.subscriptionsPerProcess = Distribution(
      (0..<correct).map { Int(network.observer.subscriptions[$0]) })
  }

  /// For subscriptions to arrive.
  private static var settling: Interval { .seconds(5) }

  mutating func report(progress: (Int) -> Void) -> SecureReport {
    switch scenario.adversary {
    // Spam has a run of its own; without anybody to spam, this one.
    case .mute, .spam: broadcastByCorrect(progress: progress)
    case .equivocate, .equivocatePoisoned, .partial: attackAll(progress: progress)
    }
    let meter = network.observer
    report.latencies = meter.latencies
    report.latencyHops = Distribution(meter.hops.map(Int.init))
    let broadcasts = Double(max(1, scenario.messages))
    report.messagesPerNode = Distribution((0..<correct).map { Int(meter.messages[$0]) })
    report.messagesPerProcess = Distribution(
      (0..<correct).map { Double(meter.messages[$0]) / broadcasts })
    let checks = (0..<correct).reduce(0) { $0 + (network[Peer($1)].correct?.signatureChecks ?? 0) }
    report.signatureChecksPerProcess = Double(checks) / Double(correct) / broadcasts
    report.accusations = meter.accusations
    report.traceHash = network.traceHash
    report.events = network.eventCount
    report.simulated = network.now - .zero
    return report
  }

  // MARK: Correct senders

  private mutating func broadcastByCorrect(progress: (Int) -> Void) {
    let senders = min(scenario.senders, correct)
    for number in 0..<scenario.messages {
      let sender = Peer(number % senders)
      let instance = MessageIdentifier(origin: sender, sequence: UInt64(number / senders))
      network.observer.began(instance, at: network.now)
      let batch = SyntheticBatch(number: UInt32(number), byteCount: scenario.payload)
      network.request(.broadcast(batch, sequence: instance.sequence), of: sender)
      open.append((instance, network.now + scenario.drain))
      network.run(until: network.now + scenario.interval)
      while let first = open.first, first.judgedAt <= network.now { judge(progress: progress) }
    }
    while let first = open.first {
      network.run(until: max(network.now, first.judgedAt))
      judge(progress: progress)
    }
  }

  /// Judges the oldest instance, and ends it.
  private mutating func judge(progress: (Int) -> Void) {
    let instance = open.removeFirst().instance
    let deliverers = network.observer.conclude(instance)
    report.judge(
      deliverers, correct: correct, isOfCorrectSender: Int(instance.origin.index) < correct)
    for number in 0..<correct { network.request(.forget(instance), of: Peer(number)) }
    progress(report.judged)
  }

  // MARK: Byzantine senders

  private mutating func attackAll(progress: (Int) -> Void) {
    guard correct < scenario.nodes else { return broadcastByCorrect(progress: progress) }
    asked = [[Peer]](repeating: [], count: correct)
    for liar in correct..<scenario.nodes {
      for peer in network[Peer(liar)].echoSubscribers { asked[Int(peer.index)].append(Peer(liar)) }
    }
    if Inner.asksEverybody {
      asked = [[Peer]](repeating: (correct..<scenario.nodes).map { Peer($0) }, count: correct)
    }
    for number in 0..<scenario.messages {
      let senders = min(scenario.senders, scenario.nodes - correct)
      let instance = MessageIdentifier(
        origin: Peer(correct + number % senders), sequence: UInt64(number / senders))
      attack(instance, batches: (UInt32(2 * number), UInt32(2 * number + 1)))
      open.append((instance, network.now))
      judge(progress: progress)
    }
  }

  /// Has a Byzantine sender make some deliver one batch and some the other, or some one and the rest none.
  private mutating func attack(_ instance: MessageIdentifier, batches: (UInt32, UInt32)) {
    network.observer.began(instance, at: network.now)
    for number in 0..<correct { network.request(.hold, of: Peer(number)) }
    let (first, second) = (batch(batches.0, of: instance), batch(batches.1, of: instance))
    let order = orderOfAttack()
    let isPartial = scenario.adversary == .partial
    let dividing = dividing(
      committing: committing, liars: scenario.nodes - correct, of: scenario.nodes, correct)
    let most = isPartial ? dividing : correct
    var given = 0
    while given < most {
      give(first, to: order[given])
      given += 1
      if isPartial { continue }
      network.run(until: network.now + SecureRun.step)
      let told = order[..<given]
      if told.contains(where: { network[$0].correct?.hasCommitted(to: instance) == true }) { break }
    }
    for peer in order[given...] { give(second, to: peer) }
    network.run(until: network.now + SecureRun.settling)
    let isGivenFirst = Set(order[..<given])
    if isPartial {
      sayReady(first) { $0.index % 2 == 0 }
    } else if Inner.asksEverybody {
      // Everybody's readiness counts for one batch alone: to each process they are ready for what it was given.
      sayReady(first) { isGivenFirst.contains($0) }
      sayReady(second) { !isGivenFirst.contains($0) }
    } else {
      sayReady(first) { _ in true }
      sayReady(second) { _ in true }
    }
    network.run(until: network.now + SecureRun.settling)
    for number in 0..<correct { network.request(.release, of: Peer(number)) }
    network.run(until: network.now + scenario.drain)
  }

  /// Long enough for an echo to arrive: the adversary waits to see what it did.
  private static var step: Interval { .milliseconds(500) }

  private mutating func orderOfAttack() -> [Peer] {
    var order = (0..<correct).map { Peer($0) }
    for i in order.indices.reversed() { order.swapAt(i, network.random.uniform(below: i + 1)) }
    if scenario.adversary == .equivocatePoisoned {
      order.sort { asked[Int($0.index)].count > asked[Int($1.index)].count }
    }
    return order
  }

  private func batch(_ number: UInt32, of instance: MessageIdentifier) -> SignedBatch<
    IdealSecureAuthenticator
  > {
    let auth = IdealSecureAuthenticator(owner: instance.origin)
    let payload = SyntheticBatch(number: number, byteCount: scenario.payload)
    return SignedBatch(
      identifier: instance, payload: payload, signature: auth.sign(auth.digest(of: payload), as: instance),
      hops: 1)
  }

  private func vote(for batch: SignedBatch<IdealSecureAuthenticator>) -> Vote<IdealSecureAuthenticator> {
    Vote(
      identifier: batch.identifier, digest: batch.digest, signature: batch.signature, refused: [], hops: 2)
  }

  /// Gives a batch to one process, and has every Byzantine one that it asked echo it.
  private mutating func give(_ batch: SignedBatch<IdealSecureAuthenticator>, to peer: Peer) {
    network.request(.say(Inner.giving(batch), to: [peer]), of: batch.identifier.origin)
    let echo = Inner.echo(vote(for: batch))
    for liar in asked[Int(peer.index)] { network.request(.say(echo, to: [peer]), of: liar) }
  }

  /// Has every Byzantine process tell those of its subscribers that are wanted that it is ready.
  private mutating func sayReady(
    _ batch: SignedBatch<IdealSecureAuthenticator>, to isWanted: (Peer) -> Bool
  ) {
    guard let ready = Inner.ready(vote(for: batch)) else { return }
    let everybody = (0..<correct).map { Peer($0) }
    for liar in correct..<scenario.nodes {
      let peers = Inner.asksEverybody ? everybody : network[Peer(liar)].readySubscribers
      network.request(.say(ready, to: peers.filter(isWanted)), of: Peer(liar))
    }
  }
}
