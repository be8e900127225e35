import Glibc
import StarlingCore
import StarlingLedger
import StarlingNode
import StarlingRuntime

// Payments through real nodes, as many as they take, and what these cost beside the one thing that cannot be left out: that
// each node checks each owner's signature.
//   prepare FOLDER NODES PORT            keys, members, and a genesis with the accounts
//   load FOLDER TRANSFERS RATE PID...    pays; RATE transfers a second, or 0 for as many as there is room for
let words = Array(CommandLine.arguments.dropFirst())
do {
  switch words.first {
  case "prepare" where words.count == 4:
    try prepare(words[1], nodes: Int(words[2]) ?? 4, port: UInt16(words[3]) ?? 26_000)
  case "load" where words.count > 4:
    try load(
      words[1], transfers: Int(words[2]) ?? 100_000, rate: Int(words[3]) ?? 0,
      processes: words.dropFirst(4).compactMap { Int32($0) })
  default:
    print("LedgerThroughput prepare FOLDER NODES PORT | load FOLDER TRANSFERS RATE PID...")
    exit(2)
  }
} catch {
  print("\(error)")
  exit(1)
}
