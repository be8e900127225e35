import StarlingBroadcast
import StarlingCore
import StarlingNode
import StarlingSimulator
import StarlingTestSupport
import Testing

@testable import StarlingOverlay

private typealias Member = GroupMember<Scamp<IdealAdmission>, BroadcastTree<IdealAuthenticator>>

/// A member that may lie: ten times a second it sends its neighbours what no correct peer would.
private struct Player: Process {
  enum Lie { case forgery, flood, walks }
  enum Timer {
    case member(Member.Timer)
    case lie
  }
  typealias Message = Member.Message
  typealias Request = Member.Request
  typealias Indication = Member.Indication

  enum Layer: Embedding {
    typealias Outer = Player
    typealias Inner = Member
    static func message(_ message: Message) -> Message { message }
    static func timer(_ timer: Member.Timer) -> Timer { .member(timer) }
    static func indication(_ indication: Indication) -> Indication? { indication }
  }

  /// Whom liars with walks have flood its neighbours.
  static let framed = Peer(11)
  var member: Member
  let identity: Peer
  var lie: Lie?
  var lies: UInt32 = 0

  mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    _ = effects.embedding(Layer.self) { member.start(at: now, into: &$0) }
    if lie != nil { effects.schedule(.lie, at: .zero + .seconds(70)) }
  }
  mutating func handle(
    _ request: Request, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    _ = effects.embedding(Layer.self) { member.handle(request, at: now, into: &$0) }
  }
  mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    _ = effects.embedding(Layer.self) { member.receive(message, from: sender, at: now, into: &$0) }
  }
  mutating func expire(
    _ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch timer {
    case .member(let timer): _ = effects.embedding(Layer.self) { member.expire(timer, at: now, into: &$0) }
    case .lie:
      guard now < .zero + .seconds(lie == .forgery ? 110 : 77) else { return }
      effects.schedule(.lie, at: now + .milliseconds(100))
      if lie == .walks { return sendWalks(into: &effects) }
      let neighbours = member.overlay.acquaintances
      for _ in 0..<(lie == .flood ? 600 : 1) {
        let parcel = effects.prepare(message())
        for peer in neighbours { effects.send(parcel, to: peer) }
      }
    }
  }
  mutating func disconnect(
    from peer: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    _ = effects.embedding(Layer.self) { member.disconnect(from: peer, at: now, into: &$0) }
  }

  /// Just below what counts as a flood itself, it has the last honest peer pass walks on, and introduce peers that
  /// may not even be there.
  private mutating func sendWalks(into effects: inout some Effects<Self> & ~Copyable) {
    for _ in 0..<180 {
      lies += 1
      let joiner = Peer(10_000 + Int(identity.index) << 16 + Int(lies))
      let statement = SubscriptionStatement(subscriber: joiner, number: 1, contact: nil)
      var walk = Scamp<IdealAdmission>.Walk(
        .contact(number: 1, IdealAdmission(owner: joiner).sign(statement)), for: joiner,
        hopsLeft: lies % 2 == 0 ? 0 : 6)
      walk.isReturned = true
      effects.send(effects.prepare(.overlay(.walk(walk))), to: Player.framed)
    }
  }

  private mutating func message() -> Message {
    guard lie == .forgery else { return .overlay(.dropped) }
    lies += 1
    let identifier = MessageIdentifier(origin: Peer(0), sequence: 1_000_000 + UInt64(lies))
    let payload = SyntheticPayload(number: 0, byteCount: 10)
    return .diffusion(.push(Broadcast(identifier: identifier, hops: 1, payload: payload, signature: 1)))
  }
}

/// What a network told about peers' conduct.
private struct Watcher: SimulationObserver {
  typealias Observed = Player
  /// Whom each peer shunned, and for what.
  var shunned: [(by: Peer, peer: Peer, fault: Misbehaviour)] = []
  var misbehaved = 0
  /// Whom anybody said to have misbehaved.
  var accused: Set<Peer> = []
  var deliveries: [UInt32: Int] = [:]
  /// Membership messages from one peer to another in the running second, and the most there ever were.
  private var counts: [UInt64: Int] = [:]
  private var second: UInt64 = 0
  var mostInASecond = 0

  mutating func sent(_ message: Player.Message, from sender: Peer, to receiver: Peer, at now: Instant) {
    guard case .overlay = message else { return }
    if now.nanoseconds / 1_000_000_000 != second {
      second = now.nanoseconds / 1_000_000_000
      counts = [:]
    }
    let link = UInt64(sender.index) << 32 | UInt64(receiver.index)
    counts[link, default: 0] += 1
    mostInASecond = max(mostInASecond, counts[link] ?? 0)
  }
  mutating func indicated(_ indication: Player.Indication, by peer: Peer, at now: Instant) {
    switch indication {
    case .shunned(let other, let what): shunned.append((peer, other, what))
    case .misbehaved(let other, _):
      misbehaved += 1
      accused.insert(other)
    case .delivered(let broadcast, _): deliveries[broadcast.payload.number, default: 0] += 1
    default: break
    }
  }
}

@Suite struct ConductNetworkTests {
  /// A settled group whose first peers lie from the seventieth second on, run for a while.
  private func run(
    _ count: Int, liars: Int, lie: Player.Lie, for interval: Interval, loss: Double = 0,
    joinInterval: Interval = .milliseconds(10)
  ) -> Simulation<Player, LossyNetwork, Watcher> {
    var random = testRandom()
    let delays = DelaySampler(
      .gaussian(mean: .milliseconds(50), deviation: .milliseconds(10)), peers: count, random: &random)
    var group = Simulation<Player, LossyNetwork, Watcher>(
      capacity: count, network: LossyNetwork(delays: delays, loss: loss), observer: Watcher(),
      seed: random.next())
    for i in 0..<count {
      let peer = group.add { peer in
        Player(
          member: Member(
            overlay: Scamp(identity: peer, door: IdealAdmission(owner: peer)),
            diffusion: BroadcastTree(identity: peer, auth: IdealAuthenticator(owner: peer))),
          identity: peer, lie: (1...max(1, liars)).contains(i) && liars > 0 ? lie : nil)
      }
      if i > 0 { group.request(.join(contact: Peer(group.random.uniform(below: i))), of: peer) }
      group.run(until: group.now + joinInterval)
    }
    group.run(until: .zero + .seconds(69))
    for n in 0..<40 {
      let sender = Peer(count - 1 - n % 10)
      group.request(.broadcast(SyntheticPayload(number: UInt32(n), byteCount: 100)), of: sender)
      group.run(until: group.now + Interval(nanoseconds: interval.nanoseconds / 40))
    }
    group.run(until: group.now + .seconds(20))
    return group
  }

  @Test(
    "peers that forge are shunned by all their neighbours within seconds; no honest peer is, and all is delivered"
  )
  func forgers() {
    let (count, liars) = (200, 10)
    let group = run(count, liars: liars, lie: .forgery, for: .seconds(40))
    let isLiar = { (peer: Peer) in (1...liars).contains(Int(peer.index)) }
    let byHonest = group.observer.shunned.filter { !isLiar($0.by) }
    #expect(byHonest.allSatisfy { isLiar($0.peer) && $0.fault == .badSignature }, "\(replay)")
    #expect(Set(byHonest.map(\.peer)).count == liars)
    for i in 0..<count where !isLiar(Peer(i)) {
      let overlay = group[Peer(i)].member.overlay
      #expect(!overlay.partialView.members.contains(where: isLiar), "\(i) still sends to a liar; \(replay)")
    }
    for n in 0..<40 {
      #expect((group.observer.deliveries[UInt32(n)] ?? 0) >= count - liars - 1, "message \(n); \(replay)")
    }
  }

  @Test("a peer that floods its neighbours with membership messages is shunned by them, and nobody else is")
  func flooders() {
    let group = run(16, liars: 2, lie: .flood, for: .seconds(5))
    let byHonest = group.observer.shunned.filter { !(1...2).contains(Int($0.by.index)) }
    #expect(Set(byHonest.map { Int($0.peer.index) }) == [1, 2], "\(replay)")
    #expect(byHonest.allSatisfy { $0.fault == .unsolicited })
  }

  @Test("an honest peer that is sent thousands of walks a second floods nobody, and keeps all its neighbours")
  func framedByWalks() {
    let group = run(12, liars: 4, lie: .walks, for: .seconds(40))
    let isLiar = { (peer: Peer) in (1...4).contains(Int(peer.index)) }
    #expect(!group.observer.shunned.contains { !isLiar($0.peer) }, "\(replay)")
    #expect(!group.observer.accused.contains { !isLiar($0) }, "\(replay)")
    #expect(group[Player.framed].member.overlay.refusedRelays > 10_000, "it was asked for far more")
  }

  @Test("what a peer sends for others stays well below what counts as a flood")
  func relayBudget() {
    let limit = Int(MessagePace.limit) / MessagePace.membershipWeight
    let largest = ScampConfiguration(extraCopies: 100)
    let most = ScampRelayBudget.burst + ScampRelayBudget.rate + 1 + Int(largest.extraCopies)
    #expect(most * 4 < limit * 3, "\(most) of \(limit)")
  }

  @Test("on a network that loses a fifth of everything, correct peers charge each other nothing")
  func lossy() {
    let group = run(200, liars: 0, lie: .forgery, for: .seconds(40), loss: 0.2)
    #expect(group.observer.misbehaved == 0, "\(replay)")
    #expect(group.observer.shunned.isEmpty)
  }

  @Test("a thousand joins a second stay well below what counts as a flood")
  func joins() {
    let group = run(500, liars: 0, lie: .forgery, for: .seconds(1), joinInterval: .milliseconds(1))
    let limit = Int(MessagePace.limit) / MessagePace.membershipWeight
    print("most membership messages from one peer to another in a second: \(group.observer.mostInASecond)")
    #expect(group.observer.mostInASecond * 3 < limit, "\(replay)")
    #expect(group.observer.misbehaved == 0)
  }

  @Test("what a shunned peer sends is dropped unread, until its time is up")
  func unread() {
    var member = Member(
      overlay: Scamp(identity: Peer(0), door: IdealAdmission(owner: Peer(0))),
      diffusion: BroadcastTree(identity: Peer(0), auth: IdealAuthenticator(owner: Peer(0))))
    var effects = RecordingEffects(Member.self, random: testRandom())
    let liar = Peer(1)
    let auth = IdealAuthenticator(owner: liar)
    func message(_ sequence: UInt64, isForged: Bool) -> Member.Message {
      let identifier = MessageIdentifier(origin: liar, sequence: sequence)
      let payload = SyntheticPayload(number: 0, byteCount: 10)
      let signature = auth.sign(payload, as: identifier) ^ (isForged ? 1 : 0)
      return .diffusion(
        .push(Broadcast(identifier: identifier, hops: 1, payload: payload, signature: signature)))
    }
    for n in 0..<8 {
      member.receive(message(UInt64(n), isForged: true), from: liar, at: .zero, into: &effects)
    }
    #expect(member.conduct.isShunned(liar, at: .zero))
    effects.clear()
    member.receive(message(9, isForged: false), from: liar, at: .zero + .seconds(59), into: &effects)
    #expect(effects.indications.isEmpty && effects.sent.isEmpty)
    member.receive(message(10, isForged: false), from: liar, at: .zero + .seconds(60), into: &effects)
    #expect(effects.indications.count == 1)
  }
}
