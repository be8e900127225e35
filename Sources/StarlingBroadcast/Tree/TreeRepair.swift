import StarlingCore

/// What a peer's tree needs when something is being repaired, and not before.
@frozen
public struct TreeRepair: Sendable {
  /// Numbers that a neighbour has and this peer lacks.
  @usableFromInline
  struct Offer: Sendable {
    @usableFromInline let neighbour: Peer
    @usableFromInline let origin: Peer
    @usableFromInline var range: SequenceRange
    /// Before this the messages may come by themselves.
    @usableFromInline let readyAt: Instant
  }

  /// What a peer did since the last pulse that a correct peer does only so often.
  @usableFromInline
  struct Conduct: Sendable {
    /// Digests, and questions by their weight.
    @usableFromInline var digests = 0
    @usableFromInline var refusals = 0
    /// Requests that it did not answer in time.
    @usableFromInline var unanswered = 0
    /// Messages that it told of and then did not have.
    @usableFromInline var denials = 0
    /// One message that it sent though it had been seen, and how often it did.
    @usableFromInline var replayed: MessageIdentifier?
    @usableFromInline var replays = 0

    @inlinable
    init() {}
  }

  /// Those of the neighbour that was asked least lately come first.
  @usableFromInline var offers: [Offer] = []
  @usableFromInline var isRecoveryDue = false
  /// Messages that were fetched, and that the neighbours are not told of yet.
  @usableFromInline var recovered: [MessageIdentifier] = []
  @usableFromInline var denied = DeniedMessages()
  @usableFromInline var missed = MissedMessages()
  @usableFromInline var conduct = PeerMap<Conduct>()
  /// The position of the origin whose holes come first with the next pulse.
  @usableFromInline var holeHand = 0
  /// Messages that had ever been kept at the last pulse.
  @usableFromInline var arrivalsAtPulse: UInt32
  /// The origin with which the next digest begins.
  @usableFromInline var digestHand = 0
  @usableFromInline var counters = BroadcastTreeCounters()

  /// Of how many peers the conduct is watched at a time. A guess.
  @inlinable
  static var conductLimit: Int { 64 }

  @usableFromInline
  init(arrivals: UInt32) { arrivalsAtPulse = arrivals }

  /// Puts a neighbour's offers behind all others.
  mutating func endTurn(of neighbour: Peer) {
    let own = offers.filter { $0.neighbour == neighbour }
    offers.removeAll { $0.neighbour == neighbour }
    offers += own
  }
}
