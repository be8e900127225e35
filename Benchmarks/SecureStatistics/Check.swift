import Glibc
import StarlingBroadcast
import StarlingCore
import StarlingSimulator

/// Runs broadcasts message by message at settings where they fail often, and compares how often they did with the bound.
///
/// - Returns: whether no frequency is above its bound, its interval considered.
func check(_ layers: [Setting.Layer], runs: Int) -> Bool {
  var holds = true
  say(
    "| layer | N | f | samples/thresholds | property | attack | bound | sent, with the 95% interval | 10,000 drawn |"
  )
  say("|---|---|---|---|---|---|---|---|---|")
  for layer in layers {
    for setting in Setting.all(of: layer) {
      for judgement in setting.judgements(of: layer) {
        guard (0.01...0.5).contains(judgement.bound) else {
          say(
            "| \(layer.rawValue) | \(setting.text(layer)) | \(judgement.property): bound \(judgement.bound) |"
          )
          continue
        }
        // What is above its bound by chance is not when it is counted again, ten times as long.
        for (attempt, runs) in [runs, 10 * runs].enumerated() {
          let scenario = setting.scenario(layer, judgement.adversary, seed: UInt64(attempt + 1))
          var tally = AttackTally()
          for number in 0..<runs { tally.add(scenario.attack(number: number)) }
          let sent = FailureFrequency(failures: judgement.failures(tally), trials: runs)
          let drawn = scenario.estimator.map { draw($0, judgement, seed: scenario.seed) }
          let lows = [sent.interval.lowerBound, drawn?.interval.lowerBound ?? 0]
          let isKept = lows.allSatisfy { $0 <= judgement.bound }
          let drawnText = drawn.map { text($0) } ?? ""
          say(
            "| \(layer.rawValue) | \(setting.nodes) | \(setting.byzantine) | \(setting.text(layer)) | \(judgement.property)"
              + " | \(judgement.adversary.rawValue) | \(digits(judgement.bound)) | \(text(sent)) of \(runs)"
              + " | \(drawnText) |\(isKept ? "" : " **above**")")
          if isKept { break }
          holds = holds && attempt == 0
        }
      }
    }
  }
  return holds
}

/// Judges as many attacks by samples.
private func draw(
  _ estimator: SampleEstimator, _ judgement: Setting.Judgement, seed: UInt64
) -> FailureFrequency {
  var random = Xoshiro256(seed: seed)
  var tally = AttackTally()
  for _ in 0..<10_000 { tally.add(estimator.attack(&random)) }
  return FailureFrequency(failures: judgement.failures(tally), trials: 10_000)
}

private func text(_ seen: FailureFrequency) -> String {
  "\(digits(seen.frequency)) (\(digits(seen.interval.lowerBound)) to \(digits(seen.interval.upperBound)))"
}

/// A number with so many decimals, without the zero before them.
func digits(_ value: Double, _ decimals: Int = 4) -> String {
  var unit = 1
  for _ in 0..<decimals { unit *= 10 }
  let scaled = Int((value * Double(unit)).rounded())
  let (whole, fraction) = (scaled / unit, String(scaled % unit))
  if scaled % unit == 0, whole > 0 { return "\(whole)" }
  return (whole > 0 ? "\(whole)" : "") + "."
    + String(repeating: "0", count: max(0, decimals - fraction.count)) + fraction
}

/// Writes a line at once, whoever reads it: runs take minutes.
func say(_ line: String) {
  let bytes = Array((line + "\n").utf8)
  _ = bytes.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
}
