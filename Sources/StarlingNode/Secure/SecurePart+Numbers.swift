import StarlingBroadcast
import StarlingCore

/// How a member learns which numbers it may give to its batches, and tells others which they have used.
extension SecurePart {
  /// Begins to ask, if it is not known.
  mutating func beginInquiry(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    guard !isNumbered else { return }
    inquiry = NumberInquiry(
      members: broadcast.members, own: PeerTable.own, byzantine: byzantine, random: &effects)
    if inquiry?.missing ?? 0 > 0 { note(.event(.unnumbered)) }
    proceedInquiry(at: now, into: &effects)
  }

  /// Asks those who have not answered, or has the broadcast begin.
  mutating func proceedInquiry(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    guard let inquiry else { return }
    if inquiry.missing > 0 {
      for peer in inquiry.unheard { effects.send(.numbers(.ask), to: peer) }
      return effects.schedule(.inquiry, at: now + NumberInquiry.interval)
    }
    self.inquiry = nil
    if inquiry.first > 0 { note(.event(.forgotten(inquiry.first))) }
    keep(log.numbered(from: inquiry.first), into: &effects)
    ask(.numbered(from: inquiry.first), at: now, into: &effects)
  }

  /// Takes a question or an answer of a member; of nobody else.
  mutating func receive(
    _ message: NumberMessage, from sender: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard broadcast.members.contains(sender), sender != PeerTable.own else {
      return effects.indicate(.misbehaved(sender, .unsolicited))
    }
    switch message {
    case .ask: effects.send(.numbers(.known(latest[sender])), to: sender)
    case .known(let batch):
      guard inquiry?.unheard.contains(sender) == true else { return }
      if let batch {
        let instance = MessageIdentifier(origin: PeerTable.own, sequence: batch.sequence)
        guard auth.verifies(batch.signature, of: batch.digest, as: instance) else {
          return effects.indicate(.misbehaved(sender, .badSignature))
        }
      }
      inquiry?.take(batch?.sequence, by: sender)
      if inquiry?.missing == 0 { proceedInquiry(at: now, into: &effects) }
    }
  }

  /// Remembers the last batch of each sender, for when it forgets.
  mutating func noteLatest(_ step: LoggedStep<KeySecureAuthenticator>) {
    switch step {
    case .echoed(let batch, _), .delivered(let batch, _):
      noteLatest(batch.identifier, batch.digest, batch.signature)
    case .ready(let vote): noteLatest(vote.identifier, vote.digest, vote.signature)
    case .retained: break
    }
  }

  private mutating func noteLatest(
    _ instance: MessageIdentifier, _ digest: SHA256Digest, _ signature: Ed25519Signature
  ) {
    if let known = latest[instance.origin], known.sequence >= instance.sequence { return }
    latest[instance.origin] = KnownBatch(sequence: instance.sequence, digest: digest, signature: signature)
  }
}
