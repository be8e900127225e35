import StarlingCore
import StarlingLedger

/// How a member gets what it missed: the leader that was to send it may have crashed in the middle of sending.
extension LeaderOrder {
  /// Asks one of those who voted for a batch for it; another one each time.
  mutating func askForBatch(
    _ sequence: UInt64, _ digest: SIMD4<UInt64>, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard let slot = slots[sequence] else { return }
    let voters =
      slot.votes.filter { $0.value.digest == digest }.map(\.key)
      + slot.commits.filter { $0.value.digest == digest }.map(\.key) + slot.holders
      + (slot.reports[digest] ?? [])
    let others = Set(voters).subtracting([identity]).sorted()
    guard !others.isEmpty else { return }
    effects.send(
      .wantBatch(sequence: sequence, digest: digest), to: others[effects.uniform(below: others.count)])
  }

  /// Asks for what is missing, if nothing was executed for a while though there is more.
  mutating func watchProgress(into effects: inout some Effects<Self> & ~Copyable) {
    defer { executedBefore = executed }
    for sequence in slots.keys.sorted() where sequence > executed {
      guard let slot = slots[sequence] else { continue }
      for digest in [slot.decided, slot.proposed.flatMap { $0.view == view ? $0.digest : nil }] {
        if let digest, slot.batches[digest] == nil { askForBatch(sequence, digest, into: &effects) }
      }
    }
    if executed == executedBefore, hasMore { sendToAll(.wantDecided(from: executed + 1), into: &effects) }
  }

  /// Whether a correct member has executed more, or is about to.
  private var hasMore: Bool {
    if stable.sequence > executed { return true }
    let ahead = checkpoints.filter { $0.key > executed }.values.flatMap(\.keys)
    return Set(ahead).count > faulty
      || slots.contains { $0.key > executed && $0.value.decided == nil && $0.value.commits.count > faulty }
  }

  mutating func catchUp(
    by message: OrderMessage, from sender: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch message {
    case .wantBatch(let sequence, let digest):
      if let batch = slots[sequence]?.batches[digest] {
        effects.send(.batch(sequence: sequence, batch), to: sender)
      }
    case .batch(let sequence, let batch):
      guard let slot = slots[sequence], slot.batches[batch.digest] == nil,
        slot.decided == batch.digest || slot.proposed?.digest == batch.digest
      else { return }
      slots[sequence]?.batches[batch.digest] = batch
      if isLeading, sequence > executed {
        ordering.formUnion(batch.transfers.entries.map(\.transfer.number))
      }
      advance(sequence, at: now, into: &effects)
    case .wantDecided(let first):
      guard first > lastForgotten, first <= executed else { return }
      let digests = (first...min(executed, first + Self.window - 1)).compactMap { slots[$0]?.decided }
      effects.send(.decided(from: first, digests), to: sender)
    case .decided(let first, let digests):
      for (offset, digest) in digests.prefix(Int(Self.window)).enumerated() {
        report(first &+ UInt64(offset), digest, by: sender, into: &effects)
      }
      execute(at: now, into: &effects)
    default: break
    }
  }

  /// Takes that a member has executed a batch: of f + 1 who say so one is correct.
  private mutating func report(
    _ sequence: UInt64, _ digest: SIMD4<UInt64>, by sender: Peer,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard sequence > executed, isInWindow(sequence), slots[sequence]?.decided == nil else { return }
    var slot = slots[sequence] ?? Slot()
    slot.reports[digest, default: []].insert(sender)
    if let count = slot.reports[digest]?.count, count > faulty { slot.decided = digest }
    slots[sequence] = slot
    if slot.decided != nil, slot.batches[digest] == nil { askForBatch(sequence, digest, into: &effects) }
  }
}
