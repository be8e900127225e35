import Glibc
import StarlingCore
import StarlingLedger
import StarlingRuntime

/// Kills nodes while owners pay, and compares the nodes now and then.
struct Siege {
  /// After how many kills the nodes are compared, and after how many one begins anew with nothing.
  static let comparedEvery = 20
  static let rebuiltEvery = 100
  /// How long nodes may take to have the same accounts once nobody is killed.
  static let patience = Duration.seconds(120)

  private let nodes: Nodes
  private let owners: Owners
  private var random: Xoshiro256
  private var faults: [String] = []
  /// How many seconds each comparison took until all that had been taken was final at all nodes, once nobody was killed.
  private var waits: [Double] = []

  init(_ nodes: Nodes, seed: UInt64) throws {
    self.nodes = nodes
    random = Xoshiro256(seed: seed)
    for index in 0..<Nodes.count { try nodes.start(index) }
    for client in nodes.clients { try Siege.awaitAnswer(of: client) }
    owners = try Owners(nodes, seed: seed)
  }

  /// Kills so many processes.
  ///
  /// - Returns: what does not hold, a sentence each.
  consuming func run(kills limit: Int) throws -> [String] {
    var (kills, events, rebuilt) = (0, 0, 0)
    var (nextComparison, nextRebuilding) = (Siege.comparedEvery, Siege.rebuiltEvery)
    let start = ContinuousClock.now
    while kills < limit, faults.isEmpty, owners.known.faults.isEmpty {
      usleep(UInt32(200_000 + random.uniform(below: 800_000)))
      let victims = chooseVictims()
      try nodes.kill(victims)
      kills += victims.count
      events += 1
      for victim in victims {
        usleep(UInt32(random.uniform(below: 200_000)))
        try nodes.start(victim)
      }
      guard kills >= nextComparison || kills >= limit else { continue }
      nextComparison += Siege.comparedEvery
      try compare()
      var begun: Int?
      if kills >= nextRebuilding {
        nextRebuilding += Siege.rebuiltEvery
        let index = rebuilt % Nodes.count
        try nodes.kill([index])
        kills += 1
        nodes.forget(index)
        try nodes.start(index)
        rebuilt += 1
        begun = index
      }
      let final = owners.known.final.reduce(0, +)
      print(
        "\(kills) kills, \(rebuilt) nodes rebuilt from nothing, \(final) transfers final and at every node, "
          + "\(Siege.tenths(waits.last ?? 0)) s after the last kill, at \(Siege.seconds(since: start)) s")
      fflush(nil)
      owners.resume(avoiding: begun)
    }
    try compare()
    owners.end()
    let known = owners.known
    print(
      """
      \(kills) kills in \(events + rebuilt) events, \(rebuilt) nodes rebuilt from nothing, in \(Siege.seconds(since: start)) s
      \(known.taken.reduce(0, +)) transfers taken, \(known.final.reduce(0, +)) of them told final; \(known.unanswered) requests were not answered and repeated
      seconds from the last of some kills until all that was taken was final at all nodes: \(Siege.text(waits))
      """)
    return faults + known.faults
  }

  /// One node, several, or all.
  private mutating func chooseVictims() -> [Int] {
    var all = Array(0..<Nodes.count)
    random.shuffle(&all)
    switch random.uniform(below: 10) {
    case 0..<6: return [all[0]]
    case 6..<8: return Array(all.prefix(2 + random.uniform(below: 2)))
    default: return all
    }
  }

  /// Waits until the nodes have the same accounts, and checks these by all that owners were told.
  private mutating func compare() throws {
    let start = ContinuousClock.now
    owners.pause()
    let rest = ContinuousClock.now
    let known = owners.known
    let least = known.final.reduce(0, +)
    while true {
      let statuses = nodes.clients.compactMap { try? $0.status() }
      if statuses.count == Nodes.count, Set(statuses.map(\.stateHash)).count == 1,
        statuses.allSatisfy({ $0.transfers >= least && $0.waiting == 0 })
      {
        if statuses.contains(where: { $0.total != $0.supply }) { faults.append("money was made or lost") }
        break
      }
      guard ContinuousClock.now - rest < Siege.patience else {
        let found = statuses.map { "\($0.transfers) transfers, \($0.stateHash)" }.joined(separator: "; ")
        faults.append("the nodes do not come to the same accounts, \(least) transfers being final: \(found)")
        return
      }
      usleep(100_000)
    }
    let taken = Siege.seconds(ContinuousClock.now - start)
    waits.append(taken)
    for (index, client) in nodes.clients.enumerated() {
      for owner in known.final.indices {
        let account = try client.account(owners.key(owner))
        let told = max(known.final[owner], known.taken[owner])
        if account.next < told {
          faults.append("node \(index) has \(account.next) of \(told) transfers of account \(owner)")
        }
      }
      // Of each comparison some transfers as a whole, the last and any.
      for _ in 0..<32 {
        let owner = random.uniform(below: Nodes.accountCount)
        guard known.final[owner] > 0 else { continue }
        let sequence = UInt64(random.uniform(below: Int(known.final[owner])))
        let signed = owners.transfer(owner, sequence)
        let found = try client.transfer(signed.transfer.number)
        if found.state != .final || found.transfer != hexadecimal(signed.encoded) {
          faults.append(
            "node \(index) calls \(signed.transfer.number) \(found.state), not final as it was signed")
        }
      }
    }
  }

  private static func awaitAnswer(of client: LedgerClient) throws {
    for _ in 0..<200 {
      if (try? client.status()) != nil { return }
      usleep(50_000)
    }
    throw HostError("The node at \(client.address) does not answer.")
  }

  private static func seconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
  }

  private static func tenths(_ seconds: Double) -> Double { (seconds * 10).rounded() / 10 }

  private static func text(_ waits: [Double]) -> String {
    let sorted = waits.sorted()
    guard let last = sorted.last else { return "-" }
    return "median \(tenths(sorted[sorted.count / 2])), most \(tenths(last))"
  }

  private static func seconds(since start: ContinuousClock.Instant) -> Int {
    Int(seconds(ContinuousClock.now - start))
  }
}
