// Flooding over SCAMP's graph: the protocol code that ships against a loop written by hand. Prints the ratio of
// deliveries per CPU-second; an arrival counts as a delivery whether it is the first or a duplicate.
//
//   FloodBenchmark [--nodes N]... [--messages M] [--runs R] [--only starling|baseline]

import Glibc
import StarlingCore

struct Options {
  var nodes: [Int] = []
  var messages = 0
  var runs = 5
  var only: String?

  init(_ arguments: [String]) {
    var rest = arguments[...]
    while let name = rest.popFirst() {
      guard let value = rest.popFirst() else { Options.fail("\(name) needs a value.") }
      switch (name, Int(value)) {
      case ("--nodes", let n?) where n > 1: nodes.append(n)
      case ("--messages", let n?) where (1...64).contains(n): messages = n
      case ("--runs", let n?) where n > 0: runs = n
      case ("--only", nil) where ["starling", "baseline"].contains(value): only = value
      default: Options.fail("\(name) \(value) is not understood; see the first lines of main.swift.")
      }
    }
    if nodes.isEmpty { nodes = [10_000, 100_000] }
  }

  static func fail(_ sentence: String) -> Never {
    let bytes = Array((sentence + "\n").utf8)
    _ = write(STDERR_FILENO, bytes, bytes.count)
    exit(2)
  }
}

func cpuSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Deliveries per CPU-second of one run.
func rate(_ deliveries: Int, since start: Double) -> Double { Double(deliveries) / (cpuSeconds() - start) }

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

func text(_ value: Double, digits: Int) -> String {
  var scale = 1.0
  for _ in 0..<digits { scale *= 10 }
  return "\((value * scale).rounded() / scale)"
}

let options = Options(Array(CommandLine.arguments.dropFirst()))
print("peers\tmessages\tstarling M/s\tbaseline M/s\tratio")
for peers in options.nodes {
  let messages = options.messages > 0 ? options.messages : max(1, min(64, 400_000 / peers))
  let graph = FloodGraph(peers: peers, seed: 1)
  var random = Xoshiro256(seed: 1)
  let delays = DelaySampler(
    .gaussian(mean: .milliseconds(50), deviation: .milliseconds(10)), peers: peers, random: &random)
  var starling: [Double] = []
  var baseline: [Double] = []
  for run in 0..<options.runs {
    let seed = UInt64(run + 1)
    let root = random.uniform(below: peers)
    if options.only != "baseline" {
      var flood = StarlingFlood(graph: graph, delays: delays, seed: seed)
      let before = flood.deliveries
      let start = cpuSeconds()
      for number in 0..<messages { flood.flood(UInt32(number), from: root) }
      starling.append(rate(flood.deliveries - before, since: start))
      guard flood.firstDeliveries == messages * (peers - 1) else {
        Options.fail("starling reached \(flood.firstDeliveries) of \(messages * (peers - 1)).")
      }
      if options.only != nil { print("deliveries \(flood.deliveries - before)") }
    }
    if options.only != "starling" {
      var flood = HandWrittenFlood(graph: graph, delays: delays, seed: seed)
      let start = cpuSeconds()
      var now: UInt64 = 0
      for number in 0..<messages { now = flood.flood(UInt32(number), from: root, at: now) }
      baseline.append(rate(flood.deliveries, since: start))
      guard flood.firstDeliveries == messages * (peers - 1), flood.hash != 0 else {
        Options.fail("the baseline reached \(flood.firstDeliveries) of \(messages * (peers - 1)).")
      }
      if options.only != nil { print("deliveries \(flood.deliveries)") }
    }
  }
  if options.only == nil {
    let (s, b) = (median(starling), median(baseline))
    print(
      "\(peers)\t\(messages)\t\(text(s / 1e6, digits: 2))\t\(text(b / 1e6, digits: 2))\t\(text(s / b, digits: 2))"
    )
  }
}
