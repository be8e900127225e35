import Glibc
import StarlingCore
import StarlingLedger
import StarlingNode
import StarlingRuntime

/// How many clients each node has at once.
let clientsPerNode = 6
/// How many accounts each of them pays from.
let accountsPerClient = 512

func account(_ index: Int) throws -> Identity {
  var writer = WireWriter(capacity: 32)
  writer.write(text: "starling throughput account")
  writer.write(integer: UInt64(index))
  return try Identity(seed: SHA256.hash(writer.bytes).bytes)
}

func prepare(_ folder: String, nodes: Int, port: UInt16) throws {
  var members: [PeerRecord] = []
  for node in 0..<nodes {
    let key = try IdentityFile.create(at: "\(folder)/\(node).key").publicKey
    members.append(
      PeerRecord(key: key, address: SocketAddress(host: [127, 0, 0, 1], port: port + UInt16(node))))
  }
  var balances: [PublicKey: UInt64] = [:]
  for index in 0..<nodes * clientsPerNode * accountsPerClient {
    balances[try account(index).publicKey] = 1 << 30
  }
  let genesis = try Genesis(
    network: "throughput", members: members.map(\.key), byzantine: (nodes - 1) / 3, balances: balances)
  try write(MemberList(members).text, to: "\(folder)/members")
  try write(genesis.text, to: "\(folder)/genesis")
}

func write(_ text: String, to path: String) throws {
  guard let file = fopen(path, "w") else { throw HostError("\(path) cannot be written.") }
  fputs(text, file)
  fclose(file)
}

/// Processor time of processes in seconds: in the program, and in the kernel for it.
func processorTime(of processes: [Int32]) -> (user: Double, system: Double) {
  var sum = (user: 0.0, system: 0.0)
  for process in processes {
    guard let file = fopen("/proc/\(process)/stat", "r") else { continue }
    var line = [CChar](repeating: 0, count: 1_024)
    fgets(&line, Int32(line.count), file)
    fclose(file)
    let fields = String(decoding: line.map { UInt8(bitPattern: $0) }, as: UTF8.self).split(separator: " ")
    sum.user += (Double(fields[13]) ?? 0) / 100
    sum.system += (Double(fields[14]) ?? 0) / 100
  }
  return sum
}

/// Seconds of this thread's processor time that some work takes.
func measured(_ work: () throws -> Void) rethrows -> Double {
  func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
  let start = now()
  try work()
  return now() - start
}
