import StarlingCore

/// How much of one sample has voted for what, in one instance. Members count as often as they were drawn, and each of
/// their words counts once.
@frozen
public struct VoteTally<Auth: SecureAuthenticator>: Sendable {
  @usableFromInline
  struct Candidate: Sendable {
    @usableFromInline let digest: Auth.Digest
    /// One signature of the sender under the digest: what the sender signed in several ways is one message still.
    @usableFromInline let signature: Auth.Signature
    /// The multiplicities of those who voted for it.
    @usableFromInline var weight = 0
    /// Who they are, a bit for each distinct member of the sample.
    @usableFromInline var voters: [UInt64]
    /// The multiplicities of those who refuse an entry, by its position, ascending.
    @usableFromInline var refusals: [(position: UInt16, weight: Int)] = []
    /// What each voter that refused anything refused last.
    @usableFromInline var partial: [Int: [UInt16]] = [:]
    /// The greatest number of hops of a vote.
    @usableFromInline var hops: UInt16 = 0

    @inlinable
    init(digest: Auth.Digest, signature: Auth.Signature, members: Int) {
      self.digest = digest
      self.signature = signature
      voters = [UInt64](repeating: 0, count: (members + 63) / 64)
    }

    @inlinable
    func hasVoted(_ member: Int) -> Bool { voters[member >> 6] >> UInt64(member & 63) & 1 == 1 }

    @inlinable
    mutating func add(_ refused: [UInt16], weight: Int) {
      for position in refused {
        let index = refusals.firstIndex { $0.position >= position } ?? refusals.count
        if index < refusals.count, refusals[index].position == position {
          refusals[index].weight += weight
        } else {
          refusals.insert((position, weight), at: index)
        }
      }
    }
  }

  @usableFromInline var candidates: [Candidate] = []

  /// No votes.
  @inlinable
  public init() {}

  /// Takes a vote.
  ///
  /// A voter may vote again for the same digest, refusing less than before: it has become ready for more.
  ///
  /// - Parameters:
  ///   - vote: whose signature was checked.
  ///   - member: the voter's position in the sample.
  ///   - perVoter: for how many digests one member may vote: 1 for echoes; more for ready messages, where a member may
  ///     be ready for several but a Byzantine one must not fill the memory.
  /// - Returns: whether anything changed.
  @inlinable
  public mutating func take(_ vote: Vote<Auth>, from member: Int, in sample: MultisetSample, perVoter: Int)
    -> Bool
  {
    let weight = sample.multiplicity(at: member)
    var index = candidates.firstIndex { $0.digest == vote.digest }
    if let index, candidates[index].hasVoted(member) {
      guard let before = candidates[index].partial[member], vote.refused.count < before.count else {
        return false
      }
      candidates[index].add(before, weight: -weight)
      candidates[index].add(vote.refused, weight: weight)
      candidates[index].partial[member] = vote.refused.isEmpty ? nil : vote.refused
      candidates[index].hops = max(candidates[index].hops, vote.hops)
      return true
    }
    guard candidates.count(where: { $0.hasVoted(member) }) < perVoter else { return false }
    if index == nil {
      candidates.append(
        Candidate(digest: vote.digest, signature: vote.signature, members: sample.members.count))
      index = candidates.count - 1
    }
    guard let index else { return false }
    candidates[index].weight += weight
    candidates[index].voters[member >> 6] |= 1 << UInt64(member & 63)
    candidates[index].hops = max(candidates[index].hops, vote.hops)
    if !vote.refused.isEmpty {
      candidates[index].add(vote.refused, weight: weight)
      candidates[index].partial[member] = vote.refused
    }
    return true
  }

  /// Whether anybody has voted for the digest, so that the sender's signature of it was checked already.
  @inlinable
  public func knows(_ digest: Auth.Digest) -> Bool { candidates.contains { $0.digest == digest } }

  /// Who voted for the digest.
  @inlinable
  public func voters(of digest: Auth.Digest, in sample: MultisetSample) -> [Peer] {
    guard let candidate = candidates.first(where: { $0.digest == digest }) else { return [] }
    return sample.members.indices.filter { candidate.hasVoted($0) }.map { sample.members[$0] }
  }

  /// The positions of the entries that fewer than `threshold` votes for the digest accept; `nil` when fewer have voted
  /// for it at all.
  @inlinable
  public func outcome(of digest: Auth.Digest, threshold: Int) -> VoteOutcome? {
    guard let candidate = candidates.first(where: { $0.digest == digest }), candidate.weight >= threshold
    else {
      return nil
    }
    return VoteOutcome(
      lacking: candidate.refusals.filter { candidate.weight - $0.weight < threshold }.map(\.position),
      hops: candidate.hops)
  }
}

/// What a threshold of votes says about a batch.
@frozen
public struct VoteOutcome: Sendable {
  /// The positions of the entries that have too few, ascending.
  public let lacking: [UInt16]
  /// The longest chain of messages behind the votes that counted.
  public let hops: UInt16

  @inlinable
  init(lacking: [UInt16], hops: UInt16) {
    self.lacking = lacking
    self.hops = hops
  }
}
