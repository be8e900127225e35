import Glibc
import StarlingBroadcast
import StarlingCore
import StarlingSimulator

/// Draws what the guide shows.
///
/// - Parameter wanted: which of gossip, echo, ready and cost; none for all.
/// - Returns: whether all files were written.
func drawPlots(into folder: String, measuredUpTo largest: Int, wanted: [String]) -> Bool {
  for (name, plot) in [
    ("gossip", gossipPlot), ("echo", echoPlot), ("ready", readyPlot),
  ] where wanted.isEmpty || wanted.contains(name) {
    guard write(plot().svg(), to: "\(folder)/epsilon-\(name).svg") else { return false }
  }
  guard wanted.isEmpty || wanted.contains("cost") else { return true }
  let (cost, hops) = costPlots(measuredUpTo: largest)
  return write(cost.svg(), to: "\(folder)/epsilon-cost.svg")
    && write(hops.svg(), to: "\(folder)/epsilon-hops.svg")
}

private func write(_ text: String, to path: String) -> Bool {
  guard let file = fopen(path, "w") else {
    say("\(path) could not be written: \(String(cString: strerror(errno))).")
    return false
  }
  fputs(text, file)
  fclose(file)
  say(path)
  return true
}

private let probability = "probability of failure"

private func sample(_ x: Int, _ failures: Int, of trials: Int) -> Diagram.Sample {
  let seen = FailureFrequency(failures: failures, trials: trials)
  return Diagram.Sample(x: Double(x), y: seen.frequency, interval: seen.interval)
}

// MARK: How often it fails

/// Gossip, message by message.
private func gossipPlot() -> Diagram {
  let (nodes, byzantine) = (100, 0.1)
  let calculator = EpsilonCalculator(nodes: nodes, byzantine: byzantine)
  var series: [Diagram.Series] = []
  series.append(
    Diagram.Series(
      "the bound", style: .line, color: 0,
      points: (2...16).map { Diagram.Sample(x: Double($0), y: calculator.gossipTotality($0)) }))
  let measured = (2...8).map { expected in
    var scenario = SecureScenario()
    (scenario.nodes, scenario.byzantine, scenario.broadcast) = (nodes, byzantine, .gossip(expected))
    let runs = expected < 6 ? 2_000 : 20_000
    var tally = AttackTally()
    for number in 0..<runs { tally.add(scenario.attack(number: number)) }
    say("gossip G = \(expected): \(tally.invalid) of \(runs), bound \(calculator.gossipTotality(expected))")
    return sample(expected, tally.invalid, of: runs)
  }
  series.append(
    Diagram.Series(
      "measured, with the 95% interval", style: .dots, color: 1, points: measured))
  return Diagram(
    "Gossip: how often somebody never hears of a message",
    subtitle: "100 processes, 10 of them silent; totality of Erdős–Rényi Gossip",
    x: Diagram.Axis(linear: "G, the expected gossip sample", 2...16),
    y: Diagram.Axis(powersOfTen: probability, -10...0),
    series: series)
}

private func parameters(
  gossip: Int = 20, echo: (Int, Int), ready: (Int, Int, Int, Int) = (1, 1, 1, 1)
) -> SecureBroadcastParameters {
  SecureBroadcastParameters(
    gossip: gossip, echo: echo.0, echoThreshold: echo.1, ready: ready.0, readyThreshold: ready.1,
    delivery: ready.2, deliveryThreshold: ready.3)
}

/// Draws attacks until so many succeeded, or there were enough.
private func estimate(_ estimator: SampleEstimator, _ failures: (AttackTally) -> Int) -> (Int, of: Int) {
  var tally = AttackTally()
  while tally.attacks < 300_000, tally.attacks < 10_000 || failures(tally) < 1_000 {
    var random = Xoshiro256(seed: SplitMix64.mix(UInt64(tally.attacks)))
    tally.add(estimator.attack(&random))
  }
  return (failures(tally), of: tally.attacks)
}

/// Echo Broadcast, by its samples.
private func echoPlot() -> Diagram {
  let (nodes, byzantine) = (1_024, 0.1)
  let calculator = EpsilonCalculator(nodes: nodes, byzantine: byzantine)
  func threshold(_ sample: Int) -> Int { sample * 4 / 5 }
  func estimator(_ sample: Int, _ adversary: SecureConduct) -> SampleEstimator {
    SampleEstimator(
      nodes: nodes, byzantine: calculator.byzantine,
      parameters: parameters(echo: (sample, threshold(sample))), isSecure: false, adversary: adversary)
  }
  let samples = Array(stride(from: 20, through: 620, by: 20))
  func curve(_ value: (Int) -> Double) -> [Diagram.Sample] {
    samples.map { Diagram.Sample(x: Double($0), y: value($0)) }
  }
  func measured(
    _ samples: [Int], _ adversary: SecureConduct, _ failures: @escaping (AttackTally) -> Int
  ) -> [Diagram.Sample] {
    samples.map {
      let (count, trials) = estimate(estimator($0, adversary), failures)
      say("echo E = \($0) \(adversary.rawValue): \(count) of \(trials)")
      return sample($0, count, of: trials)
    }
  }
  return Diagram(
    "Echo Broadcast: how often it fails",
    subtitle: "1,024 processes, 103 of them Byzantine; a threshold of .8 E, gossip sample 20",
    x: Diagram.Axis(linear: "E, the echo sample", 0...620),
    y: Diagram.Axis(powersOfTen: probability, -10...0),
    series: [
      Diagram.Series(
        "consistency: the bound", style: .line, color: 0,
        points: curve { calculator.echoConsistency($0, threshold: threshold($0)) }),
      Diagram.Series(
        "total validity: the bound", style: .line, color: 1,
        points: curve { calculator.echoTotalValidity($0, threshold: threshold($0), gossip: 0) }),
      Diagram.Series(
        "attack equivocate: exact", style: .dashed, color: 0,
        points: curve { estimator($0, .equivocate).chanceOfEquivocation ?? 0 }),
      Diagram.Series(
        "liars silent, drawn", style: .dots, color: 1,
        points: measured([40, 80, 120, 160, 200, 240], .mute) { $0.invalid }),
      Diagram.Series(
        "attack equivocate, drawn", style: .dots, color: 0,
        points: measured([20, 40, 60, 80], .equivocate) { $0.inconsistent }),
      Diagram.Series(
        "attack equivocate-poisoned, drawn", style: .dots, color: 2,
        points: measured([25, 45, 65, 85], .equivocatePoisoned) { $0.inconsistent }),
    ])
}

/// Ready Broadcast, by its samples.
private func readyPlot() -> Diagram {
  let (nodes, byzantine) = (1_024, 0.1)
  let calculator = EpsilonCalculator(nodes: nodes, byzantine: byzantine)
  func all(_ delivery: Int) -> SecureBroadcastParameters {
    func part(_ share: Double) -> Int { Int((share * Double(delivery)).rounded()) }
    return parameters(echo: (500, 400), ready: (part(0.6), part(0.25), delivery, part(0.75)))
  }
  let samples = Array(stride(from: 20, through: 400, by: 20))
  func measured(
    _ adversary: SecureConduct, _ failures: @escaping (AttackTally) -> Int
  ) -> [Diagram.Sample] {
    samples.prefix(9).map {
      let estimator = SampleEstimator(
        nodes: nodes, byzantine: calculator.byzantine, parameters: all($0), isSecure: true,
        adversary: adversary)
      let (count, trials) = estimate(estimator, failures)
      say("ready D = \($0) \(adversary.rawValue): \(count) of \(trials)")
      return sample($0, count, of: trials)
    }
  }
  return Diagram(
    "Ready Broadcast: how often some deliver and others do not",
    subtitle: "1,024 processes, 103 of them Byzantine; D̂ = .75 D, R = .6 D, R̂ = .25 D; echo sample 500",
    x: Diagram.Axis(linear: "D, the delivery sample", 0...400),
    y: Diagram.Axis(powersOfTen: probability, -10...0),
    series: [
      Diagram.Series(
        "totality: the bound", style: .line, color: 0,
        points: samples.map { Diagram.Sample(x: Double($0), y: calculator.failures(all($0)).readyTotality) }),
      Diagram.Series(
        "attack partial, drawn", style: .dots, color: 0, points: measured(.partial) { $0.divided }),
      Diagram.Series(
        "liars silent, a correct sender, drawn", style: .dots, color: 1,
        points: measured(.mute) { $0.invalid }),
    ])
}

// MARK: What it costs

/// Messages a process, and hops, at one ε.
private func costPlots(measuredUpTo largest: Int) -> (cost: Diagram, hops: Diagram) {
  let (byzantine, target) = (0.1, 1e-10)
  var secure: [Diagram.Sample] = []
  var measured: [Diagram.Sample] = []
  var bracha: [Diagram.Sample] = []
  var (mean, most): ([Diagram.Sample], [Diagram.Sample]) = ([], [])
  let sizes = [128, 256, 512, 1_024, 2_048, 4_096, 8_192, 16_384, 32_768, 65_536]
  say(
    "| N | G | E/Ê | R/R̂ | D/D̂ | epsilon | messages a process | measured | Bracha | hops: mean | most |")
  say("|---|---|---|---|---|---|---|---|---|---|---|")
  for nodes in sizes {
    let calculator = EpsilonCalculator(nodes: nodes, byzantine: byzantine)
    guard let parameters = calculator.smallestParameters(target: target) else { continue }
    let x = Double(nodes)
    let cost = BroadcastCost.secure(nodes: nodes, parameters)
    let quorum = BroadcastCost.bracha(nodes: nodes)
    secure.append(Diagram.Sample(x: x, y: cost))
    bracha.append(Diagram.Sample(x: x, y: quorum))
    var row = "| \(nodes) | \(parameters.gossip) | \(parameters.echo)/\(parameters.echoThreshold)"
    row += " | \(parameters.ready)/\(parameters.readyThreshold)"
    row += " | \(parameters.delivery)/\(parameters.deliveryThreshold)"
    row += " | \(calculator.failures(parameters).epsilon) | \(Int(cost.rounded()))"
    if nodes <= largest {
      var scenario = SecureScenario()
      (scenario.nodes, scenario.byzantine, scenario.messages) = (nodes, byzantine, nodes > 4_096 ? 1 : 5)
      scenario.senders = 5
      scenario.broadcast = .secure(parameters)
      let report = scenario.run()
      let sent = report.messagesPerProcess?.mean ?? 0
      measured.append(Diagram.Sample(x: x, y: sent))
      mean.append(Diagram.Sample(x: x, y: report.latencyHops?.mean ?? 0))
      most.append(Diagram.Sample(x: x, y: Double(report.latencyHops?.max ?? 0)))
      row +=
        " | \(Int(sent.rounded())) | \(Int(quorum.rounded())) | \(digits(report.latencyHops?.mean ?? 0, 1))"
      row += " | \(Int(report.latencyHops?.max ?? 0)) |"
    } else {
      row += " | | \(Int(quorum.rounded())) | | |"
    }
    say(row)
  }
  let ticks = sizes
  var cost = Diagram(
    "What a broadcast costs: messages a process sends",
    subtitle: "ε = 1e-10 with a tenth Byzantine, subscriptions not counted; both axes logarithmic",
    x: Diagram.Axis(logarithmic: "N, processes", ticks: ticks),
    y: Diagram.Axis(
      logarithmic: "messages a process", ticks: [100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000]),
    series: [
      Diagram.Series("probabilistic secure broadcast, computed", style: .line, color: 0, points: secure),
      Diagram.Series("Bracha's broadcast, computed", style: .line, color: 1, points: bracha),
      Diagram.Series("probabilistic secure broadcast, measured", style: .dots, color: 0, points: measured),
    ])
  cost.marks =
    crossing(secure, bracha).map { [(x: $0.x, y: $0.y, text: "equal at N ≈ \(Int($0.x.rounded()))")] } ?? []
  let hops = Diagram(
    "How long a broadcast takes: hops until a process delivers",
    subtitle: "ε = 1e-10, a tenth Byzantine and silent; measured message by message, delays of 50 ms ± 10 ms",
    x: Diagram.Axis(logarithmic: "N, processes", ticks: ticks), y: Diagram.Axis(linear: "hops", 0...10),
    series: [
      Diagram.Series("mean of all processes and broadcasts", style: .line, color: 0, points: mean),
      Diagram.Series("the most of any", style: .line, color: 1, points: most),
      Diagram.Series("", style: .dots, color: 0, points: mean),
      Diagram.Series("", style: .dots, color: 1, points: most),
    ])
  return (cost, hops)
}

/// Where two curves meet, on straight lines between their points in logarithms.
private func crossing(_ one: [Diagram.Sample], _ other: [Diagram.Sample]) -> (x: Double, y: Double)? {
  for i in one.indices.dropLast() {
    let before = naturalLogarithm(one[i].y / other[i].y)
    let after = naturalLogarithm(one[i + 1].y / other[i + 1].y)
    guard before > 0, after <= 0 else { continue }
    let share = before / (before - after)
    func between(_ a: Double, _ b: Double) -> Double {
      exponential(naturalLogarithm(a) + share * (naturalLogarithm(b) - naturalLogarithm(a)))
    }
    return (between(one[i].x, one[i + 1].x), between(one[i].y, one[i + 1].y))
  }
  return nil
}
