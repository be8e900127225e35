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
    /// What each voter that refused anything refused last, and its multiplicity.
    @usableFromInline var partial: [Int: (refused: EntrySet, weight: Int)] = [:]
    /// The greatest number of hops of a vote.
    @usableFromInline var hops: UInt16 = 0

    @inlinable
    init(digest: Auth.Digest, signature: Auth.Signature) {
      self.digest = digest
      self.signature = signature
    }

    /// The positions of the entries that fewer than `threshold` accept, ascending.
    @inlinable
    func lacking(_ threshold: Int) -> [UInt16] {
      partial.isEmpty ? [] : EntrySet.lacking(threshold, of: weight, less: partial)
    }
  }

  @usableFromInline var candidates: [Candidate] = []
  /// For each member of the sample, `perVoter` places: one more than the positions of the candidates that it voted for;
  /// 0 is a vote that it still has.
  @usableFromInline var votes: [UInt16] = []
  @usableFromInline let perVoter: Int

  /// No votes.
  ///
  /// - Parameter perVoter: for how many digests one member may vote: 1 for echoes; more for ready messages, where a
  ///   member may be ready for several but a Byzantine one must not fill the memory.
  @inlinable
  public init(perVoter: Int = 1) { self.perVoter = perVoter }

  /// Takes a vote.
  ///
  /// A voter may vote again for the same digest, refusing less than before: it has become ready for more.
  ///
  /// - Parameters:
  ///   - vote: whose signature was checked.
  ///   - member: the voter's position in the sample.
  ///   - sample: whose members vote, the same at each call.
  /// - Returns: whether anything changed.
  @inlinable
  public mutating func take(_ vote: Vote<Auth>, from member: Int, in sample: MultisetSample) -> Bool {
    let weight = sample.multiplicity(at: member)
    let known = candidates.firstIndex { $0.digest == vote.digest }
    if let known, hasVoted(member, for: known) {
      guard let before = candidates[known].partial[member], vote.refused.count < before.refused.count else {
        return false
      }
      candidates[known].partial[member] = vote.refused.isEmpty ? nil : (EntrySet(vote.refused), weight)
      candidates[known].hops = max(candidates[known].hops, vote.hops)
      return true
    }
    let index = known ?? candidates.count
    guard hasRoom(for: member), index < Int(UInt16.max) else { return false }
    if votes.isEmpty { votes = [UInt16](repeating: 0, count: sample.members.count * perVoter) }
    for place in member * perVoter..<(member + 1) * perVoter where votes[place] == 0 {
      votes[place] = UInt16(index + 1)
      break
    }
    if known == nil { candidates.append(Candidate(digest: vote.digest, signature: vote.signature)) }
    candidates[index].weight += weight
    candidates[index].hops = max(candidates[index].hops, vote.hops)
    if !vote.refused.isEmpty { candidates[index].partial[member] = (EntrySet(vote.refused), weight) }
    return true
  }

  @inlinable
  func hasVoted(_ member: Int, for candidate: Int) -> Bool {
    guard !votes.isEmpty else { return false }
    for place in member * perVoter..<(member + 1) * perVoter where Int(votes[place]) == candidate + 1 {
      return true
    }
    return false
  }

  /// Whether a member may vote for one more digest. Asked before a signature is checked: a sender that lies can sign any
  /// number of digests, and who votes for all of them costs no more checks than votes that it has.
  @inlinable
  public func hasRoom(for member: Int) -> Bool {
    votes.isEmpty || votes[(member + 1) * perVoter - 1] == 0
  }

  /// Whether anybody has voted for the digest, so that the sender's signature of it was checked already.
  @inlinable
  public func knows(_ digest: Auth.Digest) -> Bool { candidates.contains { $0.digest == digest } }

  /// Who voted for the digest.
  @inlinable
  public func voters(of digest: Auth.Digest, in sample: MultisetSample) -> [Peer] {
    guard let candidate = candidates.firstIndex(where: { $0.digest == digest }) else { return [] }
    return sample.members.indices.filter { hasVoted($0, for: candidate) }.map { sample.members[$0] }
  }

  /// Whether so many have voted for the digest, whatever they refuse.
  @inlinable
  public func meets(_ threshold: Int, for digest: Auth.Digest) -> Bool {
    candidates.contains { $0.digest == digest && $0.weight >= threshold }
  }

  /// The positions of the entries that fewer than `threshold` votes for the digest accept; `nil` when fewer have voted
  /// for it at all.
  @inlinable
  public func outcome(of digest: Auth.Digest, threshold: Int) -> VoteOutcome? {
    guard let candidate = candidates.firstIndex(where: { $0.digest == digest }),
      candidates[candidate].weight >= threshold
    else { return nil }
    return VoteOutcome(lacking: candidates[candidate].lacking(threshold), hops: candidates[candidate].hops)
  }
}

/// What became of a vote.
@usableFromInline
enum VoteFate: Sendable { case counted, ignored, forged }

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

/// Positions of entries of a batch, a bit for each: 128 bytes at most, whatever a liar refuses.
@usableFromInline
struct EntrySet: Sendable {
  @usableFromInline var words: [UInt64]

  /// - Parameter positions: ascending, below ``BatchLimits/entries``.
  @inlinable
  init(_ positions: [UInt16]) {
    words = [UInt64](repeating: 0, count: positions.last.map { Int($0) >> 6 + 1 } ?? 0)
    for position in positions { words[Int(position) >> 6] |= 1 << UInt64(position & 63) }
  }

  /// The positions that are accepted by fewer than `threshold` of `weight` votes, less those that refuse them. Not a part of
  /// what is generic, where each step would look up types.
  @inlinable
  static func lacking(
    _ threshold: Int, of weight: Int, less refusals: [Int: (refused: EntrySet, weight: Int)]
  ) -> [UInt16] {
    var refusing = [Int](repeating: 0, count: BatchLimits.entries)
    for (refused, weight) in refusals.values {
      for position in refused.positions { refusing[Int(position)] += weight }
    }
    var lacking: [UInt16] = []
    for position in 0..<BatchLimits.entries where weight - refusing[position] < threshold {
      lacking.append(UInt16(position))
    }
    return lacking
  }

  @inlinable
  var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

  /// Ascending.
  @inlinable
  var positions: [UInt16] {
    var positions: [UInt16] = []
    for (index, word) in words.enumerated() {
      var rest = word
      while rest != 0 {
        positions.append(UInt16(index << 6 + rest.trailingZeroBitCount))
        rest &= rest - 1
      }
    }
    return positions
  }
}
