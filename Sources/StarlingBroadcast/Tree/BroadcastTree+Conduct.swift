import StarlingCore

/// Who does too much of what a correct peer does now and then. The bounds hold between two pulses, and are far
/// above what loss, duplication, delay and crossing messages make of a correct peer.
extension BroadcastTree {
  /// A summary or a digest came.
  ///
  /// - Parameter isQuestion: whether it is to be answered by digests.
  /// - Returns: whether it is looked at.
  @inlinable
  mutating func noteDigest(
    of peer: Peer, isQuestion: Bool, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) -> Bool {
    // Not worth a quicker pulse, or two neighbours would keep each other awake for ever.
    if !pulse.isSet { quicken(at: now, into: &effects) }
    let weight = isQuestion ? BroadcastTreeConfiguration.questionWeight : 1
    let digests = watch(peer) { conduct in
      conduct.digests += weight
      return conduct.digests
    }
    let limit = BroadcastTreeConfiguration.digestLimit
    guard let digests, digests > limit else { return true }
    if digests - weight <= limit { effects.indicate(.misbehaved(peer, .unsolicited)) }
    return false
  }

  /// An announcement found no room. Nobody is to blame for what others announced.
  @usableFromInline
  mutating func noteWantOfRoom(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    count { $0.missingTableFull += 1 }
    quicken(at: now, into: &effects)
  }

  /// A peer announced a message though it has filled its own share of the table with others that nobody else tells
  /// of and that do not come.
  @usableFromInline
  mutating func noteRefusal(
    of peer: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    noteWantOfRoom(at: now, into: &effects)
    let delivered = history.arrivals &- changeRepair { $0.arrivalsAtPulse } & 0x7FFF_FFFF
    let allowed = BroadcastTreeConfiguration.refusalLimit + 4 * Int(delivered)
    let isFlood = watch(peer) { conduct in
      conduct.refusals += 1
      if conduct.refusals <= allowed { return false }
      conduct.refusals = 0
      return true
    }
    if isFlood == true { effects.indicate(.misbehaved(peer, .unsolicited)) }
  }

  /// A peer does not have what it told of. Now and then that is how it is; often, it is a way to have this peer ask
  /// without end, so that nothing else that it offers is asked for until the next pulse.
  @usableFromInline
  mutating func noteDenial(by peer: Peer) {
    watch(peer) { $0.denials += 1 }
    if deniesTooMuch(peer) { forgetOffers(of: peer) }
  }

  @inlinable
  func deniesTooMuch(_ peer: Peer) -> Bool {
    guard let conduct = repair.ifNeeded?.conduct[peer] else { return false }
    return conduct.denials > BroadcastTreeConfiguration.denialLimit
  }

  /// A message came that had been seen, from a peer that had no reason to send it. One such message is watched
  /// at a time: a peer that sends a thousand old ones in turn costs no more than a look at each.
  @usableFromInline
  mutating func noteReplay(
    of identifier: MessageIdentifier, by peer: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    quicken(at: now, into: &effects)
    let isReplay = watch(peer) { conduct in
      if conduct.replayed == nil { conduct.replayed = identifier }
      guard conduct.replayed == identifier else { return false }
      conduct.replays += 1
      if conduct.replays <= BroadcastTreeConfiguration.replayLimit { return false }
      conduct.replays = 0
      return true
    }
    if isReplay == true { effects.indicate(.misbehaved(peer, .replay)) }
  }

  /// Changes what is noted of a peer since the last pulse; `nil` if too many peers are watched already.
  @inlinable @discardableResult
  mutating func watch<Result>(
    _ peer: Peer, _ body: (inout TreeRepair.Conduct) -> Result
  ) -> Result? {
    changeRepair { repair in
      if repair.conduct.count >= TreeRepair.conductLimit, repair.conduct.position(of: peer) == nil {
        return nil
      }
      let position = repair.conduct.insert(TreeRepair.Conduct(), for: peer).position
      return body(&repair.conduct[position])
    }
  }
}
