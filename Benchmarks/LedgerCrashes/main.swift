import Glibc
import StarlingRuntime

// Real nodes that keep a ledger, killed by kill -9 at random while owners pay each other through them. Fails when a transfer
// that was taken or told final by any of them is not final at every one in the end, when the nodes have different accounts, or
// when money was made or lost.
//   LedgerCrashes STARLING FOLDER KILLS SEED PORT
let words = CommandLine.arguments
guard words.count == 6, let kills = Int(words[3]), let seed = UInt64(words[4]), let port = UInt16(words[5])
else {
  print("LedgerCrashes STARLING FOLDER KILLS SEED PORT")
  exit(2)
}
do {
  let nodes = try Nodes(program: words[1], folder: words[2], port: port)
  let faults = try Siege(nodes, seed: seed).run(kills: kills)
  for fault in faults { print("FAILED: \(fault)") }
  exit(faults.isEmpty ? 0 : 1)
} catch {
  print("\(error)")
  exit(1)
}
