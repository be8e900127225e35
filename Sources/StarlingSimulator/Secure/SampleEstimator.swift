import StarlingBroadcast
import StarlingCore

/// What one attack on a secure broadcast achieved.
public struct AttackOutcome: Hashable, Sendable {
  /// Two correct processes delivered different batches.
  public var isInconsistent = false
  /// Some correct processes delivered and others did not.
  public var isDivided = false
  /// A correct sender's batch was not delivered by all correct processes.
  public var isInvalid = false

  /// Nothing went wrong.
  public init() {}
}

/// Judges attacks on probabilistic broadcast without sending a message: it draws how many correct processes commit, become
/// ready and deliver, from the distributions that random samples give these numbers.
///
/// Why that is enough: when the adversary has brought k correct processes to echo a batch, in whatever order that does
/// not look at samples, each of a process's E draws hears an echo if it fell on one of the liars or of those k, with
/// probability (N − C + k)/N, independently; so the process has its Ê echoes with probability T(E, (N − C + k)/N, Ê). Samples are drawn
/// independently, so what is known of some says nothing about the others, and processes with the same number of liars
/// in their samples need not be told apart: they are counted, not drawn one by one. The same holds of contagion by
/// readiness, which ends at the first g of which no more than g processes have their threshold below.
///
/// Against messages it errs in favour of the adversary, and by little: a process that could deliver either of two batches
/// counts as the adversary likes, and one's draws of oneself count as draws of anybody.
public struct SampleEstimator: Sendable {
  /// C.
  public let correct: Int
  let nodes: Int
  let parameters: SecureBroadcastParameters
  let adversary: SecureConduct
  /// Whether Ready Broadcast stands on top of Echo Broadcast.
  private let isSecure: Bool
  /// What the adversary can tell correct processes apart by, in the order in which it comes to them.
  private let classes: [SampleClass]
  /// F(t) of contagion: how probably t ready correct processes make one ready, with the liars' word and without.
  private let infection: (told: [Double], untold: [Double])
  /// How probably g ready correct processes make one deliver, with the liars' word and without.
  private let delivery: (told: [Double], untold: [Double])
  let readyLiars: BinomialSampler
  let deliveryLiars: BinomialSampler

  /// - Parameters:
  ///   - nodes: N, 2 or more.
  ///   - byzantine: how many of them are, fewer than N.
  ///   - parameters: samples and thresholds.
  ///   - isSecure: whether Ready Broadcast is judged, and not Echo Broadcast alone.
  ///   - adversary: what the Byzantine processes do.
  public init(
    nodes: Int, byzantine: Int, parameters: SecureBroadcastParameters, isSecure: Bool,
    adversary: SecureConduct
  ) {
    precondition(nodes >= 2 && byzantine >= 0 && byzantine < nodes, "\(byzantine) of \(nodes) Byzantine")
    (self.nodes, correct) = (nodes, nodes - byzantine)
    (self.parameters, self.isSecure, self.adversary) = (parameters, isSecure, adversary)
    let (nodeCount, correctCount) = (nodes, nodes - byzantine)
    classes =
      switch adversary {
      case .mute, .spam: []
      case .equivocate, .partial:
        [
          SampleClass(
            correct: correctCount, liars: byzantine, sample: parameters.echo, parameters.echoThreshold)
        ]
      case .equivocatePoisoned:
        SampleClass.byLiars(
          correct: correctCount, liars: byzantine, sample: parameters.echo, parameters.echoThreshold)
      }
    func met(_ sample: Int, _ threshold: Int, with liars: Int) -> [Double] {
      isSecure
        ? (0...correctCount).map {
          Binomial(draws: sample, probability: Double(liars + $0) / Double(nodeCount)).atLeast(threshold)
        } : []
    }
    infection = (
      met(parameters.ready, parameters.readyThreshold, with: byzantine),
      met(parameters.ready, parameters.readyThreshold, with: 0)
    )
    delivery = (
      met(parameters.delivery, parameters.deliveryThreshold, with: byzantine),
      met(parameters.delivery, parameters.deliveryThreshold, with: 0)
    )
    let share = Double(byzantine) / Double(nodes)
    readyLiars = BinomialSampler(draws: parameters.ready, probability: share)
    deliveryLiars = BinomialSampler(draws: parameters.delivery, probability: share)
  }

  /// Correct processes, counted by whether Byzantine ones tell them that they are ready for the first batch.
  struct Count: Hashable, Sendable {
    var told = 0
    var untold = 0

    var all: Int { told + untold }
  }

  /// Draws the samples anew, and attacks.
  public func attack(_ random: inout some RandomSource) -> AttackOutcome {
    let (first, second) = committed(&random)
    var outcome = AttackOutcome()
    // Nobody commits to two batches in Echo Broadcast.
    var (ones, others, either) = (first.all, second.all, first.all + second.all)
    var isOneForBoth = false
    if isSecure {
      let alone = convinced(&random)
      if second.all == 0, !isSecondTold || alone.isEmpty {
        ones = deliverers(of: readied(first, &random), &random)
        (others, either) = (0, ones)
      } else {
        let delivered = pairOfDeliverers(first, second, alone, &random)
        (ones, others, either) = (delivered.first, delivered.second, delivered.either)
        isOneForBoth = either == 1 && ones == 1 && others == 1
      }
    }
    // One process that could deliver both is not two that deliver differently.
    outcome.isInconsistent = ones > 0 && others > 0 && !isOneForBoth
    outcome.isDivided = either > 0 && either < correct
    outcome.isInvalid = adversary == .mute && either < correct
    return outcome
  }

  /// How many correct processes are told of readiness for the first batch.
  var population: Count {
    switch adversary {
    case .mute, .spam: Count(told: 0, untold: correct)
    case .equivocate, .equivocatePoisoned: Count(told: correct, untold: 0)
    case .partial: Count(told: (correct + 1) / 2, untold: correct / 2)
    }
  }

  /// Whether they are told of readiness for the second too.
  var isSecondTold: Bool { adversary == .equivocate || adversary == .equivocatePoisoned }

  /// Whom the Byzantine processes' word alone would make ready, and whom it would make deliver.
  struct Convinced {
    var ready: [Int]
    var delivery: [Int]

    var isEmpty: Bool { ready.isEmpty && delivery.isEmpty }
  }

  private func convinced(_ random: inout some RandomSource) -> Convinced {
    let ready = random.binomial(draws: correct, probability: infection.told[0])
    let delivery = random.binomial(draws: correct, probability: delivery.told[0])
    return Convinced(
      ready: random.sample(ready, below: correct), delivery: random.sample(delivery, below: correct))
  }

  // MARK: Echo Broadcast

  /// How many pcb.Deliver the first batch, and how many the second.
  private func committed(_ random: inout some RandomSource) -> (first: Count, second: Count) {
    switch adversary {
    case .mute, .spam:
      let reached = reachedByGossip(&random)
      let hears = Binomial(draws: parameters.echo, probability: Double(reached) / Double(nodes))
      let count = random.binomial(draws: reached, probability: hears.atLeast(parameters.echoThreshold))
      return (Count(told: 0, untold: count), Count())
    case .partial:
      let given = dividing(committing: parameters.echoShare, liars: nodes - correct, of: nodes, correct)
      func count(_ members: Int, _ echoing: Int) -> Int {
        random.binomial(draws: members, probability: classes[0].chance(echoing))
      }
      // Every second process is told, whichever batch it was given.
      let told = (given + 1) / 2
      let first = Count(told: count(told, given), untold: count(given - told, given))
      let rest = (correct + 1) / 2 - told
      let second = Count(
        told: count(rest, correct - given), untold: count(correct - given - rest, correct - given))
      return (first, second)
    case .equivocate, .equivocatePoisoned:
      let counts = classCounts(&random)
      let given = given(counts, &random)
      if given == correct { return (Count(told: correct), Count()) }
      let first = committedAt(given, counts, &random)
      var (second, position) = (0, 0)
      for (count, kind) in zip(counts, classes) {
        position += count
        let left = min(count, position - given)
        if left > 0 { second += random.binomial(draws: left, probability: kind.chance(correct - given)) }
      }
      return (Count(told: first), Count(told: second))
    }
  }

  /// How probably two correct processes pcb.Deliver different batches when the first is given to one process after
  /// another until somebody commits to it: exactly what `equivocate` comes to, however improbable. `nil` of an adversary
  /// that does something else.
  public var chanceOfEquivocation: Double? {
    guard adversary == .equivocate else { return nil }
    let kind = classes[0]
    var sum = 0.0
    for given in 1..<max(correct, 2) {
      let logBefore = Double(given - 1) * kind.logRefusing[given - 1]
      let logAfter = Double(given) * kind.logRefusing[given]
      let stops = exponential(logBefore) * -exponentialLessOne(logAfter - logBefore)
      sum += stops * chanceOfSecond(given)
    }
    return min(1, sum)
  }

  /// How probably two correct processes pcb.Deliver different batches when the first is given to `given` of them and the
  /// second to the rest, whatever comes of it. `nil` where liars in samples make a difference to the adversary.
  ///
  /// - Parameter given: 1 to C − 1.
  public func chanceOfSplit(given: Int) -> Double? {
    guard classes.count == 1, (1..<correct).contains(given) else { return nil }
    return -exponentialLessOne(Double(given) * classes[0].logRefusing[given]) * chanceOfSecond(given)
  }

  private func chanceOfSecond(_ given: Int) -> Double {
    -exponentialLessOne(Double(correct - given) * classes[0].logRefusing[correct - given])
  }

  /// How many processes of each class there are.
  private func classCounts(_ random: inout some RandomSource) -> [Int] {
    var left = correct
    return classes.map { kind in
      let count = random.binomial(draws: left, probability: kind.shareOfRest)
      left -= count
      return count
    }
  }

  /// How many processes are given the first batch until one of them commits to it.
  ///
  /// More than g are, if none of the first g commits when g echo: a falling function of g, which is inverted.
  private func given(_ counts: [Int], _ random: inout some RandomSource) -> Int {
    let limit = naturalLogarithm(random.unit())
    var (low, high) = (1, correct)
    while low < high {
      let middle = (low + high) / 2
      var (logNone, position) = (0.0, 0)
      for (count, kind) in zip(counts, classes) where position < middle && count > 0 {
        logNone += Double(min(count, middle - position)) * kind.logRefusing[middle]
        position += count
      }
      if logNone <= limit { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// How many of those that were given the first batch commit to it when the `given`-th echoes it: at least one, all
  /// but the last of whom did not when one fewer echoed.
  private func committedAt(_ given: Int, _ counts: [Int], _ random: inout some RandomSource) -> Int {
    var groups: [(count: Int, logRefusing: Double)] = []
    var position = 0
    for (count, kind) in zip(counts, classes) where position < given && count > 0 {
      let before = min(count, given - 1 - position)
      if before > 0 {
        groups.append((before, kind.logRefusing[given] - kind.logRefusing[given - 1]))
      }
      if position + count >= given { groups.append((1, kind.logRefusing[given])) }
      position += count
    }
    return random.someOf(groups)
  }

  /// How many correct processes gossip reaches from a correct one, wave by wave.
  private func reachedByGossip(_ random: inout some RandomSource) -> Int {
    let inclusion = min(1, Double(parameters.gossip) / Double(nodes))
    if inclusion == 1 { return correct }
    let logAbsent = 2 * logarithmOfOnePlus(-inclusion)
    var (reached, wave) = (1, 1)
    while wave > 0, reached < correct {
      wave = random.binomial(
        draws: correct - reached, probability: -exponentialLessOne(Double(wave) * logAbsent))
      reached += wave
    }
    return reached
  }

  // MARK: Ready Broadcast

  /// How many correct processes become ready for the first batch, when `seeds` do whatever the others do.
  private func readied(_ seeds: Count, _ random: inout some RandomSource) -> Int {
    var left = Count(told: population.told - seeds.told, untold: population.untold - seeds.untold)
    // Of how many the others have heard. Where both batches would have been told of, none is made ready by liars alone.
    var heard = isSecondTold ? 0 : nil
    var ready = seeds.all
    while heard != ready {
      func more(_ left: Int, _ table: [Double]) -> Int {
        let before = heard.map { table[$0] } ?? 0
        guard before < 1 else { return 0 }
        return random.binomial(draws: left, probability: (table[ready] - before) / (1 - before))
      }
      let (told, untold) = (more(left.told, infection.told), more(left.untold, infection.untold))
      heard = ready
      left.told -= told
      left.untold -= untold
      ready += told + untold
    }
    return ready
  }

  /// How many deliver when `ready` correct processes are.
  private func deliverers(of ready: Int, _ random: inout some RandomSource) -> Int {
    let alone = isSecondTold ? delivery.told[0] : 0
    let chance = alone < 1 ? (delivery.told[ready] - alone) / (1 - alone) : 0
    return random.binomial(draws: population.told, probability: chance)
      + random.binomial(draws: population.untold, probability: delivery.untold[ready])
  }
}

/// Processes whose echo samples hold as many liars, or processes of which nobody knows how many.
struct SampleClass: Sendable {
  /// Of those that belong to no class before this one, the share that belongs to it.
  let shareOfRest: Double
  /// The logarithm of the probability that one does not commit to a batch that so many correct processes echo, 0 to C.
  let logRefusing: [Double]

  /// The probability that one commits to a batch that so many correct processes echo.
  func chance(_ echoing: Int) -> Double { -exponentialLessOne(logRefusing[echoing]) }

  /// All processes.
  init(correct: Int, liars: Int, sample: Int, _ threshold: Int) {
    shareOfRest = 1
    logRefusing = SampleClass.logRefusing(draws: sample, threshold, among: liars + correct) { liars + $0 }
  }

  private init(shareOfRest: Double, logRefusing: [Double]) {
    (self.shareOfRest, self.logRefusing) = (shareOfRest, logRefusing)
  }

  /// Classes by the number of liars in their samples, the most first. Numbers that no draw would ever meet belong to
  /// the classes at the ends.
  static func byLiars(correct: Int, liars: Int, sample: Int, _ threshold: Int) -> [SampleClass] {
    let draws = Binomial(draws: sample, probability: Double(liars) / Double(liars + correct))
    let met = (0...sample).filter { draws.mass($0) > 1e-20 }
    guard let least = met.first, let most = met.last else { return [] }
    return (least...most).reversed().map { members in
      SampleClass(
        shareOfRest: members == least ? 1 : min(1, draws.mass(members) / draws.fewerThan(members + 1)),
        logRefusing: logRefusing(draws: sample - members, threshold - members, among: correct) { $0 })
    }
  }

  /// For so many of `count` that fulfil it: how improbably enough draws do.
  private static func logRefusing(
    draws: Int, _ threshold: Int, among count: Int, echoing: (Int) -> Int
  ) -> [Double] {
    var result: [Double] = []
    var k = 0
    while echoing(k) <= count {
      let binomial = Binomial(draws: draws, probability: Double(echoing(k)) / Double(count))
      let met = binomial.atLeast(threshold)
      result.append(
        met < 0.5 ? logarithmOfOnePlus(-met) : naturalLogarithm(binomial.fewerThan(threshold)))
      k += 1
    }
    return result
  }
}

/// To how many correct processes an adversary that wants to divide them gives a batch: so that about half of these can
/// commit to it.
///
/// - Parameter committing: by what share of all echoes a process commits.
func dividing(committing: Double, liars: Int, of nodes: Int, _ correct: Int) -> Int {
  let liarShare = Double(liars) / Double(nodes)
  let share = min(1, max(0, (committing - liarShare) / (1 - liarShare)))
  return Int((share * Double(correct)).rounded())
}
