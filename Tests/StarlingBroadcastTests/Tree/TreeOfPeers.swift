import StarlingBroadcast
import StarlingCore
import StarlingTestSupport

/// What the network does wrong at the moment.
struct Faults {
  /// Peers below this and the others do not reach each other.
  var cut = 0
  /// Only the peers below the cut do not reach the others.
  var isOneWay = false
  /// Every tenth peer sends and gets its messages one to four seconds late.
  var isSlow = false
  var loss = 0.0
  var doubling = 0.0
}

/// Peers that know nothing but the tree, over a random graph, in virtual time of a millisecond's grain. A
/// network of its own, since it does what the simulator's does not have to: it doubles messages.
struct TreeOfPeers {
  typealias Tree = BroadcastTree<IdealAuthenticator>

  private enum Event {
    case message(Tree.Message, from: Int, to: Int)
    case timer(Tree.Timer, of: Int)
  }

  var faults = Faults()
  private(set) var doubles = 0
  private(set) var accusations = 0
  private(set) var missed = 0
  private var peers: [Tree] = []
  private var isLive: [Bool]
  private var neighbours: [[Int]]
  private var due: [Int: [Event]] = [:]
  private var milliseconds = 0
  private var effects: RecordingEffects<Tree>
  /// For each message who sent it, who had it, and how many copies were sent.
  private var messages: [(sender: Int, has: [Bool], copies: Int)] = []

  /// - Parameters:
  ///   - count: how many peers.
  ///   - linked: how many of them have links.
  ///   - degree: to how many earlier ones each has a link.
  init(count: Int, linked: Int? = nil, degree: Int = 4, seed: UInt64) {
    effects = RecordingEffects(random: Xoshiro256(seed: seed))
    isLive = [Bool](repeating: true, count: count)
    neighbours = [[Int]](repeating: [], count: count)
    for i in 0..<count {
      peers.append(Tree(identity: Peer(i), auth: IdealAuthenticator(owner: Peer(i))))
    }
    for i in 1..<(linked ?? count) {
      for j in effects.sample(degree, below: i) { link(i, j) }
    }
  }

  private var now: Instant { .zero + .milliseconds(milliseconds) }

  // MARK: What happens

  mutating func link(_ a: Int, _ b: Int) {
    handle(a) { $0.handle(.linkUp(Peer(b), .outgoing), at: $1, into: &$2) }
    handle(b) { $0.handle(.linkUp(Peer(a), .incoming), at: $1, into: &$2) }
    neighbours[a].append(b)
  }

  /// Takes the links between some pairs away.
  mutating func unlink(_ isGone: (Int, Int) -> Bool) {
    for a in neighbours.indices {
      for b in neighbours[a] where isGone(a, b) {
        handle(a) { $0.handle(.linkDown(Peer(b), .outgoing), at: $1, into: &$2) }
        handle(b) { $0.handle(.linkDown(Peer(a), .incoming), at: $1, into: &$2) }
      }
      neighbours[a].removeAll { isGone(a, $0) }
    }
  }

  mutating func crash(_ peer: Int) { isLive[peer] = false }

  mutating func broadcast(by peer: Int) {
    var has = [Bool](repeating: false, count: peers.count)
    has[peer] = true
    messages.append((peer, has, 0))
    let payload = SyntheticPayload(number: UInt32(messages.count - 1), byteCount: 100)
    handle(peer) { $0.handle(.broadcast(payload), at: $1, into: &$2) }
  }

  /// Twenty messages that shape the tree.
  mutating func warmUp() {
    for _ in 0..<20 {
      broadcast(by: 3)
      run(seconds: 1)
    }
  }

  mutating func run(seconds: Int) { run(milliseconds: 1_000 * seconds) }

  mutating func run(milliseconds length: Int) {
    for _ in 0..<length {
      while let events = due.removeValue(forKey: milliseconds) {
        for event in events { happen(event) }
      }
      milliseconds += 1
    }
  }

  // MARK: What was seen

  var messageCount: Int { messages.count }

  /// How many messages some live peer lacks.
  var lacking: Int {
    messages.count { message in isLive.indices.contains { isLive[$0] && !message.has[$0] } }
  }

  /// Copies handed to the network for each peer that delivered, less one.
  func redundancy(of range: Range<Int>) -> Double {
    let copies = messages[range].reduce(0) { $0 + $1.copies }
    let deliveries = messages[range].reduce(0) { $0 + $1.has.count { $0 } - 1 }
    return Double(copies) / Double(max(1, deliveries)) - 1
  }

  // MARK: How

  private mutating func happen(_ event: Event) {
    switch event {
    case .message(let message, let sender, let receiver):
      handle(receiver) { $0.receive(message, from: Peer(sender), at: $1, into: &$2) }
    case .timer(let timer, let peer): handle(peer) { $0.expire(timer, at: $1, into: &$2) }
    }
  }

  private mutating func handle(
    _ peer: Int, _ body: (inout Tree, Instant, inout RecordingEffects<Tree>) -> Void
  ) {
    guard isLive[peer] else { return }
    body(&peers[peer], now, &effects)
    let (sent, timers, indications) = (effects.sent, effects.timers, effects.indications)
    effects.clear()
    for timer in timers {
      let at = Int((timer.at.nanoseconds + 999_999) / 1_000_000)
      due[max(at, milliseconds), default: []].append(.timer(timer.timer, of: peer))
    }
    for indication in indications { note(indication, by: peer) }
    for (message, receiver) in sent { send(message, from: peer, to: Int(receiver.index)) }
  }

  private mutating func note(_ indication: Tree.Indication, by peer: Int) {
    switch indication {
    case .delivered(let broadcast, _):
      let number = Int(broadcast.payload.number)
      if messages[number].has[peer] { doubles += 1 }
      messages[number].has[peer] = true
    case .misbehaved: accusations += 1
    case .missed: missed += 1
    case .keep: break
    }
  }

  private mutating func send(_ message: Tree.Message, from sender: Int, to receiver: Int) {
    if let broadcast = message.carriedBroadcast { messages[Int(broadcast.payload.number)].copies += 1 }
    let (isSenderBelow, isReceiverBelow) = (sender < faults.cut, receiver < faults.cut)
    if isSenderBelow != isReceiverBelow, isSenderBelow || !faults.isOneWay { return }
    if faults.loss > 0, effects.chance(faults.loss) { return }
    for _ in 0..<(faults.doubling > 0 && effects.chance(faults.doubling) ? 2 : 1) {
      var delay = 30 + effects.uniform(below: 40)
      if faults.isSlow, sender % 10 == 9 || receiver % 10 == 9 {
        delay += 1_000 + effects.uniform(below: 3_000)
      }
      due[milliseconds + delay, default: []].append(.message(message, from: sender, to: receiver))
    }
  }
}
