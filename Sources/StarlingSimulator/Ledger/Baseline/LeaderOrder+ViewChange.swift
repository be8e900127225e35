import StarlingBroadcast
import StarlingCore
import StarlingLedger

/// How a leader that does not lead is replaced (Castro and Liskov, section 4.4).
extension LeaderOrder {
  // MARK: Suspicion

  /// Suspects the leader when nothing that this member waits for was ordered for a while: tells all what that is, and gives
  /// the view up when it lasts.
  mutating func watchLeader(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    guard !isChanging, let waitingSince, now >= waitingSince + timeout else { return }
    if !hasSuspected {
      hasSuspected = true
      suspects.insert(identity)
      sendToAll(.suspect(view: view, Array(pendingInOrder.prefix(Self.suspectLimit))), into: &effects)
      giveUpIfSuspected(at: now, into: &effects)
    } else if now >= waitingSince + timeout + timeout {
      change(to: view + 1, at: now, into: &effects)
    }
  }

  /// Takes that a member suspects the leader, and waits for what that member waits for.
  mutating func suspect(
    _ suspected: UInt64, _ transfers: [SignedTransfer], by sender: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard suspected == view, !isChanging, suspects.insert(sender).inserted else { return }
    let open = transfers.prefix(Self.suspectLimit).filter { isOpen($0) && isValid($0) }
    for transfer in open { expect(transfer, at: now) }
    if isLeading {
      order(open, areChecked: true)
      propose(at: now, into: &effects)
    }
    giveUpIfSuspected(at: now, into: &effects)
  }

  /// One of f + 1 who suspect the leader is correct.
  private mutating func giveUpIfSuspected(
    at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    if !isChanging, suspects.count > faulty { change(to: view + 1, at: now, into: &effects) }
  }

  /// Gives up a view that does not begin in time.
  mutating func watchChange(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    if let awaited, ticks % Self.patience == 0 {
      let missing = awaited.new.changes.filter { find($0, of: awaited.new.view) == nil }.map(\.author)
      if !missing.isEmpty {
        effects.send(.wantViewChanges(view: awaited.new.view, of: missing), to: awaited.leader)
      }
    }
    guard isChanging, let changeDeadline, now >= changeDeadline else { return }
    failures += 1
    change(to: view + 1, at: now, into: &effects)
  }

  // MARK: View changes

  /// Gives the present view up: from now on this member says nothing in it.
  private mutating func change(
    to next: UInt64, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    view = next
    isChanging = true
    changeDeadline = nil
    let prepared = slots.filter { $0.key > stable.sequence }.compactMap(\.value.certificate)
      .sorted { $0.sequence < $1.sequence }
    let digest = OrderStatement.viewChange(next, author: identity, stable: stable, prepared: prepared)
    let own = ViewChange(
      view: next, author: identity, stable: stable, prepared: prepared,
      signature: auth.sign(digest, as: MessageIdentifier(origin: identity, sequence: next)), digest: digest)
    viewChanges = viewChanges.filter { $0.key >= next }
    viewChanges[next, default: [:]][identity] = [own]
    sendToAll(.viewChange(own), into: &effects)
    considerChanges(at: now, into: &effects)
  }

  /// Takes a view change, from its author or from a leader that refers to it.
  mutating func take(
    _ change: ViewChange, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard change.view > view || (change.view == view && isChanging), auth.admits(change.author) else {
      return
    }
    let known = viewChanges[change.view]?[change.author] ?? []
    // An author that lies may have signed several; the leader refers to one.
    guard known.count < 4, !known.contains(where: { $0.digest == change.digest }), isProven(change) else {
      return
    }
    viewChanges[change.view, default: [:]][change.author, default: []].append(change)
    considerChanges(at: now, into: &effects)
  }

  /// Joins f + 1 who are ahead, begins a view that this member leads, or one that its leader has begun.
  private mutating func considerChanges(
    at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    let ahead = viewChanges.filter { $0.key > view }
    if Set(ahead.values.flatMap(\.keys)).count > faulty, let next = ahead.keys.min() {
      return change(to: next, at: now, into: &effects)
    }
    if isChanging, let here = viewChanges[view], here.count >= quorum {
      if changeDeadline == nil { changeDeadline = now + timeout * (1 << min(failures, 16)) }
      if leader(of: view) == identity { lead(by: here, at: now, into: &effects) }
    }
    beginAwaited(at: now, into: &effects)
  }

  private mutating func lead(
    by here: [Peer: [ViewChange]], at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    let changes = here.sorted { $0.key < $1.key }.prefix(quorum).compactMap { author, changes in
      changes.first.map { (author: author, digest: $0.digest) }
    }
    let statement = OrderStatement.newView(view, changes: changes)
    let new = NewView(
      view: view, changes: changes,
      signature: auth.sign(statement, as: MessageIdentifier(origin: identity, sequence: view)))
    sendToAll(.newView(new), into: &effects)
    awaited = (new, identity)
  }

  /// Takes that a view has begun.
  mutating func take(
    _ new: NewView, from sender: Peer, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard sender == leader(of: new.view), new.view > view || (new.view == view && isChanging),
      awaited.map({ $0.new.view <= view || $0.new.view > new.view }) ?? true,
      Set(new.changes.map(\.author)).count == new.changes.count,
      new.changes.count >= quorum,
      auth.verifies(
        new.signature, of: OrderStatement.newView(new.view, changes: new.changes),
        as: MessageIdentifier(origin: sender, sequence: new.view))
    else { return }
    awaited = (new, sender)
    beginAwaited(at: now, into: &effects)
  }

  /// Repeats view changes that a new view of this member refers to.
  func give(
    viewChanges wanted: UInt64, of authors: [Peer], to peer: Peer,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard wanted == view, leader(of: wanted) == identity else { return }
    for author in authors.prefix(members) {
      if let change = viewChanges[wanted]?[author]?.first {
        effects.send(.viewChange(change), to: peer)
      }
    }
  }

  private func find(_ reference: (author: Peer, digest: SIMD4<UInt64>), of view: UInt64) -> ViewChange? {
    viewChanges[view]?[reference.author]?.first { $0.digest == reference.digest }
  }

  // MARK: What a view begins with

  /// Begins a view when all view changes are here that it refers to: with what one of them shows to be prepared, in the
  /// highest view if there are several, and with nothing in the gaps. Every member works it out for itself.
  private mutating func beginAwaited(
    at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard let (new, _) = awaited, new.view > view || (new.view == view && isChanging) else { return }
    let changes = new.changes.compactMap { find($0, of: new.view) }
    guard changes.count == new.changes.count else { return }
    awaited = nil
    view = new.view
    isChanging = false
    changeDeadline = nil
    hasSuspected = false
    suspects = []
    viewChanges = viewChanges.filter { $0.key >= view }
    for change in changes { stabilise(change.stable) }
    let first = changes.reduce(0) { max($0, $1.stable.sequence) }
    var prepared: [UInt64: OrderCertificate] = [:]
    for certificate in changes.flatMap(\.prepared) where certificate.sequence > first {
      if prepared[certificate.sequence].map({ $0.view < certificate.view }) ?? true {
        prepared[certificate.sequence] = certificate
      }
    }
    let last = prepared.keys.max() ?? first
    nextSequence = last + 1
    queue.removeAll()
    ordering = []
    begin(first + 1..<last + 1, prepared, at: now, into: &effects)
    resume(at: now, into: &effects)
  }

  private mutating func begin(
    _ numbers: Range<UInt64>, _ prepared: [UInt64: OrderCertificate], at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    for sequence in numbers {
      let digest = prepared[sequence]?.digest ?? OrderBatch.empty.digest
      slots[sequence, default: Slot()].proposed = (view, digest)
      if digest == OrderBatch.empty.digest { slots[sequence]?.batches[digest] = .empty }
      slots[sequence]?.holders = prepared[sequence]?.signatures.map(\.signer) ?? []
      if let batch = slots[sequence]?.batches[digest] {
        if sequence > executed { ordering.formUnion(batch.transfers.entries.map(\.transfer.number)) }
      } else {
        askForBatch(sequence, digest, into: &effects)
      }
    }
    for sequence in numbers { advance(sequence, at: now, into: &effects) }
  }

  /// Goes on in a new view: with what came of it early, and with what was handed to the leader before.
  private mutating func resume(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    waitingSince = pending.isEmpty ? nil : now
    _ = takeOutbox()
    let proposals = early
    early = []
    for (vote, batch) in proposals where vote.view >= view {
      receive(.propose(vote, batch), from: leader(of: vote.view), at: now, into: &effects)
    }
    bring(pendingInOrder, at: now, into: &effects)
  }

  // MARK: Proofs

  /// Whether a view change is its author's, and shows what it says.
  private mutating func isProven(_ change: ViewChange) -> Bool {
    guard
      change.digest
        == OrderStatement.viewChange(
          change.view, author: change.author, stable: change.stable, prepared: change.prepared),
      auth.verifies(
        change.signature, of: change.digest,
        as: MessageIdentifier(origin: change.author, sequence: change.view)),
      isProven(change.stable)
    else { return false }
    var before = change.stable.sequence
    for certificate in change.prepared {
      guard certificate.sequence > before, certificate.sequence <= change.stable.sequence + 2 * Self.window,
        certificate.view < change.view, isProven(certificate)
      else { return false }
      before = certificate.sequence
    }
    return true
  }

  private func isProven(_ checkpoint: OrderCheckpoint) -> Bool {
    if checkpoint.sequence == 0
      || (checkpoint.sequence == stable.sequence && checkpoint.history == stable.history)
    {
      return true
    }
    let statement = OrderStatement.checkpoint(sequence: checkpoint.sequence, history: checkpoint.history)
    let known = checkpoints[checkpoint.sequence] ?? [:]
    return isQuorum(checkpoint.signatures.map(\.signer))
      && checkpoint.signatures.allSatisfy { signer, signature in
        (known[signer]?.signature == signature && known[signer]?.history == checkpoint.history)
          || auth.verifies(
            signature, of: statement, as: MessageIdentifier(origin: signer, sequence: checkpoint.sequence))
      }
  }

  private mutating func isProven(_ certificate: OrderCertificate) -> Bool {
    guard isQuorum(certificate.signatures.map(\.signer)) else { return false }
    for (signer, signature) in certificate.signatures {
      let vote = OrderVote(
        view: certificate.view, sequence: certificate.sequence, digest: certificate.digest,
        signature: signature)
      guard check(signature, of: vote, by: signer) else { return false }
    }
    return true
  }

  private func isQuorum(_ signers: [Peer]) -> Bool {
    signers.count >= quorum && Set(signers).count == signers.count && signers.allSatisfy(auth.admits)
  }
}
