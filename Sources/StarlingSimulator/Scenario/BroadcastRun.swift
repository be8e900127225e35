import StarlingBroadcast
import StarlingCore
import StarlingNode
import StarlingOverlay

extension BroadcastScenario {
  /// Where a run is, for whoever waits for it.
  public struct Progress: Sendable {
    /// What is happening: `join`, `settle`, `messages` or `drain`.
    public let phase: String
    /// How much of the phase is done, 0 ... 1.
    public let share: Double
  }

  /// Runs the scenario from beginning to end.
  ///
  /// - Parameter progress: told now and then how far the run is.
  /// - Returns: what it measured.
  public func run(progress: (Progress) -> Void = { _ in }) -> BroadcastReport {
    switch broadcast {
    case .tree(let threshold):
      let configuration = BroadcastTreeConfiguration(pruneThreshold: threshold)
      return BroadcastRun(scenario: self) {
        BroadcastTree(identity: $0, auth: IdealAuthenticator(owner: $0), configuration: configuration)
      }.report(eagerLinks: { $0.links }, progress)
    case .flood:
      return BroadcastRun(scenario: self) {
        Flood(identity: $0, auth: IdealAuthenticator(owner: $0))
      }.report(eagerLinks: nil, progress)
    case .gossip(let fanout):
      return BroadcastRun(scenario: self) {
        Gossip(identity: $0, auth: IdealAuthenticator(owner: $0), fanout: fanout)
      }.report(eagerLinks: nil, progress)
    }
  }
}

/// One run of a scenario with one kind of broadcast.
struct BroadcastRun<Diffusion: BroadcastProcess>: ~Copyable
where Diffusion.Auth == IdealAuthenticator, Diffusion.Message: SizedMessage {
  typealias Member = GroupMember<Scamp<IdealAdmission>, Diffusion>
  typealias Network = Simulation<Member, LossyNetwork, BroadcastMeter<Scamp<IdealAdmission>, Diffusion>>
  typealias Links = PeerMap<BroadcastTree<IdealAuthenticator>.Link>

  let scenario: BroadcastScenario
  let makeDiffusion: (Peer) -> Diffusion
  private var senders: [Peer] = []

  init(scenario: BroadcastScenario, makeDiffusion: @escaping (Peer) -> Diffusion) {
    self.scenario = scenario
    self.makeDiffusion = makeDiffusion
  }

  consuming func report(
    eagerLinks: ((Diffusion) -> Links)?, _ progress: (BroadcastScenario.Progress) -> Void
  ) -> BroadcastReport {
    var network = settledNetwork(progress)
    senders = network.random.sample(scenario.senders, below: scenario.nodes).map { Peer($0) }
    network.observer.beginMessages()
    var report = BroadcastReport(scenario: scenario, trace: network.observer.trace)
    if case .atEachBroadcast(let share) = scenario.crash {
      runTrials(from: &network, share: share, into: &report, progress)
    } else {
      broadcastAll(in: &network, progress)
      network.end()
      report.judge(network.observer.records, live: network.livePeers)
      report.close(network, eagerLinks: eagerLinks)
    }
    return report
  }

  /// Joins all peers, one after another, and lets the overlay settle.
  private func settledNetwork(_ progress: (BroadcastScenario.Progress) -> Void) -> Network {
    var random = Xoshiro256(seed: scenario.seed)
    let delays = DelaySampler(scenario.delay, peers: scenario.nodes, random: &random)
    var network = Network(
      capacity: scenario.nodes, network: LossyNetwork(delays: delays, loss: scenario.loss),
      observer: BroadcastMeter(peers: scenario.nodes, messages: scenario.messages),
      seed: random.next())
    var configuration = ScampConfiguration(extraCopies: scenario.extraCopies)
    configuration.minimumView = min(configuration.minimumView, UInt16(clamping: scenario.nodes - 1))
    for i in 0..<scenario.nodes {
      if i % 1_024 == 0 { progress(.init(phase: "join", share: Double(i) / Double(scenario.nodes))) }
      let nanoseconds = UInt64(Double(i) * 1e9 / scenario.joinRate)
      network.run(until: Instant(nanoseconds: nanoseconds))
      let peer = network.add { peer in
        Member(
          overlay: Scamp(identity: peer, door: IdealAdmission(owner: peer), configuration: configuration),
          diffusion: makeDiffusion(peer))
      }
      guard i > 0 else { continue }
      let contact = Peer(network.random.uniform(below: i))
      network.request(.join(contact: contact), of: peer)
    }
    progress(.init(phase: "join", share: 1))
    progress(.init(phase: "settle", share: 0))
    network.run(until: network.now + scenario.settle)
    return network
  }

  private func broadcastAll(
    in network: inout Network, _ progress: (BroadcastScenario.Progress) -> Void
  ) {
    let first = network.now
    var crashAt: Instant?
    var share = 0.0
    if case .once(let crashShare, let after) = scenario.crash {
      (share, crashAt) = (crashShare, first + after)
    }
    for number in 0..<scenario.messages {
      progress(.init(phase: "messages", share: Double(number) / Double(scenario.messages)))
      let due = first + scenario.interval * number
      if let instant = crashAt, instant <= due {
        network.run(until: instant)
        network.crash(share: share, sparing: nil)
        crashAt = nil
      }
      network.run(until: due)
      broadcast(number, in: &network)
    }
    progress(.init(phase: "messages", share: 1))
    progress(.init(phase: "drain", share: 0))
    let end = network.now + scenario.drain
    if let instant = crashAt, instant <= end {
      network.run(until: instant)
      network.crash(share: share, sparing: nil)
    }
    network.run(until: end)
  }

  private func broadcast(_ number: Int, in network: inout Network) {
    let sender = senders[number % senders.count]
    guard network.isLive(sender) else { return }
    network.observer.began(number, by: sender, at: network.now)
    let payload = SyntheticPayload(number: UInt32(number), byteCount: scenario.payload)
    network.request(.broadcast(payload), of: sender)
  }

  /// Every message is a trial of its own: a copy of the settled network, a crash, a broadcast.
  private func runTrials(
    from settled: inout Network, share: Double, into report: inout BroadcastReport,
    _ progress: (BroadcastScenario.Progress) -> Void
  ) {
    for number in 0..<scenario.messages {
      progress(.init(phase: "messages", share: Double(number) / Double(scenario.messages)))
      var trial = settled.copy()
      // Each trial draws its own crashes and delays, all from the one seed.
      trial.random = Xoshiro256(seed: SplitMix64.mix(scenario.seed ^ UInt64(number) << 32))
      trial.crash(share: share, sparing: senders[number % senders.count])
      broadcast(number, in: &trial)
      trial.run(until: trial.now + scenario.drain)
      report.judge([trial.observer.records[number]], live: trial.livePeers)
      report.close(trial, eagerLinks: nil)
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

  /// Crashes a share of all peers, rounded up, drawn at random.
  mutating func crash(share: Double, sparing spared: Peer?) {
    let count = count
    let crashing = count - Int((1 - share) * Double(count))
    var candidates = Array(0..<count)
    if let spared { candidates.remove(at: Int(spared.index)) }
    for i in random.sample(min(crashing, candidates.count), below: candidates.count) {
      crash(Peer(candidates[i]))
    }
  }
}
