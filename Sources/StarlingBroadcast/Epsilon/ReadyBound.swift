import StarlingCore

/// How probably Ready Broadcast fails beyond what Echo Broadcast below it does (thesis, section 4.5.3; the bounds are
/// those of Guerraoui et al. 2019, evaluated by `Contagion`).
struct ReadyBound {
  /// N.
  let nodes: Int
  /// C.
  let correct: Int
  /// f.
  let byzantine: Double
  /// R and R̂.
  let ready: Int
  let readyThreshold: Int
  /// D and D̂.
  let delivery: Int
  let deliveryThreshold: Int

  /// The probability that the sender's own delivery sample is too Byzantine to deliver by.
  var deafSender: Double {
    Binomial(draws: delivery, probability: byzantine).atLeast(delivery - deliveryThreshold + 1)
  }

  private func atLeastOneDelivers(infected: Int) -> Double {
    let draws = Binomial(draws: delivery, probability: min(1, Double(infected) / Double(nodes)))
    return atLeastOne(of: Double(correct), probability: draws.atLeast(deliveryThreshold))
  }

  private func notAllDeliver(infected: Int) -> Double {
    let draws = Binomial(draws: delivery, probability: min(1, Double(infected) / Double(nodes)))
    return atLeastOne(of: Double(correct), probability: draws.fewerThan(deliveryThreshold))
  }

  /// The most processes for which contagion is followed exactly; above, upper bounds take its place.
  static let exactNodes = 4_096

  /// An upper bound on μ: somebody becomes ready, or delivers, on the word of the Byzantine processes alone.
  var spuriousAtMost: Double {
    let toReady = Binomial(draws: ready, probability: byzantine).atLeast(readyThreshold)
    let toDeliver = Binomial(draws: delivery, probability: byzantine).atLeast(deliveryThreshold)
    return min(1, Double(correct) * (toReady + toDeliver))
  }

  /// The probability that when all are ready somebody still does not deliver, for want of correct processes in its
  /// delivery sample.
  var resting: Double { notAllDeliver(infected: correct) }

  /// μ: the probability that a message that no correct process pcb.Delivered is delivered by one.
  var spurious: Double {
    if nodes > Self.exactNodes { return spuriousAtMost }
    let byzantineCount = nodes - correct
    let contagion = Contagion(
      nodes: nodes, population: correct, sample: ready, threshold: readyThreshold, negligible: 1e-150)
    let (rest, lost) = contagion.restAfter(seeds: byzantineCount)
    var sum = lost
    for g in byzantineCount...nodes where rest[g] > 0 { sum += rest[g] * atLeastOneDelivers(infected: g) }
    return min(sum, spuriousAtMost)
  }

  /// α(g): the probability that with g correct processes ready some correct process delivers, helped by all Byzantine
  /// ones, and some other does not, helped by none.
  private func divided(_ g: Int) -> Double {
    min(notAllDeliver(infected: g), atLeastOneDelivers(infected: g + nodes - correct))
  }

  /// ε_b: the probability that the adversary can bring readiness to rest where it divides the correct processes.
  ///
  /// Printed, the bound is Σ_n Σ_g P[γ(C, R, 1−f, n, 1, R̂) = g]·α(g). The adversary makes one process after another
  /// ready and may stop whenever it likes, so it fails to hold for a fixed n only; the sum over n is the union bound
  /// over all its chances to stop. Since it can stop at each g but once, that union is Σ_g P[rests at g]·α(g), where
  /// g = C counts once however many seeds are left. The maximum over n would be what an adversary reaches that must
  /// fix n beforehand.
  var divisible: Double {
    nodes <= Self.exactNodes ? divisibleExactly : divisibleAtMost
  }

  var divisibleExactly: Double {
    let contagion = Contagion(nodes: nodes, population: correct, sample: ready, threshold: readyThreshold)
    let (rest, lost) = contagion.restsWhileSeeding()
    var sum = lost
    for g in 1...correct where rest[g] > 0 { sum += rest[g] * divided(g) }
    return min(1, sum)
  }

  /// An upper bound: contagion can rest at g only if at most g of the C numbers at which processes are infected are at
  /// most g, which has probability P[Bin(C, F(g)) ≤ g], whatever the adversary does.
  ///
  /// The values of g are taken in blocks; in each, the two factors are bounded by their values at that end of the
  /// block where they are greater.
  var divisibleAtMost: Double {
    let step = max(1, correct / 4_096)
    var sum = resting
    var begin = 1
    while begin < correct {
      let end = min(correct - 1, begin + step - 1)
      let infected = Binomial(draws: ready, probability: Double(begin) / Double(nodes))
      let rests = Binomial(
        draws: correct, probability: infected.atLeast(readyThreshold),
        complement: infected.fewerThan(readyThreshold)
      ).fewerThan(end + 1)
      let divided = min(notAllDeliver(infected: begin), atLeastOneDelivers(infected: end + nodes - correct))
      sum += Double(end - begin + 1) * rests * divided
      if sum >= 1 { return 1 }
      begin = end + 1
    }
    return sum
  }
}
