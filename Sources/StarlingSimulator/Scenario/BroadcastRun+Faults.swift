import StarlingBroadcast
import StarlingCore
import StarlingNode
import StarlingOverlay

extension BroadcastScenario {
  /// The faults, that of ``crash`` included, in the order in which they are numbered.
  var allFaults: [Fault] {
    guard case .once(let share, let after) = crash else { return faults }
    return faults + [Fault(.crash, share: share, from: after)]
  }

  /// How many peers a simulation has room for: 2²⁴.
  public static var peerLimit: Int { Event.peerLimit }

  /// How many peers are adversaries.
  var byzantineCount: Int { min(nodes - Int((1 - byzantine) * Double(nodes)), nodes - senders) }

  /// Whether peers come after the first join, or come back.
  var hasNewcomers: Bool {
    faults.contains {
      switch $0.kind {
      case .churn, .restart: true
      default: false
      }
    }
  }

  /// From the first message to the end.
  var messagePhase: Interval { interval * max(messages - 1, 0) + drain }

  /// How many peers there will be at most, those that churn brings included; no run has room for more than
  /// ``peerLimit``.
  public var capacity: Int {
    var joins = 0
    for fault in faults where fault.kind == .churn {
      let start = fault.start?.nanoseconds ?? -hours.nanoseconds
      let end = fault.end?.nanoseconds ?? messagePhase.nanoseconds
      let minutes = Double(max(end - start, 0)) / 6e10
      joins += Int(minutes * fault.share * Double(nodes)) + 2
    }
    return nodes + joins
  }
}

extension BroadcastRun {
  /// How often the network is looked at in a run with faults: some 200 times.
  private var samplingInterval: Interval {
    max(Interval.seconds(1), (scenario.hours + scenario.messagePhase) / 200)
  }

  /// How long a newcomer that found nobody waits before it asks somebody else. A guess: SCAMP itself has asked
  /// the same contact ten times by then.
  private var patience: Interval { .seconds(30) }

  /// Puts the faults on the agenda.
  mutating func planFaults(in network: inout Network) {
    let faults = scenario.allFaults
    guard !faults.isEmpty || scenario.hours > .zero || scenario.byzantineCount > 0 else { return }
    let first = network.now + scenario.hours
    for (number, fault) in faults.enumerated() {
      agenda.add(.begin(number), at: fault.start.map { first + $0 } ?? network.now)
      if let end = fault.end { agenda.add(.end(number), at: first + end) }
    }
    if scenario.isSampled { agenda.add(.sample, at: network.now) }
    if scenario.hasNewcomers {
      network.observer.meter.watchNewcomers()
      var roster = Roster()
      for i in 0..<network.count where network.isLive(Peer(i)) { roster.insert(Peer(i)) }
      self.roster = roster
    }
  }

  /// Lets everything happen that is due up to an instant, faults included.
  mutating func advance(_ network: inout Network, to instant: Instant) {
    while let (at, entry) = agenda.next(until: instant) {
      network.run(until: at)
      perform(entry, in: &network)
    }
    network.run(until: instant)
  }

  private mutating func perform(_ entry: Agenda.Entry, in network: inout Network) {
    switch entry {
    case .begin(let number): begin(number, in: &network)
    case .end(let number): end(number, in: &network)
    case .churn(let number, let step): churn(number, step: step, in: &network)
    case .join(let peer, let tries): joinSomebody(peer, in: &network, tries: tries)
    case .sample:
      series.append(sample(of: network))
      agenda.add(.sample, at: network.now + samplingInterval)
    }
  }

  private mutating func begin(_ number: Int, in network: inout Network) {
    let fault = scenario.allFaults[number]
    var record = FaultRecord(fault: fault, begin: network.now)
    switch fault.kind {
    case .crash, .restart, .partition, .oneWay, .slow, .fastClocks:
      struck[number] = network.draw(share: fault.share)
    case .churn, .duplicate, .bursts: break
    }
    let peers = struck[number]
    record.peers = peers.count
    switch fault.kind {
    case .crash, .restart:
      if fault.kind == .crash { record.end = network.now }
      for peer in peers { stop(peer, in: &network) }
    case .partition: cuts[number] = network.network.cut(peers, oneWay: false)
    case .oneWay: cuts[number] = network.network.cut(peers, oneWay: true)
    case .slow(let delay): network.network.slowDown(peers, by: delay)
    case .duplicate: network.network.setSecondCopies(share: fault.share)
    case .bursts(let length): network.network.setBursts(share: fault.share, meanLength: length)
    case .fastClocks(let gain):
      for peer in peers { network.speedUpClock(of: peer, gain: Int(gain * 1e6)) }
    case .churn: churn(number, step: 0, in: &network)
    }
    timeline[number] = record
  }

  private mutating func end(_ number: Int, in network: inout Network) {
    // A fault that was to end before it began never was.
    guard timeline[number] != nil else { return }
    timeline[number]?.end = network.now
    let fault = scenario.allFaults[number]
    switch fault.kind {
    case .crash, .fastClocks, .churn: break
    case .restart(let keepsDisk):
      for peer in struck[number] where !network.isLive(peer) {
        restart(peer, keepsDisk: keepsDisk, in: &network)
      }
    case .partition, .oneWay:
      if let cut = cuts[number] { network.network.mend(cut) }
      cuts[number] = nil
    case .slow: network.network.slowDown(struck[number], by: .zero)
    case .duplicate: network.network.setSecondCopies(share: 0)
    case .bursts(let length): network.network.setBursts(share: 0, meanLength: length)
    }
  }
}

// MARK: - Coming and going

extension BroadcastRun {
  private mutating func stop(_ peer: Peer, in network: inout Network) {
    network.crash(peer)
    roster?.remove(peer)
  }

  /// One step of churn: one leaves, one joins, and the next step is put on the agenda.
  private mutating func churn(_ number: Int, step: Int, in network: inout Network) {
    let fault = scenario.allFaults[number]
    let rate = fault.share * Double(scenario.nodes) / 60e9
    guard rate > 0, timeline[number]?.end == nil else { return }
    if step > 0 {
      departOne(inOrder: step % 2 == 0, in: &network)
      timeline[number]?.peers += 1
      if network.count < network.capacity { joinOne(in: &network) }
    }
    let begin = timeline[number]?.begin ?? network.now
    let due = begin + Interval(nanoseconds: Int64(Double(step + 1) / rate))
    agenda.add(.churn(number, step: step + 1), at: max(due, network.now))
  }

  /// Senders stay, so that there are messages to judge.
  private mutating func departOne(inOrder: Bool, in network: inout Network) {
    let spared = senders
    guard let peer = roster?.random(from: &network.random, where: { !spared.contains($0) }) else { return }
    if inOrder { network.request(.leave, of: peer) }
    stop(peer, in: &network)
    departed += 1
  }

  private mutating func joinOne(in network: inout Network) {
    let peer = network.add { makePeer($0, firstSequence: 0) }
    network.observer.meter.expectNewcomer(peer)
    joined += 1
    joinSomebody(peer, in: &network)
    roster?.insert(peer)
  }

  /// Asks a random live peer to join, and looks again later, ever more rarely, whether that helped: a node has a
  /// list of contacts, and goes on to the next while it knows hardly anybody.
  private mutating func joinSomebody(_ peer: Peer, in network: inout Network, tries: Int = 0) {
    guard network.isLive(peer) else { return }
    let overlay = network[peer].member.overlay
    if overlay.partialView.count + overlay.inView.count <= 2,
      let contact = roster?.random(from: &network.random, where: { $0 != peer })
    {
      network.request(.join(contact: contact), of: peer)
    }
    agenda.add(.join(peer, tries: tries + 1), at: network.now + patience * (1 << min(tries, 5)))
  }

  private mutating func restart(_ peer: Peer, keepsDisk: Bool, in network: inout Network) {
    let old = network[peer].member
    // A peer without a disk has no numbers to go on from: a clock gives it greater ones.
    let sequence = keepsDisk ? network.observer.meter.nextSequence(of: peer) : network.now.nanoseconds
    let reborn = makePeer(peer, firstSequence: sequence, disk: keepsDisk ? old.diffusion : nil)
    network.observer.meter.renumber(peer, from: sequence)
    network.observer.meter.expectNewcomer(peer)
    // Only the tree can be given back what it has seen.
    if !keepsDisk || !scenario.broadcast.isTree { network.observer.meter.forgetDeliveries(of: peer) }
    network.restart(peer, with: reborn)
    roster?.insert(peer)
    if keepsDisk, let contact = old.overlay.acquaintances.first(where: { network.isLive($0) }) {
      network.request(.join(contact: contact), of: peer)
      agenda.add(.join(peer, tries: 1), at: network.now + patience)
    } else {
      joinSomebody(peer, in: &network)
    }
  }
}
