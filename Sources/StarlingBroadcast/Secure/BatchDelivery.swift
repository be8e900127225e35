import StarlingCore

/// How one instance comes from votes to a delivery: the first batch whose digest meets the threshold is chosen, is
/// fetched if it is not here (votes carry digests only), and is delivered; once more if fewer entries are refused
/// later.
@usableFromInline
struct BatchDelivery<Auth: SecureAuthenticator>: Sendable {
  /// What is here of the instance, and may be handed out: the batch of the layer below or of the sender, and the chosen
  /// one.
  @usableFromInline var batches: [SignedBatch<Auth>] = []
  /// *delivered*.
  @usableFromInline var chosen: Auth.Digest?
  /// The positions that are not delivered yet; `nil` before anything is.
  @usableFromInline var undelivered: [UInt16]?
  /// Who was asked for the chosen batch last, counted on from a random one; 0 before anybody was.
  @usableFromInline var asked = 0
  /// Who was given a batch, and needs it again only if a link was lost.
  @usableFromInline var supplied = PeerSet()

  @inlinable
  init() {}

  @inlinable
  func batch(_ digest: Auth.Digest) -> SignedBatch<Auth>? { batches.first { $0.digest == digest } }

  @inlinable
  mutating func keep(_ batch: SignedBatch<Auth>) {
    if self.batch(batch.digest) == nil { batches.append(batch) }
  }

  /// Takes that an earlier life of the process delivered a batch, but for the entries at these positions (ascending).
  @inlinable
  mutating func recall(_ batch: SignedBatch<Auth>, undelivered positions: [UInt16]) {
    keep(batch)
    chosen = batch.digest
    undelivered = positions
  }

  /// Whether all of it is delivered.
  @inlinable
  var isComplete: Bool { undelivered?.isEmpty == true }

  /// Whether a batch is chosen and not here.
  @inlinable
  var isWanting: Bool { chosen.map { batch($0) == nil } ?? false }

  /// Takes the batch that is wanted. Its signature needs no check: it has the digest that was chosen.
  ///
  /// - Returns: whether it was wanted.
  @inlinable
  mutating func supply(_ batch: SignedBatch<Auth>) -> Bool {
    guard isWanting, chosen == batch.digest, batch.isWithinLimits else { return false }
    batches.append(batch)
    return true
  }

  /// What a peer that fetches is given: each peer once, so that asking again and again is answered by nothing.
  @inlinable
  mutating func give(_ digest: Auth.Digest, to peer: Peer) -> SignedBatch<Auth>? {
    guard let batch = batch(digest), supplied.insert(peer) else { return nil }
    return batch
  }

  /// A peer's link was lost, and perhaps what it was given with it.
  @inlinable
  mutating func giveAgain(to peer: Peer) { _ = supplied.remove(peer) }

  /// What can be delivered now that could not before, by the votes for the chosen batch.
  @inlinable
  mutating func deliver(by votes: VoteTally<Auth>, threshold: Int) -> SecureIndication<Auth>? {
    guard let chosen, undelivered?.isEmpty != true, var batch = batch(chosen),
      let outcome = votes.outcome(of: chosen, threshold: threshold)
    else { return nil }
    // Who voted did not know how many entries there are, or lied about it.
    let lacking = Array(outcome.lacking.prefix { $0 < batch.payload.entryCount })
    if let undelivered, undelivered.count <= lacking.count { return nil }
    undelivered = lacking
    batch.hops = max(batch.hops, outcome.hops)
    return .delivered(batch, refused: lacking)
  }

  /// Whom to ask next for the batch that is wanted: one after another, from a random one on.
  @inlinable
  mutating func nextToAsk(among peers: [Peer], random: inout some RandomSource & ~Copyable) -> Peer? {
    guard isWanting, !peers.isEmpty else { return nil }
    let next = asked == 0 ? random.uniform(below: peers.count) : asked
    asked = next + 1
    return peers[next % peers.count]
  }
}
