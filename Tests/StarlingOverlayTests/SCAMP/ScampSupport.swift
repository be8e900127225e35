import StarlingCore
import StarlingSimulator
import StarlingTestSupport

@testable import StarlingOverlay

/// One peer by itself, with a sink that writes down what it does.
struct LonePeer {
  var scamp: OpenScamp
  var effects: RecordingEffects<OpenScamp>
  /// The time, which passes between messages: what a peer does for others is limited in its rate.
  private var now = Instant.zero
  /// How much time passes before each message.
  var pause = Interval.milliseconds(10)

  /// A peer with the given members in its partial view, which so far has done nothing.
  init(
    _ identity: Int = 0, members: some Sequence<Int> = [Int](),
    configuration: ScampConfiguration = ScampConfiguration(), random: Xoshiro256
  ) {
    scamp = Scamp(identity: Peer(identity), configuration: configuration)
    effects = RecordingEffects(OpenScamp.self, random: random)
    for member in members { give(member) }
    effects.clear()
  }

  /// A subscription that may not be passed on is kept at once.
  mutating func give(_ member: Int, inGroupOf size: Int = 1_000) {
    receive(.copy(of: member, hopsLeft: 0, inGroupOf: size), from: member)
  }

  mutating func receive(_ message: OpenScamp.Message, from sender: Int) {
    now = now + pause
    scamp.receive(message, from: Peer(sender), at: now, into: &effects)
  }

  mutating func expire(_ timer: OpenScamp.Timer) { scamp.expire(timer, at: now, into: &effects) }

  /// Lets a number of long rounds go by.
  mutating func pass(rounds: Int) { for _ in 0..<rounds { expire(.round(count: 10)) } }

  /// Asks a contact.
  mutating func ask(_ contact: Peer) { scamp.handle(.join(contact: contact), at: now, into: &effects) }

  /// Joins through a contact, and is welcomed by another peer.
  mutating func join(through contact: Int, welcomedBy host: Int) {
    ask(Peer(contact))
    receive(.welcome(scamp.requestNumber), from: host)
  }

  /// What was sent since this was last asked.
  mutating func takeSent() -> [(message: OpenScamp.Message, to: Peer)] {
    defer { effects.sent.removeAll() }
    return effects.sent
  }

  var members: [Int] { scamp.partialView.members.map { Int($0.index) } }
  var keepers: [Int] { scamp.inView.members.map { Int($0.index) } }
}

extension OpenScamp.Message {
  /// A copy of a peer's subscription, introduced by peer 900,000.
  static func copy(of subscriber: Int, hopsLeft: UInt16, inGroupOf size: Int = 1_000) -> Self {
    let subscription = Subscription(
      subscriber: Peer(subscriber), contact: Peer(900_000), number: 7, signature: OpenDoor.Nothing(),
      countersignature: OpenDoor.Nothing())
    return .subscription(subscription, hopsLeft: hopsLeft, .group(of: size))
  }

  /// A joiner's request.
  static func request(_ number: UInt64) -> Self { .subscribe(number: number, OpenDoor.Nothing()) }

  /// A contact's answer to the request with a number.
  static func welcome(_ number: UInt64) -> Self {
    .welcome(number: number, OpenDoor.Nothing(), GroupSize.News())
  }

  /// What a keeper says, in a group so large that no in-view of a test is beyond its law.
  static var kept: Self { .kept(.group(of: 1_000)) }
}

extension GroupSize.News {
  /// As it is in a group of about so many peers.
  static func group(of size: Int) -> Self {
    var news = Self()
    let level = UInt64(28 + 7 * naturalLogarithm(Double(size)) / naturalLogarithm(2))
    for i in 0..<8 { news.sketch.high |= level << UInt64(8 * i) }
    news.sketch.low = news.sketch.high
    return news
  }
}

/// A handful of peers whose messages are delivered one after another, at once and without loss.
struct SmallGroup {
  var peers: [LonePeer]
  private var inFlight: [(message: OpenScamp.Message, from: Int, to: Int)] = []

  /// Peers with the given partial views, which know of each other's.
  ///
  /// - Parameter size: how large they take the group for, which bounds their in-views.
  init(views: [[Int]], size: Int = 1_000, configuration: ScampConfiguration, random: inout Xoshiro256) {
    peers = views.indices.map {
      LonePeer($0, configuration: configuration, random: Xoshiro256(seed: random.next()))
    }
    for (owner, view) in views.enumerated() {
      for member in view { peers[owner].give(member, inGroupOf: size) }
      collect(from: owner)
    }
    deliverAll()
  }

  mutating func collect(from owner: Int) {
    for (message, receiver) in peers[owner].takeSent() {
      inFlight.append((message, owner, Int(receiver.index)))
    }
  }

  /// Delivers until nothing is under way; messages to peers outside the group go nowhere.
  mutating func deliverAll() {
    var next = 0
    while next < inFlight.count {
      let (message, sender, receiver) = inFlight[next]
      next += 1
      guard peers.indices.contains(receiver) else { continue }
      peers[receiver].receive(message, from: sender)
      collect(from: receiver)
    }
    inFlight.removeAll()
  }

  /// Sends a subscriber's request to a peer and follows the walk.
  ///
  /// - Returns: the peer at which it ended, which welcomes the subscriber. Nothing else is delivered.
  mutating func endOfWalk(from first: Int, for subscriber: Int) -> Int? {
    var (message, sender, receiver) = (OpenScamp.Message.request(1), subscriber, first)
    for _ in 0..<1_000 {
      peers[receiver].receive(message, from: sender)
      let sent = peers[receiver].takeSent()
      if sent.contains(where: { if case .welcome = $0.message { true } else { false } }) { return receiver }
      guard sent.count == 1, case .walk = sent[0].message else { return nil }
      (message, sender, receiver) = (sent[0].message, receiver, Int(sent[0].to.index))
    }
    return nil
  }

  var arcs: Int { peers.reduce(0) { $0 + $1.members.count } }

  /// Whether each peer's in-view names just the peers that have it in their partial view.
  var viewsMirrorEachOther: Bool {
    peers.indices.allSatisfy { v in
      Set(peers[v].keepers) == Set(peers.indices.filter { peers[$0].members.contains(v) })
    }
  }
}

/// Watches nothing.
struct Nobody: SimulationObserver {
  typealias Observed = OpenScamp

  func sent(_ message: OpenScamp.Message, from sender: Peer, to receiver: Peer, at now: Instant) {}
  func indicated(_ indication: MembershipIndication, by peer: Peer, at now: Instant) {}
}

typealias OpenScamp = Scamp<OpenDoor>
typealias ScampNetwork = Simulation<OpenScamp, LossyNetwork, Nobody>

/// A group that came together as `starling simulate` has it: 1,000 joins a second, each through a random
/// earlier peer, then a minute of rest.
func settledGroup(
  _ count: Int, extraCopies: Int = 1, loss: Double = 0,
  delay: DelayModel = .gaussian(mean: .milliseconds(50), deviation: .milliseconds(10)), seed: UInt64
) -> ScampNetwork {
  var random = Xoshiro256(seed: seed)
  let delays = DelaySampler(delay, peers: count, random: &random)
  var network = ScampNetwork(
    capacity: count, network: LossyNetwork(delays: delays, loss: loss), observer: Nobody(),
    seed: random.next())
  let configuration = ScampConfiguration(extraCopies: extraCopies)
  for i in 0..<count {
    network.run(until: .zero + .milliseconds(i))
    let peer = network.add { Scamp(identity: $0, configuration: configuration) }
    if i > 0 { network.request(.join(contact: Peer(network.random.uniform(below: i))), of: peer) }
  }
  network.run(until: network.now + .seconds(60))
  return network
}

/// The partial views of a simulated group, as a graph.
func views(of network: borrowing ScampNetwork) -> DirectedGraph {
  DirectedGraph(
    adjacency: (0..<network.count).map { network[Peer($0)].partialView.members.map { Int($0.index) } })
}
