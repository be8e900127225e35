import StarlingCore
import StarlingSharedMemory
import StarlingTestSupport
import Testing

@Suite("Real threads on atomics")
struct ThreadTests {
  @Test(
    "Histories of 2 to 8 threads with 64 operations each, every third with stops, are linearizable",
    arguments: HistoryTrial.Subject.allCases)
  func histories(subject: HistoryTrial.Subject) {
    _ = testRandom()
    var completed = 0
    var stopped = 0
    var overlapping = 0
    for number in 0..<63 {
      let trial = HistoryTrial(subject, number: number, seed: testSeed)
      let result = trial.run()
      #expect(result.violation == nil, "history \(number): \(result.violation ?? ""); \(replay)")
      // Some thread never stops, and does all it has to.
      #expect(result.completed >= (subject == .consensus ? 1 : 64))
      completed += result.completed
      stopped += result.stopped
      overlapping += result.overlapping
    }
    print("\(subject.rawValue): \(completed) operations, \(overlapping) met another, \(stopped) were cut off")
    // Without them the histories would show nothing.
    #expect(overlapping > 0)
    #expect(stopped > 0)
  }

  @Test("A snapshot that is not atomic, on purpose, is caught within some histories")
  func notAtomic() {
    var violation: String?
    for number in 0..<2_000 where violation == nil {
      let trial = HistoryTrial(.snapshot, number: number, seed: testSeed)
      violation = trial.run(snapshot: SingleCollect(processes: trial.threads, in: ThreadMemory())).violation
      if violation != nil { print("caught in history \(number)") }
    }
    #expect(violation?.contains("Not linearizable") == true)
  }

  @Test("Algorithm 1 as printed, where equal transfers are one, is caught at once")
  func printed() {
    let violations = (0..<8).compactMap { number in
      let trial = HistoryTrial(.singleOwner, number: number, seed: testSeed)
      let snapshot = WaitFreeSnapshot(Set<PrintedTransfer>(), processes: trial.threads, in: ThreadMemory())
      return trial.runTransfers(mostOwners: 1) { PrintedSingleOwner($0, snapshot, $1) }.violation
    }
    #expect(!violations.isEmpty)
  }

  @Test("A k-consensus object gives k proposers the first proposal and the others nothing")
  func consensusLimit() throws {
    let object = ThreadMemory().makeConsensus(of: Int.self, among: 2)
    let process = SteppingProcess(Peer(0))
    #expect(try object.propose(7, by: process) == 7)
    #expect(try object.propose(8, by: process) == 7)
    #expect(try object.propose(9, by: process) == nil)
    #expect(try object.next.propose(9, by: process) == 9)
    #expect(process.steps == 4)
  }

  @Test("A process stops between two steps, and the one before it has taken effect")
  func stops() throws {
    let memory = ThreadMemory()
    let register = memory.makeRegister(0, writer: Peer(0))
    let process = SteppingProcess(Peer(0), stopsAfter: 2)
    try register.write(1, by: process)
    #expect(try register.read(by: process) == 1)
    #expect(throws: ProcessStopped.self) { try register.write(2, by: process) }
    #expect(try register.read(by: SteppingProcess(Peer(1))) == 1)
  }
}

@Suite("Memory of threads is given back")
struct ReclamationTests {
  /// A value whose life can be watched.
  private final class Watched: Hashable, Sendable {
    static func == (a: Watched, b: Watched) -> Bool { a === b }
    func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
  }

  private struct Watcher {
    weak var value: Watched?
  }

  @Test("A register keeps every version while it lives, and none after it")
  func registers() throws {
    let process = SteppingProcess(Peer(0))
    var watchers: [Watcher] = []
    func make() -> Watched {
      let value = Watched()
      watchers.append(Watcher(value: value))
      return value
    }
    do {
      let register = ThreadMemory().makeRegister(make(), writer: Peer(0))
      for _ in 0..<99 { try register.write(make(), by: process) }
      #expect(watchers.count == 100)
      #expect(watchers.allSatisfy { $0.value != nil })
      _ = try register.read(by: process)
    }
    #expect(watchers.allSatisfy { $0.value == nil })
  }

  @Test("A list of a million consensus objects goes without a deep stack, with all that was decided or lost")
  func consensus() throws {
    let process = SteppingProcess(Peer(0))
    var watchers: [Watcher] = []
    func make() -> Watched {
      let value = Watched()
      watchers.append(Watcher(value: value))
      return value
    }
    do {
      let first = ThreadMemory().makeConsensus(of: Watched.self, among: 2)
      var object = first
      for number in 0..<1_000_000 {
        if number % 10_000 == 0 {
          for _ in 0..<2 { _ = try object.propose(make(), by: process) }
        }
        object = object.next
      }
      #expect(watchers.count { $0.value != nil } == 100)
      _ = try first.propose(make(), by: process)
    }
    #expect(watchers.allSatisfy { $0.value == nil })
  }
}
