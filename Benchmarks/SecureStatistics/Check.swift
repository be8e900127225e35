import Glibc
import StarlingBroadcast
import StarlingCore
import StarlingSimulator

/// Runs broadcasts message by message at settings where they fail often, and compares how often they did with the bound.
///
/// - Returns: whether no frequency is above its bound, its interval considered.
func check(_ layers: [Setting.Layer], runs: Int, seed firstSeed: UInt64) -> Bool {
  var holds = true
  say(
    "| layer | N | f | samples/thresholds | property | attack | bound | frequency | 95% interval |"
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
        for (runs, seed) in [(runs, firstSeed), (10 * runs, firstSeed + 1)] {
          let scenario = setting.scenario(layer, judgement.adversary, seed: seed)
          var tally = AttackTally()
          for number in 0..<runs { tally.add(scenario.attack(number: number)) }
          let seen = FailureFrequency(failures: judgement.failures(tally), trials: runs)
          let isKept = seen.interval.lowerBound <= judgement.bound
          let interval = "\(digits(seen.interval.lowerBound)) to \(digits(seen.interval.upperBound))"
          say(
            "| \(layer.rawValue) | \(setting.nodes) | \(setting.byzantine) | \(setting.text(layer)) | \(judgement.property)"
              + " | \(judgement.adversary.rawValue) | \(digits(judgement.bound)) | \(digits(seen.frequency)) of \(runs)"
              + " | \(interval)\(isKept ? "" : " **above**") |")
          if isKept { break }
          holds = holds && seed == firstSeed
        }
      }
    }
  }
  return holds
}

/// A probability with four decimals.
func digits(_ value: Double) -> String {
  let whole = String(Int((value * 10_000).rounded()))
  if value >= 0.999_95 { return "1" }
  return "." + String(repeating: "0", count: max(0, 4 - whole.count)) + whole
}

/// Writes a line at once, whoever reads it: runs take minutes.
func say(_ line: String) {
  let bytes = Array((line + "\n").utf8)
  _ = bytes.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
}
