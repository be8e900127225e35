import Dispatch
import Glibc
import StarlingCore
import StarlingLedger
import StarlingNode
import StarlingRuntime
import Synchronization

/// What the clients of all nodes saw.
final class Tally: Sendable {
  private let state = Mutex((latencies: [Double](), final: 0, others: [String: Int]()))

  func add(_ items: [LedgerReceiptItem], after seconds: Double) {
    state.withLock { state in
      state.latencies.append(seconds)
      for item in items {
        if item.state == .final {
          state.final += 1
        } else {
          state.others[item.error ?? item.state.rawValue, default: 0] += 1
        }
      }
    }
  }

  func fail(_ reason: String) { state.withLock { $0.others[reason, default: 0] += 1 } }

  var result: (latencies: [Double], final: Int, others: [String: Int]) {
    state.withLock { ($0.latencies.sorted(), $0.final, $0.others) }
  }
}

func load(_ folder: String, transfers: Int, rate: Int, processes: [Int32]) throws {
  let nodes = processes.count
  let genesis = try SecureBroadcastSettings.readGenesis("\(folder)/genesis")
  let controls = try SecureBroadcastSettings.readMembers("\(folder)/members").compactMap { member in
    member.address.flatMap { SocketAddress(host: [127, 0, 0, 1], port: $0.port + 500) }
  }
  let clients = nodes * clientsPerNode
  // At a given rate less comes at once, and more often.
  let postSize = rate > 0 ? accountsPerClient / 2 : accountsPerClient
  let rounds = max(1, transfers / (clients * accountsPerClient))
  // Another run goes on where this one ended.
  let first = try LedgerClient(controls[0]).account(account(0).publicKey).next
  var work: [[[SignedTransfer]]] = []
  for client in 0..<clients {
    let accounts = client * accountsPerClient..<(client + 1) * accountsPerClient
    let owners = try accounts.map { try account($0) }
    work.append(
      (0..<rounds * accountsPerClient / postSize).map { post in
        (post * postSize..<(post + 1) * postSize).map { place in
          let (round, index) = place.quotientAndRemainder(dividingBy: accountsPerClient)
          let payee = owners[(index + 1) % owners.count].publicKey
          let transfer = Transfer(
            account: owners[index].publicKey, sequence: first + UInt64(round), funds: 1,
            destinations: [.init(account: payee, amount: 1)])
          return SignedTransfer(transfer, in: genesis.hash, by: owners[index])
        }
      })
  }
  // In the same run, on the same transfers: what a node cannot do without.
  let sample = work[0].joined().prefix(accountsPerClient)
  let checksBefore = checksPerSecond(sample, in: genesis.hash)

  let tally = Tally()
  let before = processorTime(of: processes)
  let start = ContinuousClock.now
  let group = DispatchGroup()
  for client in 0..<clients {
    let (posts, node) = (work[client], LedgerClient(controls[client % nodes]))
    // All clients together hand in so many a second; each at its turn.
    let pause = rate > 0 ? Double(clients * postSize) / Double(rate) : 0
    DispatchQueue(label: "client \(client)").async(group: group) {
      for (turn, post) in posts.enumerated() {
        let due = start + .seconds(pause * (Double(turn) + Double(client) / Double(clients)))
        let now = ContinuousClock.now
        if rate > 0, due > now { usleepUntil(due) }
        let began = rate > 0 ? due : ContinuousClock.now
        do {
          let items = try node.submit(post, waiting: 60)
          let taken = ContinuousClock.now - began
          tally.add(
            items, after: Double(taken.components.seconds) + Double(taken.components.attoseconds) / 1e18)
        } catch {
          tally.fail("\(error)")
          return
        }
      }
    }
  }
  group.wait()
  let wall = ContinuousClock.now - start
  try settle(controls, until: UInt64(tally.result.final) + first * UInt64(clients * accountsPerClient))
  let after = processorTime(of: processes)
  // Before and after, since the machine may have become slower or faster meanwhile; the mean of what a check takes.
  let checksAfter = checksPerSecond(sample, in: genesis.hash)
  report(
    tally, postSize: postSize, nodes: nodes, checksPerSecond: 2 / (1 / checksBefore + 1 / checksAfter),
    user: after.user - before.user, system: after.system - before.system,
    wall: Double(wall.components.seconds) + Double(wall.components.attoseconds) / 1e18)
}

/// How many signatures are checked in a second of processor time: on all processors at once, as the nodes do it, since two
/// threads of one core slow each other down.
func checksPerSecond(_ sample: some Sequence<SignedTransfer> & Sendable, in ledger: SHA256Digest) -> Double {
  let threads = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
  let seconds = Mutex(0.0)
  DispatchQueue.concurrentPerform(iterations: threads) { _ in
    let own = measured {
      for _ in 0..<40 { for transfer in sample { _ = transfer.isSigned(in: ledger) } }
    }
    seconds.withLock { $0 += own }
  }
  return Double(40 * accountsPerClient * threads) / seconds.withLock { $0 }
}

func usleepUntil(_ instant: ContinuousClock.Instant) {
  let left = instant - ContinuousClock.now
  let micros = left.components.seconds * 1_000_000 + left.components.attoseconds / 1_000_000_000_000
  if micros > 0 { usleep(UInt32(clamping: micros)) }
}

/// Waits until every node has applied as many, and checks that all have the same accounts.
func settle(_ controls: [SocketAddress], until transfers: UInt64) throws {
  for _ in 0..<60 {
    let statuses = try controls.map { try LedgerClient($0).status() }
    if statuses.allSatisfy({ $0.transfers >= transfers }) {
      guard Set(statuses.map(\.stateHash)).count == 1, statuses.allSatisfy({ $0.total == $0.supply }) else {
        throw HostError("The nodes have different accounts.")
      }
      // A node that is asked for history writes down first what waits to be written.
      for control in controls { _ = try LedgerClient(control).history(of: account(0).publicKey, limit: 1) }
      return
    }
    usleep(500_000)
  }
  throw HostError("Not all nodes have applied \(transfers) transfers.")
}

func report(
  _ tally: Tally, postSize: Int, nodes: Int, checksPerSecond: Double, user: Double, system: Double,
  wall: Double
) {
  let (latencies, final, others) = tally.result
  for (reason, count) in others.sorted(by: { $0.value > $1.value }).prefix(5) {
    print("not final: \(count): \(reason)")
  }
  guard final > 0 else { return print("No transfer became final.") }
  func percentile(_ share: Double) -> String {
    guard !latencies.isEmpty else { return "-" }
    return "\(Int(latencies[min(latencies.count - 1, Int(share * Double(latencies.count)))] * 1_000))"
  }
  let perSecond = Double(final) / (user + system)
  let bound = checksPerSecond / Double(nodes)
  let check = 1e6 / checksPerSecond
  func micro(_ seconds: Double) -> Double { 1e6 * seconds / Double(final * nodes) }
  func text(_ value: Double) -> String { "\(Int(value.rounded()))" }
  print(
    """
    \(final) transfers final at \(nodes) nodes, the same accounts at all, in \(text(wall)) s: \(text(Double(final) / wall)) a second
    latency of \(postSize) handed in together: p50 \(percentile(0.5)) ms, p90 \(percentile(0.9)) ms, p99 \(percentile(0.99)) ms
    signatures checked a second of processor time: \(text(checksPerSecond)); the bound for \(nodes) nodes: \(text(bound)) transfers
    transfers a second of processor time: \(text(perSecond)), \(text(100 * perSecond / bound))% of the bound
    a transfer costs a node \(text(micro(user + system))) microseconds: \(text(check)) check the signature, \(text(micro(user) - check)) are the rest of the program, \(text(micro(system))) the kernel
    """)
}
