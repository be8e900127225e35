import StarlingBroadcast
import StarlingCore
import StarlingNode
import StarlingOverlay

extension BroadcastReport {
  /// Takes in what was seen of messages.
  ///
  /// - Parameters:
  ///   - records: one for each message.
  ///   - live: for each peer, whether it lived to the end. Peers neither join nor return in the message
  ///     phase, so who lives at the end was there at every sending.
  mutating func judge(_ records: [MessageRecord], live: [Bool]) {
    for record in records {
      judged.append((record.reliability(among: live), record.redundancy, record.lastHop))
    }
    summarise()
  }

  private mutating func summarise() {
    let sent = judged.compactMap(\.reliability)
    unsent = judged.count - sent.count
    guard !sent.isEmpty else { return }
    let n = Double(sent.count)
    reliability = sent.reduce(0) { $0 + $1.ever } / n
    reliabilityMinimum = sent.reduce(1) { min($0, $1.ever) }
    coverageMean = sent.reduce(0) { $0 + $1.soon } / n
    coverageMinimum = sent.reduce(1) { min($0, $1.soon) }
    redundancyFirst = judged[0].redundancy
    // ⌈n/10⌉ of the messages shape the tree and are left out; a single message is both.
    let shaping = judged.count == 1 ? 0 : (judged.count + 9) / 10
    let settled = judged[shaping...].compactMap(\.redundancy)
    redundancy = settled.isEmpty ? nil : settled.reduce(0, +) / Double(settled.count)
    let hops = judged.filter { $0.reliability != nil }.map { Double($0.lastHop) }
    lastDeliveryHop = hops.reduce(0, +) / Double(hops.count)
  }

  /// Takes in the state of the network at the end of a run, or of one of its trials.
  mutating func close<Diffusion: BroadcastProcess>(
    _ network:
      borrowing Simulation<
        GroupMember<Scamp<IdealAdmission>, Diffusion>, LossyNetwork,
        BroadcastMeter<Scamp<IdealAdmission>, Diffusion>
      >, eagerLinks links: ((Diffusion) -> BroadcastRun<Diffusion>.Links)?
  ) where Diffusion.Message: SizedMessage {
    let live = network.livePeers
    var offsets = [0]
    var targets: [UInt32] = []
    targets.reserveCapacity(live.indices.reduce(0) { $0 + network[Peer($1)].overlay.partialView.count })
    viewSizes = []
    for i in live.indices {
      if live[i] {
        let view = network[Peer(i)].overlay.partialView
        viewSizes.append(view.count)
        for neighbour in view.members where live[Int(neighbour.index)] { targets.append(neighbour.index) }
      }
      offsets.append(targets.count)
    }
    overlay = DirectedGraph(offsets: offsets, targets: targets)
    // A crashed peer has no arcs left and is a component of its own.
    let crashed = live.count - viewSizes.count
    components = overlay.weakComponents().count - crashed
    strongComponents = overlay.strongComponents().count - crashed
    messagesPerNode = live.indices.filter { live[$0] }.map { Int(network.observer.sentMessages[$0]) }
    bytesPerNode = live.indices.filter { live[$0] }.map { Int(network.observer.sentBytes[$0]) }
    latencies.add(network.observer.latencies)
    trace = network.observer.trace
    traceHash = SplitMix64.mix(traceHash ^ network.traceHash)
    events += network.eventCount
    simulated = simulated + (network.now - .zero)
    if let links {
      var directions = 0
      for i in live.indices where live[i] {
        let known = links(network[Peer(i)].diffusion)
        for position in 0..<known.count where known[position].isEager { directions += 1 }
      }
      eagerLinks = directions / 2
    }
  }
}
