import StarlingCore

/// The parameters of ``Brahms``, with the paper's names.
@frozen
public struct BrahmsConfiguration: Sendable {
  /// ℓ₁: how many peers a view has.
  public var viewSize: Int
  /// ℓ₂: how many samplers there are.
  public var sampleSize: Int
  /// α, β and γ: which shares of a view come from pushes, from pulls and from the samplers.
  public var shares = (pushed: 0.45, pulled: 0.45, sampled: 0.1)
  /// How long a round is (a guess: many times what a pull takes).
  public var round = Interval.seconds(10)
  /// How many samplers' peers are asked in a round whether they live, as a part of all (a guess).
  public var probedPart = 8
  /// After how many unanswered questions, one a round, a peer counts as dead (a guess).
  public var patience = 3

  /// The sizes for a network of about so many.
  ///
  /// - Parameters:
  ///   - population: N, 1 or more; a guess of it does.
  ///   - sampleSize: ℓ₂; as many as are to be drawn, so that each draw has a sampler of its own.
  public init(population: Int, sampleSize: Int) {
    // Of the order of ∛N, as the paper asks. The factor is a guess: at N = 300 a view of 27.
    var root = 1
    while root * root * root < population { root += 1 }
    viewSize = max(4 * root, 12)
    self.sampleSize = sampleSize
  }

  /// How many pushes a peer sends in a round, and how many it may receive: α·ℓ₁.
  @inlinable
  public var pushes: Int { Int((shares.pushed * Double(viewSize)).rounded()) }
  /// How many pulls a peer asks for in a round: β·ℓ₁.
  @inlinable
  public var pulls: Int { Int((shares.pulled * Double(viewSize)).rounded()) }
  /// How many of a view come from the samplers: γ·ℓ₁.
  @inlinable
  public var kept: Int { max(1, Int((shares.sampled * Double(viewSize)).rounded())) }
}
