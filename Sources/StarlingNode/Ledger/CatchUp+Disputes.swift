import StarlingBroadcast
import StarlingCore

/// What was delivered here without some of its entries, which had too few votes then.
///
/// While an instance lives, votes complete it. Once it is over here, others are asked for their words, and these count as votes do:
/// b + 1 that are ready for an entry make this member ready, 2b + 1 have it delivered (G. Bracha 1987), and so do b + 1 that
/// delivered it. So an entry that one correct member delivers all do, however long they were away. That an entry will never be
/// delivered nobody can know, since a liar's vote may come late: the others are asked ever more rarely.
extension CatchUp {
  struct Dispute {
    /// What was delivered.
    let batch: MessageIdentifier
    let digest: SHA256Digest
    let signature: Ed25519Signature
    /// The positions of the entries that are not, ascending.
    let refused: [UInt16]
    /// The account and number of each of these, by its position, unless a transfer with that number was applied here.
    var entries: [UInt16: (author: PublicKey, sequence: UInt64)]
    /// Those that this member is not ready for.
    var unready: Set<UInt16>
    /// What members said last, by their places.
    var words: [Int: DeliveryWord] = [:]
    /// When they are asked again, and after how long once more.
    var nextAsk = Instant.zero
    var interval = CatchUp.firstDisputeInterval
  }

  /// Takes that a batch was delivered without some of its entries, or completed, or that this member became ready for more of it.
  ///
  /// - Parameters:
  ///   - batch: the batch.
  ///   - refused: the positions of the entries that are not delivered.
  ///   - unready: the positions of those that this member is not ready for.
  mutating func dispute(_ batch: Batch, refused: [UInt16], unready: [UInt16]) {
    guard place(of: batch.identifier.origin) != nil else { return }
    let (number, before) = (batch.identifier, disputes[batch.identifier])
    disputes[number] = nil
    if refused.isEmpty { return }
    if before == nil { makeRoom() }
    var unready = Set(unready)
    // It goes on being ready for what it was, though the broadcast forgets that with the instance.
    if let before, before.digest == batch.digest { unready.formIntersection(before.unready) }
    var entries: [UInt16: (author: PublicKey, sequence: UInt64)] = [:]
    for position in refused where position < batch.payload.entryCount {
      let name = batch.payload.name(ofEntryAt: Int(position))
      entries[position] = (name.author, name.sequence)
    }
    disputes[number] = Dispute(
      batch: number, digest: batch.digest, signature: batch.signature, refused: refused, entries: entries,
      unready: unready)
  }

  /// This member became ready for more of a batch.
  mutating func noteReady(_ vote: Vote<KeySecureAuthenticator>) {
    guard disputes[vote.identifier]?.digest == vote.digest else { return }
    disputes[vote.identifier]?.unready.formIntersection(vote.refused)
  }

  /// The positions of the entries of a batch that were not delivered; none if it is not disputed.
  func refused(of instance: MessageIdentifier) -> [UInt16] { disputes[instance]?.refused ?? [] }

  /// Whether others may have to know what this member was ready for.
  func isDisputed(_ instance: MessageIdentifier) -> Bool { disputes[instance] != nil }

  /// Gives up what was asked for most often, if there is too much.
  private mutating func makeRoom() {
    guard disputes.count >= CatchUp.disputeLimit,
      let oldest = disputes.values.max(by: {
        ($0.interval, $1.batch.sequence) < ($1.interval, $0.batch.sequence)
      })
    else { return }
    disputes[oldest.batch] = nil
  }

  /// Takes a member's word of what is disputed.
  mutating func note(_ word: DeliveryWord, of instance: MessageIdentifier, by place: Int) {
    guard disputes[instance]?.digest == word.digest else { return }
    disputes[instance]?.words[place] = word
  }

  /// Decides what can be, and asks for what is not known.
  ///
  /// - Parameter isApplied: whether the transfer of an account with a number was applied here: then what becomes of it elsewhere
  ///   does not matter.
  mutating func settleDisputes(at now: Instant, isApplied: (PublicKey, UInt64) -> Bool) -> [Act] {
    if disputes.isEmpty { return [] }
    var acts: [Act] = []
    var due: [Int: [UInt64]] = [:]
    // Votes decide of what lives. In an order that is the same on every run.
    let over = disputes.keys.filter { isOver($0) }.sorted {
      ($0.origin, $0.sequence) < ($1.origin, $1.sequence)
    }
    for instance in over {
      guard var dispute = disputes[instance], let sender = place(of: instance.origin) else { continue }
      acts += dispute.decide(byzantine: byzantine, isApplied: isApplied)
      if dispute.entries.isEmpty {
        acts.append(.settled(instance))
      } else if dispute.nextAsk <= now {
        dispute.nextAsk = now + dispute.interval
        dispute.interval = min(dispute.interval * 2, CatchUp.lastDisputeInterval)
        due[sender, default: []].append(instance.sequence)
      }
      disputes[instance] = dispute.entries.isEmpty ? nil : dispute
    }
    for (sender, numbers) in due.sorted(by: { $0.key < $1.key }) {
      for range in CatchUp.ranges(of: numbers) {
        for place in members.indices where place != own && (rests[place] ?? .zero) <= now {
          let isFree = asks[place].count < CatchUp.openLimit
          if isFree { acts.append(ask(sender, range, of: place, isForBatches: false, at: now)) }
        }
      }
    }
    return acts
  }

  /// Whether nothing is heard here of an instance any more.
  func isOver(_ instance: MessageIdentifier) -> Bool {
    place(of: instance.origin).map { sources[$0].next > instance.sequence + kept } ?? false
  }

  /// As few questions as ask for all of these numbers (ascending).
  private static func ranges(of numbers: [UInt64]) -> [Range<UInt64>] {
    var ranges: [Range<UInt64>] = []
    for number in numbers {
      if let last = ranges.last, number - last.lowerBound < wordWindow {
        ranges[ranges.count - 1] = last.lowerBound..<number + 1
      } else {
        ranges.append(number..<number + 1)
      }
    }
    return ranges
  }
}

extension CatchUp.Dispute {
  /// What the words of others, and this member's own, lead to.
  fileprivate mutating func decide(
    byzantine: Int, isApplied: (PublicKey, UInt64) -> Bool
  ) -> [CatchUp.Act] {
    entries = entries.filter { !isApplied($0.value.author, $0.value.sequence) }
    var (isReadier, delivered) = (false, Set<UInt16>())
    for position in entries.keys {
      let deliveries = words.values.count { !$0.refused.contains(position) }
      let others = words.values.count { !$0.unready.contains(position) }
      if others > byzantine, unready.remove(position) != nil { isReadier = true }
      let ready = others + (unready.contains(position) ? 0 : 1)
      if deliveries > byzantine || ready > 2 * byzantine { delivered.insert(position) }
    }
    var acts: [CatchUp.Act] = []
    if isReadier {
      let vote = Vote<KeySecureAuthenticator>(
        identifier: batch, digest: digest, signature: signature, refused: unready.sorted(), hops: 0)
      acts.append(.vouch(vote))
    }
    // It is delivered, and disputed no longer, once it was read.
    if !delivered.isEmpty {
      acts.append(.complete(batch, refused: refused.filter { !delivered.contains($0) }))
    }
    return acts
  }
}
