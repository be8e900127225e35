import StarlingBroadcast
import StarlingCore

@testable import StarlingSimulator

/// What `SampleEstimator` counts, drawn for one process after another: how many liars its samples hold, and how far the
/// adversary must go for its thresholds to be met. Slower, and plainer.
struct ProcessByProcess {
  /// C.
  let correct: Int
  private let nodes: Int
  private let parameters: SecureBroadcastParameters
  private let adversary: SecureConduct
  /// Whether Ready Broadcast stands on top of Echo Broadcast.
  private let isSecure: Bool
  private let echoLiars: BinomialSampler
  private let readyLiars: BinomialSampler
  private let deliveryLiars: BinomialSampler

  /// - Parameters:
  ///   - nodes: N, 2 or more.
  ///   - byzantine: how many of them are, fewer than N.
  ///   - parameters: samples and thresholds.
  ///   - isSecure: whether Ready Broadcast is judged, and not Echo Broadcast alone.
  ///   - adversary: what the Byzantine processes do.
  init(
    nodes: Int, byzantine: Int, parameters: SecureBroadcastParameters, isSecure: Bool,
    adversary: SecureConduct
  ) {
    precondition(nodes >= 2 && byzantine >= 0 && byzantine < nodes, "\(byzantine) of \(nodes) Byzantine")
    (self.nodes, correct) = (nodes, nodes - byzantine)
    (self.parameters, self.isSecure, self.adversary) = (parameters, isSecure, adversary)
    let share = Double(byzantine) / Double(nodes)
    echoLiars = BinomialSampler(draws: parameters.echo, probability: share)
    readyLiars = BinomialSampler(draws: parameters.ready, probability: share)
    deliveryLiars = BinomialSampler(draws: parameters.delivery, probability: share)
  }

  /// Draws the samples anew, and attacks.
  func attack(_ random: inout some RandomSource) -> AttackOutcome {
    let (first, second) = committed(&random)
    var outcome = AttackOutcome()
    let delivered = isSecure ? deliverers(first, second, &random) : (first, second)
    var (ones, others, either, both) = (0, 0, 0, 0)
    for i in 0..<correct {
      let (one, other) = (delivered.0[i], delivered.1[i])
      ones += one ? 1 : 0
      others += other ? 1 : 0
      either += one || other ? 1 : 0
      both += one && other ? 1 : 0
    }
    // One process that could deliver both is not two that deliver differently.
    outcome.isInconsistent = ones > 0 && others > 0 && !(either == 1 && both == 1)
    outcome.isDivided = either > 0 && either < correct
    outcome.isInvalid = adversary == .mute && either < correct
    return outcome
  }

  // MARK: Echo Broadcast

  /// Who pcb.Delivers the first batch, and who the second. Processes are numbered in the order in which the adversary
  /// comes to them.
  private func committed(_ random: inout some RandomSource) -> (first: [Bool], second: [Bool]) {
    if adversary == .mute { return (deliversFromCorrect(&random), [Bool](repeating: false, count: correct)) }
    var liars = (0..<correct).map { _ in echoLiars.draw(&random) }
    if adversary == .equivocatePoisoned { liars.sort(by: >) }
    /// How many must echo the first batch for it to be delivered ...
    var needed = [Int](repeating: .max, count: correct)
    /// ... and how many may at most for the second to be.
    var bearable = [Int](repeating: -1, count: correct)
    let size = Double(correct)
    for i in 0..<correct {
      let draws = parameters.echo - liars[i]
      let missing = parameters.echoThreshold - liars[i]
      if missing <= 0 {
        (needed[i], bearable[i]) = (0, correct)
      } else if missing <= draws {
        // The second needs `missing` of the draws among those that echo it: the rest may echo the first.
        let rest = draws - missing + 1
        let (low, high) = random.smallest(min(missing, rest), and: max(missing, rest), of: draws)
        needed[i] = Int((missing <= rest ? low : high) * size) + 1
        bearable[i] = Int((missing <= rest ? high : low) * size)
      }
    }
    let given = given(needed)
    let first = (0..<correct).map { $0 < given && needed[$0] <= given }
    let second = (0..<correct).map { $0 >= given && bearable[$0] >= given }
    return (first, second)
  }

  /// How many processes are given the first batch.
  private func given(_ needed: [Int]) -> Int {
    if adversary == .partial {
      return dividing(committing: parameters.echoShare, liars: nodes - correct, of: nodes, correct)
    }
    var given = correct
    for i in 0..<correct { given = min(given, max(i + 1, needed[i])) }
    return given
  }

  /// Who pcb.Delivers a correct sender's batch while the Byzantine processes are silent.
  private func deliversFromCorrect(_ random: inout some RandomSource) -> [Bool] {
    let reached = reachedByGossip(&random)
    let draws = BinomialSampler(draws: parameters.echo, probability: Double(reached) / Double(nodes))
    return (0..<correct).map { $0 < reached && draws.draw(&random) >= parameters.echoThreshold }
  }

  /// How many correct processes gossip reaches from a correct one, wave by wave.
  private func reachedByGossip(_ random: inout some RandomSource) -> Int {
    let inclusion = min(1, Double(parameters.gossip) / Double(nodes))
    let absent = (1 - inclusion) * (1 - inclusion)
    var (reached, wave) = (1, 1)
    while wave > 0, reached < correct {
      var missed = 1.0
      for _ in 0..<wave { missed *= absent }
      wave = BinomialSampler(draws: correct - reached, probability: 1 - missed).draw(&random)
      reached += wave
    }
    return reached
  }

  // MARK: Ready Broadcast

  /// Who can deliver each of two batches, given who pcb.Delivered them.
  private func deliverers(
    _ first: [Bool], _ second: [Bool], _ random: inout some RandomSource
  ) -> ([Bool], [Bool]) {
    // The liars in a process's samples are the same for both batches.
    let inReady = (0..<correct).map { _ in readyLiars.draw(&random) }
    let inDelivery = (0..<correct).map { _ in deliveryLiars.draw(&random) }
    func deliver(_ seeds: [Bool], helps: (Int) -> Bool) -> [Bool] {
      let ready = infected(seeds, inReady, helps, &random)
      let share = Double(ready) / Double(correct)
      return (0..<correct).map { i in
        let missing = parameters.deliveryThreshold - (helps(i) ? inDelivery[i] : 0)
        let draws = parameters.delivery - inDelivery[i]
        if missing <= 0 { return true }
        guard missing <= draws, ready > 0 else { return false }
        return random.smallest(missing, of: draws) < share
      }
    }
    switch adversary {
    case .mute, .spam: return (deliver(first) { _ in false }, second)
    case .equivocate, .equivocatePoisoned:
      return (deliver(first) { _ in true }, deliver(second) { _ in true })
    case .partial: return (deliver(first) { $0 % 2 == 0 }, deliver(second) { _ in false })
    }
  }

  /// How many correct processes become ready.
  ///
  /// - Parameters:
  ///   - seeds: who does whatever the others do.
  ///   - liars: how many Byzantine processes each has in its ready sample.
  ///   - helps: whom these tell that they are ready.
  private func infected(
    _ seeds: [Bool], _ liars: [Int], _ helps: (Int) -> Bool, _ random: inout some RandomSource
  ) -> Int {
    // By how many others must be ready first: how many processes.
    var thresholds = [Int](repeating: 0, count: correct + 1)
    var anybody = false
    for i in 0..<correct {
      let missing = parameters.readyThreshold - (helps(i) ? liars[i] : 0)
      let isSeed = seeds[i] || missing <= 0
      anybody = anybody || isSeed
      if isSeed { thresholds[0] += 1 }
    }
    guard anybody else { return 0 }
    for i in 0..<correct where !seeds[i] {
      let missing = parameters.readyThreshold - (helps(i) ? liars[i] : 0)
      let draws = parameters.ready - liars[i]
      guard missing > 0, missing <= draws else { continue }
      thresholds[min(correct, Int(random.smallest(missing, of: draws) * Double(correct)) + 1)] += 1
    }
    var (infected, counted) = (thresholds[0], 0)
    while counted < infected {
      counted += 1
      infected += thresholds[counted]
    }
    return infected
  }
}

extension RandomSource {
  /// Of so many numbers drawn uniformly from 0 ..< 1 those of two ranks, the lower one first; they may be equal.
  mutating func smallest(_ rank: Int, and other: Int, of draws: Int) -> (Double, Double) {
    let (first, second) = (gamma(rank), gamma(other - rank))
    let all = first + second + gamma(draws - other + 1)
    return (first / all, (first + second) / all)
  }
}
