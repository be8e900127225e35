import StarlingBroadcast
import StarlingCore
import StarlingSimulator
import StarlingTestSupport
import Testing

private typealias OrderedReady = OrderedBroadcast<IdealReady>
private typealias OrderedBracha = OrderedBroadcast<IdealBracha>

/// The numbers of the batches that each process delivered of each sender, in its order.
private struct OrderBook: SimulationObserver {
  typealias Observed = OrderedReady

  var numbers: [UInt32: [Peer: [UInt64]]] = [:]
  var contents: [MessageIdentifier: Set<UInt32>] = [:]

  mutating func sent(
    _ message: OrderedReady.Message, from sender: Peer, to receiver: Peer, at now: Instant
  ) {}

  mutating func indicated(_ indication: OrderedReady.Indication, by peer: Peer, at now: Instant) {
    guard case .delivered(let batch, _) = indication else { return }
    numbers[peer.index, default: [:]][batch.identifier.origin, default: []].append(batch.identifier.sequence)
    contents[batch.identifier, default: []].insert(batch.payload.number)
  }
}

@Suite("Secure broadcast: the order of each sender")
struct OrderedBroadcastTests {
  private static let nodes = 48
  private static let parameters = SecureBroadcastParameters(
    gossip: 16, echo: 240, echoThreshold: 180, ready: 120, readyThreshold: 48, delivery: 200,
    deliveryThreshold: 140)

  private func ready(_ peer: Peer, _ configuration: OrderedBroadcastConfiguration) -> OrderedReady {
    let auth = IdealSecureAuthenticator(owner: peer)
    let broadcast = IdealReady(
      identity: peer, auth: auth, oracle: NumberedMembership(population: Self.nodes),
      parameters: Self.parameters, entries: EntryLog(authorLimit: 1_000, windowLimit: 16))
    return OrderedBroadcast(identity: peer, auth: auth, inner: broadcast, configuration: configuration)
  }

  private func batch(_ number: Int) -> SyntheticBatch {
    SyntheticBatch(number: UInt32(number), byteCount: 100)
  }

  @Test(
    "Every process delivers each sender's batches in their order, and keeps a bounded number of instances")
  func order() {
    var random = testRandom()
    var configuration = OrderedBroadcastConfiguration()
    (configuration.window, configuration.kept) = (8, 4)
    let delay = DelayModel.uniform(from: .milliseconds(1), to: .milliseconds(400))
    let delays = DelaySampler(delay, peers: Self.nodes, random: &random)
    var network = Simulation<OrderedReady, LossyNetwork, OrderBook>(
      capacity: Self.nodes, network: LossyNetwork(delays: delays, loss: 0), observer: OrderBook(),
      seed: random.next())
    for _ in 0..<Self.nodes { _ = network.add { ready($0, configuration) } }
    network.run(until: .zero + .seconds(2))
    for number in 0..<40 {
      for sender in 0..<2 { network.request(.broadcast(batch(100 * sender + number)), of: Peer(sender)) }
    }
    network.run(until: .zero + .seconds(120))
    for process in 0..<UInt32(Self.nodes) {
      for sender in 0..<2 {
        #expect(network.observer.numbers[process]?[Peer(sender)] == Array(0..<40), "\(process); \(replay)")
      }
    }
    #expect(network.observer.contents.values.allSatisfy { $0.count == 1 })
    for peer in 0..<Self.nodes {
      #expect(network[Peer(peer)].inner.liveInstances <= 2 * (8 + 4), "\(peer); \(replay)")
    }
  }

  private func bracha(_ identity: Int) -> OrderedBracha {
    let auth = IdealSecureAuthenticator(owner: Peer(identity))
    let broadcast = IdealBracha(
      identity: Peer(identity), auth: auth, members: MultisetSample(all: NumberedMembership(population: 16)),
      byzantine: 5, entries: EntryLog(authorLimit: 1_000, windowLimit: 16))
    return OrderedBroadcast(identity: Peer(identity), auth: auth, inner: broadcast)
  }

  private func signed(_ number: Int, by sender: Int, sequence: UInt64) -> SignedBatch<
    IdealSecureAuthenticator
  > {
    let auth = IdealSecureAuthenticator(owner: Peer(sender))
    let identifier = MessageIdentifier(origin: Peer(sender), sequence: sequence)
    let payload = batch(number)
    return SignedBatch(
      identifier: identifier, payload: payload,
      signature: auth.sign(auth.digest(of: payload), as: identifier), hops: 1)
  }

  @Test(
    "Who opens instances without end has as many as its window, and a correct sender's are taken meanwhile")
  func spam() {
    var process = bracha(0)
    var effects = RecordingEffects(OrderedBracha.self, random: testRandom())
    process.start(at: .zero, into: &effects)
    for number in 0..<100_000 {
      // Far apart, in a row, and at the end of all numbers.
      let sequence = [UInt64(number), 1 << 40 + UInt64(number), .max - UInt64(number)][number % 3]
      process.receive(
        .send(signed(number, by: 5, sequence: sequence)), from: Peer(5), at: .zero, into: &effects)
      effects.clear()
    }
    #expect(process.inner.liveInstances <= process.configuration.window)
    #expect(process.dropped > 99_000)
    process.receive(.send(signed(1, by: 6, sequence: 0)), from: Peer(6), at: .zero, into: &effects)
    #expect(effects.sent.count == 15, "an echo to everybody")
  }

  @Test("A sender waits for its own batches, and is told when too many wait")
  func overload() {
    var process = bracha(0)
    var effects = RecordingEffects(OrderedBracha.self, random: testRandom())
    process.start(at: .zero, into: &effects)
    let (window, limit) = (process.configuration.window, process.configuration.waitingLimit)
    for number in 0..<(window / 2 + limit + 7) {
      process.handle(.broadcast(batch(number)), at: .zero, into: &effects)
    }
    let opened = effects.sent.count { if case .send = $0.message { true } else { false } }
    #expect(opened == 15 * window / 2, "to 15 others each")
    let refused = effects.indications.count { if case .overloaded = $0 { true } else { false } }
    #expect(refused == 7)
  }
}
