import StarlingBroadcast
import StarlingCore
import StarlingNode
import StarlingOverlay

/// The sink of an adversary's honest half: what that half sends goes through here, and not all of it goes on.
struct BentEffects<Base: Effects & ~Copyable, Diffusion: BroadcastProcess>: Effects, ~Copyable
where
  Base.Owner == Adversary<Diffusion>, Diffusion.Auth == IdealAuthenticator, Diffusion.Message: Falsifiable
{
  typealias Owner = Adversary<Diffusion>.Member
  /// `nil` for what is not sent.
  typealias Parcel = Base.Parcel?

  var base: Base
  /// How to bend; `nil` while the adversary still does as it should.
  let plot: Plot?

  mutating func next() -> UInt64 { base.next() }

  mutating func prepare(_ message: Owner.Message) -> Base.Parcel? {
    guard let plot else { return base.prepare(message) }
    return bent(message, plot).map { base.prepare($0) }
  }

  mutating func send(_ parcel: Base.Parcel?, to peer: Peer) {
    if let parcel { base.send(parcel, to: peer) }
  }

  mutating func schedule(_ timer: Owner.Timer, at instant: Instant) {
    base.schedule(.member(timer), at: instant)
  }

  mutating func indicate(_ indication: Owner.Indication) { base.indicate(indication) }

  /// What becomes of a message; `nil` if it is not sent.
  private func bent(_ message: Owner.Message, _ plot: Plot) -> Owner.Message? {
    switch plot.conduct {
    case .spam: return message
    case .mintedOrigins, .repeatWalk, .replayIntroduction: return message
    case .forge: return message.tampered
    case .mute:
      switch message {
      case .diffusion, .overlay(.walk), .overlay(.subscription): return nil
      case .overlay: return message
      }
    case .goneLiar:
      guard case .diffusion(let inner) = message, let broadcast = inner.carriedBroadcast else {
        return message
      }
      return Diffusion.Message.announcing(broadcast.identifier).map { .diffusion($0) }
    case .censor:
      guard case .diffusion(let inner) = message, let broadcast = inner.carriedBroadcast,
        broadcast.identifier.origin == plot.victim
      else { return message }
      return Diffusion.Message.announcing(broadcast.identifier).map { .diffusion($0) }
    }
  }
}

extension Effects where Self: ~Copyable {
  /// Runs a handler of an adversary's honest half with a sink that bends what it sends.
  mutating func bending<Diffusion: BroadcastProcess>(
    _ plot: Plot?, at now: Instant, _ handler: (inout BentEffects<Self, Diffusion>) -> Void
  )
  where
    Owner == Adversary<Diffusion>, Diffusion.Auth == IdealAuthenticator, Diffusion.Message: Falsifiable
  {
    let active = plot.flatMap { now >= $0.start ? $0 : nil }
    var bent = BentEffects<Self, Diffusion>(base: self, plot: active)
    handler(&bent)
    self = bent.base
  }
}
