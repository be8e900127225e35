import Glibc
import StarlingCore
import StarlingLedger
import StarlingRuntime

// What a transfer costs real nodes with a short past and with a long one, and how much memory a million accounts take.
//   past FOLDER TRANSFERS ACCOUNTS PORT    makes a node that has applied so many transfers
//   hand-over FOLDER                       makes the copy of its directory another node's
//   up FOLDER PROCESS PROCESS              waits until both answer, and says how long that took and what they take
//   pay ACCOUNTS ROUNDS FOLDER PROCESS PROCESS FOLDER PROCESS PROCESS    pays through both pairs in turn, and compares
let words = Array(CommandLine.arguments.dropFirst())

func number(_ index: Int) throws -> Int {
  guard let number = Int(words[index]), number >= 0 else { throw HostError("\(words[index]) is no number.") }
  return number
}

func subject(_ index: Int) throws -> Subject {
  try Subject(
    words[index],
    processes: [Int32(clamping: try number(index + 1)), Int32(clamping: try number(index + 2))])
}

func waitUntilUp(_ subject: Subject) throws {
  guard let key = PublicKey(seed(payers)) else { return }
  let start = ContinuousClock.now
  for (process, client) in zip(subject.processes, subject.clients) {
    while (try? client.account(key))?.known != true {
      guard kill(process, 0) == 0 else { throw HostError("The node has ended.") }
      usleep(50_000)
    }
    let (waited, memory) = (ContinuousClock.now - start, memory(of: process))
    print(
      "up after \(waited.components.seconds) s, \(processorTime(of: [process])) s of processor time;"
        + " \(Int(memory.now)) MB resident, \(Int(memory.peak)) MB at most")
  }
}

func compare(_ subjects: [Subject], accounts: Int, rounds: Int) throws {
  var subjects = subjects
  let owners = try (0..<payers).map { try Identity(seed: seed($0)) }
  let payees = try keys(accounts)
  var random = Xoshiro256(seed: 2)
  for _ in 0..<rounds {
    for index in subjects.indices {
      try subjects[index].pay(owners, to: payees, times: 3, random: &random)
    }
  }
  var most = 0.0
  for subject in subjects {
    let memories = subject.processes.map { memory(of: $0).now }
    most = max(most, memories.max() ?? 0)
    print(
      "microseconds a transfer and node: \(subject.costs.map { Int($0.rounded()) }),"
        + " median \(Int(median(subject.costs).rounded())); \(memories.map { Int($0) }) MB resident")
    for client in subject.clients {
      let status = try client.status()
      guard status.total == status.supply else { throw HostError("The balances do not add up.") }
    }
  }
  let ratio = median(zip(subjects[1].costs, subjects[0].costs).map { $0 / $1 })
  print("a transfer costs \(Double(Int(ratio * 1_000)) / 1_000) times as much after the long past")
  // The bars of the project: within 20%, and under 500 MB for a million accounts.
  guard ratio <= 1.2 else { throw HostError("That is more than 1.2 times.") }
  guard accounts > 1_000_000 || most < 500 else { throw HostError("\(Int(most)) MB are more than 500.") }
}

do {
  switch words.first {
  case "past" where words.count == 5:
    try makePast(words[1], transfers: number(2), accounts: number(3), port: UInt16(clamping: number(4)))
  case "hand-over" where words.count == 2: try handOver(words[1])
  case "up" where words.count == 4: try waitUntilUp(subject(1))
  case "pay" where words.count == 9:
    try compare([subject(3), subject(6)], accounts: number(1), rounds: number(2))
  default:
    print("LedgerGrowth past FOLDER TRANSFERS ACCOUNTS PORT | hand-over FOLDER | up FOLDER PROCESS PROCESS")
    print("  | pay ACCOUNTS ROUNDS FOLDER PROCESS PROCESS FOLDER PROCESS PROCESS")
    exit(2)
  }
} catch {
  print("\(error)")
  exit(1)
}
