import StarlingCore

/// Ω: the oracle that samples are drawn from (thesis, Assumption 7). It knows who can be sampled; which of them are, is
/// drawn from the process's private randomness.
public protocol SamplingOracle: Sendable {
  /// N: how many processes there are.
  var population: Int { get }
  /// One of them, by its position in 0 ..< `population`.
  func member(at position: Int) -> Peer
}

/// The processes 0 ..< N: the membership of a simulation.
@frozen
public struct NumberedMembership: SamplingOracle {
  /// N.
  public let population: Int

  /// - Parameter population: N.
  @inlinable
  public init(population: Int) { self.population = population }

  /// The peer of that number.
  @inlinable
  public func member(at position: Int) -> Peer { Peer(UInt32(position)) }
}

/// A known membership: a permissioned network.
@frozen
public struct ListedMembership: SamplingOracle {
  @usableFromInline let members: [Peer]

  /// - Parameter members: all processes, each once, this one among them.
  @inlinable
  public init(_ members: [Peer]) { self.members = members }

  /// How many there are.
  @inlinable
  public var population: Int { members.count }

  /// The member at a position.
  @inlinable
  public func member(at position: Int) -> Peer { members[position] }
}

/// A sample drawn with replacement: procedure SAMPLE of Algorithm 7. It is a multiset, and its members count as often
/// as they were drawn.
@frozen
public struct MultisetSample: Sendable {
  /// The distinct members in ascending order.
  public let members: [Peer]
  /// How often each was drawn.
  @usableFromInline let multiplicities: [UInt16]

  /// Draws `size` times, uniformly.
  @inlinable
  public init(size: Int, from oracle: some SamplingOracle, random: inout some RandomSource & ~Copyable) {
    var drawn: [UInt32] = []
    drawn.reserveCapacity(size)
    for _ in 0..<size { drawn.append(oracle.member(at: random.uniform(below: oracle.population)).index) }
    drawn.sort()
    var members: [Peer] = []
    var multiplicities: [UInt16] = []
    for index in drawn {
      if members.last?.index == index {
        multiplicities[multiplicities.count - 1] += 1
      } else {
        members.append(Peer(index))
        multiplicities.append(1)
      }
    }
    self.members = members
    self.multiplicities = multiplicities
  }

  /// The position of a distinct member; `nil` of a peer that was not drawn.
  @inlinable
  public func position(of peer: Peer) -> Int? {
    var (low, high) = (0, members.count)
    while low < high {
      let middle = (low + high) / 2
      if members[middle].index < peer.index { low = middle + 1 } else { high = middle }
    }
    return low < members.count && members[low] == peer ? low : nil
  }

  /// How often the member at a position was drawn.
  @inlinable
  public func multiplicity(at position: Int) -> Int { Int(multiplicities[position]) }
}

extension SamplingOracle {
  /// Includes each process with the same probability, independently of the others: the gossip sample.
  ///
  /// Algorithm 6 draws Poisson(G) distinct processes instead. That is not the Erdős–Rényi graph of its proof, and at
  /// small N fails more often than the bound (README).
  @inlinable
  public func independentSample(
    probability: Double, random: inout some RandomSource & ~Copyable
  ) -> [Peer] {
    var sample: [Peer] = []
    if probability >= 1 { return (0..<population).map { member(at: $0) } }
    guard probability > 0 else { return sample }
    // The gaps between members are geometric, so that the work is the sample's size and not N.
    let logAbsent = logarithmOfOnePlus(-probability)
    var position = -1
    while true {
      let gap = naturalLogarithm(1 - random.unit()) / logAbsent
      guard gap < Double(population - position) else { return sample }
      position += 1 + Int(gap)
      guard position < population else { return sample }
      sample.append(member(at: position))
    }
  }
}

extension MultisetSample {
  /// Everybody, each once: what a quorum is counted among.
  @inlinable
  public init(all oracle: some SamplingOracle) {
    members = (0..<oracle.population).map { oracle.member(at: $0) }.sorted { $0.index < $1.index }
    multiplicities = [UInt16](repeating: 1, count: members.count)
  }
}
