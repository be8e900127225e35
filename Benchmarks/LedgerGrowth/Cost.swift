import Dispatch
import Glibc
import StarlingCore
import StarlingLedger
import StarlingNode
import StarlingRuntime
import Synchronization

/// The two nodes of a ledger with some past, up and paid through.
struct Subject {
  let processes: [Int32]
  let clients: [LedgerClient]
  let ledger: SHA256Digest
  /// Transfers that each payer has made.
  var next: UInt64 = 0
  /// Microseconds of one node's processor time for a transfer, in each round.
  var costs: [Double] = []

  init(_ folder: String, processes: [Int32]) throws {
    self.processes = processes
    clients = try controls(of: folder).map { LedgerClient($0) }
    ledger = try SecureBroadcastSettings.readGenesis("\(folder)/genesis").hash
  }

  /// Has each payer pay some account a few times, all that wait for each other at once, and sees what that cost the node.
  mutating func pay(_ owners: [Identity], to payees: [PublicKey], times: Int, random: inout Xoshiro256) throws
  {
    var posts: [[SignedTransfer]] = []
    for time in 0..<times {
      for start in stride(from: 0, to: owners.count, by: 512) {
        posts.append(
          owners[start..<min(start + 512, owners.count)].map { owner in
            SignedTransfer(
              Transfer(
                account: owner.publicKey, sequence: next + UInt64(time), funds: 1,
                destinations: [.init(account: payees[random.uniform(below: payees.count)], amount: 1)]),
              in: ledger, by: owner)
          })
      }
    }
    next += UInt64(times)
    let final = Mutex(0)
    let before = processorTime(of: processes)
    for time in 0..<times {
      let round = posts[time * posts.count / times..<(time + 1) * posts.count / times]
      DispatchQueue.concurrentPerform(iterations: round.count) { [clients] index in
        let items = try? clients[index % clients.count].submit(round[round.startIndex + index], waiting: 60)
        final.withLock { $0 += items?.count { $0.state == .final } ?? 0 }
      }
    }
    // Until the accounts are written.
    usleep(2_500_000)
    let cost = processorTime(of: processes) - before
    let count = final.withLock { $0 }
    guard count == times * owners.count else {
      throw HostError("Of \(times * owners.count) transfers \(count) became final.")
    }
    costs.append(cost * 1e6 / Double(count * processes.count))
  }
}

/// Where the nodes' control interfaces are: 500 above their ports.
func controls(of folder: String) throws -> [SocketAddress] {
  try SecureBroadcastSettings.readMembers("\(folder)/members").compactMap { member in
    member.address.flatMap { SocketAddress(host: [127, 0, 0, 1], port: $0.port + 500) }
  }
}

/// Processor time of processes in seconds.
func processorTime(of processes: [Int32]) -> Double {
  processes.reduce(0) { sum, process in
    let fields = contents(of: "/proc/\(process)/stat").split(separator: " ")
    guard fields.count > 14, let user = Double(fields[13]), let system = Double(fields[14]) else {
      return sum
    }
    return sum + (user + system) / 100
  }
}

/// What a process takes of the machine's memory, in megabytes: now, and at most so far.
func memory(of process: Int32) -> (now: Double, peak: Double) {
  func value(_ name: String) -> Double {
    let line = contents(of: "/proc/\(process)/status").split(separator: "\n").first { $0.hasPrefix(name) }
    return (line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Double($0) } ?? 0) / 1_000
  }
  return (value("VmRSS:"), value("VmHWM:"))
}

func contents(of path: String) -> String {
  guard let file = fopen(path, "r") else { return "" }
  defer { fclose(file) }
  var bytes = [UInt8](repeating: 0, count: 65_536)
  let count = fread(&bytes, 1, bytes.count, file)
  return String(decoding: bytes[..<count], as: UTF8.self)
}

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
