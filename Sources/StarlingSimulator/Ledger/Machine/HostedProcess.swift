import StarlingCore

/// A process on a machine of bounded speed.
///
/// One core takes inputs in the order in which they come: a message takes ``MachineModel/messageTime``, each signature that
/// is checked for it ``MachineModel/checkTime``, and what the process sends and tells leaves it when that is over. Then its
/// messages leave one after another, as fast as the link takes their bytes. What waits when the process crashes is lost.
struct HostedProcess<Guest: Process>: Process where Guest.Message: SizedMessage {
  typealias Message = Guest.Message
  typealias Request = Guest.Request

  /// What the guest tells, and when it was through with it.
  struct Indication {
    let told: Guest.Indication
    let at: Instant
  }

  enum Timer {
    case guest(Guest.Timer)
    /// The core is free, and inputs wait for it.
    case turn
    /// A message has left.
    case departure
  }

  enum Input {
    case start
    case message(Guest.Message, Peer)
    case request(Guest.Request)
    case timer(Guest.Timer)
    case loss(Peer)
  }

  struct Departure {
    let message: Guest.Message
    let byteCount: Int
    let receiver: Peer
    var due = Instant.zero
  }

  private(set) var guest: Guest
  private let machine: MachineModel
  /// Of the guest.
  let checks: CheckCounter
  private var inputs = Queue<Input>()
  private var departures = Queue<Departure>()
  private var busyUntil = Instant.zero
  private var linkBusyUntil = Instant.zero
  private(set) var sentMessages: UInt64 = 0
  private(set) var sentBytes: UInt64 = 0

  init(_ guest: Guest, on machine: MachineModel, checks: CheckCounter) {
    self.guest = guest
    self.machine = machine
    self.checks = checks
  }

  mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    take(.start, at: now, into: &effects)
  }

  mutating func handle(
    _ request: Guest.Request, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    take(.request(request), at: now, into: &effects)
  }

  mutating func receive(
    _ message: Guest.Message, from sender: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    take(.message(message, sender), at: now, into: &effects)
  }

  mutating func expire(
    _ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch timer {
    case .guest(let timer): take(.timer(timer), at: now, into: &effects)
    case .turn: work(at: now, into: &effects)
    case .departure: depart(at: now, into: &effects)
    }
  }

  mutating func disconnect(
    from peer: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    take(.loss(peer), at: now, into: &effects)
  }

  private mutating func take(
    _ input: Input, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    if machine.isUnbounded { return run(input, at: now, into: &effects) }
    inputs.append(input)
    // If others wait, a timer is set for them.
    if inputs.count == 1 { work(at: now, into: &effects) }
  }

  private mutating func work(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    while busyUntil <= now, let input = inputs.popFirst() { run(input, at: now, into: &effects) }
    if !inputs.isEmpty { effects.schedule(.turn, at: busyUntil) }
  }

  private mutating func run<Base: Effects<Self> & ~Copyable>(
    _ input: Input, at now: Instant, into effects: inout Base
  ) {
    let checksBefore = checks.count
    var own = HostedEffects<Base, Guest>(base: effects, isBounded: !machine.isUnbounded)
    var cost = Interval.zero
    switch input {
    case .start: guest.start(at: now, into: &own)
    case .message(let message, let sender):
      cost = machine.messageTime
      guest.receive(message, from: sender, at: now, into: &own)
    case .request(let request): guest.handle(request, at: now, into: &own)
    case .timer(let timer): guest.expire(timer, at: now, into: &own)
    case .loss(let peer): guest.disconnect(from: peer, at: now, into: &own)
    }
    let (told, sent) = (own.told, own.waiting)
    sentMessages += own.sentMessages
    sentBytes += own.sentBytes
    effects = own.base
    busyUntil = max(busyUntil, now) + cost + machine.checkTime * Int(checks.count - checksBefore)
    for told in told { effects.indicate(Indication(told: told, at: busyUntil)) }
    if sent.isEmpty { return }
    let isLinkIdle = departures.isEmpty
    for var departure in sent {
      linkBusyUntil = max(linkBusyUntil, busyUntil) + machine.transmission(of: departure.byteCount)
      departure.due = linkBusyUntil
      departures.append(departure)
    }
    if isLinkIdle { depart(at: now, into: &effects) }
  }

  private mutating func depart(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    while let next = departures.first, next.due <= now {
      _ = departures.popFirst()
      sentMessages += 1
      sentBytes += UInt64(next.byteCount)
      effects.send(next.message, to: next.receiver)
    }
    if let next = departures.first { effects.schedule(.departure, at: next.due) }
  }
}

/// The sink of a guest: without bounds it passes everything on, with bounds it keeps what is sent and told until it is known
/// how long the guest took.
struct HostedEffects<Base: Effects & ~Copyable, Guest: Process>: Effects, ~Copyable
where Base.Owner == HostedProcess<Guest>, Guest.Message: SizedMessage {
  typealias Owner = Guest

  struct Parcel {
    let message: Guest.Message
    let byteCount: Int
    let base: Base.Parcel?
  }

  var base: Base
  private let isBounded: Bool
  private(set) var told: [Guest.Indication] = []
  private(set) var waiting: [HostedProcess<Guest>.Departure] = []
  private(set) var sentMessages: UInt64 = 0
  private(set) var sentBytes: UInt64 = 0

  init(base: consuming Base, isBounded: Bool) {
    self.base = base
    self.isBounded = isBounded
  }

  mutating func next() -> UInt64 { base.next() }

  mutating func prepare(_ message: Guest.Message) -> Parcel {
    Parcel(
      message: message, byteCount: message.encodedByteCount, base: isBounded ? nil : base.prepare(message))
  }

  mutating func send(_ parcel: Parcel, to peer: Peer) {
    if let parcel = parcel.base {
      base.send(parcel, to: peer)
    } else {
      return waiting.append(.init(message: parcel.message, byteCount: parcel.byteCount, receiver: peer))
    }
    sentMessages += 1
    sentBytes += UInt64(parcel.byteCount)
  }

  mutating func schedule(_ timer: Guest.Timer, at instant: Instant) {
    base.schedule(.guest(timer), at: instant)
  }

  mutating func indicate(_ indication: Guest.Indication) { told.append(indication) }
}
