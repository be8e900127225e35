import StarlingCore

/// A lossy network on which faults are put and taken off while it runs: cuts between groups of peers, bursts of
/// loss, repeated messages, slow peers. Without faults it costs a branch more than a ``LossyNetwork``.
public struct FaultyNetwork: NetworkModel, ~Copyable, Sendable {
  /// A cut of the network, given out by ``FaultyNetwork/cut(_:oneWay:)``.
  public struct Cut: Hashable, Sendable {
    fileprivate let bit: UInt16
  }

  @usableFromInline let base: LossyNetwork
  /// Whether any fault is on: the one question that a network without faults asks.
  @usableFromInline var isFaulty = false
  private let capacity: Int
  /// For each peer, a bit for each cut at whose first side it is; empty before the first cut.
  private var sides: [UInt16] = []
  private var cuts: UInt16 = 0
  private var oneWayCuts: UInt16 = 0
  /// How much longer each peer's messages take, in nanoseconds; empty before there is a slow peer.
  private var slowness: [Int64] = []
  private var bursts: LossBursts?
  private var secondCopies = 0.0

  /// - Parameters:
  ///   - base: what happens to messages whatever the faults.
  ///   - capacity: how many peers there will be at most.
  public init(_ base: consuming LossyNetwork, capacity: Int) {
    self.base = base
    self.capacity = capacity
  }

  /// Draws the message's fate.
  @inlinable
  public mutating func delay(
    from sender: Peer, to receiver: Peer, at now: Instant, random: inout Xoshiro256
  ) -> Interval? {
    if isFaulty { return faultyDelay(from: sender, to: receiver, at: now, random: &random) }
    return base.delay(from: sender, to: receiver, at: now, random: &random)
  }

  /// Draws whether the message comes twice. The second copy takes a delay of its own.
  @inlinable
  public mutating func delayOfSecondCopy(
    from sender: Peer, to receiver: Peer, at now: Instant, random: inout Xoshiro256
  ) -> Interval? {
    if isFaulty, repeats(&random) {
      return faultyDelay(from: sender, to: receiver, at: now, random: &random)
    }
    return nil
  }

  @usableFromInline
  func repeats(_ random: inout Xoshiro256) -> Bool { secondCopies > 0 && random.chance(secondCopies) }

  @usableFromInline
  mutating func faultyDelay(
    from sender: Peer, to receiver: Peer, at now: Instant, random: inout Xoshiro256
  ) -> Interval? {
    if !sides.isEmpty {
      let (from, to) = (sides[Int(sender.index)], sides[Int(receiver.index)])
      if (from ^ to) & cuts != 0 || from & ~to & oneWayCuts != 0 { return nil }
    }
    if bursts?.isLosing(to: receiver, at: now, random: &random) == true { return nil }
    guard let delay = base.delay(from: sender, to: receiver, at: now, random: &random) else { return nil }
    return slowness.isEmpty ? delay : delay + Interval(nanoseconds: slowness[Int(sender.index)])
  }

  /// Where a peer is, if delays depend on it.
  public func place(of peer: Peer) -> Place? { base.place(of: peer) }

  /// The same network once more.
  public func copy() -> FaultyNetwork {
    var copy = FaultyNetwork(base.copy(), capacity: capacity)
    copy.isFaulty = isFaulty
    (copy.sides, copy.cuts, copy.oneWayCuts) = (sides, cuts, oneWayCuts)
    (copy.slowness, copy.bursts, copy.secondCopies) = (slowness, bursts, secondCopies)
    return copy
  }
}

// MARK: - Putting faults on and taking them off

extension FaultyNetwork {
  /// Cuts some peers off from all others: what either side sends to the other is lost, or, one way, what these
  /// peers send to the others. Peers that join later are on the other side.
  ///
  /// - Returns: the cut, to mend it; `nil` if there are sixteen cuts already.
  public mutating func cut(_ peers: [Peer], oneWay: Bool) -> Cut? {
    guard let free = (0..<16).first(where: { (cuts | oneWayCuts) >> UInt16($0) & 1 == 0 }) else { return nil }
    let bit = UInt16(1) << UInt16(free)
    if sides.isEmpty { sides = [UInt16](repeating: 0, count: capacity) }
    for i in sides.indices { sides[i] &= ~bit }
    for peer in peers { sides[Int(peer.index)] |= bit }
    if oneWay { oneWayCuts |= bit } else { cuts |= bit }
    isFaulty = true
    return Cut(bit: bit)
  }

  /// Mends a cut.
  public mutating func mend(_ cut: Cut) {
    cuts &= ~cut.bit
    oneWayCuts &= ~cut.bit
    if cuts | oneWayCuts == 0 { sides = [] }
    noteFaults()
  }

  /// Makes everything that some peers send take longer by this; zero ends it.
  public mutating func slowDown(_ peers: [Peer], by interval: Interval) {
    if slowness.isEmpty { slowness = [Int64](repeating: 0, count: capacity) }
    for peer in peers { slowness[Int(peer.index)] = interval.nanoseconds }
    if slowness.allSatisfy({ $0 == 0 }) { slowness = [] }
    noteFaults()
  }

  /// Makes every peer lose all that is sent to it in bursts; see ``LossBursts``. A share of 0 ends it.
  ///
  /// - Parameters:
  ///   - share: the share of time in which a peer is in a burst, below 1.
  ///   - meanLength: how long a burst is on average, more than zero.
  public mutating func setBursts(share: Double, meanLength: Interval) {
    bursts =
      share > 0 ? LossBursts(share: share, meanLength: meanLength, capacity: capacity) : nil
    noteFaults()
  }

  /// Makes the network deliver this share of the messages twice, 0 ... 1.
  public mutating func setSecondCopies(share: Double) {
    secondCopies = share
    noteFaults()
  }

  private mutating func noteFaults() {
    isFaulty = !sides.isEmpty || !slowness.isEmpty || bursts != nil || secondCopies > 0
  }
}
