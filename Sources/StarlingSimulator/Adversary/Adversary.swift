import StarlingBroadcast
import StarlingCore
import StarlingNode
import StarlingOverlay

/// A member of the group that breaks the rules: it runs an honest one, and changes, drops and adds to what that
/// one sends. Without a plot it is the honest one.
struct Adversary<Diffusion: BroadcastProcess>: Participant
where Diffusion.Auth == IdealAuthenticator, Diffusion.Message: Falsifiable {
  typealias Overlay = Scamp<IdealAdmission>
  typealias Member = GroupMember<Overlay, Diffusion>
  typealias Message = Member.Message
  typealias Request = Member.Request
  typealias Indication = Member.Indication

  enum Timer {
    case member(Member.Timer)
    /// Time for mischief.
    case mischief
  }

  private(set) var member: Member
  /// How many keys it has made.
  var minted: UInt32 = 0
  private let plot: Plot?
  /// Messages that came, to be sent again; a ring.
  private(set) var remembered: [Message] = []
  private var position = 0

  init(_ member: Member, plot: Plot?) {
    self.member = member
    self.plot = plot
  }

  mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    if let plot { effects.schedule(.mischief, at: plot.start) }
    effects.bending(plot, at: now) { member.start(at: now, into: &$0) }
  }

  mutating func handle(
    _ request: Request, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    effects.bending(plot, at: now) { member.handle(request, at: now, into: &$0) }
  }

  mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    if let plot, plot.conduct == .spam || plot.conduct == .forge { remember(message) }
    if let plot, plot.conduct == .goneLiar, now >= plot.start, deny(message, to: sender, into: &effects) {
      return
    }
    if let plot, plot.conduct.isRepeated(message) { remember(message) }
    effects.bending(plot, at: now) { member.receive(message, from: sender, at: now, into: &$0) }
  }

  mutating func expire(_ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    switch timer {
    case .member(let timer):
      effects.bending(plot, at: now) { member.expire(timer, at: now, into: &$0) }
    case .mischief:
      guard let plot, now < plot.end else { return }
      switch plot.conduct {
      case .mute, .censor: return
      case .goneLiar: return
      case .forge: forge(plot, into: &effects)
      case .spam: spam(plot, at: now, into: &effects)
      case .mintedOrigins: mint(plot, into: &effects)
      case .repeatWalk, .replayIntroduction: again(plot, into: &effects)
      }
      effects.schedule(.mischief, at: now + Plot.period)
    }
  }

  private mutating func remember(_ message: Message) {
    if remembered.count < Plot.memory {
      remembered.append(message)
    } else {
      remembered[position] = message
      position = (position + 1) % Plot.memory
    }
  }

  /// A neighbour or, half of the time, anybody.
  func target(_ plot: Plot, _ effects: inout some Effects<Self> & ~Copyable) -> Peer {
    if effects.oneIn(2), let neighbour = member.overlay.partialView.random(from: &effects) {
      return neighbour
    }
    return Peer(effects.uniform(below: plot.population))
  }

  private func spam(_ plot: Plot, at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    for i in 0..<plot.rate {
      let target = target(plot, &effects)
      switch i % 4 {
      case 0, 1:
        guard !remembered.isEmpty else { continue }
        effects.send(remembered[effects.uniform(below: remembered.count)], to: target)
      case 2:
        let nothing = MessageIdentifier(origin: target, sequence: effects.next() >> 32)
        if let lie = Diffusion.Message.announcing(nothing) { effects.send(.diffusion(lie), to: target) }
      default:
        // Its own subscription, well signed, with ever greater numbers.
        let number = now.nanoseconds &+ UInt64(i)
        let statement = SubscriptionStatement(
          subscriber: member.overlay.identity, number: number, contact: nil)
        let signature = IdealAdmission(owner: member.overlay.identity).sign(statement)
        effects.send(.overlay(.subscribe(number: number, signature)), to: target)
      }
    }
  }

  private func forge(_ plot: Plot, into effects: inout some Effects<Self> & ~Copyable) {
    for i in 0..<plot.rate {
      let target = target(plot, &effects)
      switch i % 4 {
      case 0, 1:
        // In the victim's name, with numbers that it will use.
        let identifier = MessageIdentifier(
          origin: plot.victim, sequence: UInt64(effects.uniform(below: 256)))
        let payload = SyntheticPayload(number: UInt32(effects.uniform(below: 256)), byteCount: 1_024)
        let forgery = Broadcast<IdealAuthenticator>(
          identifier: identifier, hops: 1, payload: payload, signature: effects.next())
        effects.send(.diffusion(.carrying(forgery)), to: target)
      case 2:
        guard !remembered.isEmpty else { continue }
        let message = remembered[effects.uniform(below: remembered.count)]
        effects.send(message.tampered, to: target)
      default:
        let nobody = Peer(effects.uniform(below: 2 * plot.population))
        effects.send(.overlay(i % 8 == 3 ? .donation(nobody) : .release(successor: nobody)), to: target)
      }
    }
  }
}

extension GroupMember.Message where Diffusion.Message: Falsifiable {
  /// The same with another payload, if it carries one.
  var tampered: Self {
    guard case .diffusion(let message) = self, let broadcast = message.carriedBroadcast else { return self }
    let payload = SyntheticPayload(
      number: broadcast.payload.number ^ 1, byteCount: broadcast.payload.byteCount)
    return .diffusion(
      .carrying(
        Broadcast(
          identifier: broadcast.identifier, hops: broadcast.hops, payload: payload,
          signature: broadcast.signature)))
  }
}
