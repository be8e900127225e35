import Glibc
import StarlingSimulator

// Compares how often secure broadcasts fail with what the bounds promise, and draws it:
//   check [gossip|echo|ready] [runs]   frequencies at weak samples, as a table; fails if one is above its bound
//   claims [runs]                      figures for docs/claims.md
//   plots FOLDER [largest N] [gossip|echo|ready|cost]
//                                            the pictures of the guide; whole-message runs up to that many processes
let words = CommandLine.arguments.dropFirst()
switch words.first {
case "check":
  let layers = words.compactMap(Setting.Layer.init)
  let runs = words.compactMap { Int($0) }.first ?? 10_000
  exit(check(layers.isEmpty ? Setting.Layer.allCases : layers, runs: runs) ? 0 : 1)
case "plots":
  guard words.count >= 2 else { exit(2) }
  let folder = words[words.startIndex + 1]
  let largest = words.compactMap { Int($0) }.first ?? 16_384
  exit(
    drawPlots(into: folder, measuredUpTo: largest, wanted: words.dropFirst(2).filter { Int($0) == nil })
      ? 0 : 1)
case "claims":
  settleClaims(runs: words.compactMap { Int($0) }.first ?? 1_000)
default:
  say("SecureStatistics check [gossip|echo|ready] [runs], plots FOLDER [largest N], or claims [runs]")
  exit(2)
}
