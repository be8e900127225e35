// Claim 22, rule by rule: peers join one after another, each join to its end before the next begins, on a graph in
// memory and without a network. Compares the paper's rule with the one printed in the proposal (seed 002).
//
//   ScampRules [N] [c] [seeds]         default 10000 1 20
//   ScampRules churn [N] [c] [hours]   default 2000 1 10: what becomes of the arcs; see Churn.swift

import Glibc
import StarlingCore
import StarlingSimulator

enum Rule: String, CaseIterable {
  /// Ganesh, Kermarrec and Massoulié: keep with p = 1/(1 + |view|), otherwise pass on to one random neighbour.
  case paper = "paper: keep with p, or pass on to one"
  /// The proposal, read literally: accept with p, and forward to each neighbour with p.
  case printed = "proposal: accept with p, forward to each with p"
  /// The proposal, if a peer that accepts does not forward.
  case printedStopping = "proposal, acceptance ends the forwarding"
}

struct Group {
  var views: [[Int]] = [[]]
  var unkept = 0
  let rule: Rule
  let extraCopies: Int
  var random: Xoshiro256

  mutating func join() {
    let newcomer = views.count
    let contact = random.uniform(below: newcomer)
    views.append([contact])
    guard !views[contact].isEmpty else { return views[contact].append(newcomer) }
    var copies = views[contact]
    for _ in 0..<extraCopies { copies.append(views[contact][random.uniform(below: views[contact].count)]) }
    var kept = 0
    // A subcritical branching process ends by itself; a walk among few peers that all know the newcomer need not.
    var steps = 0
    while let peer = copies.popLast(), steps < 1_000_000 {
      steps += 1
      kept += offer(newcomer, to: peer, copies: &copies) ? 1 : 0
    }
    if kept == 0 { unkept += 1 }
  }

  /// One peer gets one copy; answers whether it keeps the newcomer.
  private mutating func offer(_ newcomer: Int, to peer: Int, copies: inout [Int]) -> Bool {
    let view = views[peer]
    let canKeep = peer != newcomer && !view.contains(newcomer)
    let keeps = canKeep && random.oneIn(1 + view.count)
    if keeps { views[peer].append(newcomer) }
    switch rule {
    case .paper: if !keeps, !view.isEmpty { copies.append(view[random.uniform(below: view.count)]) }
    case .printed, .printedStopping:
      if keeps && rule == .printedStopping { break }
      for neighbour in view where random.oneIn(1 + view.count) { copies.append(neighbour) }
    }
    return keeps
  }
}

let arguments = CommandLine.arguments.dropFirst().compactMap { Int($0) }
if CommandLine.arguments.dropFirst().first == "churn" {
  runChurn(
    peers: arguments.first ?? 2_000, extraCopies: arguments.count > 1 ? arguments[1] : 1,
    hours: arguments.count > 2 ? arguments[2] : 10)
  exit(0)
}
let peers = arguments.first ?? 10_000
let extraCopies = arguments.count > 1 ? arguments[1] : 1
let seeds = arguments.count > 2 ? arguments[2] : 20
let law = Double(extraCopies + 1) * naturalLogarithm(Double(peers))
print("N = \(peers), c = \(extraCopies), \(seeds) seeds; the law (c + 1)·ln N is \(law)")
for rule in Rule.allCases {
  var shares: [Double] = []
  var firsts: [Double] = []
  var unkept = 0
  var unknown = 0
  for seed in 1...seeds {
    var group = Group(rule: rule, extraCopies: extraCopies, random: Xoshiro256(seed: UInt64(seed)))
    for _ in 1..<peers { group.join() }
    let graph = DirectedGraph(adjacency: group.views)
    unkept += group.unkept
    unknown += graph.inDegrees.filter { $0 == 0 }.count
    guard let views = Distribution(graph.outDegrees) else { continue }
    shares.append(views.mean / law)
    firsts.append(views.p1)
  }
  guard let share = Distribution(shares), let first = Distribution(firsts) else { continue }
  let all = Double(seeds * peers)
  print(
    """
    \(rule.rawValue)
      mean view / law  mean \(share.mean), stddev \(share.stddev), \(share.min) to \(share.max)
      mean view        \(share.mean * law)
      1st percentile   \(first.min) to \(first.max)
      kept by nobody   \(100 * Double(unkept) / all)% of joins; known by nobody \(100 * Double(unknown) / all)% of peers
    """)
}
