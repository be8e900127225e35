import StarlingBroadcast
import StarlingCore
import StarlingSimulator

/// Figures for docs/claims.md that no command of `starling` gives.
func settleClaims(runs: Int) {
  contagionThreshold()
  gossipThreshold(runs: runs)
  poissonSamples(runs: 100 * runs)
  attacks(runs: 100 * runs)
}

/// With how many ready at first everybody becomes ready.
private func contagionThreshold() {
  say("contagion among 1,024 correct processes, R = 100: how probably all become ready")
  for threshold in [20, 40] {
    var row = "R̂ = \(threshold):"
    for seeds in stride(from: 20, through: 320, by: 20) {
      let (rest, _) = Contagion(nodes: 1_024, population: 1_024 - seeds, sample: 100, threshold: threshold)
        .restAfter(seeds: seeds)
      row += " \(seeds) seeds \(digits(rest[1_024]));"
    }
    say(row)
  }
}

/// From which G on gossip reaches all.
private func gossipThreshold(runs: Int) {
  say("gossip among N correct processes: the share of \(runs) broadcasts that reached all")
  for nodes in [128, 1_024, 8_192] {
    var row = "N = \(nodes):"
    for expected in 1...10 {
      var random = Xoshiro256(seed: UInt64(expected))
      let parameters = SecureBroadcastParameters(
        gossip: expected, echo: 1, echoThreshold: 1, ready: 1, readyThreshold: 1, delivery: 1,
        deliveryThreshold: 1)
      // One echo of everybody reached is always heard where all are reached.
      let estimator = SampleEstimator(
        nodes: nodes, byzantine: 0, parameters: parameters, isSecure: false, adversary: .mute)
      let reached = (0..<runs).filter { _ in !estimator.attack(&random).isInvalid }.count
      row += " G \(expected): \(digits(Double(reached) / Double(runs)));"
    }
    say(row)
  }
}

/// How often gossip leaves somebody out, by how its samples are drawn.
private func poissonSamples(runs: Int) {
  say("gossip that leaves a correct process out, \(runs) graphs each")
  for (nodes, byzantine, expected) in [(50, 5, 4.0), (200, 20, 5.0), (800, 80, 6.0)] {
    let bound = EpsilonCalculator(nodes: nodes, byzantine: Double(byzantine) / Double(nodes))
      .gossipTotality(Int(expected))
    var row = "N = \(nodes), G = \(Int(expected)), bound \(digits(bound)):"
    for law in GossipLaw.allCases {
      var random = Xoshiro256(seed: 1)
      let trials = max(1, runs * 50 / nodes)
      let failures = (0..<trials).filter { _ in
        !law.isConnected(nodes: nodes, correct: nodes - byzantine, expected: expected, &random)
      }.count
      let seen = FailureFrequency(failures: failures, trials: trials)
      row +=
        " \(law.rawValue) \(digits(seen.frequency)) (\(digits(seen.interval.lowerBound)) to \(digits(seen.interval.upperBound)));"
    }
    say(row)
  }
}

/// How a gossip sample is drawn.
private enum GossipLaw: String, CaseIterable {
  case independent, poissonDistinct = "Poisson distinct", poissonRepeated = "Poisson with repetition"

  func isConnected(nodes: Int, correct: Int, expected: Double, _ random: inout Xoshiro256) -> Bool {
    var parent = Array(0..<correct)
    func root(_ i: Int) -> Int {
      var i = i
      while parent[i] != i {
        parent[i] = parent[parent[i]]
        i = parent[i]
      }
      return i
    }
    var parts = correct
    for i in 0..<correct {
      for j in sample(nodes, expected, &random) where j < correct {
        let (a, b) = (root(i), root(j))
        if a != b {
          parent[a] = b
          parts -= 1
        }
      }
    }
    return parts == 1
  }

  private func sample(_ nodes: Int, _ expected: Double, _ random: inout Xoshiro256) -> [Int] {
    if self == .independent { return (0..<nodes).filter { _ in random.chance(expected / Double(nodes)) } }
    var (count, left) = (0, exponential(-expected))
    var mass = left
    let u = random.unit()
    while u >= left, count < nodes {
      count += 1
      mass *= expected / Double(count)
      left += mass
    }
    return self == .poissonDistinct
      ? random.sample(count, below: nodes) : (0..<count).map { _ in random.uniform(below: nodes) }
  }
}

/// What different attacks on Echo Broadcast's consistency come to, on the same samples.
private func attacks(runs: Int) {
  say(
    "chance to split Echo Broadcast: f, E/Ê, bound, one after another, poisoned first, best division, halves")
  for (nodes, share, sample, threshold) in [
    (1_024, 0.1, 40, 26), (1_024, 0.1, 50, 36), (1_024, 0.1, 60, 45), (1_024, 0.15, 60, 42),
    (1_024, 0.15, 120, 88),
    (128, 0.1, 50, 38), (1_024, 0.1, 451, 351),
  ] {
    let calculator = EpsilonCalculator(nodes: nodes, byzantine: share)
    func estimator(_ adversary: SecureConduct) -> SampleEstimator {
      SampleEstimator(
        nodes: nodes, byzantine: calculator.byzantine,
        parameters: SecureBroadcastParameters(
          gossip: 20, echo: sample, echoThreshold: threshold, ready: 1, readyThreshold: 1, delivery: 1,
          deliveryThreshold: 1), isSecure: false, adversary: adversary)
    }
    let ordered = estimator(.equivocate)
    let poisoned = estimator(.equivocatePoisoned)
    var random = Xoshiro256(seed: 1)
    let split = (0..<runs).filter { _ in poisoned.attack(&random).isInconsistent }.count
    let seen = FailureFrequency(failures: split, trials: runs)
    let divisions = (1..<ordered.correct).compactMap { ordered.chanceOfSplit(given: $0) }
    say(
      "\(nodes) \(share) \(sample)/\(threshold): \(calculator.echoConsistency(sample, threshold: threshold));"
        + " \(ordered.chanceOfEquivocation ?? 0); \(seen.frequency) (\(seen.interval.lowerBound) to"
        + " \(seen.interval.upperBound)); \(divisions.max() ?? 0);"
        + " \(ordered.chanceOfSplit(given: ordered.correct / 2) ?? 0)")
  }
}
