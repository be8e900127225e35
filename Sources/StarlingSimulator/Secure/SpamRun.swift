import StarlingBroadcast
import StarlingCore

/// One run of a ``SecureScenario`` whose Byzantine processes spam while correct ones broadcast.
///
/// Attacks on one instance are run on the layers without source order, where a sender may attack as often as it likes.
/// Here `OrderedBroadcast` is on top, because it is what bounds memory.
struct SpamRun<Inner: AttackedBroadcast>: ~Copyable {
  private typealias Participant = SpamParticipant<Inner>

  private let scenario: SecureScenario
  private var network: Simulation<Participant, LossyNetwork, SecureMeter<Participant>>
  /// How many are correct: those with the lowest numbers.
  private let correct: Int
  private var report: SecureReport
  private var spam = SecureReport.Spam()

  init(_ scenario: SecureScenario, make: (Peer) -> Inner) {
    self.scenario = scenario
    let (nodes, liars) = (scenario.nodes, scenario.liars)
    correct = nodes - liars
    var random = Xoshiro256(seed: scenario.seed)
    let delays = DelaySampler(scenario.delay, peers: nodes, random: &random)
    network = Simulation(
      capacity: nodes, network: LossyNetwork(delays: delays, loss: 0),
      observer: SecureMeter(processes: nodes), seed: random.next())
    report = SecureReport(scenario: scenario)
    let bounds = OrderedBroadcastConfiguration()
    spam.liveInstanceLimit = nodes * (bounds.window + bounds.kept)
    let inside = SpamRun.instancesInside(scenario, window: bounds.window)
    let (each, others) = inside.quotientAndRemainder(dividingBy: max(1, liars))
    for number in 0..<nodes {
      _ = network.add { [correct] peer in
        if number >= correct {
          return Participant(
            spammer: Spammer(
              identity: peer, correct: correct, nodes: nodes,
              inside: each + (number - correct < others ? 1 : 0),
              rate: scenario.spamRate))
        }
        return Participant(
          correct: OrderedBroadcast(
            identity: peer, auth: IdealSecureAuthenticator(owner: peer), inner: make(peer),
            configuration: bounds))
      }
    }
    network.run(until: .zero + .seconds(5))
    network.observer.forgetMessages()
    report.subscriptionsPerProcess = Distribution(
      (0..<correct).map { Int(network.observer.subscriptions[$0]) })
  }

  /// How many instances inside of their windows the Byzantine processes open together: all, unless the echoes of everybody
  /// to everybody would be more than some ten million messages.
  private static func instancesInside(_ scenario: SecureScenario, window: Int) -> Int {
    let echoes = scenario.nodes * min(scenario.nodes, 500)
    return min(scenario.liars * window, max(1, 30_000_000 / max(1, echoes)))
  }

  mutating func report(progress: (Int) -> Void) -> SecureReport {
    for liar in correct..<scenario.nodes { network.request(.spam, of: Peer(liar)) }
    broadcast(progress: progress)
    // What was given in the last moment of spam is due to all a drain later.
    for liar in correct..<scenario.nodes {
      spam.messages += network[Peer(liar)].spammer?.sent ?? 0
      spam.instances += network[Peer(liar)].spammer?.opened ?? 0
      network.request(.stop, of: Peer(liar))
    }
    network.run(until: network.now + scenario.drain)
    noteMemory()
    judge(progress: progress)
    let meter = network.observer
    let broadcasts = Double(max(1, scenario.messages))
    var checks: UInt64 = 0
    for number in 0..<correct {
      guard let process = network[Peer(number)].correct else { continue }
      checks += process.inner.signatureChecks
      spam.dropped += process.dropped
    }
    report.spam = spam
    report.latencies = meter.latencies
    report.latencyHops = Distribution(meter.hops.map(Int.init))
    report.messagesPerNode = Distribution((0..<correct).map { Int(meter.messages[$0]) })
    report.messagesPerProcess = Distribution(
      (0..<correct).map { Double(meter.messages[$0]) / broadcasts })
    report.signatureChecksPerProcess = Double(checks) / Double(correct) / broadcasts
    report.accusations = meter.accusations
    report.traceHash = network.traceHash
    report.events = network.eventCount
    report.simulated = network.now - .zero
    return report
  }

  private func instance(_ number: Int) -> MessageIdentifier {
    let senders = min(scenario.senders, correct)
    return MessageIdentifier(origin: Peer(number % senders), sequence: UInt64(number / senders))
  }

  private mutating func broadcast(progress: (Int) -> Void) {
    for number in 0..<scenario.messages {
      let instance = instance(number)
      network.observer.began(instance, at: network.now)
      network.request(
        .broadcast(SpamTables.lawful(UInt32(number), byteCount: scenario.payload)), of: instance.origin)
      let next = network.now + scenario.interval
      while network.now < next {
        network.run(until: min(next, network.now + .seconds(1)))
        noteMemory()
      }
      progress(number + 1)
    }
  }

  private mutating func noteMemory() {
    for number in 0..<correct {
      spam.liveInstances = max(
        spam.liveInstances, network[Peer(number)].correct?.inner.liveInstances ?? 0)
    }
  }

  private mutating func judge(progress: (Int) -> Void) {
    for number in 0..<scenario.messages {
      report.judge(network.observer.conclude(instance(number)), correct: correct, isOfCorrectSender: true)
    }
  }
}
