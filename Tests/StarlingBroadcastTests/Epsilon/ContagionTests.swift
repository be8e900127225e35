import StarlingCore
import StarlingTestSupport
import Testing

@testable import StarlingBroadcast

/// The chain that readiness is followed by, against the one that the paper prints and against contagion itself.
struct ContagionTests {
  /// γ(N, R, l, K, S, R̂) as printed: K rounds that infect S fresh processes each, in states (infected, infected in the
  /// last step).
  private func printedChain(
    nodes: Int, sample: Int, link: Double, rounds: Int, fresh: Int, threshold: Int
  ) -> [Double] {
    var resting = [Double](repeating: 0, count: nodes + 1)
    resting[0] = 1
    for _ in 0..<rounds {
      var states = [[Double]](repeating: [Double](repeating: 0, count: nodes + 1), count: nodes + 1)
      var next = [Double](repeating: 0, count: nodes + 1)
      for n in 0...nodes where resting[n] > 0 {
        let seeds = min(fresh, nodes - n)
        states[n + seeds][seeds] += resting[n]
      }
      for n in 0...nodes {
        for u in stride(from: nodes, through: 0, by: -1) where states[n][u] > 0 {
          if u == 0 || n == nodes {
            next[n] += states[n][u]
            continue
          }
          let before = link * Double(n - u) / Double(nodes)
          let already = Binomial(draws: sample, probability: before)
          var w = 0.0
          for v in 0..<threshold {
            let rest = Binomial(
              draws: sample - v, probability: link * Double(u) / (Double(nodes) - link * Double(n - u)))
            w += already.mass(v) / already.fewerThan(threshold) * rest.atLeast(threshold - v)
          }
          let draws = Binomial(draws: nodes - n, probability: w)
          for more in 0...(nodes - n) { states[n + more][more] += states[n][u] * draws.mass(more) }
        }
      }
      resting = next
    }
    return resting
  }

  @Test(
    "Following one infected process after another ends where the printed chain does", arguments: [1, 5, 12])
  func rest(seeds: Int) {
    let nodes = 40
    let printed = printedChain(nodes: nodes, sample: 9, link: 1, rounds: 1, fresh: seeds, threshold: 3)
    let (rest, lost) = Contagion(nodes: nodes, population: nodes - seeds, sample: 9, threshold: 3)
      .restAfter(seeds: seeds)
    #expect(lost < 1e-20)
    for g in 0...nodes { #expect((rest[g] - printed[g]).magnitude < 1e-12, "rest at \(g)") }
  }

  @Test("Resting while seeding is the printed chain summed over the number of seeds, each rest counted once")
  func seeding() {
    let correct = 30
    let nodes = 36
    let (rest, _) = Contagion(nodes: nodes, population: correct, sample: 8, threshold: 3).restsWhileSeeding()
    var sums = [Double](repeating: 0, count: correct + 1)
    var all = 0.0
    for seeds in 1...correct {
      let printed = printedChain(
        nodes: correct, sample: 8, link: Double(correct) / Double(nodes), rounds: seeds, fresh: 1,
        threshold: 3)
      for g in 1..<correct { sums[g] += printed[g] }
      all = max(all, printed[correct])
    }
    for g in 1..<correct { #expect((rest[g] - sums[g]).magnitude < 1e-10, "rest at \(g)") }
    #expect((rest[correct] - all).magnitude < 1e-12)
  }

  @Test("Contagion among drawn samples rests where the chain says")
  func simulated() {
    var random = testRandom()
    let (nodes, seeds, sample, threshold, runs) = (60, 6, 10, 3, 20_000)
    var counts = [Int](repeating: 0, count: nodes + 1)
    for _ in 0..<runs {
      // For each process the members of its sample; the first `seeds` processes are infected.
      let samples = (0..<nodes).map { _ in (0..<sample).map { _ in random.uniform(below: nodes) } }
      var infected = (0..<nodes).map { $0 < seeds }
      var changed = true
      while changed {
        changed = false
        for i in 0..<nodes where !infected[i] && samples[i].count(where: { infected[$0] }) >= threshold {
          infected[i] = true
          changed = true
        }
      }
      counts[infected.count { $0 }] += 1
    }
    let (rest, _) = Contagion(nodes: nodes, population: nodes - seeds, sample: sample, threshold: threshold)
      .restAfter(seeds: seeds)
    for g in 0...nodes {
      let expected = rest[g] * Double(runs)
      let deviation = (expected * (1 - rest[g])).squareRoot()
      #expect((Double(counts[g]) - expected).magnitude <= 5 * deviation + 1, "rest at \(g), \(replay)")
    }
  }
}
