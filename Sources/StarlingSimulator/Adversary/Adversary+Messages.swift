import StarlingBroadcast
import StarlingCore

/// Lies about messages, and messages of its own.
extension Adversary {
  /// Answers whoever asks for a message that it is gone.
  ///
  /// - Returns: whether the message was such a question.
  func deny(
    _ message: Message, to asker: Peer, into effects: inout some Effects<Self> & ~Copyable
  ) -> Bool {
    guard case .diffusion(let question) = message, let denial = question.denial else { return false }
    effects.send(.diffusion(denial), to: asker)
    return true
  }

  /// Broadcasts messages of new keys. Of keys that it makes it has the authenticators too, so the signatures are
  /// good: no peer of a simulation has such a high number.
  mutating func mint(_ plot: Plot, into effects: inout some Effects<Self> & ~Copyable) {
    for _ in 0..<max(1, plot.rate / Plot.mintedCopies) {
      let number = minted &* UInt32(plot.population) &+ member.overlay.identity.index
      minted &+= 1
      let key = Peer(UInt32(Event.peerLimit) &+ number)
      let identifier = MessageIdentifier(origin: key, sequence: 0)
      let payload = SyntheticPayload(number: .max, byteCount: 64)
      let signature = IdealAuthenticator(owner: key).sign(payload, as: identifier)
      let broadcast = Broadcast<IdealAuthenticator>(
        identifier: identifier, hops: 1, payload: payload, signature: signature)
      for _ in 0..<Plot.mintedCopies {
        effects.send(.diffusion(.carrying(broadcast)), to: target(plot, &effects))
      }
    }
  }
}
