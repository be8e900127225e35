import StarlingBroadcast
import StarlingCore
import StarlingLedger

/// What a ledger's member does beside the broadcast: it brings others up to date and is brought up to date by them, and gives
/// and collects signatures that transfers are final.
extension SecurePart {
  /// How often what is due of it is done.
  static let tickInterval = Interval.seconds(1)

  /// Takes a message of a member; of nobody else.
  mutating func receive(
    _ message: LedgerMessage, from sender: Peer, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard broadcast.members.contains(sender), sender != PeerTable.own else {
      return effects.indicate(.misbehaved(sender, .unsolicited))
    }
    guard catchUp != nil else { return effects.indicate(.misbehaved(sender, .otherBroadcast)) }
    switch message {
    case .askProgress(let first): tellProgress(from: Int(first), to: sender, into: &effects)
    case .progress(let first, let numbers): catchUp?.take(progress: numbers, from: Int(first), of: sender)
    case .askWords(let range):
      if !read(range, for: .words(sender, range), at: now) { answer(range, [], to: sender, into: &effects) }
    case .askBatches(let range):
      if !read(range, for: .batches(sender, range), at: now) {
        effects.send(.ledger(.batches(sender: range.sender, from: range.from, [])), to: sender)
      }
    case .words(let place, let first, let next, let words):
      catchUp?.take(words: words, of: place, from: first, next: next, by: sender, at: now)
      proceed(at: now, into: &effects)
    case .batches(let place, let first, let batches):
      let acts = catchUp?.take(
        batches: batches, of: place, from: first, by: sender, at: now,
        isSigned: { [auth] in auth.verifies($0) })
      perform(acts ?? [], at: now, into: &effects)
      proceed(at: now, into: &effects)
    case .askConfirmation(let number):
      let isRead = desk.read(
        question(number), for: .confirmation(sender, number), cost: HistoryDesk.confirmationCost, at: now)
      // What is read must show all that was applied.
      if isRead { keep(flush(), into: &effects) }
    case .confirmation(let number, let signature):
      var isForged = false
      let certificate = certificates?.take(
        signature, of: number, by: log.key(of: sender), isForged: &isForged)
      if isForged { effects.indicate(.misbehaved(sender, .badSignature)) }
      if let certificate { note(.certified(number, .success(certificate))) }
    }
  }

  /// Does what is due, once a second.
  mutating func tick(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    perform(catchUp?.tick(at: now) ?? [], at: now, into: &effects)
    perform(settlements(at: now), at: now, into: &effects)
    proceed(at: now, into: &effects)
    if let used = catchUp?.ownTarget, used > 0 { ask(.used(through: used - 1), at: now, into: &effects) }
    for (number, failure) in certificates?.expire(at: now) ?? [] {
      note(.certified(number, .failure(failure)))
    }
    for number in certificates?.wanted ?? [] { askConfirmations(of: number, into: &effects) }
    effects.schedule(.catchUp, at: now + SecurePart.tickInterval)
  }

  // MARK: - Catching up

  private mutating func proceed(at now: Instant, into effects: inout some Effects<Self> & ~Copyable) {
    perform(nextActs(at: now), at: now, into: &effects)
  }

  /// A function of its own, so that nothing holds on to the accounts when they change.
  private mutating func nextActs(at now: Instant) -> [CatchUp.Act] {
    guard let ledger = keeper?.ledger, catchUp?.isBehind == true else { return [] }
    return catchUp?.proceed(at: now) { account, number in ledger[account].next > number } ?? []
  }

  private mutating func settlements(at now: Instant) -> [CatchUp.Act] {
    guard let ledger = keeper?.ledger else { return [] }
    return catchUp?.settleDisputes(at: now) { account, number in ledger[account].next > number } ?? []
  }

  private mutating func perform(
    _ acts: [CatchUp.Act], at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    for act in acts {
      switch act {
      case .ask(let message, let peer): effects.send(.ledger(message), to: peer)
      case .deliver(let batch, let refused): ask(.catchUp(batch, refused: refused), at: now, into: &effects)
      case .vouch(let vote): keep(log.said(.ready(vote)), into: &effects)
      case .complete(let instance, let refused):
        let numbers = instance.sequence..<instance.sequence + 1
        _ = desk.read(
          .queries(log.history(of: numbers, from: instance.origin, withBatches: true), byteLimit: .max),
          for: .completion(instance, refused: refused), at: now)
      case .settled(let instance): keep(log.settledDispute(instance, isOver: true), into: &effects)
      case .blame(let peer): effects.indicate(.misbehaved(peer, .malformed))
      case .arrived:
        // What is under way now was not heard while it was too far ahead.
        for peer in broadcast.members.members where peer != PeerTable.own {
          ask(.renew(peer), at: now, into: &effects)
        }
      }
    }
  }

  // MARK: - Bringing others up to date

  private func tellProgress(
    from first: Int, to peer: Peer, into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard let members = catchUp?.members, first < members.count else { return }
    let numbers = members[first...].prefix(LedgerMessage.progressLimit).map(broadcast.nextDelivered)
    effects.send(.ledger(.progress(from: UInt16(first), numbers)), to: peer)
  }

  /// Has what was delivered read.
  ///
  /// - Returns: whether it will be: there is such a sender, something was delivered of it, and the asker may have it read.
  private mutating func read(_ range: HistoryRange, for purpose: HistoryDesk.Purpose, at now: Instant) -> Bool
  {
    guard let sender = member(at: range.sender) else { return false }
    let next = broadcast.nextDelivered(of: sender)
    guard range.from < next else { return false }
    let numbers = range.from..<range.from + min(UInt64(range.count), next - range.from)
    var withBatches = false
    if case .batches = purpose { withBatches = true }
    return desk.read(
      .queries(
        log.history(of: numbers, from: sender, withBatches: withBatches),
        byteLimit: LedgerMessage.answerBytes), for: purpose, at: now)
  }

  /// What asks for a transfer that was applied. All that was applied must be kept when it is answered.
  private func question(_ number: TransferNumber) -> StableRecall.Question {
    .transfer(number, of: member.keeper.ledger[number.account])
  }

  private func member(at place: UInt16) -> Peer? {
    guard let members = catchUp?.members, Int(place) < members.count else { return nil }
    return members[Int(place)]
  }

  private func answer(
    _ range: HistoryRange, _ words: [DeliveryWord], to peer: Peer,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard let sender = member(at: range.sender) else { return }
    let next = broadcast.nextDelivered(of: sender)
    effects.send(.ledger(.words(sender: range.sender, from: range.from, next: next, words)), to: peer)
  }

  /// Takes what was read.
  mutating func take(
    _ values: [StableValue], for token: UInt64, at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    switch desk.take(values, for: token) {
    case .words(let peer, let range):
      let words = SecurePart.fitting(log.deliveries(in: values), from: range.from) {
        ($0.word, $0.word.byteCount)
      }
      answer(range, words, to: peer, into: &effects)
    case .batches(let peer, let range):
      let batches = SecurePart.fitting(log.deliveries(in: values), from: range.from) { kept in
        kept.batch.map { ($0, $0.byteCount) }
      }
      effects.send(.ledger(.batches(sender: range.sender, from: range.from, batches)), to: peer)
    case .confirmation(let peer, let number):
      guard let transfer = values.first.flatMap({ try? SignedTransfer(encoded: $0.value) }),
        let signature = auth.confirm(transfer)
      else { return }
      effects.send(.ledger(.confirmation(number, signature)), to: peer)
    case .certificate(let number): begin(number, values, at: now, into: &effects)
    case .completion(let instance, let refused):
      guard let kept = log.deliveries(in: values).first?.batch,
        let payload = try? NodeBatch(encoded: kept.encoded)
      else { return }
      let batch = SignedBatch<KeySecureAuthenticator>(
        identifier: instance, payload: payload, signature: kept.signature, hops: 0)
      ask(.catchUp(batch, refused: refused), at: now, into: &effects)
    case nil: return
    }
  }

  /// What one message takes of what was kept, from a number on without a gap; the first in any case.
  private static func fitting<Part>(
    _ deliveries: [KeptDelivery], from first: UInt64, _ part: (KeptDelivery) -> (Part, Int)?
  ) -> [Part] {
    var (parts, byteCount): ([Part], Int) = ([], 0)
    for kept in deliveries {
      guard kept.number == first + UInt64(parts.count), let (part, bytes) = part(kept) else { break }
      byteCount += bytes
      if byteCount > LedgerMessage.answerBytes, !parts.isEmpty { break }
      parts.append(part)
    }
    return parts
  }

  // MARK: - Certificates

  /// Begins to collect signatures that a transfer is final.
  mutating func certify(
    _ number: TransferNumber, at now: Instant, into effects: inout some Effects<Self> & ~Copyable
  ) {
    do throws(CertificateFailure) {
      guard try certificates?.open(number) == true else { return }
      keep(flush(), into: &effects)
      guard desk.read(question(number), for: .certificate(number), at: now) else {
        throw .overloaded
      }
    } catch {
      certificates?.forget(number)
      note(.certified(number, .failure(error)))
    }
  }

  private mutating func begin(
    _ number: TransferNumber, _ values: [StableValue], at now: Instant,
    into effects: inout some Effects<Self> & ~Copyable
  ) {
    guard let transfer = values.first.flatMap({ try? SignedTransfer(encoded: $0.value) }),
      let signature = auth.confirm(transfer)
    else {
      certificates?.forget(number)
      return note(.certified(number, .failure(.notFinal)))
    }
    let certificate = certificates?.begin(
      transfer, signature: signature, by: log.key(of: PeerTable.own), at: now)
    if let certificate { return note(.certified(number, .success(certificate))) }
    askConfirmations(of: number, into: &effects)
  }

  private func askConfirmations(
    of number: TransferNumber, into effects: inout some Effects<Self> & ~Copyable
  ) {
    for peer in broadcast.members.members where peer != PeerTable.own {
      if certificates?.hasSigned(number, log.key(of: peer)) == true { continue }
      effects.send(.ledger(.askConfirmation(number)), to: peer)
    }
  }
}
