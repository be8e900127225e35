import StarlingBroadcast
import StarlingCore

/// Two batches that both may come to something. The liars in a process's samples are the same for both, so what becomes
/// of one says something about the other, and processes are drawn one by one. That happens to samples that are too
/// small, and hardly ever to others.
extension SampleEstimator {
  /// How many deliver the first batch, how many the second, and how many at least one, given who pcb.Delivers which.
  func pairOfDeliverers(
    _ first: Count, _ second: Count, _ alone: Convinced, _ random: inout some RandomSource
  ) -> (first: Int, second: Int, either: Int) {
    let inReady = liars(
      parameters.ready, readyLiars, parameters.readyThreshold, convinced: alone.ready, &random)
    let inDelivery = liars(
      parameters.delivery, deliveryLiars, parameters.deliveryThreshold, convinced: alone.delivery, &random)
    let told = population.told
    func deliver(_ isSeed: (Int) -> Bool, helps: (Int) -> Bool) -> [Bool] {
      let ready = infected(isSeed, inReady, helps, &random)
      let share = Double(ready) / Double(correct)
      return (0..<correct).map { i in
        let missing = parameters.deliveryThreshold - (helps(i) ? inDelivery[i] : 0)
        let draws = parameters.delivery - inDelivery[i]
        if missing <= 0 { return true }
        guard missing <= draws, ready > 0 else { return false }
        return random.smallest(missing, of: draws) < share
      }
    }
    // Whoever is told comes first; the seeds of the first batch are at the beginning of each part, those of the second at its end.
    let ones = deliver(
      { $0 < told ? $0 < first.told : $0 - told < first.untold }, helps: { $0 < told })
    let others = deliver(
      { $0 < told ? $0 >= told - second.told : $0 >= correct - second.untold },
      helps: { _ in isSecondTold })
    var counts = (first: 0, second: 0, either: 0)
    for i in 0..<correct {
      counts.first += ones[i] ? 1 : 0
      counts.second += others[i] ? 1 : 0
      counts.either += ones[i] || others[i] ? 1 : 0
    }
    return counts
  }

  /// How many liars each process has in its sample: those that they convince alone the threshold or more.
  private func liars(
    _ draws: Int, _ sampler: BinomialSampler, _ threshold: Int, convinced: [Int],
    _ random: inout some RandomSource
  ) -> [Int] {
    var counts = [Int](repeating: 0, count: correct)
    let share = Double(nodes - correct) / Double(nodes)
    for i in convinced { counts[i] = random.binomial(draws: draws, probability: share, atLeast: threshold) }
    for i in 0..<correct where counts[i] == 0 {
      repeat { counts[i] = sampler.draw(&random) } while counts[i] >= threshold
    }
    return counts
  }

  /// How many correct processes become ready.
  ///
  /// - Parameters:
  ///   - isSeed: who does whatever the others do.
  ///   - liars: how many Byzantine processes each has in its ready sample.
  ///   - helps: whom these tell that they are ready.
  private func infected(
    _ isSeed: (Int) -> Bool, _ liars: [Int], _ helps: (Int) -> Bool, _ random: inout some RandomSource
  ) -> Int {
    // By how many others must be ready first: how many processes.
    var thresholds = [Int](repeating: 0, count: correct + 1)
    for i in 0..<correct {
      let missing = parameters.readyThreshold - (helps(i) ? liars[i] : 0)
      let draws = parameters.ready - liars[i]
      if isSeed(i) || missing <= 0 {
        thresholds[0] += 1
      } else if missing <= draws {
        thresholds[min(correct, Int(random.smallest(missing, of: draws) * Double(correct)) + 1)] += 1
      }
    }
    var (infected, counted) = (thresholds[0], 0)
    while counted < infected {
      counted += 1
      infected += thresholds[counted]
    }
    return infected
  }
}
