import StarlingBroadcast
import StarlingCore
import StarlingNode
import StarlingOverlay

/// A contact that shows that it is there and does nothing else.
struct IdleRingMember<Diffusion: BroadcastProcess>: Participant
where Diffusion.Auth == IdealAuthenticator, Diffusion.Message: Falsifiable {
  typealias Overlay = Rings
  typealias Member = GroupMember<Rings, Diffusion>
  typealias Message = Member.Message
  typealias Request = Member.Request
  typealias Indication = Member.Indication
  typealias Timer = Member.Timer

  private(set) var member: Member
  private let plot: Plot?

  init(_ member: Member, plot: Plot?) { (self.member, self.plot) = (member, plot) }

  mutating func start(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    effects.idling(plot, at: now) { member.start(at: now, into: &$0) }
  }

  mutating func handle(
    _ request: Request, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) { effects.idling(plot, at: now) { member.handle(request, at: now, into: &$0) } }

  mutating func receive(
    _ message: Message, from sender: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) { effects.idling(plot, at: now) { member.receive(message, from: sender, at: now, into: &$0) } }

  mutating func expire(_ timer: Timer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    effects.idling(plot, at: now) { member.expire(timer, at: now, into: &$0) }
  }
}

/// The sink of one that idles: of what it would send only heartbeats go out.
struct IdleEffects<Base: Effects & ~Copyable, Diffusion: BroadcastProcess>: Effects, ~Copyable
where
  Base.Owner == IdleRingMember<Diffusion>, Diffusion.Auth == IdealAuthenticator,
  Diffusion.Message: Falsifiable
{
  typealias Owner = IdleRingMember<Diffusion>.Member
  typealias Parcel = Base.Parcel?

  var base: Base
  let idles: Bool

  mutating func next() -> UInt64 { base.next() }
  mutating func prepare(_ message: Owner.Message) -> Base.Parcel? {
    if idles { guard case .overlay(.beat) = message else { return nil } }
    return base.prepare(message)
  }
  mutating func send(_ parcel: Base.Parcel?, to peer: Peer) {
    if let parcel { base.send(parcel, to: peer) }
  }
  mutating func schedule(_ timer: Owner.Timer, at instant: Instant) { base.schedule(timer, at: instant) }
  mutating func indicate(_ indication: Owner.Indication) { base.indicate(indication) }
}

extension Effects where Self: ~Copyable {
  mutating func idling<Diffusion: BroadcastProcess>(
    _ plot: Plot?, at now: Instant, _ handler: (inout IdleEffects<Self, Diffusion>) -> Void
  )
  where
    Owner == IdleRingMember<Diffusion>, Diffusion.Auth == IdealAuthenticator, Diffusion.Message: Falsifiable
  {
    var idle = IdleEffects<Self, Diffusion>(base: self, idles: plot.map { now >= $0.start } ?? false)
    handler(&idle)
    self = idle.base
  }
}
