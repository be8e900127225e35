import StarlingCore

/// Source order on top of a secure broadcast (thesis, section 4.1: "trivially" had), and an end to its instances: every
/// process delivers the batches of a sender in the order of their numbers, and keeps so many instances of each at most.
///
/// A sender has at most ``OrderedBroadcastConfiguration/window`` instances that are not delivered; what is said about
/// others is dropped before it can take memory, so a liar that opens instances without end fills its own window and
/// nobody else's. A correct sender waits until its own window has room.
@frozen
public struct OrderedBroadcast<Inner: SecureBroadcastProcess>: Process {
  /// How batches are signed.
  public typealias Auth = Inner.Auth
  /// Nothing is added to what the broadcast sends.
  public typealias Message = Inner.Message

  /// What it waits for.
  @frozen
  public enum Timer {
    /// A timer of the broadcast.
    case inner(Inner.Timer)
    /// A peer whose link was lost may be asked to repeat what it said.
    case renew(Peer)
    /// Whether what was missed of a sender has come.
    case absence(Peer)
  }

  /// What it can be asked for.
  @frozen
  public enum Request {
    /// Bring this batch to every process, after those that were asked for before.
    case broadcast(Auth.Payload)
    /// Ask a peer to repeat what it said, as is done without being asked for after the loss of a link.
    case renew(Peer)
    /// Something on its way to a peer was lost, and the peer does not know: repeat to it what this process said, after a
    /// while.
    case `repeat`(Peer)
    /// Deliver what other processes have delivered, but for the entries at these positions (ascending), if it is what is
    /// next of its sender, or complete what was delivered before. The layer above answers for it: that one correct process delivered just that.
    case catchUp(SignedBatch<Auth>, refused: [UInt16])
    /// Correct processes know own batches with numbers up to this one.
    case used(through: UInt64)
    /// Broadcast own batches, which were held back for as long as it was not known which numbers an earlier life used, under
    /// numbers from this one on.
    case numbered(from: UInt64)
  }

  /// What it tells the layer above.
  public typealias Indication = OrderedIndication<Auth>

  @usableFromInline
  struct Source: Sendable {
    /// The number of the batch that is delivered next.
    @usableFromInline var next: UInt64 = 0
    /// Who votes in instances that are too far ahead, and in which at most: a process that was away finds out by them.
    @usableFromInline var ahead: [(peer: Peer, sequence: UInt64)] = []
    /// The first instance of which something was dropped because it is too far ahead, and who said it.
    @usableFromInline var unheard: (first: UInt64, from: PeerSet)?
    /// What was next when it was found out, and when it must have come; `nil` while nobody seems to be far ahead.
    @usableFromInline var stood: (at: UInt64, until: Instant)?
    /// Until when gaps are passed over, since something was skipped: this process has dropped votes of what followed, and what
    /// it hears of that now may be too little.
    @usableFromInline var passesOverUntil: Instant?
    /// What the broadcast delivered before its turn.
    @usableFromInline var early: [UInt64: (batch: SignedBatch<Auth>, refused: [UInt16])] = [:]

    @inlinable
    init() {}
  }

  @usableFromInline enum Whole: Embedding {
    @usableFromInline typealias Outer = OrderedBroadcast
    @inlinable static func message(_ message: Inner.Message) -> Inner.Message { message }
    @inlinable static func timer(_ timer: Inner.Timer) -> Timer { .inner(timer) }
    @inlinable static func indication(_ indication: Inner.Indication) -> OrderedBroadcast.Indication? {
      switch indication {
      case .misbehaved(let peer, let what): .misbehaved(peer, what)
      case .logged(let step): .logged(step)
      case .delivered: nil
      }
    }
  }

  @usableFromInline let identity: Peer
  @usableFromInline let auth: Auth
  /// The bounds that it keeps.
  public let configuration: OrderedBroadcastConfiguration
  @usableFromInline var storedInner: Inner
  @usableFromInline var sources: [Peer: Source] = [:]
  /// Own batches that wait for room in the window, with their numbers, in ascending order.
  @usableFromInline var waiting: [(sequence: UInt64, payload: Auth.Payload)]
  @usableFromInline var nextOwn: UInt64
  /// The first number that no earlier life used, as far as is known.
  @usableFromInline var firstNew: UInt64
  /// Whether own batches wait until it is known which numbers they may have.
  @usableFromInline var isHeld: Bool
  /// Whether this life was given what an earlier one left.
  @usableFromInline let hasPast: Bool
  /// Own batches that are broadcast and not delivered.
  @usableFromInline var underWay: [UInt64: Auth.Payload] = [:]
  @usableFromInline var storedDropped: UInt64 = 0
  /// Of peers in samples.
  @usableFromInline var renewal = LinkRenewal()

  /// - Parameters:
  ///   - identity: the process's own handle.
  ///   - auth: tells who is a member.
  ///   - inner: the broadcast below.
  ///   - nextDelivered: the number of the batch that is delivered next of each sender, where that is not 0: what an
  ///     earlier life of the process delivered.
  ///   - undelivered: batches of its own that an earlier life told of by ``OrderedIndication/broadcasting(_:_:)`` and did
  ///     not deliver, in ascending order; they are broadcast, again if they were. The last number that it used is among
  ///     them, or below `nextDelivered`.
  ///   - logged: what an earlier life told by ``OrderedIndication/logged(_:)``, and its deliveries, of instances that may be
  ///     alive: of each its echo first.
  ///   - firstOwn: the first number that own batches may have, as far as is known beside all this; `nil` if that is not
  ///     known: then none is broadcast until it is (``Request/numbered(from:)``).
  ///   - configuration: the bounds.
  @inlinable
  public init(
    identity: Peer, auth: Auth, inner: Inner, nextDelivered: [Peer: UInt64] = [:],
    undelivered: [(sequence: UInt64, payload: Auth.Payload)] = [], logged: [LoggedStep<Auth>] = [],
    firstOwn: UInt64? = 0, configuration: OrderedBroadcastConfiguration = OrderedBroadcastConfiguration()
  ) {
    self.identity = identity
    self.auth = auth
    storedInner = inner
    self.configuration = configuration
    nextOwn = max(
      nextDelivered[identity] ?? 0, (undelivered.last?.sequence).map { $0 &+ 1 } ?? 0, firstOwn ?? 0)
    firstNew = nextOwn
    isHeld = firstOwn == nil
    hasPast = !nextDelivered.isEmpty || !undelivered.isEmpty || !logged.isEmpty
    for (sender, number) in nextDelivered { sources[sender, default: Source()].next = number }
    let own = max(nextDelivered[identity] ?? 0, firstOwn ?? 0)
    waiting = undelivered.filter { $0.sequence >= own }
    for step in logged { storedInner.recall(step) }
  }

  /// The broadcast below.
  @inlinable
  public var inner: Inner { _read { yield storedInner } }

  /// How many messages were dropped because their instances are over, or too far ahead.
  @inlinable
  public var dropped: UInt64 { storedDropped }

  /// How many more batches may wait for room in the own window.
  @inlinable
  public var room: Int { configuration.waitingLimit - waiting.count }

  /// The number of the batch of a sender that is delivered next.
  @inlinable
  public func nextDelivered(of sender: Peer) -> UInt64 { sources[sender]?.next ?? 0 }

  /// Forgets what was echoed of an author's entries up to a number, which are refused from now on.
  @inlinable
  public mutating func settle(_ author: Auth.Payload.Author, through sequence: UInt64) {
    storedInner.settle(author, through: sequence)
  }

  /// Starts the broadcast.
  @inlinable
  public mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    let told = effects.embedding(Whole.self) { storedInner.start(at: now, into: &$0) }
    deliver(told, at: now, into: &effects)
    send(at: now, into: &effects)
  }

  /// Broadcasts, or has the batch wait; or asks a peer to repeat itself.
  @inlinable
  public mutating func handle(
    _ request: Request, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch request {
    case .broadcast(let payload):
      guard waiting.count < configuration.waitingLimit else { return effects.indicate(.overloaded) }
      take(payload, into: &effects)
      send(at: now, into: &effects)
    case .renew(let peer): renew(peer, at: now, into: &effects)
    case .repeat(let peer):
      let told = effects.embedding(Whole.self) { storedInner.handle(.repeat(peer), at: now, into: &$0) }
      deliver(told, at: now, into: &effects)
    case .catchUp(let batch, let refused): catchUp(batch, refused: refused, at: now, into: &effects)
    case .used(let sequence):
      renumber(past: sequence, into: &effects)
      send(at: now, into: &effects)
    case .numbered(let first):
      number(from: first, into: &effects)
      send(at: now, into: &effects)
    }
  }

  /// Passes a message on, if it is about an instance that may be alive.
  @inlinable
  public mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    if !renewal.isEmpty, let instant = renewal.hear(sender, at: now) {
      effects.schedule(.renew(sender), at: instant)
    }
    if let instance = message.instance, !isLive(instance) {
      storedDropped += 1
      noteUnheard(instance, from: sender)
      if message.isFinalVote { noteAhead(instance, from: sender, at: now, into: &effects) }
      return
    }
    let told = effects.embedding(Whole.self) {
      storedInner.receive(message, from: sender, at: now, into: &$0)
    }
    deliver(told, at: now, into: &effects)
  }

  /// Passes a timer on, or asks a peer to repeat itself.
  @inlinable
  public mutating func expire(
    _ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch timer {
    case .inner(let timer):
      let told = effects.embedding(Whole.self) { storedInner.expire(timer, at: now, into: &$0) }
      deliver(told, at: now, into: &effects)
    case .absence(let sender):
      passOver(sender, at: now, into: &effects)
      if let stood = sources[sender]?.stood, now >= stood.until {
        endAbsence(from: sender, at: now, into: &effects)
      }
    case .renew(let peer):
      guard storedInner.listens(to: peer) else { return renewal.forget(peer) }
      let (asks, next) = renewal.expire(peer, at: now)
      if let next { effects.schedule(.renew(peer), at: next) }
      if asks { renew(peer, at: now, into: &effects) }
    }
  }

  @inlinable
  mutating func renew(_ peer: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    let told = effects.embedding(Whole.self) { storedInner.handle(.renew(peer), at: now, into: &$0) }
    deliver(told, at: now, into: &effects)
  }

  /// Asks a peer that this process depends on to repeat what was lost with the link, once it may be whole again.
  @inlinable
  public mutating func disconnect(
    from peer: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    if storedInner.listens(to: peer), let instant = renewal.lose(peer, at: now) {
      effects.schedule(.renew(peer), at: instant)
    }
    let told = effects.embedding(Whole.self) { storedInner.disconnect(from: peer, at: now, into: &$0) }
    deliver(told, at: now, into: &effects)
  }

  /// Whether an instance is neither over nor too far ahead, and its sender a member.
  @inlinable
  func isLive(_ instance: MessageIdentifier) -> Bool {
    guard auth.admits(instance.origin) else { return false }
    let source = sources[instance.origin]
    let next = source?.next ?? 0
    // After a skip: what may be repeated, and what comes.
    let ahead =
      source?.passesOverUntil == nil ? configuration.window : configuration.kept + configuration.window
    let (window, kept) = (UInt64(ahead), UInt64(configuration.kept))
    // Written so that no number that a liar names overflows.
    return instance.sequence >= next ? instance.sequence - next < window : next - instance.sequence <= kept
  }

  /// Hands own batches down while there is room for them.
  @inlinable
  mutating func send(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    // Half of the window: others may be behind by as much.
    while !isHeld, let (number, payload) = waiting.first, hasRoom(for: payload, as: number) {
      waiting.removeFirst()
      if number >= nextDelivered(of: identity) { underWay[number] = payload }
      let told = effects.embedding(Whole.self) {
        storedInner.handle(.broadcast(payload, sequence: number), at: now, into: &$0)
      }
      deliver(told, at: now, into: &effects)
    }
  }

  /// Whether an own batch may be broadcast. One at a time always may, however large.
  @inlinable
  func hasRoom(for payload: Auth.Payload, as number: UInt64) -> Bool {
    guard number < nextDelivered(of: identity) &+ UInt64(configuration.window / 2) else { return false }
    return underWay.isEmpty
      || underWay.values.reduce(payload.byteCount) { $0 + $1.byteCount } <= configuration.byteWindow
  }

  @inlinable
  mutating func deliver(
    _ indications: [Inner.Indication], at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    var isOwn = false
    for case .delivered(let batch, let refused) in indications {
      let (origin, sequence) = (batch.identifier.origin, batch.identifier.sequence)
      if sequence < nextDelivered(of: origin) {
        effects.indicate(.completed(batch, refused: refused))
        continue
      }
      sources[origin, default: Source()].early[sequence] = (batch, refused)
      deliverNext(of: origin, at: now, into: &effects)
      // Before what follows is too far ahead.
      if let source = sources[origin], source.passesOverUntil != nil, sequence >= source.next,
        sequence - source.next >= UInt64(configuration.kept + configuration.window / 2)
      {
        passOver(origin, at: now, into: &effects)
      }
      if origin == identity { isOwn = true }
    }
    if isOwn { send(at: now, into: &effects) }
  }

  /// Delivers what is here of a sender, up to the first gap.
  @inlinable
  mutating func deliverNext(
    of origin: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    while let next = sources[origin]?.takeNext() {
      if origin == identity { noteOwn(next.batch, into: &effects) }
      effects.indicate(.delivered(next.batch, refused: next.refused))
      forget(origin, before: next.batch.identifier.sequence, at: now, into: &effects)
    }
    askForUnheard(of: origin, at: now, into: &effects)
  }

  /// Has the broadcast forget the instance that is the first not to be kept any more.
  @inlinable
  mutating func forget(
    _ origin: Peer, before sequence: UInt64, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard sequence >= UInt64(configuration.kept) else { return }
    let last = MessageIdentifier(origin: origin, sequence: sequence - UInt64(configuration.kept))
    _ = effects.embedding(Whole.self) { storedInner.handle(.forget(last), at: now, into: &$0) }
  }
}

// MARK: - After a long absence

extension OrderedBroadcast {
  /// Takes that a peer votes in an instance that is too far ahead of what is delivered here.
  ///
  /// Such votes are dropped, so when so many say so that one of them is correct, all are asked to repeat what they said.
  /// If that has not helped after a while, what is delivered next is kept by nobody any more.
  @inlinable
  mutating func noteAhead(
    _ instance: MessageIdentifier, from sender: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    let (origin, sequence) = (instance.origin, instance.sequence)
    guard auth.admits(origin), sequence > nextDelivered(of: origin), storedInner.listens(to: sender) else {
      return
    }
    var source = sources[origin] ?? Source()
    if let i = source.ahead.firstIndex(where: { $0.peer == sender }) {
      guard sequence > source.ahead[i].sequence else { return }
      source.ahead[i].sequence = sequence
    } else {
      source.ahead.append((sender, sequence))
    }
    defer { sources[origin] = source }
    guard configuration.skips else {
      guard storedInner.includesCorrect(source.ahead.map(\.peer)) else { return }
      effects.indicate(.behind(origin, source.ahead.reduce(sequence) { min($0, $1.sequence) }))
      source.ahead = []
      return
    }
    guard source.stood == nil, storedInner.includesCorrect(source.ahead.map(\.peer)) else { return }
    source.stood = (source.next, now + Self.patience)
    for (peer, _) in source.ahead { ask(peer, at: now, into: &effects) }
    effects.schedule(.absence(origin), at: now + Self.patience)
  }

  /// Takes that something was dropped that is too far ahead.
  @inlinable
  mutating func noteUnheard(_ instance: MessageIdentifier, from sender: Peer) {
    let (origin, sequence) = (instance.origin, instance.sequence)
    guard auth.admits(origin), sequence >= nextDelivered(of: origin), storedInner.listens(to: sender) else {
      return
    }
    var unheard = sources[origin, default: Source()].unheard ?? (sequence, PeerSet())
    unheard.first = min(unheard.first, sequence)
    unheard.from.insert(sender)
    sources[origin, default: Source()].unheard = unheard
  }

  /// Has what was dropped said again, once it is not too far ahead any more: nobody else knows that it is lacking here.
  @inlinable
  mutating func askForUnheard(
    of origin: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard let source = sources[origin], let unheard = source.unheard,
      unheard.first < source.next || unheard.first - source.next < UInt64(configuration.window)
    else { return }
    sources[origin]?.unheard = nil
    for peer in unheard.from.members { ask(peer, at: now, into: &effects) }
  }

  /// Delivers what came another way than by votes. The instance below lives on for as long as any other does that is
  /// delivered: this process goes on voting in it, and what is refused now may be completed.
  @inlinable
  mutating func catchUp(
    _ batch: SignedBatch<Auth>, refused: [UInt16], at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    let (origin, sequence) = (batch.identifier.origin, batch.identifier.sequence)
    let next = nextDelivered(of: origin)
    if sequence < next { return effects.indicate(.completed(batch, refused: refused)) }
    guard sequence == next, sequence < .max else { return }
    sources[origin, default: Source()].early[sequence] = (batch, refused)
    if origin == identity { giveWay(to: batch, into: &effects) }
    deliverNext(of: origin, at: now, into: &effects)
    if origin == identity { send(at: now, into: &effects) }
  }

  /// Takes an own batch, under the next number.
  @inlinable
  mutating func take(_ payload: Auth.Payload, into effects: inout some Effects<Self> & ~Copyable) {
    waiting.append((nextOwn, payload))
    effects.indicate(.broadcasting(nextOwn, payload))
    nextOwn += 1
  }

  /// Ends the wait of own batches, which keep their order, and their numbers if no earlier life used them.
  @inlinable
  mutating func number(from first: UInt64, into effects: inout some Effects<Self> & ~Copyable) {
    guard isHeld else { return }
    isHeld = false
    let early = sources[identity]?.early.keys.max().map { $0 &+ 1 } ?? 0
    firstNew = max(first, nextDelivered(of: identity), early)
    guard firstNew > waiting.first?.sequence ?? nextOwn else { return }
    let payloads = waiting.map(\.payload)
    waiting = []
    nextOwn = firstNew
    for payload in payloads { take(payload, into: &effects) }
  }

  /// If an earlier life used a number for another batch, of which nothing is left here, what this one brought under it gets
  /// a new one.
  @inlinable
  mutating func giveWay(to batch: SignedBatch<Auth>, into effects: inout some Effects<Self> & ~Copyable) {
    let sequence = batch.identifier.sequence
    firstNew = max(firstNew, sequence + 1)
    nextOwn = max(nextOwn, firstNew)
    let displaced =
      [underWay.removeValue(forKey: sequence)].compactMap(\.self)
      + waiting.filter { $0.sequence == sequence }.map(\.payload)
    waiting.removeAll { $0.sequence == sequence }
    for payload in displaced where auth.digest(of: payload) != batch.digest { take(payload, into: &effects) }
  }

  /// For how long the answers to a request may take, after which what has not come will not (a guess).
  @inlinable
  static var patience: Interval { .seconds(15) }

  /// For how long a gap may be filled before it is passed over: longer than until a peer answers another request to repeat
  /// itself (``RepetitionPace/interval``).
  @inlinable
  static var gapPatience: Interval { .seconds(7) }

  @inlinable
  mutating func ask(_ peer: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    guard renewal.isIdle(peer), let instant = renewal.lose(peer, at: now) else { return }
    effects.schedule(.renew(peer), at: instant)
  }

  /// Goes on from what can still be had of a sender, if asking for what is next has not helped.
  @inlinable
  mutating func endAbsence(
    from origin: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard var source = sources[origin], let stood = source.stood else { return }
    let ahead = source.ahead.sorted { $0.sequence > $1.sequence }
    source.ahead = []
    source.stood = nil
    sources[origin] = source
    // The furthest that some correct process is: it keeps the last that it delivered, and no more.
    if source.next == stood.at,
      let last = ahead.indices.first(where: { storedInner.includesCorrect(ahead[...$0].map(\.peer)) })
    {
      let furthest = ahead[last].sequence
      let first = furthest - min(furthest, UInt64(configuration.kept - 1))
      if origin == identity { renumber(past: furthest, into: &effects) }
      // What is oldest there may be gone before it is asked for, while others go on.
      sources[origin]?.passesOverUntil = now + Self.patience
      effects.schedule(.absence(origin), at: now + Self.gapPatience)
      if first > source.next { skip(origin, to: first, at: now, into: &effects) }
    }
    for (peer, _) in ahead { ask(peer, at: now, into: &effects) }
  }

  /// Goes on with the first that was delivered before its turn, if something was skipped lately.
  @inlinable
  mutating func passOver(
    _ origin: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard let source = sources[origin], let end = source.passesOverUntil else { return }
    if let first = source.early.keys.min() { skip(origin, to: first, at: now, into: &effects) }
    if now >= end {
      sources[origin]?.passesOverUntil = nil
    } else {
      effects.schedule(.absence(origin), at: now + Self.gapPatience)
    }
  }

  /// Takes that others know an own number. If it is not this life's, nor one that is remembered of an earlier life, that life
  /// used it, and all below: what this one brought under these gets others.
  @inlinable
  mutating func renumber(past sequence: UInt64, into effects: inout some Effects<Self> & ~Copyable) {
    guard sequence >= firstNew, sequence >= waiting.first?.sequence ?? nextOwn else { return }
    displace(through: sequence, into: &effects)
  }

  /// An own batch is delivered. If it is not what this life brought under its number, an earlier life, of which nothing is left,
  /// used that, and perhaps others that are known by now.
  @inlinable
  mutating func noteOwn(_ batch: SignedBatch<Auth>, into effects: inout some Effects<Self> & ~Copyable) {
    let number = batch.identifier.sequence
    let own = underWay.removeValue(forKey: number)
    if hasPast || own.map({ auth.digest(of: $0) == batch.digest }) ?? (number < firstNew) { return }
    underWay[number] = own
    displace(through: max(number, sources[identity]?.early.keys.max() ?? number), into: &effects)
  }

  /// Gives what this life brought under numbers up to one, and is not delivered, numbers above that.
  @inlinable
  mutating func displace(through sequence: UInt64, into effects: inout some Effects<Self> & ~Copyable) {
    // What waits for its numbers gets them all at once, in order.
    if isHeld { return }
    firstNew = max(firstNew, sequence &+ 1)
    nextOwn = max(nextOwn, firstNew)
    let displaced =
      underWay.filter { $0.key <= sequence }.sorted { $0.key < $1.key }.map(\.value)
      + waiting.filter { $0.sequence <= sequence }.map(\.payload)
    underWay = underWay.filter { $0.key > sequence }
    waiting.removeAll { $0.sequence <= sequence }
    for payload in displaced { take(payload, into: &effects) }
  }

  @inlinable
  mutating func skip(
    _ origin: Peer, to sequence: UInt64, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    let next = nextDelivered(of: origin)
    effects.indicate(.missed(origin, next, sequence))
    var source = sources[origin] ?? Source()
    source.next = sequence
    source.early = source.early.filter { $0.key >= sequence }
    sources[origin] = source
    if origin == identity { underWay = underWay.filter { $0.key >= sequence } }
    // What may be alive of what was skipped, and what was kept of what was delivered.
    let first = next - min(next, UInt64(configuration.kept))
    let last = min(sequence - min(sequence, UInt64(configuration.kept)), next + UInt64(configuration.window))
    for number in first..<max(first, last) {
      let over = MessageIdentifier(origin: origin, sequence: number)
      _ = effects.embedding(Whole.self) { storedInner.handle(.forget(over), at: now, into: &$0) }
    }
    deliverNext(of: origin, at: now, into: &effects)
  }
}

extension OrderedBroadcast where Inner: SamplingBroadcast {
  /// Begins an epoch of the broadcast below: see ``SamplingBroadcast/resample(from:parameters:at:into:)``.
  ///
  /// - Returns: whether it was done; if not, try again later.
  @inlinable
  public mutating func resample(
    from oracle: Inner.Oracle, parameters: SecureBroadcastParameters, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) -> Bool {
    var isDone = false
    let told = effects.embedding(Whole.self) {
      isDone = storedInner.resample(from: oracle, parameters: parameters, at: now, into: &$0)
    }
    deliver(told, at: now, into: &effects)
    return isDone
  }
}

extension OrderedBroadcast.Timer: Sendable where Inner.Timer: Sendable {}

extension OrderedBroadcast.Source {
  @inlinable
  mutating func takeNext() -> (batch: SignedBatch<Inner.Auth>, refused: [UInt16])? {
    guard let delivery = early.removeValue(forKey: next) else { return nil }
    next += 1
    return delivery
  }
}
