import StarlingCore
import StarlingSimulator

/// The paper's maintenance, rule by rule, over hours: what becomes of the arcs. Each minute 1% of the peers is
/// replaced, but for the quiet group; every operation ends before the next begins, and nobody crashes.
struct ChurningGroup {
  enum Upkeep: String, CaseIterable {
    /// Unsubscription alone: keepers of a leaver get its members in its place, all but c + 1 of them.
    case unsubscription = "the paper's unsubscription"
    /// No farewell at all, but leases: whoever's lease ends subscribes again through a member of its partial view,
    /// and what it was kept by before lapses.
    case leases = "the paper's leases, re-subscribing through a member, and no farewells"
    /// Leases in a group in which nobody comes or goes.
    case quietLeases = "the paper's leases in a quiet group"
  }

  struct Peer {
    var members: [Int] = []
    var keepers: [Int] = []
    var isLive = true
  }

  let upkeep: Upkeep
  let extraCopies: Int
  var random: Xoshiro256
  var peers: [Peer] = []
  var live: [Int] = []

  mutating func join() {
    let newcomer = peers.count
    peers.append(Peer())
    if !live.isEmpty {
      let contact = live[random.uniform(below: live.count)]
      introduce(newcomer, by: contact)
      keep(contact, at: newcomer)
    }
    live.append(newcomer)
  }

  /// A contact's copies, each followed to its end.
  mutating func introduce(_ subscriber: Int, by contact: Int) {
    let members = peers[contact].members
    guard !members.isEmpty else { return keep(subscriber, at: contact) }
    var copies = members
    for _ in 0..<extraCopies { copies.append(members[random.uniform(below: members.count)]) }
    for start in copies {
      var holder = start
      for _ in 0..<10_000 {
        let view = peers[holder].members
        if holder != subscriber, !view.contains(subscriber), random.oneIn(1 + view.count) {
          keep(subscriber, at: holder)
          break
        }
        guard !view.isEmpty else { break }
        holder = view[random.uniform(below: view.count)]
      }
    }
  }

  mutating func keep(_ member: Int, at holder: Int) {
    guard member != holder, peers[member].isLive, peers[holder].isLive,
      !peers[holder].members.contains(member)
    else { return }
    peers[holder].members.append(member)
    peers[member].keepers.append(holder)
  }

  mutating func cut(_ member: Int, from holder: Int) {
    peers[holder].members.removeAll { $0 == member }
    peers[member].keepers.removeAll { $0 == holder }
  }

  mutating func leave() {
    let leaver = live.remove(at: random.uniform(below: live.count))
    peers[leaver].isLive = false
    let (members, keepers) = (peers[leaver].members, peers[leaver].keepers)
    for member in members { cut(member, from: leaver) }
    for (i, keeper) in keepers.enumerated() {
      cut(leaver, from: keeper)
      guard upkeep == .unsubscription, i < keepers.count - extraCopies - 1, !members.isEmpty else { continue }
      keep(members[i % members.count], at: keeper)
    }
  }

  /// A lease ends: the old arcs to the peer lapse as new ones are made.
  mutating func renew(_ peer: Int) {
    let old = peers[peer].keepers
    guard !peers[peer].members.isEmpty else { return }
    let contact = peers[peer].members[random.uniform(below: peers[peer].members.count)]
    for keeper in old { cut(peer, from: keeper) }
    introduce(peer, by: contact)
  }
}

/// Hour by hour; leases last half an hour.
func runChurn(peers count: Int, extraCopies: Int, hours: Int) {
  let law = Double(extraCopies + 1) * naturalLogarithm(Double(count))
  print("N = \(count), c = \(extraCopies), 1% a minute; the law (c + 1)·ln N is \(law)")
  for upkeep in ChurningGroup.Upkeep.allCases {
    var group = ChurningGroup(upkeep: upkeep, extraCopies: extraCopies, random: Xoshiro256(seed: 1))
    for _ in 0..<count { group.join() }
    print(upkeep.rawValue)
    for minute in 0...(60 * hours) {
      if minute % 60 == 0 { report(group, hour: minute / 60, law: law) }
      for _ in 0..<(upkeep == .quietLeases ? 0 : count / 100) {
        group.leave()
        group.join()
      }
      guard upkeep != .unsubscription else { continue }
      for peer in group.live where (peer + minute) % 30 == 0 { group.renew(peer) }
    }
  }
}

private func report(_ group: ChurningGroup, hour: Int, law: Double) {
  var vertex = [Int](repeating: 0, count: group.peers.count)
  for (i, peer) in group.live.enumerated() { vertex[peer] = i }
  let graph = DirectedGraph(
    adjacency: group.live.map { group.peers[$0].members.map { member in vertex[member] } })
  guard let views = Distribution(graph.outDegrees) else { return }
  let components = graph.weakComponents().count
  print(
    "  after \(hour) h: mean view \(views.mean / law) of the law, 1st percentile \(views.p1), \(components) components"
  )
}
