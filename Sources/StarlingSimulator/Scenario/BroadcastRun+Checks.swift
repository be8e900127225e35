import StarlingBroadcast
import StarlingCore
import StarlingNode
import StarlingOverlay

extension BroadcastRun {
  /// The promises that a run without trials is held to, given how it went.
  func checkedPromises(in network: borrowing Network) -> [Violation.Promise] {
    var promises = Violation.Promise.alwaysChecked
    guard scenario.isChecked, !network.observer.hasSeenEnough else { return promises }
    promises += [.delivery, .connected]
    if counted(in: network).count(where: { $0 }) >= BroadcastScenario.leastPeersForLaw {
      promises.append(.law)
    }
    if hasEnoughForTree(network) { promises.append(.tree) }
    promises.append(.boundedState)
    return promises
  }

  private func hasEnoughForTree(_ network: borrowing Network) -> Bool {
    // The first message floods, and the next prune what it left, unless the sender crashed after it.
    scenario.broadcast.isTree && network.observer.meter.records.compactMap(\.redundancy).count >= 8
      && lastRedundancies(in: network).count >= 3
  }

  /// Of the last messages among those that left in calm, when adversaries, whose own copies count too, have stopped.
  /// Links that the overlay still makes then, for those that the faults broke, are not the tree's fault.
  private func lastRedundancies(in network: borrowing Network) -> [Double] {
    let records = network.observer.meter.records
    var calm = timeline.compactMap { $0?.end }.max().map { $0 + BroadcastScenario.timeToPrune } ?? .zero
    if scenario.byzantineCount > 0 {
      guard let first = records.first?.sentAt, let end = scenario.adversaryEnd else { return [] }
      calm = max(calm, first + end)
    }
    return records.filter { ($0.sentAt ?? .zero) >= calm }.compactMap(\.redundancyOfOldLinks).suffix(4)
  }

  /// What was promised and does not hold at the end of a run: what the meter saw on the way, and, if the scenario
  /// asks for it, what holds only after everything has calmed down.
  func violations(in network: borrowing Network, waitingEvents: Int) -> [Violation] {
    var found = network.observer.meter.violations
    guard scenario.isChecked, !network.observer.hasSeenEnough else { return found }
    let counted = counted(in: network)
    found += undelivered(in: network, counted)
    found += disconnected(in: network, counted)
    found += unpruned(in: network)
    found += unbounded(in: network, counted, waitingEvents)
    return found
  }

  private func undelivered(in network: borrowing Network, _ counted: [Bool]) -> [Violation] {
    let meter = network.observer.meter
    var found: [Violation] = []
    for (number, record) in meter.records.enumerated() {
      guard found.count < Violation.limit, let sender = record.sender, let sentAt = record.sentAt else {
        continue
      }
      let judged = meter.members(at: sentAt, among: counted)
      // A sender that crashed may have taken its message with it.
      guard judged[Int(sender.index)] else { continue }
      let without = judged.indices.filter { judged[$0] && !record.hasDelivered(Peer($0)) }
      guard let first = without.first else { continue }
      found.append(
        Violation(
          promise: .delivery, at: network.now, peer: Peer(first),
          detail: "message \(number), sent by \(sender) at \(text(sentAt)), never reached \(without.count) of"
            + " \(Quantity.count(judged.count { $0 }, "peer")), among them \(Peer(first))"))
    }
    return found
  }

  private func disconnected(in network: borrowing Network, _ counted: [Bool]) -> [Violation] {
    let views = ViewCensus(of: network, among: counted)
    let components = views.graph.weakComponents()
    let count = components.count - (counted.count - views.sizes.count)
    var found: [Violation] = []
    if count > 1 {
      let largest = components.sizes.indices.max { components.sizes[$0] < components.sizes[$1] } ?? 0
      let apart = counted.indices.filter { counted[$0] && components.labels[$0] != largest }
      found.append(
        Violation(
          promise: .connected, at: network.now, peer: apart.first.map { Peer($0) },
          detail: "the overlay is in \(count) pieces; apart from the largest"
            + " \(apart.count == 1 ? "is" : "are") \(Quantity.count(apart.count, "peer")), among them"
            + " peer \(apart.first ?? 0)"))
    }
    let mean = Double(views.graph.edgeCount) / Double(max(views.sizes.count, 1))
    let others = Double(views.sizes.count - 1)
    let law = min(
      Double(scenario.extraCopies + 1) * naturalLogarithm(Double(max(views.sizes.count, 2))), others)
    if views.sizes.count >= BroadcastScenario.leastPeersForLaw,
      mean < law * scenario.leastLaw || mean > law * 2
    {
      found.append(
        Violation(
          promise: .law, at: network.now, peer: nil,
          detail: "a live peer knows \(rounded(mean)) others on average; the law is \(rounded(law))"))
    }
    return found
  }

  /// Messages from a tree that changes are redundant; the least redundant of the last few shows whether it is
  /// pruned in the end.
  private func unpruned(in network: borrowing Network) -> [Violation] {
    guard hasEnoughForTree(network) else { return [] }
    guard let least = lastRedundancies(in: network).min(), least > BroadcastScenario.mostRedundancy else {
      return []
    }
    return [
      Violation(
        promise: .tree, at: network.now, peer: nil,
        detail:
          "apart from new links, each of the last messages came at least \(rounded(least + 1)) times to a peer"
          + " on average")
    ]
  }

  private func unbounded(
    in network: borrowing Network, _ counted: [Bool], _ waitingEvents: Int
  ) -> [Violation] {
    var found: [Violation] = []
    // Liars may have themselves kept everywhere, up to three times the law and some.
    let law = Double(scenario.extraCopies + 1) * naturalLogarithm(Double(max(network.count, 2)))
    let most = Int(4 * law) + 32
    for i in counted.indices where counted[i] && found.isEmpty {
      let member = network[Peer(i)].member
      let largest = max(member.overlay.partialView.count, member.overlay.inView.count)
      if largest > most {
        found.append(excess("a view of \(Peer(i)) has \(Quantity.count(largest, "member"))", i, network.now))
      }
      guard let tree = member.diffusion as? BroadcastTree<IdealAuthenticator> else { continue }
      let (history, missing) = tree.sizes
      if missing > BroadcastScenario.missingAtRest || history > Int(tree.configuration.historyMessages) {
        let what = "\(Peer(i)) keeps \(Quantity.count(history, "message")) and waits for \(missing)"
        found.append(excess(what, i, network.now))
      }
    }
    let live = counted.count { $0 }
    if waitingEvents > BroadcastScenario.waitingEventsPerPeer * max(network.count, 1) {
      found.append(
        Violation(
          promise: .boundedState, at: network.now, peer: nil,
          detail: "\(waitingEvents) timers and messages are waiting for \(Quantity.count(live, "live peer"))")
      )
    }
    return found
  }

  private func excess(_ what: String, _ peer: Int, _ now: Instant) -> Violation {
    Violation(promise: .boundedState, at: now, peer: Peer(peer), detail: what)
  }

  private func text(_ instant: Instant) -> String {
    Quantity.text(of: .milliseconds(Int((instant - .zero).inMilliseconds)))
  }

  private func rounded(_ value: Double) -> String { NumberText.fixed(value, decimals: 1) }
}

extension BroadcastScenario {
  /// How redundant the least redundant of the last messages may be. Measured: 1.06 at most in some 400 scenarios; up
  /// to 4 in a tree whose links are pruned at one end only.
  static var mostRedundancy: Double { 2 }

  /// How long after the last fault a tree may still be redundant: peers that come back gain their links one by one. A
  /// guess.
  static var timeToPrune: Interval { .seconds(20) }

  /// From how many live peers on the mean view is held to SCAMP's law, which is one for large groups. A guess.
  static var leastPeersForLaw: Int { 30 }

  /// How much of SCAMP's law there must be at the end. After a phase so long that the first leases lapsed, nothing
  /// is left of the faults, and leases renewed in time leave no gap.
  var leastLaw: Double { drain > BroadcastScenario.quietPhase ? 0.75 : 0.5 }

  /// How many timers and messages may be waiting for each peer at the end of a run, when little is under way. A
  /// guess: several times what a member of a calm network has.
  static var waitingEventsPerPeer: Int { 64 }
  /// How many messages a peer may be waiting for then. A guess: liars announced some that never were.
  static var missingAtRest: Int { 128 }
}
