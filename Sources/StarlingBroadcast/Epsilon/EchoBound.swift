import StarlingCore

/// How probably Echo Broadcast fails (thesis, section 4.4.3; the bounds are those of Guerraoui et al. 2019).
///
/// Every sum is over F, the number of Byzantine processes in one echo sample.
struct EchoBound {
  /// C.
  let correct: Int
  /// The share of Byzantine processes, f.
  let byzantine: Double
  /// E.
  let sample: Int
  /// Ê.
  let threshold: Int

  /// The probability that some correct process has too few correct processes in its sample to hear Ê echoes, or,
  /// with probability `gossip`, that the message does not reach all: ε of total validity.
  func totalValidity(gossip: Double) -> Double {
    let deaf = Binomial(draws: sample, probability: byzantine).atLeast(sample - threshold + 1)
    return gossip + (1 - gossip) * atLeastOne(of: Double(correct), probability: deaf)
  }

  /// The probability that somebody's sample holds Ê Byzantine processes, which can make it deliver anything.
  private var poisoned: Double {
    atLeastOne(
      of: Double(correct), probability: Binomial(draws: sample, probability: byzantine).atLeast(threshold))
  }

  /// h(x, F): a bound on the probability that a share x of the correct processes can give Ê echoes together with F
  /// Byzantine members of a sample.
  private func reach(_ share: Double, _ byzantineMembers: Int) -> Double {
    let missing = Double(threshold - byzantineMembers)
    let others = Double(sample - byzantineMembers)
    if share <= 0 { return missing > 0 ? 0 : 1 }
    guard missing > 0, share <= (missing - missing.squareRoot()) / others else { return 1 }
    let mean = others * share
    return min(1, exponential(missing - mean + missing * naturalLogarithm(mean / missing)))
  }

  /// The values of F that are followed, with their probabilities, and the probability of those that are not.
  private var members: (range: ClosedRange<Int>, masses: [Double], left: Double) {
    let draws = Binomial(draws: sample, probability: byzantine)
    let center = min(threshold, Int(Double(sample) * byzantine))
    var (low, high) = (center, center)
    while low > 0, draws.mass(low - 1) > 1e-34 { low -= 1 }
    while high < threshold, draws.mass(high + 1) > 1e-34 { high += 1 }
    let left = draws.fewerThan(low) + (high == threshold ? 0 : draws.atLeast(high + 1))
    return (low...high, (low...high).map { draws.mass($0) }, left)
  }

  /// The probability that two correct processes deliver different messages, at most: ε of consistency.
  ///
  /// The sum over L, the number of processes that echoed the first message when one first delivered it, is exact up to
  /// `exactUpTo` correct processes. Beyond, the values of L are taken together in blocks: the factor φ̃ falls as L
  /// grows, so its value at the beginning of a block is above all of the block's. (Why it falls: given F, the share of
  /// echoes at which a process delivers is the (Ê−F)-th smallest of E−F uniform numbers, a Beta(Ê−F, E−Ê+1) variable.
  /// These are ordered in F by likelihood ratio, so who delivers late, or not yet, has fewer Byzantine members in its
  /// sample; and h rises in F and falls in L.)
  func consistency(exactUpTo: Int = 4_096, blocks: Int = 1_024) -> Double {
    let (range, masses, left) = members
    let step = correct <= exactUpTo ? 1 : (correct + blocks - 1) / blocks
    let c = Double(correct)
    var sum = 0.0
    var firstBefore = 0.0
    // A(L − 1 | F), for the first L of a block.
    var reachedBefore = [Double](repeating: 0, count: masses.count)
    var begin = 1
    while begin <= correct {
      let end = min(correct, begin + step - 1)
      let first =
        end == correct ? 1 : atLeastOne(of: c, probability: min(1, deliveredFirst(end, range, masses, left)))
      // φ⁺ of the block's first L needs A(L | F) beside A(L − 1 | F).
      var later = (weighted: 0.0, all: 0.0)
      var none = (weighted: 0.0, all: 0.0)
      var reached = [Double](repeating: 0, count: masses.count)
      for (index, members) in range.enumerated() where members < threshold {
        let echoes = Binomial(draws: sample - members, probability: Double(begin) / c)
        reached[index] = echoes.atLeast(threshold - members)
        if step > 1 {
          reachedBefore[index] =
            Binomial(draws: sample - members, probability: Double(begin - 1) / c).atLeast(threshold - members)
        }
        let possible = reach(Double(correct - begin) / c, members) * masses[index]
        let gained = max(0, reached[index] - reachedBefore[index])
        later.weighted += possible * gained
        later.all += masses[index] * gained
        none.weighted += possible * (1 - reachedBefore[index])
        none.all += masses[index] * (1 - reachedBefore[index])
      }
      let plus = later.all > 0 ? min(1, later.weighted / later.all) : 1
      let minus = none.all > 0 ? min(1, none.weighted / none.all) : 1
      let second = plus >= 1 ? 1 : 1 - (1 - plus) * (1 - atLeastOne(of: c - 1, probability: minus))
      sum += second * max(0, first - firstBefore)
      firstBefore = first
      reachedBefore = reached
      begin = end + 1
    }
    return min(1, poisoned + sum + left * c)
  }

  /// ψ(L): the probability that a process can be made to deliver the first message when L processes echo it.
  private func deliveredFirst(_ echoing: Int, _ range: ClosedRange<Int>, _ masses: [Double], _ left: Double)
    -> Double
  {
    let share = Double(echoing) / Double(correct)
    let whole = Double(correct / echoing)
    let rest = Double(correct % echoing) / Double(correct)
    var sum = left
    for (index, members) in range.enumerated() {
      let tried = atLeastOne(of: whole, probability: reach(share, members))
      let remaining = reach(rest, members)
      sum += masses[index] * (tried + remaining - tried * remaining)
    }
    return sum
  }
}
