import StarlingBroadcast
import StarlingCore

/// What was seen of one broadcast message.
public struct MessageRecord: Sendable {
  /// Its name; `nil` if it never left.
  public private(set) var identifier: MessageIdentifier?
  /// When it left.
  public private(set) var sentAt: Instant?
  /// Who broadcast it; `nil` if it never left.
  public var sender: Peer? { identifier?.origin }
  /// Copies with the payload that were handed to the network.
  @usableFromInline var payloadMessages = 0
  /// Ends of links that the overlay made since the message before.
  var newLinkEnds = 0
  /// Peers that delivered it, the sender not counted.
  public private(set) var deliveries = 0
  /// The most hops of a first copy.
  public private(set) var lastHop = 0
  /// How many of these were catching up: the peer came, or came back, after the message was sent.
  public private(set) var catchUps = 0
  private var totalDelay = Interval.zero
  /// How long it took to be delivered, on average, those left out that were catching up; `nil` if nobody did.
  public var meanDelay: Interval? {
    deliveries > catchUps ? totalDelay / (deliveries - catchUps) : nil
  }
  /// How long it took to be delivered by the last peer that was not catching up; `nil` if nobody did.
  public var longestDelay: Interval? { deliveries > catchUps ? longest : nil }
  private var longest = Interval.zero
  /// Who delivered it, and who within ten seconds.
  private var delivered: [UInt64]
  private var deliveredSoon: [UInt64]

  init(peers: Int) {
    delivered = [UInt64](repeating: 0, count: (peers + 63) / 64)
    deliveredSoon = delivered
  }

  private static func place(of peer: Peer) -> (word: Int, bit: UInt64) {
    (Int(peer.index / 64), UInt64(1) << UInt64(peer.index % 64))
  }

  mutating func begin(_ identifier: MessageIdentifier, at now: Instant) {
    (self.identifier, sentAt) = (identifier, now)
    // The origin has it already.
    let (word, bit) = MessageRecord.place(of: identifier.origin)
    delivered[word] |= bit
  }

  /// Notes a delivery.
  ///
  /// - Parameters:
  ///   - peer: who delivered it.
  ///   - latency: how long after its sending.
  ///   - hops: how many the copy made.
  ///   - isCatchUp: whether the peer came, or came back, after the message was sent.
  /// - Returns: false if the peer had delivered the message before.
  mutating func deliver(to peer: Peer, after latency: Interval, hops: Int, isCatchUp: Bool) -> Bool {
    let (word, bit) = MessageRecord.place(of: peer)
    guard delivered[word] & bit == 0 else { return false }
    delivered[word] |= bit
    if latency <= .seconds(10) { deliveredSoon[word] |= bit }
    deliveries += 1
    if isCatchUp {
      catchUps += 1
    } else {
      totalDelay = totalDelay + latency
      longest = max(longest, latency)
    }
    lastHop = max(lastHop, hops)
    return true
  }

  /// Whether a peer delivered the message, or broadcast it.
  func hasDelivered(_ peer: Peer) -> Bool {
    let (word, bit) = MessageRecord.place(of: peer)
    return delivered[word] & bit != 0
  }

  mutating func forget(_ peer: Peer) {
    let (word, bit) = MessageRecord.place(of: peer)
    delivered[word] &= ~bit
    deliveredSoon[word] &= ~bit
  }

  /// Relative message redundancy: copies / deliveries − 1; `nil` if nobody delivered.
  public var redundancy: Double? {
    deliveries > 0 ? Double(payloadMessages) / Double(deliveries) - 1 : nil
  }

  /// The redundancy that new links do not explain: each begins in the tree and brings its two ends a copy.
  var redundancyOfOldLinks: Double? { redundancy.map { $0 - Double(newLinkEnds) / Double(deliveries) } }

  /// The share of the given peers that delivered the message, ever and within ten seconds; the sender is
  /// left out.
  ///
  /// - Parameter judged: whether each peer counts: it was correct and alive from the sending to the end.
  func reliability(among judged: [Bool]) -> (ever: Double, soon: Double)? {
    guard let sender else { return nil }
    var (all, ever, soon) = (0, 0, 0)
    for i in judged.indices where judged[i] && i != sender.index {
      all += 1
      if delivered[i / 64] >> UInt64(i % 64) & 1 != 0 { ever += 1 }
      if deliveredSoon[i / 64] >> UInt64(i % 64) & 1 != 0 { soon += 1 }
    }
    return all == 0 ? (1, 1) : (Double(ever) / Double(all), Double(soon) / Double(all))
  }
}

/// The way one message took: for drawings.
public struct DeliveryTrace: Sendable {
  /// Which message this is.
  public let message: Int
  /// Its sender.
  public internal(set) var root: Peer?
  /// From whom each peer got its first copy.
  public private(set) var parents: [Int?]
  /// How long that took, in milliseconds.
  public private(set) var milliseconds: [Double?]
  /// How many hops the copy made.
  public private(set) var hops: [Int?]

  init(message: Int, peers: Int) {
    self.message = message
    // A drawing shows a few thousand peers; a million would take more than their protocol state.
    let traced = peers <= 200_000 ? peers : 0
    parents = [Int?](repeating: nil, count: traced)
    milliseconds = [Double?](repeating: nil, count: traced)
    hops = [Int?](repeating: nil, count: traced)
  }

  mutating func deliver(to peer: Peer, from sender: Peer, after latency: Interval, hops count: Int) {
    let i = Int(peer.index)
    guard i < parents.count, parents[i] == nil else { return }
    parents[i] = Int(sender.index)
    milliseconds[i] = latency.inMilliseconds
    hops[i] = count
  }
}
