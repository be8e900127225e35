import StarlingBroadcast
import StarlingCore
import StarlingNode
import StarlingOverlay

extension BroadcastReport {
  /// Takes in what was seen of messages.
  ///
  /// - Parameters:
  ///   - meter: what saw them.
  ///   - number: the one message to take in; `nil` for all.
  ///   - counted: for each peer, whether it is correct and lived to the end. Who did and was a member when a
  ///     message was sent is judged.
  mutating func judge<Overlay, Diffusion>(
    _ meter: BroadcastMeter<Overlay, Diffusion>, _ number: Int? = nil, judging counted: [Bool]
  ) {
    for record in number.map({ meter.records[$0...$0] }) ?? meter.records[...] {
      let members = meter.members(at: record.sentAt ?? .zero, among: counted)
      judged.append(JudgedMessage(record: record, members: members))
      isJudged = members
    }
    duplicateDeliveries += meter.duplicateDeliveries
    forgedDeliveries += meter.forgedDeliveries
    missed += meter.missed
    shunnedCorrect += meter.shunnedCorrect
    shunnedAdversaries += meter.shunnedAdversaries
    let kinds = Misbehaviour.allCases.map { ($0, Int($0.rawValue)) }
    accusations = kinds.map { ($0, meter.accusations[$1]) }
    falseAccusations = kinds.map { ($0, meter.falseAccusations[$1]) }
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
  ///
  /// - Parameters:
  ///   - network: the network.
  ///   - live: for each peer, whether it is correct and lives.
  ///   - links: a peer's links in the broadcast tree, if there is one.
  mutating func close<P: Participant>(
    _ network: borrowing BroadcastRun<P>.Network, counting live: [Bool],
    eagerLinks links: ((P.Diffusion) -> EagerLinks)?
  ) {
    let views = ViewCensus(of: network, among: live)
    (viewSizes, overlay, deadEntries) = (views.sizes, views.graph, views.deadEntries)
    isLive = live
    isPresent = network.livePeers
    if network.observer.meter.hasAdversaries {
      overlayWithAdversaries = ViewCensus(of: network, among: isPresent).graph
    }
    for i in live.indices where live[i] { refusedRelays += network[Peer(i)].member.overlay.refusedRelays }
    // A crashed peer has no arcs left and is a component of its own.
    let crashed = live.count - viewSizes.count
    components = overlay.weakComponents().count - crashed
    strongComponents = overlay.strongComponents().count - crashed
    messagesPerNode = live.indices.filter { live[$0] }.map { Int(network.observer.meter.sentMessages[$0]) }
    bytesPerNode = live.indices.filter { live[$0] }.map { Int(network.observer.meter.sentBytes[$0]) }
    liveLatencies.add(network.observer.meter.latencies)
    catchUps.add(network.observer.meter.catchUps)
    latencies = liveLatencies
    latencies.add(catchUps)
    trace = network.observer.meter.trace
    traceHash = SplitMix64.mix(traceHash ^ network.traceHash)
    events += network.eventCount
    simulated = simulated + (network.now - .zero)
    if let links {
      var directions = 0
      for i in live.indices where live[i] {
        let known = links(network[Peer(i)].member.diffusion)
        for position in 0..<known.count where known[position].isEager { directions += 1 }
      }
      eagerLinks = directions / 2
    }
  }
}
