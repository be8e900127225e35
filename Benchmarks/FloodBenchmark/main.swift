import StarlingSimulator
import StarlingCore
#if canImport(Glibc)
import Glibc
#endif
var s = BroadcastScenario()
let a = CommandLine.arguments
var i = 1
var runs = 1
while i + 1 < a.count {
  let v = a[i+1]
  switch a[i] {
  case "--nodes": s.nodes = Int(v)!
  case "--messages": s.messages = Int(v)!
  case "--senders": s.senders = Int(v)!
  case "--scamp-c": s.extraCopies = Int(v)!
  case "--loss": s.loss = Double(v)!
  case "--seed": s.seed = UInt64(v)!
  case "--join-rate": s.joinRate = Int(v)!
  case "--runs": runs = Int(v)!
  case "--thr": s.broadcast = .tree(pruneThreshold: Int(v)!)
  case "--broadcast": s.broadcast = v == "flood" ? .flood : v == "gossip" ? .gossip(fanout: 3) : .tree(pruneThreshold: 1)
  default: print("?", a[i])
  }
  i += 2
}
for r in 0..<runs {
  s.seed += r > 0 ? 1 : 0
  let t0 = clock()
  let report = s.run()
  let cpu = Double(clock() - t0) / 1e6
  var u = rusage(); getrusage(0, &u)
  if runs == 1 { print(report.json(cost: .init(cpuSeconds: cpu, wallSeconds: cpu, peakBytes: u.ru_maxrss * 1024)).text(indented: true)) }
  else { let d = Distribution(report.viewSizes)!; print(s.seed, d.mean / report.viewLaw, d.stddev, d.p1, d.min, report.components, report.strongComponents, report.reliabilityMinimum, report.redundancy ?? -1) }
}
