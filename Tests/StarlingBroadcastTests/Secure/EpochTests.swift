import StarlingBroadcast
import StarlingCore
import StarlingSimulator
import StarlingTestSupport
import Testing

private typealias Auth = IdealSecureAuthenticator
private typealias Ready = ReadyBroadcast<Auth, ListedMembership>
private typealias Echo = EchoBroadcast<Auth, ListedMembership>

private func members(_ range: Range<Int>) -> ListedMembership { ListedMembership(range.map { Peer($0) }) }

/// An ordered broadcast whose membership can be changed. Tries again until it is.
private struct Member: Process {
  typealias Ordered = OrderedBroadcast<Ready>
  enum Request {
    case broadcast(SyntheticBatch)
    case change(ListedMembership)
  }
  enum Timer {
    case ordered(Ordered.Timer)
    case change
  }
  typealias Message = Ordered.Message
  typealias Indication = Ordered.Indication

  enum Whole: Embedding {
    typealias Outer = Member
    typealias Inner = Ordered
    static func message(_ message: Ordered.Message) -> Ordered.Message { message }
    static func timer(_ timer: Ordered.Timer) -> Timer { .ordered(timer) }
    static func indication(_ indication: Ordered.Indication) -> Ordered.Indication? { indication }
  }

  var ordered: Ordered
  let parameters: SecureBroadcastParameters
  /// What the membership is to be, and is not yet.
  var wanted: ListedMembership?

  mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    _ = effects.embedding(Whole.self) { ordered.start(at: now, into: &$0) }
  }

  mutating func handle(
    _ request: Request, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch request {
    case .broadcast(let batch):
      _ = effects.embedding(Whole.self) { ordered.handle(.broadcast(batch), at: now, into: &$0) }
    case .change(let membership):
      wanted = membership
      change(at: now, into: &effects)
    }
  }

  mutating func change(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    guard let membership = wanted else { return }
    var isDone = false
    _ = effects.embedding(Whole.self) {
      isDone = ordered.resample(from: membership, parameters: parameters, at: now, into: &$0)
    }
    if isDone { wanted = nil } else { effects.schedule(.change, at: now + .seconds(1)) }
  }

  mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    _ = effects.embedding(Whole.self) { ordered.receive(message, from: sender, at: now, into: &$0) }
  }

  mutating func expire(_ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    switch timer {
    case .ordered(let timer):
      _ = effects.embedding(Whole.self) { ordered.expire(timer, at: now, into: &$0) }
    case .change: change(at: now, into: &effects)
    }
  }
}

/// The numbers of the batches that each process delivered of each sender, in its order.
private struct MemberBook: SimulationObserver {
  typealias Observed = Member
  var numbers: [Peer: [Peer: [UInt64]]] = [:]
  var contents: [MessageIdentifier: Set<UInt32>] = [:]
  var farewells = 0

  mutating func sent(_ message: Member.Message, from sender: Peer, to receiver: Peer, at now: Instant) {
    if case .unsubscribe = message { farewells += 1 }
  }

  mutating func indicated(_ indication: Member.Indication, by peer: Peer, at now: Instant) {
    guard case .delivered(let batch, _) = indication else { return }
    numbers[peer, default: [:]][batch.identifier.origin, default: []].append(batch.identifier.sequence)
    contents[batch.identifier, default: []].insert(batch.payload.number)
  }
}

@Suite("Secure broadcast: when the membership changes")
struct EpochTests {
  private static let parameters = SecureBroadcastParameters(
    gossip: 12, echo: 60, echoThreshold: 36, ready: 40, readyThreshold: 12, delivery: 60,
    deliveryThreshold: 36)

  private func batch(_ number: Int) -> SyntheticBatch {
    SyntheticBatch(number: UInt32(number), byteCount: 100)
  }

  private func entries() -> IdealEntries { EntryLog(authorLimit: 1_000, windowLimit: 16) }

  private func member(_ peer: Peer, of membership: ListedMembership, next: [Peer: UInt64] = [:]) -> Member {
    let auth = Auth(owner: peer)
    let ready = Ready(
      identity: peer, auth: auth, oracle: membership, parameters: Self.parameters, entries: entries())
    return Member(
      ordered: OrderedBroadcast(identity: peer, auth: auth, inner: ready, nextDelivered: next),
      parameters: Self.parameters)
  }

  @Test("Under load, while some join and others leave, all that stay deliver everything")
  func changes() {
    var random = testRandom()
    let delays = DelaySampler(
      .uniform(from: .milliseconds(10), to: .milliseconds(200)), peers: 40, random: &random)
    var network = Simulation<Member, LossyNetwork, MemberBook>(
      capacity: 40, network: LossyNetwork(delays: delays, loss: 0), observer: MemberBook(),
      seed: random.next())
    for _ in 0..<30 { _ = network.add { member($0, of: members(0..<30)) } }
    network.run(until: .zero + .seconds(2))
    var rounds = 0
    /// A batch of each sender every one and a half seconds, while each process learns of a change at its own time.
    func run(rounds count: Int, of senders: [Int], telling membership: ListedMembership?) {
      for round in 0..<count {
        for sender in senders {
          network.request(.broadcast(batch(1_000 * sender + rounds)), of: Peer(sender))
        }
        rounds += 1
        // By now some have heard of the batches.
        network.run(until: network.now + .milliseconds(250))
        for peer in 0..<40 where peer % count == round {
          if let membership { network.request(.change(membership), of: Peer(peer)) }
        }
        network.run(until: network.now + .milliseconds(1_250))
      }
    }
    run(rounds: 4, of: [17, 23], telling: nil)
    // Ten join: they are given the state of a member.
    let next = [17, 23].map { (Peer($0), network[Peer(12)].ordered.nextDelivered(of: Peer($0))) }
    let given = Dictionary(uniqueKeysWithValues: next)
    for _ in 0..<10 { _ = network.add { member($0, of: members(0..<40), next: given) } }
    run(rounds: 10, of: [17, 23, 35], telling: members(0..<40))
    run(rounds: 20, of: [17, 23, 35], telling: nil)
    // Six leave: they stop when all have learned of it.
    run(rounds: 10, of: [17, 23, 35], telling: members(6..<40))
    for peer in 0..<6 { network.crash(Peer(peer)) }
    run(rounds: 10, of: [17, 23, 35], telling: nil)
    network.run(until: network.now + .seconds(30))
    for sender in [Peer(17), Peer(23)] {
      for peer in 6..<30 {
        #expect(network.observer.numbers[Peer(peer)]?[sender] == Array(0..<54), "\(peer); \(replay)")
      }
      for peer in 30..<40 {
        #expect(
          network.observer.numbers[Peer(peer)]?[sender] == Array((given[sender] ?? 0)..<54),
          "\(peer); \(replay)")
      }
    }
    for peer in 6..<40 {
      #expect(network.observer.numbers[Peer(peer)]?[Peer(35)] == Array(0..<50), "\(peer); \(replay)")
      #expect(network[Peer(peer)].ordered.inner.liveEpochs == 1, "\(peer); \(replay)")
      #expect(network[Peer(peer)].wanted == nil)
    }
    #expect(network.observer.contents.values.allSatisfy { $0.count == 1 })
    #expect(network.observer.farewells > 0)
  }

  // MARK: - One process by itself

  private func signed(_ number: Int, sequence: UInt64) -> SignedBatch<Auth> {
    let auth = Auth(owner: Peer(0))
    let identifier = MessageIdentifier(origin: Peer(0), sequence: sequence)
    let payload = batch(number)
    return SignedBatch(
      identifier: identifier, payload: payload,
      signature: auth.sign(auth.digest(of: payload), as: identifier), hops: 1)
  }

  private func vote(_ batch: SignedBatch<Auth>) -> Vote<Auth> {
    Vote(
      identifier: batch.identifier, digest: batch.digest, signature: batch.signature, refused: [], hops: 1)
  }

  /// Samples so large that every member is in each.
  private static let small = SecureBroadcastParameters(
    gossip: 10, echo: 200, echoThreshold: 140, ready: 200, readyThreshold: 80, delivery: 200,
    deliveryThreshold: 140)

  private func ready() -> Ready {
    Ready(
      identity: Peer(99), auth: Auth(owner: Peer(99)), oracle: members(0..<10), parameters: Self.small,
      entries: entries())
  }

  private func after(_ seconds: Int) -> Instant { .zero + .seconds(seconds) }

  /// Tells of a batch by the gossip of one peer and by the votes of some.
  private func tell(
    _ batch: SignedBatch<Auth>, votersOf range: Range<Int>, to process: inout Ready, at now: Instant,
    into effects: inout RecordingEffects<Ready>
  ) {
    process.receive(.echo(.gossip(.gossip(batch))), from: Peer(0), at: now, into: &effects)
    for voter in range {
      process.receive(.echo(.echo(vote(batch))), from: Peer(voter), at: now, into: &effects)
      process.receive(.ready(vote(batch)), from: Peer(voter), at: now, into: &effects)
    }
  }

  @Test("An instance is judged by the samples of the epoch in which it was heard of, and by no others")
  func pinned() {
    var process = ready()
    var effects = RecordingEffects(Ready.self, random: testRandom())
    process.start(at: .zero, into: &effects)
    let (before, after) = (signed(1, sequence: 0), signed(2, sequence: 1))
    // Heard of by one member of each sample.
    tell(before, votersOf: 0..<1, to: &process, at: self.after(1), into: &effects)
    #expect(
      process.resample(from: members(20..<30), parameters: Self.small, at: self.after(60), into: &effects))
    #expect(process.liveEpochs == 2)
    effects.clear()
    tell(before, votersOf: 20..<30, to: &process, at: self.after(61), into: &effects)
    #expect(effects.indications.isEmpty && effects.sent.isEmpty, "those of the next epoch count for nothing")
    tell(after, votersOf: 0..<10, to: &process, at: self.after(61), into: &effects)
    #expect(unlogged(effects.indications).isEmpty, "those of the past epoch count for nothing")
    tell(after, votersOf: 20..<30, to: &process, at: self.after(61), into: &effects)
    #expect(unlogged(effects.indications).count == 1)
    tell(before, votersOf: 1..<10, to: &process, at: self.after(61), into: &effects)
    #expect(unlogged(effects.indications).count == 2)
  }

  private func farewells(_ effects: RecordingEffects<Ready>) -> (gossip: [Int], echo: [Int], ready: [Int]) {
    var result: (gossip: [Int], echo: [Int], ready: [Int]) = ([], [], [])
    for (message, peer) in effects.sent {
      switch message {
      case .echo(.gossip(.unsubscribe)): result.gossip.append(Int(peer.index))
      case .echo(.unsubscribe): result.echo.append(Int(peer.index))
      case .unsubscribe: result.ready.append(Int(peer.index))
      default: break
      }
    }
    return (result.gossip.sorted(), result.echo.sorted(), result.ready.sorted())
  }

  @Test("A past epoch's samples go with the last instance that needs them, and with them its subscriptions")
  func freed() {
    var process = ready()
    var effects = RecordingEffects(Ready.self, random: testRandom())
    process.start(at: .zero, into: &effects)
    let (done, hangs) = (signed(1, sequence: 0), signed(2, sequence: 1))
    tell(done, votersOf: 0..<1, to: &process, at: after(1), into: &effects)
    tell(hangs, votersOf: 0..<1, to: &process, at: after(1), into: &effects)
    effects.clear()
    #expect(process.resample(from: members(5..<15), parameters: Self.small, at: after(60), into: &effects))
    let subscribed = effects.sent.compactMap { message, peer in
      if case .subscribe = message { Int(peer.index) } else { nil }
    }
    #expect(subscribed.sorted() == Array(10..<15), "the others are subscribed to already")
    tell(done, votersOf: 1..<10, to: &process, at: after(61), into: &effects)
    #expect(unlogged(effects.indications).count == 1 && process.liveEpochs == 2)
    #expect(farewells(effects).ready.isEmpty && farewells(effects).echo.isEmpty)
    process.handle(.forget(hangs.identifier), at: after(62), into: &effects)
    #expect(process.liveEpochs == 1)
    let told = farewells(effects)
    #expect(told.ready == Array(0..<5) && told.echo == Array(0..<5), "\(told)")
    #expect(told.gossip.allSatisfy { $0 < 5 } && !told.gossip.isEmpty, "\(told)")
  }

  @Test("Who ends its subscription is told no more, and has no more told by beginning it again")
  func unsubscribed() {
    var process = ready()
    var effects = RecordingEffects(Ready.self, random: testRandom())
    process.start(at: .zero, into: &effects)
    tell(signed(1, sequence: 0), votersOf: 0..<10, to: &process, at: after(1), into: &effects)
    effects.clear()
    for moment in 0..<1_000 {
      let now = after(2) + .milliseconds(moment)
      process.receive(.subscribe, from: Peer(7), at: now, into: &effects)
      process.receive(.unsubscribe, from: Peer(7), at: now, into: &effects)
    }
    #expect(effects.sent.count == 1)
    effects.clear()
    tell(signed(2, sequence: 1), votersOf: 0..<10, to: &process, at: after(9), into: &effects)
    #expect(!effects.sent.contains { if case .ready = $0.message { true } else { false } })
  }

  @Test("Instances that liars never finish do not make epochs pile up, nor hold up a new one for long")
  func pile() {
    var process = ready()
    var effects = RecordingEffects(Ready.self, random: testRandom())
    process.start(at: .zero, into: &effects)
    var changes: [Int] = []
    for minute in 0..<180 {
      tell(
        signed(minute, sequence: UInt64(minute)), votersOf: 0..<1, to: &process, at: after(60 * minute),
        into: &effects)
      if process.resample(
        from: members(0..<10), parameters: Self.small, at: after(60 * minute + 1), into: &effects)
      {
        changes.append(minute)
      }
      #expect(process.liveEpochs <= 4)
    }
    #expect(changes == [0, 1, 2, 60, 61, 62, 120, 121, 122])
    // What was given up is judged by nobody's votes any more.
    effects.clear()
    tell(signed(0, sequence: 0), votersOf: 1..<10, to: &process, at: after(11_000), into: &effects)
    #expect(effects.indications.isEmpty)
    // Nothing is judged anew until it is forgotten, and the others are not held up.
    tell(signed(500, sequence: 500), votersOf: 0..<10, to: &process, at: after(11_000), into: &effects)
    #expect(unlogged(effects.indications).count == 1)
  }

  @Test("An epoch does not begin while what ended the last one may be under way")
  func rest() {
    var process = ready()
    var effects = RecordingEffects(Ready.self, random: testRandom())
    process.start(at: .zero, into: &effects)
    tell(signed(1, sequence: 0), votersOf: 0..<1, to: &process, at: after(1), into: &effects)
    func change(at seconds: Int) -> Bool {
      process.resample(from: members(5..<15), parameters: Self.small, at: after(seconds), into: &effects)
    }
    #expect(change(at: 2))
    #expect(!change(at: 31))
    process.handle(.forget(signed(1, sequence: 0).identifier), at: after(40), into: &effects)
    #expect(!change(at: 69))
    #expect(change(at: 70))
  }
}
