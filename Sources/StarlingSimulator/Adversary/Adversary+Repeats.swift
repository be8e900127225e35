import StarlingBroadcast
import StarlingCore
import StarlingNode
import StarlingOverlay

extension Conduct {
  /// Whether an adversary keeps a membership message, to send it again.
  func isRepeated<Diffusion>(_ message: GroupMember<Scamp<IdealAdmission>, Diffusion>.Message) -> Bool {
    switch (self, message) {
    case (.repeatWalk, .overlay(.walk(let walk))):
      if case .contact = walk.purpose { true } else { false }
    case (.replayIntroduction, .overlay(.subscription)): true
    default: false
    }
  }
}

extension Adversary {
  /// Sends what was kept again. A walk that has no steps left makes its receiver a contact, one that has makes
  /// it a relay; a copy goes as far as a new one.
  func again(_ plot: Plot, into effects: inout some Effects<Self> & ~Copyable) {
    guard !remembered.isEmpty else { return }
    for i in 0..<plot.rate {
      switch remembered[effects.uniform(below: remembered.count)] {
      case .overlay(.walk(var walk)):
        walk.hopsLeft = i % 2 == 0 ? 0 : .max
        walk.isReturned = true
        effects.send(.overlay(.walk(walk)), to: target(plot, &effects))
      case .overlay(.subscription(let subscription, _, let news)):
        let copy = Scamp<IdealAdmission>.Message.subscription(subscription, hopsLeft: .max, news)
        effects.send(.overlay(copy), to: target(plot, &effects))
      default: continue
      }
    }
  }
}
