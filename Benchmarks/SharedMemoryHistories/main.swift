import Glibc
import StarlingSharedMemory

// Runs chapter 2 of the thesis on real threads and checks every history:
//   SharedMemoryHistories [histories] [seed]
// Every third has threads that stop for ever between two steps. Fails at the first history that is not linearizable. Then
// follows every schedule of some small cases.
let numbers = CommandLine.arguments.dropFirst().map { UInt64($0) }
guard numbers.count <= 2, !numbers.contains(nil) else {
  say("SharedMemoryHistories [histories] [seed]")
  exit(2)
}
let histories = Int(numbers.first.flatMap { $0 } ?? 10_000)
let seed = (numbers.count > 1 ? numbers[1] : nil) ?? 1

say("| subject | histories | threads | operations that returned | that met another | cut off by a stop |")
say("|---|---|---|---|---|---|")
for subject in HistoryTrial.Subject.allCases {
  let tally = Tally(subject, histories: histories, seed: seed)
  tally.run()
  say(tally.row)
}
exit(exploreSchedules() ? 0 : 1)

/// Writes a line at once, whoever reads it: runs take minutes.
func say(_ line: String, to file: Int32 = STDOUT_FILENO) {
  let bytes = Array((line + "\n").utf8)
  _ = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
}
