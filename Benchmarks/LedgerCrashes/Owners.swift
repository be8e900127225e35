import Dispatch
import Glibc
import StarlingCore
import StarlingLedger
import StarlingRuntime
import Synchronization

/// Owners who pay each other. Some share a thread, which hands their transfers in together at one node and waits for each. What
/// a node took it is not given again; what was not answered is handed in again, as it was signed, at any node.
final class Owners: Sendable {
  /// How many threads there are.
  static let threadCount = 8
  /// How long a transfer that was taken may take to be final while nodes are killed.
  static let patience = Duration.seconds(180)

  struct Record {
    /// Of each account how many transfers were taken by a node, and how many told final by one.
    var taken = [UInt64](repeating: 0, count: Nodes.accountCount)
    var final = [UInt64](repeating: 0, count: Nodes.accountCount)
    /// How often a node did not answer, and a transfer was handed in again.
    var unanswered = 0
    var faults: [String] = []
    /// Whether the threads are to rest when all they handed in is final.
    var isPaused = false
    var isOver = false
    var resting = 0
    /// The node that nobody hands anything in at.
    var avoided: Int?
  }

  private let record = Mutex(Record())
  private let nodes: [LedgerClient]
  private let genesis: SHA256Digest
  private let owners: [Identity]
  private let group = DispatchGroup()

  init(_ nodes: Nodes, seed: UInt64) throws {
    self.nodes = nodes.clients
    genesis = nodes.genesis.hash
    owners = try (0..<Nodes.accountCount).map(Nodes.owner)
    for thread in 0..<Owners.threadCount {
      DispatchQueue(label: "owners \(thread)").async(group: group) { [self] in
        pay(thread, Xoshiro256(seed: seed &+ UInt64(thread) &* 7_919))
      }
    }
  }

  var known: Record { record.withLock { $0 } }

  /// Waits until all that was handed in is final.
  func pause() {
    record.withLock { $0.isPaused = true }
    while record.withLock({ $0.resting }) < Owners.threadCount { usleep(20_000) }
  }

  func resume(avoiding node: Int?) {
    record.withLock { ($0.isPaused, $0.avoided) = (false, node) }
    while record.withLock({ $0.resting }) > 0 { usleep(1_000) }
  }

  /// Ends the threads, which rest.
  func end() {
    record.withLock { $0.isOver = true }
    group.wait()
  }

  /// What an owner signs under a number: always the same.
  func transfer(_ owner: Int, _ sequence: UInt64) -> SignedTransfer {
    let payee = owners[(owner + 1 + Int(sequence % 7)) % owners.count].publicKey
    let transfer = Transfer(
      account: owners[owner].publicKey, sequence: sequence, funds: 1,
      destinations: [.init(account: payee, amount: 1)])
    return SignedTransfer(transfer, in: genesis, by: owners[owner])
  }

  func key(_ owner: Int) -> PublicKey { owners[owner].publicKey }

  private func pay(_ thread: Int, _ random: Xoshiro256) {
    var random = random
    let share = Nodes.accountCount / Owners.threadCount
    let own = Array(thread * share..<(thread + 1) * share)
    var sequence: UInt64 = 0
    while rest() {
      var open = own
      var home = thread % nodes.count
      while !open.isEmpty {
        if record.withLock({ $0.avoided }) == home { home = (home + 1) % nodes.count }
        let left = submit(open, sequence, at: home)
        if left.count == open.count {
          home = random.uniform(below: nodes.count)
          usleep(50_000)
        }
        let node = home
        for owner in open where !left.contains(owner) { waitFor(owner, sequence, at: node) }
        open = left
      }
      sequence += 1
      usleep(UInt32(50_000 + random.uniform(below: 100_000)))
    }
  }

  /// Hands transfers in.
  ///
  /// - Returns: those that were not taken, as far as is known.
  private func submit(_ open: [Int], _ sequence: UInt64, at node: Int) -> [Int] {
    var left: [Int] = []
    do {
      let items: [LedgerReceiptItem] = try nodes[node].submit(open.map { transfer($0, sequence) })
      record.withLock { record in
        for (owner, item) in zip(open, items) {
          if item.state == .pending || item.state == .final {
            record.taken[owner] = max(record.taken[owner], sequence + 1)
          } else {
            // What another node was told and has not brought here yet makes a gap.
            left.append(owner)
          }
          if item.state == .final { record.final[owner] = max(record.final[owner], sequence + 1) }
        }
      }
    } catch {
      record.withLock { $0.unanswered += 1 }
      left = open
    }
    return left
  }

  /// Waits until a transfer that was taken is final at the node that took it.
  private func waitFor(_ owner: Int, _ sequence: UInt64, at node: Int) {
    let start = ContinuousClock.now
    while record.withLock({ $0.final[owner] }) <= sequence {
      if let account = try? nodes[node].account(key(owner)), account.next > sequence {
        record.withLock { $0.final[owner] = max($0.final[owner], sequence + 1) }
      } else if ContinuousClock.now - start > Owners.patience {
        let number = TransferNumber(account: key(owner), sequence: sequence)
        record.withLock { $0.faults.append("\(number), which node \(node) took, is not final there in time") }
        return
      } else {
        usleep(20_000)
      }
    }
  }

  /// Rests while the nodes are compared.
  ///
  /// - Returns: whether there is more to do.
  private func rest() -> Bool {
    guard record.withLock({ $0.isPaused }) else { return true }
    record.withLock { $0.resting += 1 }
    while record.withLock({ $0.isPaused && !$0.isOver }) { usleep(10_000) }
    return record.withLock { record in
      record.resting -= 1
      return !record.isOver
    }
  }
}
