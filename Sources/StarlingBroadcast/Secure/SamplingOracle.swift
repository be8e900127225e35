import StarlingCore

/// Ω: the oracle that samples are drawn from (thesis, Assumption 7). It knows who can be sampled; which of them are, is
/// drawn from the process's private randomness.
public protocol SamplingOracle: Sendable {
  /// N: how many processes there are.
  var population: Int { get }
  /// One of them, by its position in 0 ..< `population`.
  func member(at position: Int) -> Peer
  /// So many of them, drawn uniformly with replacement.
  func draws(_ count: Int, random: inout some RandomSource & ~Copyable) -> [Peer]
}

extension SamplingOracle {
  /// Each drawn by its position.
  @inlinable
  public func draws(_ count: Int, random: inout some RandomSource & ~Copyable) -> [Peer] {
    (0..<count).map { _ in member(at: random.uniform(below: population)) }
  }
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

/// Uniform samples of a membership that nobody knows whole: what a Byzantine-tolerant sampler such as Brahms keeps.
///
/// Each sample serves as one draw, so a layer's sample is as good as if it had been drawn from all as long as there are
/// as many as it wants. They are not drawn anew each time: samples of two layers and of two epochs share members as long
/// as the sampler keeps them (README).
@frozen
public struct SampledMembership: SamplingOracle {
  @usableFromInline let samples: [Peer]
  /// N as estimated, or how many samples there are if these are more.
  public let population: Int

  /// - Parameters:
  ///   - samples: independent uniform samples, with repetitions; `nil` is answered if there are none.
  ///   - estimate: about how many processes there are.
  @inlinable
  public init?(_ samples: [Peer], estimate: Double) {
    guard !samples.isEmpty else { return nil }
    self.samples = samples
    // An estimate is a number from outside; what does not fit counts as no estimate.
    population = max(samples.count, estimate < 0x1p31 ? Int(max(estimate, 1)) : 0)
  }

  /// The sample at a position; they repeat from their end on.
  @inlinable
  public func member(at position: Int) -> Peer { samples[position % samples.count] }

  /// As many samples, each once while there are enough.
  @inlinable
  public func draws(_ count: Int, random: inout some RandomSource & ~Copyable) -> [Peer] {
    var drawn: [Peer] = []
    while drawn.count < count {
      drawn += random.sample(count - drawn.count, below: samples.count).map { samples[$0] }
    }
    return drawn
  }
}

/// A sample drawn with replacement: procedure SAMPLE of Algorithm 7. It is a multiset, and its members count as often
/// as they were drawn.
@frozen
public struct MultisetSample: Sendable {
  /// The distinct members in ascending order.
  public let members: [Peer]
  /// How often each was drawn.
  @usableFromInline let multiplicities: [UInt16]
  /// How many members there are, and what no member's handle reaches. Beside the arrays, so that a search goes straight to
  /// where a member must be: with many processes its cost is how often it waits for memory.
  @usableFromInline let count: Int
  @usableFromInline let bound: UInt64

  @inlinable
  init(members: [Peer], multiplicities: [UInt16]) {
    self.members = members
    self.multiplicities = multiplicities
    count = members.count
    bound = members.last.map { UInt64($0.index) + 1 } ?? 0
  }

  /// Draws `size` times, uniformly.
  @inlinable
  public init(size: Int, from oracle: some SamplingOracle, random: inout some RandomSource & ~Copyable) {
    let drawn = oracle.draws(size, random: &random).map(\.index).sorted()
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
    self.init(members: members, multiplicities: multiplicities)
  }

  /// The position of a distinct member; `nil` of a peer that was not drawn.
  @inlinable
  public func position(of peer: Peer) -> Int? {
    guard UInt64(peer.index) < bound else { return nil }
    // Handles are spread evenly, so the first look is near; from there in growing steps.
    var (low, high) = (0, count - 1)
    var guess = Int(UInt64(peer.index) * UInt64(count) / bound)
    var reach = 4
    while low < high {
      if members[guess].index < peer.index {
        low = guess + 1
        guess = min(guess + reach, (low + high) / 2)
      } else {
        high = guess
        guess = max(guess - reach, (low + high) / 2)
      }
      reach = min(4 * reach, count)
    }
    return members[low] == peer ? low : nil
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
    let everybody = (0..<oracle.population).map { oracle.member(at: $0) }.sorted { $0.index < $1.index }
    self.init(members: everybody, multiplicities: [UInt16](repeating: 1, count: everybody.count))
  }
}
