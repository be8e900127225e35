import StarlingCore

/// Where threshold contagion comes to rest: the process by which readiness spreads (thesis, section 4.5.3).
///
/// Let the infected be looked at one after another. A process that is not infected yet has, of its ready sample of R
/// draws from N processes, Bin(R, t/N) among the first t that were looked at, whichever those are: the order is chosen
/// without knowledge of the draws that remain. So the number t at which it is infected has the distribution
/// F(t) = T(R, t/N, R̂), and those numbers are independent (the argument of Janson, Łuczak, Turova and Vallier 2012
/// for bootstrap percolation). Contagion rests at t when everyone that is infected has been looked at. A chain of one
/// counter, the infected that were not looked at yet, therefore says exactly what the chain over (infected, infected
/// in the last step) says, in a ⅟N-th of its states.
package struct Contagion {
  /// N.
  package let nodes: Int
  /// The processes that can be infected beside the seeds.
  package let population: Int
  /// R.
  package let sample: Int
  /// R̂.
  package let threshold: Int

  /// F(t) for t = 0…count.
  private func infectedBy(_ count: Int) -> [(reached: Double, left: Double)] {
    (0...count).map {
      let draws = Binomial(draws: sample, probability: Double($0) / Double(nodes))
      return (draws.atLeast(threshold), draws.fewerThan(threshold))
    }
  }

  /// States of less probability are not followed; their probability is reported as lost.
  package var negligible = 1e-32

  package init(nodes: Int, population: Int, sample: Int, threshold: Int, negligible: Double = 1e-32) {
    (self.nodes, self.population) = (nodes, population)
    (self.sample, self.threshold, self.negligible) = (sample, threshold, negligible)
  }

  /// The distribution of the number that is infected in the end, when `seeds` processes are infected at first.
  ///
  /// - Returns: for each g from 0 to `seeds` + `population` the probability of ending there, and the probability that
  ///   was not followed.
  package func restAfter(seeds: Int) -> (rest: [Double], lost: Double) {
    run(seeds: seeds, reseed: false)
  }

  /// How probable it is that contagion ever rests at g, when it is started with one process and, whenever it rests,
  /// one more of those that are left is infected.
  ///
  /// A rest at g happens at most once, since every further seed makes g grow. Σ_n P[γ(…, n, …) = g] of the bounds is
  /// therefore this probability, with one exception: when all are infected (g = population), the sum over n counts
  /// that one rest once for each n that is left.
  func restsWhileSeeding() -> (rest: [Double], lost: Double) {
    run(seeds: 0, reseed: true)
  }

  private func run(seeds: Int, reseed: Bool) -> (rest: [Double], lost: Double) {
    let end = seeds + population
    let table = infectedBy(end)
    var rest = [Double](repeating: 0, count: end + 1)
    var lost = 0.0
    // The index is the number of infected that were not looked at yet.
    var current = [Double](repeating: 0, count: end + 2)
    var next = current
    var (low, high) = (seeds, seeds)
    current[seeds] = 1
    for t in 0..<end {
      let left = table[t].left
      let hazard = left > 0 ? max(0, (left - table[t + 1].left) / left) : 1
      // Where hardly any is left the complement would cancel.
      let precise = table[t].reached < 0.5 ? max(0, table[t + 1].reached - table[t].reached) / left : hazard
      let survival = left > 0 ? table[t + 1].left / left : 0
      var (nextLow, nextHigh) = (Int.max, -1)
      for pending in low...high {
        let mass = current[pending]
        current[pending] = 0
        if mass == 0 { continue }
        if mass < negligible {
          lost += mass
          continue
        }
        var infected = pending
        if pending == 0 {
          rest[t] += mass
          guard reseed else { continue }
          infected = 1
        }
        let others = end - t - infected
        func add(_ k: Int, _ share: Double) {
          let index = infected - 1 + k
          next[index] += mass * share
          nextLow = min(nextLow, index)
          nextHigh = max(nextHigh, index)
        }
        if others <= 0 {
          add(0, 1)
          continue
        }
        let draws = Binomial(draws: others, probability: precise, complement: survival)
        let mode = min(others, Int(Double(others + 1) * precise))
        let peak = draws.mass(mode)
        let cut = negligible / mass
        var term = peak
        var k = mode
        while term > cut {
          add(k, term)
          if k == others { break }
          term *= Double(others - k) / Double(k + 1) * (precise / survival)
          k += 1
        }
        term = peak
        k = mode
        while k > 0 {
          term *= Double(k) / Double(others - k + 1) * (survival / precise)
          k -= 1
          if term <= cut { break }
          add(k, term)
        }
        // Each number that was left out has a probability below the cut.
        lost += negligible * Double(others)
      }
      if nextHigh < 0 { return (rest, lost) }
      swap(&current, &next)
      (low, high) = (nextLow, nextHigh)
    }
    rest[end] += current[0]
    return (rest, lost)
  }
}
