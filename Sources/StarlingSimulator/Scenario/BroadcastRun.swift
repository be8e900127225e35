import StarlingBroadcast
import StarlingCore
import StarlingNode
import StarlingOverlay

extension BroadcastScenario {
  /// Where a run is, for whoever waits for it.
  public struct Progress: Sendable {
    /// What is happening: `join`, `settle`, `churn`, `messages`, `drain` or, once at the end, `done`.
    public let phase: String
    /// The virtual time that has passed since the first join.
    public let simulated: Interval
    /// The virtual time that will have passed at the end.
    public let total: Interval
    /// Deliveries and timers so far.
    public let events: UInt64
  }

  /// The virtual time from the first join to the end, over all trials.
  var length: Interval {
    let joining = Interval(nanoseconds: Int64(Double(max(nodes - 1, 0)) * 1e9 / joinRate))
    let phase: Interval
    if case .atEachBroadcast = crash { phase = drain * messages } else { phase = messagePhase }
    return joining + settle + hours + phase
  }

  /// Runs the scenario from beginning to end.
  ///
  /// - Parameter progress: told now and then how far the run is.
  /// - Returns: what it measured.
  public func run(progress: (Progress) -> Void = { _ in }) -> BroadcastReport {
    switch broadcast {
    case .tree(let threshold):
      let configuration = BroadcastTreeConfiguration(pruneThreshold: threshold)
      return run(
        BroadcastTree.self, eagerLinks: { $0.links }, progress
      ) {
        BroadcastTree(
          identity: $0, auth: IdealAuthenticator(owner: $0), configuration: configuration, firstSequence: $1,
          seen: $2?.seen ?? SeenMessages())
      }
    case .flood:
      return run(Flood.self, eagerLinks: nil, progress) { peer, first, _ in
        Flood(identity: peer, auth: IdealAuthenticator(owner: peer), firstSequence: first)
      }
    case .gossip(let fanout):
      return run(Gossip.self, eagerLinks: nil, progress) { peer, first, _ in
        Gossip(
          identity: peer, auth: IdealAuthenticator(owner: peer), fanout: fanout, firstSequence: first)
      }
    case .rings(let arity):
      return run(RingBroadcast.self, eagerLinks: nil, progress) {
        RingBroadcast(
          identity: $0, auth: IdealAuthenticator(owner: $0), arity: arity, firstSequence: $1,
          seen: $2?.seen ?? SeenMessages())
      }
    }
  }

  /// Where everybody is honest, peers are members and nothing more.
  private func run<Diffusion: BroadcastProcess>(
    _ type: Diffusion.Type, eagerLinks: ((Diffusion) -> EagerLinks)?, _ progress: (Progress) -> Void,
    _ makeDiffusion: @escaping (Peer, UInt64, Diffusion?) -> Diffusion
  ) -> BroadcastReport where Diffusion.Auth == IdealAuthenticator, Diffusion.Message: Falsifiable {
    switch (overlay, byzantineCount) {
    case (.scamp, 0):
      BroadcastRun<GroupMember<Scamp<IdealAdmission>, Diffusion>>(
        scenario: self, makeDiffusion: makeDiffusion
      ).report(eagerLinks: eagerLinks, progress)
    case (.scamp, _):
      BroadcastRun<Adversary<Diffusion>>(scenario: self, makeDiffusion: makeDiffusion)
        .report(eagerLinks: eagerLinks, progress)
    case (.rings, 0):
      BroadcastRun<GroupMember<Rings, Diffusion>>(scenario: self, makeDiffusion: makeDiffusion)
        .report(eagerLinks: eagerLinks, progress)
    case (.rings, _):
      BroadcastRun<IdleRingMember<Diffusion>>(scenario: self, makeDiffusion: makeDiffusion)
        .report(eagerLinks: eagerLinks, progress)
    }
  }
}

/// The links of a broadcast tree.
typealias EagerLinks = PeerMap<BroadcastTree<IdealAuthenticator>.Link>

/// One run of a scenario with one kind of peers.
struct BroadcastRun<P: Participant>: ~Copyable {
  typealias Diffusion = P.Diffusion
  typealias Network = Simulation<P, FaultyNetwork, ParticipantMeter<P>>

  let scenario: BroadcastScenario
  /// Makes the broadcast of a peer whose messages are numbered from here on, with what the disk kept of a former
  /// one.
  private let makeDiffusion: (Peer, UInt64, Diffusion?) -> Diffusion
  var senders: [Peer] = []
  /// For each of the first peers, whether it is an adversary; empty if none is.
  private var byzantine: [Bool] = []
  private var plot: Plot?
  var agenda = Agenda()
  /// What each fault did, in the order of the scenario's faults; `nil` before it began.
  var timeline: [FaultRecord?]
  /// Whom each fault struck, to undo it.
  var struck: [[Peer]]
  var cuts: [FaultyNetwork.Cut?]
  /// The live peers; kept only where peers come and go.
  var roster: Roster?
  var series: [NetworkSample] = []
  var joined = 0
  var departed = 0
  /// What copies of the settled network did before the one that runs: virtual time, and events.
  private var earlierTrials: (simulated: Interval, events: UInt64) = (.zero, 0)

  init(
    scenario: BroadcastScenario, makeDiffusion: @escaping (Peer, UInt64, Diffusion?) -> Diffusion
  ) {
    self.scenario = scenario
    self.makeDiffusion = makeDiffusion
    timeline = [FaultRecord?](repeating: nil, count: scenario.allFaults.count)
    struck = [[Peer]](repeating: [], count: timeline.count)
    cuts = [FaultyNetwork.Cut?](repeating: nil, count: timeline.count)
  }

  consuming func report(
    eagerLinks: ((Diffusion) -> EagerLinks)?, _ progress: (BroadcastScenario.Progress) -> Void
  ) -> BroadcastReport {
    var network = settledNetwork(progress)
    planFaults(in: &network)
    passHours(in: &network, progress)
    if senders.isEmpty { senders = drawSenders(in: &network) }
    network.observer.meter.beginMessages()
    network.observer.meter.endsEarly = scenario.isChecked
    var report = BroadcastReport(scenario: scenario, trace: network.observer.meter.trace)
    let first = network.now
    if case .atEachBroadcast(let share) = scenario.crash {
      report.checkedPromises = Violation.Promise.alwaysChecked
      runTrials(from: &network, share: share, into: &report, progress)
    } else {
      broadcastAll(in: &network, progress)
      report.waitingEvents = network.waitingEvents
      report.violations = violations(in: network, waitingEvents: network.waitingEvents)
      report.checkedPromises = checkedPromises(in: network)
      network.end()
      report.judge(network.observer.meter, judging: counted(in: network))
      report.close(network, counting: counted(in: network), eagerLinks: eagerLinks)
    }
    report.firstMessageAt = first
    report.isAdversary = byzantine
    report.mischief = plot.map { ($0.start, min($0.end, .zero + report.simulated)) }
    report.timeline = timeline.compactMap { $0 }
    report.series = series
    (report.joined, report.departed) = (joined, departed)
    progress(
      .init(phase: "done", simulated: scenario.length, total: scenario.length, events: report.events))
    return report
  }

  /// Joins all peers, one after another, and lets the overlay settle.
  private mutating func settledNetwork(_ progress: (BroadcastScenario.Progress) -> Void) -> Network {
    var random = Xoshiro256(seed: scenario.seed)
    let capacity = scenario.capacity
    let delays = DelaySampler(scenario.delay, peers: capacity, random: &random)
    var network = Network(
      capacity: capacity,
      network: FaultyNetwork(LossyNetwork(delays: delays, loss: scenario.loss), capacity: capacity),
      observer: ParticipantMeter(
        meter: BroadcastMeter(peers: capacity, messages: scenario.messages)),
      seed: random.next())
    plot(in: &network)
    for i in 0..<scenario.nodes {
      if i % 1_024 == 0 { tell("join", network, progress) }
      let nanoseconds = UInt64(Double(i) * 1e9 / scenario.joinRate)
      network.run(until: Instant(nanoseconds: nanoseconds))
      let peer = network.add { makePeer($0, firstSequence: 0) }
      guard i > 0 else { continue }
      let contact = Peer(network.random.uniform(below: i))
      network.request(.join(contact: contact), of: peer)
    }
    advance(&network, to: network.now + scenario.settle, "settle", progress)
    return network
  }

  func makePeer(_ peer: Peer, firstSequence: UInt64, disk: Diffusion? = nil) -> P {
    let member = P.Member(
      overlay: P.Overlay.make(for: peer, in: scenario),
      diffusion: makeDiffusion(peer, firstSequence, disk))
    return P(member, plot: isByzantine(peer) ? plot : nil)
  }

  /// Whether a peer is an adversary; those that come later are none.
  func isByzantine(_ peer: Peer) -> Bool { Int(peer.index) < byzantine.count && byzantine[Int(peer.index)] }

  /// For each peer, whether it is correct and lives.
  func counted(in network: borrowing Network) -> [Bool] {
    var counted = network.livePeers
    for i in byzantine.indices where byzantine[i] { counted[i] = false }
    return counted
  }

  /// Draws adversaries and senders, where there are adversaries: before anybody joins, for an adversary must know
  /// its victim.
  private mutating func plot(in network: inout Network) {
    guard scenario.byzantineCount > 0 else { return }
    let order = network.random.sample(scenario.nodes, below: scenario.nodes)
    byzantine = [Bool](repeating: false, count: scenario.nodes)
    for i in order.prefix(scenario.byzantineCount) { byzantine[i] = true }
    senders = order.dropFirst(scenario.byzantineCount).prefix(scenario.senders).map { Peer($0) }
    let settled = Interval(nanoseconds: Int64(Double(scenario.nodes) * 1e9 / scenario.joinRate))
    let start = Instant.zero + settled + scenario.settle
    plot = Plot(
      conduct: scenario.adversary, start: start, victim: senders.first ?? Peer(0),
      population: scenario.nodes, rate: scenario.adversaryRate,
      end: scenario.adversaryEnd.map { start + scenario.hours + $0 } ?? .distantFuture)
    network.observer.meter.distrust(byzantine)
  }

  /// Lets the hours of churn before the first message go by.
  private mutating func passHours(
    in network: inout Network, _ progress: (BroadcastScenario.Progress) -> Void
  ) {
    if scenario.hours > .zero { advance(&network, to: network.now + scenario.hours, "churn", progress) }
  }

  /// Lets everything happen that is due up to an instant, and tells now and then how far the run is.
  private mutating func advance(
    _ network: inout Network, to end: Instant, _ phase: String,
    _ progress: (BroadcastScenario.Progress) -> Void
  ) {
    tell(phase, network, progress)
    while network.now < end, !network.observer.hasSeenEnough {
      advance(&network, to: min(end, network.now + tellingInterval))
      tell(phase, network, progress)
    }
    // A run that has seen enough lets the time pass without events.
    advance(&network, to: end)
  }

  /// How much virtual time passes between two words on how far the run is: a thousandth of it.
  private var tellingInterval: Interval {
    max(.milliseconds(10), Interval(nanoseconds: scenario.length.nanoseconds / 1_000))
  }

  private func tell(
    _ phase: String, _ network: borrowing Network, _ progress: (BroadcastScenario.Progress) -> Void
  ) {
    progress(
      .init(
        phase: phase, simulated: min(network.now - .zero + earlierTrials.simulated, scenario.length),
        total: scenario.length, events: network.eventCount + earlierTrials.events))
  }

  private func drawSenders(in network: inout Network) -> [Peer] {
    let live = network.livePeers
    let candidates = live.indices.filter { live[$0] }
    return network.random.sample(scenario.senders, below: candidates.count).map { Peer(candidates[$0]) }
  }

  private mutating func broadcastAll(
    in network: inout Network, _ progress: (BroadcastScenario.Progress) -> Void
  ) {
    let first = network.now
    for number in 0..<scenario.messages {
      advance(&network, to: first + scenario.interval * number, "messages", progress)
      broadcast(number, in: &network)
    }
    advance(&network, to: network.now + scenario.drain, "drain", progress)
  }

  private func broadcast(_ number: Int, in network: inout Network) {
    let sender = senders[number % senders.count]
    guard network.isLive(sender) else { return }
    network.observer.meter.began(number, by: sender, at: network.now)
    let payload = SyntheticPayload(number: UInt32(number), byteCount: scenario.payload)
    network.request(.broadcast(payload), of: sender)
  }

  /// Every message is a trial of its own: a copy of the settled network, a crash, a broadcast.
  private mutating func runTrials(
    from settled: inout Network, share: Double, into report: inout BroadcastReport,
    _ progress: (BroadcastScenario.Progress) -> Void
  ) {
    for number in 0..<scenario.messages {
      var trial = settled.copy()
      // Each trial draws its own crashes and delays, all from the one seed.
      trial.random = Xoshiro256(seed: SplitMix64.mix(scenario.seed ^ UInt64(number) << 32))
      for peer in trial.draw(share: share, sparing: senders[number % senders.count]) { trial.crash(peer) }
      broadcast(number, in: &trial)
      advance(&trial, to: trial.now + scenario.drain, "messages", progress)
      report.judge(trial.observer.meter, number, judging: counted(in: trial))
      report.violations += trial.observer.meter.violations
      report.close(trial, counting: counted(in: trial), eagerLinks: nil)
      earlierTrials.simulated = earlierTrials.simulated + scenario.drain
      earlierTrials.events += trial.eventCount - settled.eventCount
      // A trial begins with the events of the settled network, which happened once.
      if number > 0 {
        report.events -= settled.eventCount
        report.simulated = report.simulated - (settled.now - .zero)
      }
    }
  }
}

extension Simulation where Network: ~Copyable {
  /// For each peer, whether it is live.
  var livePeers: [Bool] { (0..<count).map { isLive(Peer($0)) } }

  /// A share of the live peers, rounded up, drawn at random.
  mutating func draw(share: Double, sparing spared: Peer? = nil) -> [Peer] {
    var candidates = (0..<count).filter { isLive(Peer($0)) }
    let wanted = candidates.count - Int((1 - share) * Double(candidates.count))
    if let spared { candidates.removeAll { $0 == spared.index } }
    return random.sample(min(wanted, candidates.count), below: candidates.count).map {
      Peer(candidates[$0])
    }
  }
}
