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

  // MARK: Own batches

  private func told(_ effects: RecordingEffects<OrderedBracha>) -> [UInt64: UInt32] {
    var numbers: [UInt64: UInt32] = [:]
    for case .broadcasting(let number, let payload) in effects.indications {
      numbers[number] = payload.number
    }
    return numbers
  }

  private func opened(_ effects: RecordingEffects<OrderedBracha>) -> [UInt64] {
    effects.sent.compactMap {
      if case .send(let batch) = $0.message, $0.to == Peer(1) { batch.identifier.sequence } else { nil }
    }
  }

  /// Has everybody be ready for an own batch, which delivers it.
  private func deliver(
    _ number: Int, as sequence: UInt64, to process: inout OrderedBracha,
    _ effects: inout RecordingEffects<OrderedBracha>, by sender: Int = 0
  ) {
    let batch = signed(number, by: sender, sequence: sequence)
    let vote = Vote<IdealSecureAuthenticator>(
      identifier: batch.identifier, digest: batch.digest, signature: batch.signature, refused: [], hops: 2)
    for peer in 1..<16 { process.receive(.ready(vote), from: Peer(peer), at: .zero, into: &effects) }
  }

  @Test(
    "Every own batch that is taken has its number at once, so that none of them need be lost with the process"
  )
  func numbersAtOnce() {
    var process = bracha(0)
    var effects = RecordingEffects(OrderedBracha.self, random: testRandom())
    process.start(at: .zero, into: &effects)
    for number in 0..<200 { process.handle(.broadcast(batch(number)), at: .zero, into: &effects) }
    let kept = told(effects)
    #expect(kept == Dictionary(uniqueKeysWithValues: (0..<200).map { (UInt64($0), UInt32($0)) }))
    // Another life, which delivered fifty: it broadcasts all the others, in their turn.
    effects.clear()
    let auth = IdealSecureAuthenticator(owner: Peer(0))
    var next = OrderedBroadcast(
      identity: Peer(0), auth: auth, inner: bracha(0).inner, nextDelivered: [Peer(0): 50],
      undelivered: kept.sorted { $0.key < $1.key }.map { ($0.key, batch(Int($0.value))) })
    next.start(at: .zero, into: &effects)
    for number in 50..<200 { deliver(number, as: UInt64(number), to: &next, &effects) }
    #expect(opened(effects) == Array(50..<200))
    #expect(next.nextDelivered(of: Peer(0)) == 200 && told(effects).isEmpty)
    next.handle(.broadcast(batch(7)), at: .zero, into: &effects)
    #expect(told(effects) == [200: 7])
  }

  @Test(
    "While it is not known which numbers are used no own batch is broadcast, and then all are, in their order",
    arguments: [0, 2, 7])
  func held(first: UInt64) {
    var effects = RecordingEffects(OrderedBracha.self, random: testRandom())
    var process = OrderedBroadcast(
      identity: Peer(0), auth: IdealSecureAuthenticator(owner: Peer(0)), inner: bracha(0).inner, firstOwn: nil
    )
    process.start(at: .zero, into: &effects)
    for number in 0..<5 { process.handle(.broadcast(batch(number)), at: .zero, into: &effects) }
    // What others say of own numbers changes nothing yet.
    process.handle(.used(through: 3), at: .zero, into: &effects)
    #expect(told(effects).keys.sorted() == [0, 1, 2, 3, 4] && opened(effects).isEmpty)
    if first > 0 { effects.clear() }
    process.handle(.numbered(from: first), at: .zero, into: &effects)
    #expect(opened(effects) == Array(first..<first + 5))
    #expect(
      told(effects) == Dictionary(uniqueKeysWithValues: (0..<5).map { (first + UInt64($0), UInt32($0)) }))
  }

  @Test(
    "A batch of an earlier life, of which nothing is left, takes the number of one of this life, which gets another"
  )
  func forgottenNumbers() {
    var process = bracha(0)
    var effects = RecordingEffects(OrderedBracha.self, random: testRandom())
    process.start(at: .zero, into: &effects)
    for number in 0..<3 { process.handle(.broadcast(batch(number)), at: .zero, into: &effects) }
    effects.clear()
    deliver(77, as: 0, to: &process, &effects)
    process.receive(.supply(signed(77, by: 0, sequence: 0)), from: Peer(1), at: .zero, into: &effects)
    #expect(process.nextDelivered(of: Peer(0)) == 1)
    // Its own under that number is broadcast under one that it had not used, and the others keep theirs.
    #expect(told(effects) == [3: 0] && opened(effects) == [3])
    for (number, sequence) in [(1, 1), (2, 2), (0, 3)] {
      deliver(number, as: UInt64(sequence), to: &process, &effects)
    }
    let delivered = effects.indications.compactMap {
      if case .delivered(let batch, _) = $0 { batch.payload.number } else { nil }
    }
    #expect(delivered == [77, 1, 2, 0])
  }

  /// A process that skipped what a sender had broadcast, as it turned out 15 seconds after it heard of number 1,000.
  private func skipped(into effects: inout RecordingEffects<OrderedBracha>) -> OrderedBracha {
    var process = bracha(0)
    process.start(at: .zero, into: &effects)
    deliver(1_000, as: 1_000, to: &process, &effects, by: 5)
    process.expire(.absence(Peer(5)), at: .zero + .seconds(15), into: &effects)
    #expect(process.nextDelivered(of: Peer(5)) == 1_000 - 63, "what the others may still have")
    return process
  }

  /// Has a sender's batch be delivered by the broadcast below.
  private func bring(
    _ number: UInt64, to process: inout OrderedBracha, _ effects: inout RecordingEffects<OrderedBracha>
  ) {
    deliver(Int(number), as: number, to: &process, &effects, by: 5)
    process.receive(
      .supply(signed(Int(number), by: 5, sequence: number)), from: Peer(1), at: .zero, into: &effects)
  }

  @Test("Who skipped goes on with what is broadcast next, though what others kept never comes")
  func leftBehind() {
    var effects = RecordingEffects(OrderedBracha.self, random: testRandom())
    var process = skipped(into: &effects)
    effects.clear()
    // While the sender goes on: what was heard whole is delivered before many others are dropped for it.
    for number in UInt64(1_003)..<1_063 { bring(number, to: &process, &effects) }
    #expect(delivered(effects) == Array(1_003..<1_063))
    #expect(
      effects.indications.contains { if case .missed(Peer(5), 937, 1_003) = $0 { true } else { false } })
    // Another gap, just after it.
    effects.clear()
    bring(1_064, to: &process, &effects)
    #expect(delivered(effects).isEmpty)
    process.expire(.absence(Peer(5)), at: .zero + .seconds(19), into: &effects)
    #expect(delivered(effects) == [1_064])
    // Later on nothing is passed over.
    process.expire(.absence(Peer(5)), at: .zero + .seconds(31), into: &effects)
    bring(1_066, to: &process, &effects)
    process.expire(.absence(Peer(5)), at: .zero + .seconds(60), into: &effects)
    #expect(delivered(effects) == [1_064])
  }

  @Test(
    "Who skipped delivers the next broadcast of a sender that is silent meanwhile, and all that is repeated")
  func silentAfterwards() {
    var effects = RecordingEffects(OrderedBracha.self, random: testRandom())
    var process = skipped(into: &effects)
    effects.clear()
    bring(1_001, to: &process, &effects)
    #expect(delivered(effects).isEmpty, "what lies before it may be repeated")
    process.expire(.absence(Peer(5)), at: .zero + .seconds(17), into: &effects)
    #expect(delivered(effects) == [1_001])
    process = skipped(into: &effects)
    effects.clear()
    // Of a few that come in another order none is given up.
    for number: UInt64 in [940, 944, 937, 939, 943, 941, 942, 938] { bring(number, to: &process, &effects) }
    for number in UInt64(945)...1_001 { bring(number, to: &process, &effects) }
    #expect(delivered(effects) == Array(937...1_001))
  }

  @Test("Own batches under way are no more bytes than a connection takes, unless it is one")
  func byteWindow() {
    var process = bracha(0)
    var effects = RecordingEffects(OrderedBracha.self, random: testRandom())
    process.start(at: .zero, into: &effects)
    let large = process.configuration.byteWindow / 3
    func batch(_ number: Int) -> SyntheticBatch { SyntheticBatch(number: UInt32(number), byteCount: large) }
    for number in 0..<6 { process.handle(.broadcast(batch(number)), at: .zero, into: &effects) }
    #expect(opened(effects) == [0, 1, 2])
    let auth = IdealSecureAuthenticator(owner: Peer(0))
    let identifier = MessageIdentifier(origin: Peer(0), sequence: 0)
    let digest = auth.digest(of: batch(0))
    let vote = Vote<IdealSecureAuthenticator>(
      identifier: identifier, digest: digest, signature: auth.sign(digest, as: identifier), refused: [],
      hops: 2)
    for peer in 1..<16 { process.receive(.ready(vote), from: Peer(peer), at: .zero, into: &effects) }
    #expect(opened(effects) == [0, 1, 2, 3])
    process = bracha(0)
    effects.clear()
    process.handle(
      .broadcast(SyntheticBatch(number: 1, byteCount: 10 << 20)), at: .zero, into: &effects)
    #expect(opened(effects) == [0])
  }

  @Test("What is brought under numbers that an earlier life used, as it turns out, gets others")
  func renumbers() {
    var process = bracha(0)
    var effects = RecordingEffects(OrderedBracha.self, random: testRandom())
    process.start(at: .zero, into: &effects)
    for number in 0..<40 { process.handle(.broadcast(batch(number)), at: .zero, into: &effects) }
    effects.clear()
    // The others vote in an instance far ahead, and for fifteen seconds nothing comes of what is next.
    let ahead = signed(9_999, by: 0, sequence: 500)
    let vote = Vote<IdealSecureAuthenticator>(
      identifier: ahead.identifier, digest: ahead.digest, signature: ahead.signature, refused: [], hops: 2)
    for peer in 1..<16 { process.receive(.ready(vote), from: Peer(peer), at: .zero, into: &effects) }
    process.expire(.absence(Peer(0)), at: .zero + .seconds(15), into: &effects)
    #expect(
      told(effects) == Dictionary(uniqueKeysWithValues: (0..<40).map { (501 + UInt64($0), UInt32($0)) }))
  }

  // MARK: Where nothing may be skipped

  /// A process that takes part, and does not skip.
  private func unskipping(undelivered: [(UInt64, SyntheticBatch)] = []) -> OrderedBracha {
    var configuration = OrderedBroadcastConfiguration()
    configuration.skips = false
    return OrderedBroadcast(
      identity: Peer(0), auth: IdealSecureAuthenticator(owner: Peer(0)), inner: bracha(0).inner,
      undelivered: undelivered.map { (sequence: $0.0, payload: $0.1) }, configuration: configuration)
  }

  private func delivered(_ effects: RecordingEffects<OrderedBracha>) -> [UInt64] {
    effects.indications.compactMap {
      if case .delivered(let batch, _) = $0 { batch.identifier.sequence } else { nil }
    }
  }

  @Test(
    "Where nothing may be skipped a process says at once that it is behind, and goes on with what it is given"
  )
  func behind() {
    var process = unskipping()
    var effects = RecordingEffects(OrderedBracha.self, random: testRandom())
    process.start(at: .zero, into: &effects)
    let ahead = signed(9_999, by: 1, sequence: 500)
    let vote = Vote<IdealSecureAuthenticator>(
      identifier: ahead.identifier, digest: ahead.digest, signature: ahead.signature, refused: [], hops: 2)
    func behind() -> [UInt64] {
      effects.indications.compactMap { if case .behind(Peer(1), let number) = $0 { number } else { nil } }
    }
    for peer in 1..<16 {
      process.receive(.ready(vote), from: Peer(peer), at: .zero, into: &effects)
      // Of sixteen five may lie.
      if peer == 5 { #expect(behind().isEmpty) }
    }
    #expect(behind().first == 500)
    for (timer, instant) in effects.timers { process.expire(timer, at: instant, into: &effects) }
    #expect(!effects.indications.contains { if case .missed = $0 { true } else { false } })
    // In order, and nothing else.
    effects.clear()
    for number in [0, 2, 1, 1, 0, 3] as [UInt64] {
      process.handle(
        .catchUp(signed(Int(number), by: 1, sequence: number), refused: []), at: .zero, into: &effects)
    }
    #expect(delivered(effects) == [0, 1])
    // What was delivered before its turn follows.
    deliver(3, as: 3, to: &process, &effects, by: 1)
    process.receive(.supply(signed(3, by: 1, sequence: 3)), from: Peer(1), at: .zero, into: &effects)
    process.handle(.catchUp(signed(2, by: 1, sequence: 2), refused: []), at: .zero, into: &effects)
    #expect(delivered(effects) == [0, 1, 2, 3] && process.nextDelivered(of: Peer(1)) == 4)
  }

  @Test(
    "Entries that were refused when a process caught up are completed by votes, as after any other delivery")
  func completedAfterCatchUp() {
    var process = unskipping()
    var effects = RecordingEffects(OrderedBracha.self, random: testRandom())
    process.start(at: .zero, into: &effects)
    process.handle(.catchUp(signed(0, by: 1, sequence: 0), refused: [0]), at: .zero, into: &effects)
    #expect(delivered(effects) == [0])
    deliver(0, as: 0, to: &process, &effects, by: 1)
    process.receive(.supply(signed(0, by: 1, sequence: 0)), from: Peer(1), at: .zero, into: &effects)
    let completed = effects.indications.compactMap { indication -> [UInt16]? in
      if case .completed(_, let refused) = indication { refused } else { nil }
    }
    #expect(completed == [[]] && delivered(effects) == [0])
  }

  @Test("What was dropped because it was too far ahead is asked for once it is not, of those who said it")
  func unheard() {
    var process = unskipping()
    var effects = RecordingEffects(OrderedBracha.self, random: testRandom())
    process.start(at: .zero, into: &effects)
    let window = process.configuration.window
    // Nobody is ready for it yet, and nobody says it twice.
    process.receive(
      .send(signed(window, by: 1, sequence: UInt64(window))), from: Peer(1), at: .zero, into: &effects)
    #expect(process.dropped == 1)
    effects.clear()
    process.handle(.catchUp(signed(0, by: 1, sequence: 0), refused: []), at: .zero, into: &effects)
    for (timer, instant) in effects.timers { process.expire(timer, at: instant, into: &effects) }
    let asked = effects.sent.compactMap { message, peer in if case .renew = message { peer } else { nil } }
    #expect(asked == [Peer(1)])
  }

  @Test("An own batch gives way to one that an earlier life brought under its number, and gets another")
  func givesWay() {
    var process = unskipping()
    var effects = RecordingEffects(OrderedBracha.self, random: testRandom())
    process.start(at: .zero, into: &effects)
    for number in 0..<40 { process.handle(.broadcast(batch(number)), at: .zero, into: &effects) }
    effects.clear()
    // The earlier life's: of 0 another, of 1 the same.
    process.handle(.catchUp(signed(7_000, by: 0, sequence: 0), refused: []), at: .zero, into: &effects)
    #expect(told(effects) == [40: 0])
    process.handle(.catchUp(signed(1, by: 0, sequence: 1), refused: []), at: .zero, into: &effects)
    #expect(told(effects) == [40: 0] && delivered(effects) == [0, 1])
    // Others turn out to know more: all that was brought under their numbers gets new ones.
    effects.clear()
    process.handle(.used(through: 90), at: .zero, into: &effects)
    #expect(told(effects).keys.min() == 91 && told(effects).count == 39)
  }

  @Test("What was lost on its way to a peer that does not know is said again after a while, once")
  func owed() {
    var process = bracha(0)
    var effects = RecordingEffects(OrderedBracha.self, random: testRandom())
    process.start(at: .zero, into: &effects)
    process.handle(.broadcast(batch(1)), at: .zero, into: &effects)
    effects.clear()
    for _ in 0..<10 { process.handle(.repeat(Peer(1)), at: .zero, into: &effects) }
    #expect(effects.sent.isEmpty && effects.timers.count == 1)
    for (timer, instant) in effects.timers { process.expire(timer, at: instant, into: &effects) }
    #expect(opened(effects) == [0])
    // Whoever asks meanwhile is answered at once, and not again.
    effects.clear()
    process.handle(.repeat(Peer(2)), at: .zero + .seconds(60), into: &effects)
    process.receive(.renew, from: Peer(2), at: .zero + .seconds(61), into: &effects)
    let answers = effects.sent.count
    #expect(answers > 0)
    for (timer, instant) in effects.timers { process.expire(timer, at: instant, into: &effects) }
    #expect(effects.sent.count == answers)
  }
}
