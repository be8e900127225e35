import StarlingCore

/// HGFRR's broadcast (seed 000, section 3.1): up through the contacts of rings and down through all rings, within a ring by a
/// k-ary spanning tree with a fresh random k for each message. Everybody gets a payload once.
///
/// What the seed leaves open is in the folder's README: who does not confirm is bypassed, contacts share the work of bringing a
/// message into a ring, and what the trees cannot reach is found by digests that distant peers exchange. Recovery is that of the
/// broadcast tree, which is contained here without a tree of its own: all of its links are lazy.
public struct RingBroadcast<Auth: Authenticator>: BroadcastProcess {
  /// What peers send each other.
  public enum Message: Sendable {
    /// The message itself, and by which tree it goes on.
    case push(Broadcast<Auth>, RingRoute)
    /// I have it: you need not look after those behind me.
    case confirm(MessageIdentifier)
    /// I have it. If it does not come to you by itself, or at once if it is late already, ask for it.
    case announce(MessageIdentifier, isLate: Bool)
    /// Recovery.
    case repair(BroadcastTree<Auth>.Message)
  }

  /// What it waits for.
  public enum Timer: Sendable {
    /// Confirmations of a message.
    case confirmation(MessageIdentifier)
    /// The next comparison with distant peers.
    case digest
    /// A timer of the recovery.
    case repair(BroadcastTree<Auth>.Timer)
  }

  /// One who was pushed a message, or told of it, and has not confirmed that it has it.
  struct Waiting: Sendable {
    let peer: Peer
    /// In which ring, and its number in the tree there.
    let level: Int
    let number: Int
    /// Since when it is waited for.
    let since: Instant
    /// Whether it was told of the message because it did not confirm the push.
    var isReminded = false
  }

  /// What this peer brings on its way.
  struct Delivery: Sendable {
    var routes: [(level: Int, route: RingRoute)]
    var waiting: [Waiting]
  }

  private enum Repair: Embedding {
    typealias Outer = RingBroadcast
    typealias Inner = BroadcastTree<Auth>
    static func message(_ message: Inner.Message) -> Message { .repair(message) }
    static func timer(_ timer: Inner.Timer) -> Timer { .repair(timer) }
    static func indication(_ indication: Inner.Indication) -> RingBroadcast.Indication? { nil }
  }

  /// What is kept, compared and asked for.
  public private(set) var repair: BroadcastTree<Auth>
  /// The rings that this peer is in, by their levels.
  public private(set) var rings: [RingView?] = []
  private var deliveries: [MessageIdentifier: Delivery] = [:]
  /// From a push to its confirmation.
  private var roundTrip = TimeoutEstimator()
  private var isComparing = false
  /// Those who compared last, and are no neighbours.
  private var guests: [Peer] = []
  private let identity: Peer
  private let arity: UInt8?

  /// How many messages are looked after until all have confirmed (a guess: some seconds of the fastest streams).
  static var deliveryLimit: Int { 4_096 }
  /// How often distant peers are compared with, and with how many (issue: at least once a second, a few).
  static var digestInterval: Interval { .seconds(1) }
  /// With how many at once.
  static var digestFanout: Int { 2 }

  /// How many strangers are listened to (a guess: those who compare within some seconds).
  static var guestLimit: Int { 8 }

  /// - Parameters:
  ///   - identity: the peer's own handle.
  ///   - auth: signs this peer's messages and checks the others'.
  ///   - arity: k, 2 ... 255; `nil` draws one for each message.
  ///   - firstSequence: the number of its first message, above all it used before.
  ///   - seen: what it had before it was restarted.
  public init(
    identity: Peer, auth: Auth, arity: UInt8? = nil, firstSequence: UInt64 = 0,
    seen: SeenMessages = SeenMessages()
  ) {
    self.identity = identity
    self.arity = arity
    var configuration = BroadcastTreeConfiguration()
    configuration.isLazy = true
    repair = BroadcastTree(
      identity: identity, auth: auth, configuration: configuration, firstSequence: firstSequence, seen: seen)
  }

  /// Starts the recovery.
  public mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    pass(effects.embedding(Repair.self) { repair.start(at: now, into: &$0) }, at: now, into: &effects)
  }

  /// Broadcasts, or keeps the rings and links.
  public mutating func handle(
    _ request: BroadcastRequest<Auth.Payload>, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch request {
    case .broadcast(let payload):
      guard let message = repair.originate(payload) else { return }
      keep(message, at: now, into: &effects)
      let leaf = rings.first.flatMap(\.self)?.places.count ?? 2
      let arity = arity ?? UInt8(2 + effects.uniform(below: max(1, Int(Double(leaf).squareRoot()) - 1)))
      if let route = route(through: 0, .origin, arity) {
        forward(message, by: [(0, route)] + routesBeside(0, arity), at: now, into: &effects)
      }
    case .ring(let level, let view):
      while rings.count <= level { rings.append(nil) }
      rings[level] = view
    case .linkUp, .linkDown, .linkDoubtful:
      if case .linkUp(let peer, _) = request { guests.removeAll { $0 == peer } }
      pass(
        effects.embedding(Repair.self) { repair.handle(request, at: now, into: &$0) }, at: now, into: &effects
      )
    }
  }

  /// Handles one message.
  public mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch message {
    case .push(let message, let route):
      switch repair.takeIn(message, from: sender, at: now) {
      case .duplicate: effects.send(.confirm(message.identifier), to: sender)
      case .unwelcome: return
      case .forged: effects.indicate(.misbehaved(sender, .badSignature))
      case .new:
        effects.send(.confirm(message.identifier), to: sender)
        effects.indicate(.delivered(message, from: sender))
        keep(message.passedOn, at: now, into: &effects)
        pass(message.passedOn, route, at: now, into: &effects)
      }
    case .confirm(let identifier): confirmed(identifier, by: sender, at: now)
    case .announce(let identifier, let isLate):
      if repair.hasSeen(identifier) { return effects.send(.confirm(identifier), to: sender) }
      let told = effects.embedding(Repair.self) {
        repair.hear(of: identifier, from: sender, isLate: isLate, at: now, into: &$0)
      }
      pass(told, at: now, into: &effects)
    case .repair(let message):
      switch message {
      case .fetch(let identifier): confirmed(identifier, by: sender, at: now)
      case .summary: welcome(sender)
      default: break
      }
      let told = effects.embedding(Repair.self) { repair.receive(message, from: sender, at: now, into: &$0) }
      pass(told, at: now, into: &effects)
    }
  }

  /// Does what has become due.
  public mutating func expire(
    _ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch timer {
    case .confirmation(let identifier): bypass(identifier, at: now, into: &effects)
    case .digest: compare(at: now, into: &effects)
    case .repair(let timer):
      let told = effects.embedding(Repair.self) { repair.expire(timer, at: now, into: &$0) }
      pass(told, at: now, into: &effects)
    }
  }

  /// Forgets a neighbour whose link is lost.
  public mutating func disconnect(
    from peer: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    let told = effects.embedding(Repair.self) { repair.disconnect(from: peer, at: now, into: &$0) }
    pass(told, at: now, into: &effects)
  }

  // MARK: - The way of a message

  private func route(through level: Int, _ roots: RingRoute.Roots, _ arity: UInt8) -> RingRoute? {
    guard level < rings.count, let view = rings[level] else { return nil }
    return RingRoute(ring: view.identifier, fingerprint: view.fingerprint, arity: arity, roots: roots)
  }

  /// The trees through this peer's other rings, of which it is a root: with the other contacts of the ring below in each ring
  /// above, and with the other contacts of the ring itself in each below.
  private func routesBeside(_ level: Int, _ arity: UInt8) -> [(level: Int, route: RingRoute)] {
    var routes: [(level: Int, route: RingRoute)] = []
    for other in rings.indices where other != level {
      let roots: RingRoute.Roots
      if other > level {
        guard let below = rings[other - 1] else { break }
        roots = .branch(below.identifier)
      } else {
        roots = .contacts
      }
      if let route = route(through: other, roots, arity) { routes.append((other, route)) }
    }
    return routes
  }

  /// Passes a message on that came by a tree.
  private mutating func pass(
    _ message: Broadcast<Auth>, _ route: RingRoute, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard let level = rings.firstIndex(where: { $0?.identifier == route.ring }) else {
      // It was pushed by somebody who does not know yet that this peer has moved.
      return announce(message.identifier, butTo: nil, into: &effects)
    }
    var routes = routesBeside(level, max(2, route.arity))
    if rings[level]?.fingerprint == route.fingerprint {
      routes.insert((level, route), at: 0)
    } else {
      // The sender sees another ring, in which others may be behind this peer than in the one that it knows.
      announce(message.identifier, inRingOf: level, into: &effects)
    }
    forward(message, by: routes, at: now, into: &effects)
  }

  private mutating func forward(
    _ message: Broadcast<Auth>, by routes: [(level: Int, route: RingRoute)], at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    let identifier = message.identifier
    var waiting: [Waiting] = []
    for (level, route) in routes {
      guard let view = rings[level] else { continue }
      let tree = RingTree(view, route, for: identifier)
      let (pushes, tells) = tree.duties(of: identity)
      if !pushes.isEmpty {
        let parcel = effects.prepare(.push(message, route))
        for number in pushes {
          effects.send(parcel, to: tree.member(number))
          waiting.append(Waiting(peer: tree.member(number), level: level, number: number, since: now))
        }
      }
      if !tells.isEmpty {
        let parcel = effects.prepare(.announce(identifier, isLate: false))
        for number in tells { effects.send(parcel, to: tree.member(number)) }
      }
    }
    guard !waiting.isEmpty, deliveries.count < Self.deliveryLimit else { return }
    deliveries[identifier] = Delivery(routes: routes, waiting: waiting)
    effects.schedule(.confirmation(identifier), at: now + roundTrip.timeout)
  }

  /// Somebody has a message.
  private mutating func confirmed(_ identifier: MessageIdentifier, by peer: Peer, at now: Instant) {
    guard let i = deliveries[identifier]?.waiting.firstIndex(where: { $0.peer == peer }) else { return }
    if let waiting = deliveries[identifier]?.waiting.remove(at: i), !waiting.isReminded {
      roundTrip.measure(now - waiting.since)
    }
    if deliveries[identifier]?.waiting.isEmpty == true { deliveries[identifier] = nil }
  }

  /// Goes past those who have not confirmed a message: they are told of it once more, and so are those behind them.
  private mutating func bypass(
    _ identifier: MessageIdentifier, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard let delivery = deliveries[identifier] else { return }
    var told: [Waiting] = []
    for waiting in delivery.waiting {
      guard let route = delivery.routes.first(where: { $0.level == waiting.level })?.route,
        waiting.level < rings.count, let view = rings[waiting.level], view.fingerprint == route.fingerprint
      else { continue }
      let tree = RingTree(view, route, for: identifier)
      guard waiting.number <= tree.others.count else { continue }
      if !waiting.isReminded {
        effects.send(.announce(identifier, isLate: true), to: waiting.peer)
      }
      for number in tree.tree.children(of: waiting.number) {
        let member = tree.member(number)
        effects.send(.announce(identifier, isLate: true), to: member)
        told.append(
          Waiting(peer: member, level: waiting.level, number: number, since: now, isReminded: true))
      }
    }
    deliveries[identifier]?.waiting = told
    if told.isEmpty {
      deliveries[identifier] = nil
    } else {
      effects.schedule(.confirmation(identifier), at: now + roundTrip.timeout)
    }
  }

  // MARK: - What the trees do not reach

  /// Keeps a message for those who missed it.
  private mutating func keep(
    _ message: Broadcast<Auth>, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    _ = effects.embedding(Repair.self) { repair.store(message, at: now, into: &$0) }
    guard !isComparing else { return }
    isComparing = true
    let wait = effects.uniform(below: Int(Self.digestInterval.nanoseconds))
    effects.schedule(.digest, at: now + Interval(nanoseconds: Int64(wait)))
  }

  /// Tells some distant peers in short what this one has.
  private mutating func compare(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    effects.schedule(.digest, at: now + Self.digestInterval)
    let count = repair.links.count
    guard count > 0 else { return }
    var (found, looked) = (0, 0)
    while found < Self.digestFanout, looked < 8 * Self.digestFanout {
      looked += 1
      let peer = repair.links.keys[effects.uniform(below: count)]
      if isInRing(peer), looked < 6 * Self.digestFanout { continue }
      found += 1
      _ = effects.embedding(Repair.self) { repair.sendSummary(to: peer, into: &$0) }
    }
  }

  /// Listens to one who compares, for a while: that it knows this peer and not the other way round is chance.
  private mutating func welcome(_ peer: Peer) {
    guard repair.links.position(of: peer) == nil, peer != identity else { return }
    guests.append(peer)
    repair.listen(to: peer)
    if guests.count > Self.guestLimit { repair.forget(guests.removeFirst()) }
  }

  private func isInRing(_ peer: Peer) -> Bool {
    rings.contains { $0?.places.contains { $0.peer == peer } == true }
  }

  /// Takes what the recovery tells: a message that it brought has not come by a tree, and may be lacking all around.
  private mutating func pass(
    _ indications: [Indication], at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    for indication in indications {
      effects.indicate(indication)
      guard case .delivered(let message, let sender) = indication else { continue }
      announce(message.identifier, butTo: sender, into: &effects)
      if !isComparing {
        isComparing = true
        effects.schedule(.digest, at: now + Self.digestInterval)
      }
    }
  }

  /// Tells the members of all rings of a late message, but for rings that somebody who has it is in.
  private mutating func announce(
    _ identifier: MessageIdentifier, butTo sender: Peer?, into effects: inout some Effects<Self> & ~Copyable
  ) {
    for level in rings.indices {
      if let sender, rings[level]?.places.contains(where: { $0.peer == sender }) == true { continue }
      announce(identifier, inRingOf: level, into: &effects)
    }
  }

  private mutating func announce(
    _ identifier: MessageIdentifier, inRingOf level: Int, into effects: inout some Effects<Self> & ~Copyable
  ) {
    let parcel = effects.prepare(.announce(identifier, isLate: true))
    for place in rings[level]?.places ?? [] where place.peer != identity {
      effects.send(parcel, to: place.peer)
    }
  }

  // MARK: - For drivers

  /// What the peer has had, which must outlive a restart.
  public var seen: SeenMessages { repair.seen }
}

extension RingBroadcast.Message: PayloadCarrying, SizedMessage {
  /// The broadcast whose payload it carries.
  public var carriedBroadcast: Broadcast<Auth>? {
    switch self {
    case .push(let message, _): message
    case .repair(let message): message.carriedBroadcast
    case .confirm, .announce: nil
    }
  }

  /// The size of the encoded form.
  public var encodedByteCount: Int {
    switch self {
    case .push(let message, _): 1 + message.encodedByteCount + 8 + 8 + 1 + 1 + 8
    case .confirm: 1 + MessageIdentifier.encodedByteCount
    case .announce: 2 + MessageIdentifier.encodedByteCount
    case .repair(let message): 1 + message.encodedByteCount
    }
  }
}
