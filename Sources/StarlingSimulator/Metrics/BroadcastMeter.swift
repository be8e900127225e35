import StarlingBroadcast
import StarlingCore
import StarlingNode
import StarlingOverlay

/// Measures what a group of members does with broadcasts: deliveries, redundancy, latency, and what each
/// peer sends. A payload's number says which of the scenario's messages it is.
public struct BroadcastMeter<Overlay: Membership, Diffusion: BroadcastProcess>: SimulationObserver
where
  Diffusion.Auth == IdealAuthenticator, Overlay.Message: SizedMessage, Diffusion.Message: SizedMessage
{
  /// The kind of process that is watched.
  public typealias Observed = GroupMember<Overlay, Diffusion>

  /// What was seen of each message, by its number.
  public var records: [MessageRecord]
  /// How long deliveries took, over all messages, those of ``catchUps`` left out.
  public internal(set) var latencies = LatencyHistogram()
  /// How long deliveries took to peers that came, or came back, after the message was sent.
  public internal(set) var catchUps = LatencyHistogram()
  /// The last message's way, peer by peer.
  public internal(set) var trace: DeliveryTrace
  @usableFromInline var isCounting = false
  /// Ends of links that the overlay made since the last message left.
  @usableFromInline var newLinkEnds = 0
  @usableFromInline var sentMessages: [UInt32]
  @usableFromInline var sentBytes: [UInt64]
  private var nextSequences: [Peer: UInt64] = [:]
  /// Since when each peer counts as a member; empty while all do from the beginning.
  private(set) var memberSince: [Instant] = []
  @usableFromInline var watchesNewcomers: Bool { !memberSince.isEmpty }
  /// For each of the first peers, whether it is an adversary; empty if none is.
  private var byzantine: [Bool] = []
  /// How often correct peers accused adversaries of each ``Misbehaviour``, by its raw value.
  public private(set) var accusations = [Int](repeating: 0, count: 256)
  /// How often they accused each other.
  public private(set) var falseAccusations = [Int](repeating: 0, count: 256)
  /// How often correct peers shunned adversaries, and each other.
  public private(set) var shunnedAdversaries = 0
  /// How often correct peers shunned each other.
  public private(set) var shunnedCorrect = 0
  /// How often correct peers told that a message was missed.
  public private(set) var missed = 0
  /// Deliveries of a message that the peer had delivered before.
  public private(set) var duplicateDeliveries = 0
  /// Deliveries of what no correct peer broadcast under that name.
  public private(set) var forgedDeliveries = 0
  /// The first of either.
  public private(set) var violations: [Violation] = []
  /// Whether a run ends with as many violations as are told: messages that nobody knows again multiply for ever.
  var endsEarly = false
  /// Whether the run is to end.
  public private(set) var hasSeenEnough = false

  /// - Parameters:
  ///   - peers: how many peers there will be.
  ///   - messages: how many messages.
  public init(peers: Int, messages: Int) {
    records = (0..<messages).map { _ in MessageRecord(peers: peers) }
    trace = DeliveryTrace(message: messages - 1, peers: peers)
    sentMessages = [UInt32](repeating: 0, count: peers)
    sentBytes = [UInt64](repeating: 0, count: peers)
  }

  /// Begins the message phase: from here on, what peers send is counted.
  public mutating func beginMessages() { isCounting = true }

  /// Notes that a message leaves. Its origin numbers its messages from 0, or goes on from where
  /// ``renumber(_:from:)`` said.
  public mutating func began(_ number: Int, by sender: Peer, at now: Instant) {
    let sequence = nextSequence(of: sender)
    nextSequences[sender] = sequence + 1
    records[number].begin(MessageIdentifier(origin: sender, sequence: sequence), at: now)
    records[number].newLinkEnds = newLinkEnds
    newLinkEnds = 0
    if number == trace.message { trace.root = sender }
  }

  /// The number of a peer's next message.
  func nextSequence(of peer: Peer) -> UInt64 { nextSequences[peer] ?? 0 }

  /// Notes that a peer numbers its messages from here on.
  mutating func renumber(_ peer: Peer, from sequence: UInt64) { nextSequences[peer] = sequence }

  /// From here on, peers may come, and count from when they have a neighbour.
  mutating func watchNewcomers() {
    memberSince = [Instant](repeating: .zero, count: sentMessages.count)
  }

  /// Notes that a peer is about to join, or to come back.
  mutating func expectNewcomer(_ peer: Peer) { memberSince[Int(peer.index)] = .distantFuture }

  /// Notes that a peer has lost its memory: it may deliver everything once more.
  mutating func forgetDeliveries(of peer: Peer) {
    for i in records.indices { records[i].forget(peer) }
  }

  /// For each peer, whether it was a member when a message was sent.
  func members(at instant: Instant, among peers: [Bool]) -> [Bool] {
    memberSince.isEmpty ? peers : peers.indices.map { peers[$0] && memberSince[$0] <= instant }
  }

  /// Counts a message that is handed to the network.
  @inlinable
  public mutating func sent(
    _ message: Observed.Message, from sender: Peer, to receiver: Peer, at now: Instant
  ) {
    guard isCounting else { return }
    sentMessages[Int(sender.index)] &+= 1
    sentBytes[Int(sender.index)] &+= UInt64(message.encodedByteCount)
    if let broadcast = message.carriedBroadcast, broadcast.payload.number < records.count {
      records[Int(broadcast.payload.number)].payloadMessages += 1
    }
  }

  /// Counts a delivery.
  @inlinable
  public mutating func indicated(_ indication: Observed.Indication, by peer: Peer, at now: Instant) {
    switch indication {
    case .delivered(let broadcast, let sender): delivered(broadcast, from: sender, by: peer, at: now)
    case .overlay(.gained):
      newLinkEnds += 1
      if watchesNewcomers { found(peer, at: now) }
    case .misbehaved(let suspect, let what): accuse(suspect, of: what, by: peer)
    case .shunned(let suspect, _): shun(suspect, by: peer)
    case .missed: miss(by: peer)
    case .keep: break
    default: break
    }
  }

  @usableFromInline
  mutating func accuse(_ suspect: Peer, of what: Misbehaviour, by peer: Peer) {
    if isByzantine(peer) { return }
    if isByzantine(suspect) {
      accusations[Int(what.rawValue)] += 1
    } else {
      falseAccusations[Int(what.rawValue)] += 1
    }
  }

  @usableFromInline
  mutating func shun(_ suspect: Peer, by peer: Peer) {
    if isByzantine(peer) { return }
    if isByzantine(suspect) { shunnedAdversaries += 1 } else { shunnedCorrect += 1 }
  }

  @usableFromInline
  mutating func miss(by peer: Peer) { if !isByzantine(peer) { missed += 1 } }

  private func isByzantine(_ peer: Peer) -> Bool {
    !byzantine.isEmpty && Int(peer.index) < byzantine.count && byzantine[Int(peer.index)]
  }

  /// Whether there are adversaries.
  var hasAdversaries: Bool { !byzantine.isEmpty }

  /// Tells who is an adversary: nobody is judged by what they do.
  mutating func distrust(_ peers: [Bool]) { byzantine = peers }

  @usableFromInline
  mutating func found(_ peer: Peer, at now: Instant) {
    if memberSince[Int(peer.index)] == .distantFuture { memberSince[Int(peer.index)] = now }
  }

  @usableFromInline
  mutating func delivered(
    _ broadcast: Broadcast<IdealAuthenticator>, from sender: Peer, by peer: Peer, at now: Instant
  ) {
    // Adversaries may broadcast, and deliver, what they like; the last message's way may lead through them.
    if isByzantine(peer) || isByzantine(broadcast.identifier.origin) {
      if isByzantine(peer), Int(broadcast.payload.number) == trace.message,
        let record = records.last, record.identifier == broadcast.identifier, let sentAt = record.sentAt
      {
        trace.deliver(to: peer, from: sender, after: now - sentAt, hops: Int(broadcast.hops))
      }
      return
    }
    // No peer has this number: it is a key that an adversary made, and speaks for nobody.
    if broadcast.identifier.origin.index >= Event.peerLimit { return }
    let number = Int(broadcast.payload.number)
    guard number < records.count, let sentAt = records[number].sentAt,
      records[number].identifier == broadcast.identifier
    else {
      forgedDeliveries += 1
      note(
        .noForgery, by: peer, at: now, "delivered \(broadcast.identifier.text), which was never broadcast so")
      return
    }
    let isCatchUp = watchesNewcomers && memberSince[Int(peer.index)] > sentAt
    guard
      records[number].deliver(
        to: peer, after: now - sentAt, hops: Int(broadcast.hops), isCatchUp: isCatchUp)
    else {
      duplicateDeliveries += 1
      note(.noDuplicate, by: peer, at: now, "delivered message \(number) twice")
      return
    }
    if isCatchUp { catchUps.record(now - sentAt) } else { latencies.record(now - sentAt) }
    if number == trace.message {
      trace.deliver(to: peer, from: sender, after: now - sentAt, hops: Int(broadcast.hops))
    }
  }
}

extension BroadcastMeter {
  private mutating func note(
    _ promise: Violation.Promise, by peer: Peer, at now: Instant, _ what: String
  ) {
    guard violations.count < Violation.limit else { return }
    violations.append(Violation(promise: promise, at: now, peer: peer, detail: "\(peer) \(what)"))
    hasSeenEnough = endsEarly && violations.count == Violation.limit
  }
}

extension MessageIdentifier {
  fileprivate var text: String { "message \(sequence) of \(origin)" }
}
