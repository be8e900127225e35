import StarlingCore
import StarlingLedger
import StarlingSharedMemory
import Testing

/// Programs of so many of these operations each, in every combination.
func programs(_ operations: [[Transfers]], length: Int) -> [[[Transfers]]] {
  func words(_ letters: [Transfers], _ length: Int) -> [[Transfers]] {
    length == 0 ? [[]] : words(letters, length - 1).flatMap { word in letters.map { word + [$0] } }
  }
  return operations.reduce([[]]) { all, letters in
    all.flatMap { programs in words(letters, length).map { programs + [$0] } }
  }
}

@Suite("Algorithm 1, in every schedule")
struct SingleOwnerTests {
  private func explore(
    _ type: AssetTransferObject, _ programs: [[Transfers]]
  ) -> Exploration<AssetTransferObject.Response> {
    let memory = ExplorerMemory()
    let n = programs.count
    let snapshot = WaitFreeSnapshot(Set<SingleOwnerAssetTransfer.Outgoing>(), processes: n, in: memory)
    let limit =
      WaitFreeSnapshot<Int>.snapshotStepsLimit(processes: n)
      + WaitFreeSnapshot<Int>.updateStepsLimit(processes: n)
    return StarlingSharedMemoryTests.explore(type, programs, stepsLimit: limit, in: memory) {
      SingleOwnerAssetTransfer(type, snapshot, $0)
    }
  }

  @Test("Two processes, two operations each, every combination of them: linearizable and wait-free")
  func twoProcesses() throws {
    let type = try object((1, [0]), (1, [1]))
    // The second process tries the first one's account too, which must fail.
    let operations = [[move(1, 0, 1), move(2, 0, 1), read(1)], [move(1, 1, 0), move(1, 0, 1), read(0)]]
    var schedules: UInt128 = 0
    for programs in programs(operations, length: 2) {
      let exploration = explore(type, programs)
      schedules += exploration.schedules
      #expect(exploration.violation == nil, "\(exploration.violation ?? "")")
    }
    print("Algorithm 1, two processes: \(schedules) schedules")
  }

  @Test("Three processes: a payment that hangs on another, which hangs on a third")
  func threeProcesses() throws {
    let type = try object((1, [0]), (0, [1]), (0, [2]))
    expectNoViolation(explore(type, [[move(1, 0, 1)], [move(1, 1, 2)], [move(1, 2, 0)]]))
    expectNoViolation(explore(type, [[move(1, 0, 1)], [move(1, 1, 2), read(1)], [read(2), read(0)]]))
  }

  @Test("Several destinations are paid together")
  func severalDestinations() throws {
    let type = try object((2, [0]), (0, [1]), (0, []))
    let both = Transfers.transfer(
      from: Account(0), to: [Credit(1, to: Account(1)), Credit(1, to: Account(2))])
    expectNoViolation(explore(type, [[both, both], [read(1), read(2), move(1, 1, 0)]]))
  }

  @Test("Two equal transfers both count, where the printed set counts one")
  func equalTransfers() throws {
    let type = try object((2, [0]), (0, [1]))
    let programs = [[move(1, 0, 1), move(1, 0, 1), read(0)], [read(1)]]
    expectNoViolation(explore(type, programs))
    let memory = ExplorerMemory()
    let snapshot = WaitFreeSnapshot(Set<PrintedTransfer>(), processes: 2, in: memory)
    let printed = StarlingSharedMemoryTests.explore(type, programs, stepsLimit: 13, in: memory) {
      PrintedSingleOwner(type, snapshot, $0)
    }
    #expect(printed.violation?.contains("p0  ├┤  read 0 → 1") == true, "\(printed.violation ?? "")")
  }
}

@Suite("Algorithms 3 and 4, in every schedule")
struct SharedAccountTests {
  /// Announce, collect, and for each round a snapshot, a proposal and an update.
  private func stepsLimit(owners: Int, rounds: Int, snapshot: Int, update: Int) -> Int {
    1 + owners + rounds * (snapshot + 1 + update)
  }

  /// On registers, or on a snapshot object that is given.
  private func explore(
    _ type: AssetTransferObject, _ programs: [[Transfers]], rounds: Int, onRegisters: Bool = true
  ) -> Exploration<AssetTransferObject.Response> {
    let memory = ExplorerMemory()
    let n = programs.count
    let owners = type.openings.map(\.owners.count).max() ?? 0
    let nothing = SharedAssetTransfer.Shared.nothing(in: type)
    let shared =
      onRegisters
      ? SharedAssetTransfer.Shared(type, processes: n, in: memory)
      : SharedAssetTransfer.Shared(type, in: memory, snapshot: memory.makeSnapshot(nothing, processes: n))
    let limit = stepsLimit(
      owners: owners, rounds: rounds,
      snapshot: onRegisters ? WaitFreeSnapshot<Int>.snapshotStepsLimit(processes: n) : 1,
      update: onRegisters ? WaitFreeSnapshot<Int>.updateStepsLimit(processes: n) : 1)
    return StarlingSharedMemoryTests.explore(type, programs, stepsLimit: limit, in: memory) {
      SharedAssetTransfer(shared, $0)
    }
  }

  @Test("Two owners, one transfer each and a read: linearizable and wait-free")
  func twoOwners() throws {
    let type = try object((1, [0, 1]), (0, []))
    expectNoViolation(explore(type, [[move(1, 0, 1)], [move(1, 0, 1)]], rounds: 2))
    expectNoViolation(explore(type, [[move(1, 0, 1), read(0)], [move(1, 0, 1), read(1)]], rounds: 2))
  }

  @Test("Two owners of two accounts, one operation each on registers, every combination")
  func twoAccounts() throws {
    let type = try object((1, [0, 1]), (1, [0, 1]))
    let operations = [move(1, 0, 1), move(2, 0, 1), move(1, 1, 0), read(0)]
    for programs in programs([operations, operations], length: 1) {
      let exploration = explore(type, programs, rounds: 2)
      #expect(exploration.violation == nil, "\(exploration.violation ?? "")")
    }
  }

  @Test("Two owners, two operations each on a given snapshot object, every combination")
  func twoOperations() throws {
    let type = try object((1, [0, 1]), (1, [0, 1]))
    var schedules: UInt128 = 0
    for programs in programs([[move(1, 0, 1), read(0)], [move(2, 0, 1), move(1, 1, 0)]], length: 2) {
      let exploration = explore(type, programs, rounds: 4, onRegisters: false)
      schedules += exploration.schedules
      #expect(exploration.violation == nil, "\(exploration.violation ?? "")")
    }
    print("Algorithm 3, two processes, two operations each: \(schedules) schedules")
  }

  @Test("Three owners, of whom two transfer and one reads, on a given snapshot object")
  func threeOwners() throws {
    let type = try object((1, [0, 1, 2]), (0, []))
    let transfer = [move(1, 0, 1)]
    expectNoViolation(
      explore(type, [transfer, transfer, [read(0), read(1)]], rounds: 3, onRegisters: false))
  }

  @Test("Two owners, while a third process pays in")
  func incoming() throws {
    let type = try object((0, [0, 1]), (1, [2]))
    expectNoViolation(
      explore(type, [[move(1, 0, 1)], [move(1, 0, 1)], [move(1, 1, 0)]], rounds: 2, onRegisters: false))
  }

  @Test("Whoever is overtaken by all others at every step is helped by them, and returns", arguments: 2...5)
  func helped(k: Int) throws {
    let type = try object((1, Array(0..<k)), (0, []))
    let shared = SharedAssetTransfer.Shared(type, processes: k, in: ThreadMemory())
    var others = (1..<k).map { SharedAssetTransfer(shared, SteppingProcess(Peer($0))) }
    let nothing = [Credit(0, to: Account(1))]
    let scan = WaitFreeSnapshot<Int>.snapshotStepsLimit(processes: k)
    // Each of the others has decided one before the announcement; from then on there are 2k - 1 at most.
    let limit = stepsLimit(owners: k, rounds: k - 1 + 2 * k - 1, snapshot: scan, update: scan + 1)
    let overtaken = SteppingProcess(Peer(0), stopsAfter: limit) {
      for other in others.indices { _ = try? others[other].transfer(from: Account(0), to: nothing) }
    }
    var process = SharedAssetTransfer(shared, overtaken)
    #expect(try process.transfer(from: Account(0), to: [Credit(1, to: Account(1))]))
    print("overtaken by \(k - 1): \(overtaken.steps) steps of \(limit)")
  }

  @Test("Whoever does not own an account takes no step to be refused")
  func stranger() throws {
    let type = try object((1, [0]), (1, [1]))
    let exploration = explore(type, [[move(1, 0, 1)], [move(1, 0, 1), read(0)]], rounds: 1)
    expectNoViolation(exploration)
    #expect(exploration.responses[1][0] == [.transferred(false)])
    #expect(exploration.longestOperations[1][0] == 0)
  }

  @Test("A laggard goes through every earlier consensus object once: its steps grow with what it missed")
  func laggard() throws {
    let type = try object((9, [0, 1]), (0, []))
    for missed in 0...3 {
      let others = [Transfers](repeating: move(1, 0, 1), count: missed)
      let exploration = explore(type, [[move(1, 0, 1)], others], rounds: missed + 1, onRegisters: false)
      expectNoViolation(exploration)
      #expect(exploration.longestOperations[0] == [1 + 2 + (missed + 1) * 3])
    }
  }

  @Test("The algorithm with sets, as printed but for the corrections, is the same")
  func printedWithCorrections() throws {
    #expect(try flawed(.none).violation == nil)
  }

  @Test("A proposal without its round is caught: no transfer ever finds itself decided")
  func roundless() throws {
    let violation = try flawed(.roundless).violation
    #expect(violation?.contains("takes more than") == true, "\(violation ?? "")")
  }

  @Test("Taking the next consensus object before updating the snapshot is caught: it overdraws")
  func late() throws {
    let violation = try flawed(.late).violation
    #expect(violation?.contains("Not linearizable") == true, "\(violation ?? "")")
  }

  private func flawed(_ flaw: FlawedShared.Flaw) throws -> Exploration<AssetTransferObject.Response> {
    let type = try object((1, [0, 1]), (0, []))
    let memory = ExplorerMemory()
    let shared = FlawedShared.Shared(type, flaw, processes: 2, in: memory)
    let limit = stepsLimit(
      owners: 2, rounds: 2, snapshot: WaitFreeSnapshot<Int>.snapshotStepsLimit(processes: 2),
      update: WaitFreeSnapshot<Int>.updateStepsLimit(processes: 2))
    return StarlingSharedMemoryTests.explore(
      type, [[move(1, 0, 1)], [move(1, 0, 1)]], stepsLimit: limit, in: memory
    ) { FlawedShared(shared, $0) }
  }
}

@Suite("Algorithm 2")
struct ConsensusByTransferTests {
  typealias OnObject = ConsensusByTransfer<Int, GivenAssetTransfer>
  typealias OnAlgorithm3 = ConsensusByTransfer<Int, SharedAssetTransfer>

  @Test("It decides one proposed value in every schedule, each of them in some", arguments: [1, 2, 3, 4])
  func onGivenObject(k: Int) throws {
    let memory = ExplorerMemory()
    let given = memory.makeAssetTransfer(try OnObject.object(among: k))
    let proposals = OnObject.proposals(among: k, in: memory)
    let exploration = Explorer(
      ConsensusType<Int>(), in: memory, programs: (0..<k).map { [100 + $0] }, stepsLimit: 4
    ) { ConsensusByTransfer(proposals, GivenAssetTransfer(given, $0), $0) }.explore()
    expectNoViolation(exploration)
    for process in 0..<k { #expect(exploration.responses[process] == [Set((0..<k).map { 100 + $0 })]) }
  }

  @Test("It does so on Algorithm 3, from registers and consensus objects alone")
  func onAlgorithm3() throws {
    let memory = ExplorerMemory()
    let shared = SharedAssetTransfer.Shared(
      try OnAlgorithm3.object(among: 2), processes: 2, in: memory)
    let proposals = OnAlgorithm3.proposals(among: 2, in: memory)
    let exploration = Explorer(
      ConsensusType<Int>(), in: memory, programs: [[100], [101]], stepsLimit: 1 + 31 + 6 + 1
    ) { ConsensusByTransfer(proposals, SharedAssetTransfer(shared, $0), $0) }.explore()
    expectNoViolation(exploration)
  }

  @Test("What is left on the account is the number of whoever withdrew, 1 to k", arguments: [1, 2, 3, 4])
  func left(k: Int) throws {
    let type = try OnObject.object(among: k)
    let memory = ExplorerMemory()
    let given = memory.makeAssetTransfer(type)
    let programs = (0..<k).map { process in
      [
        Transfers.transfer(OnObject.withdrawal(Peer(process), among: k), from: Account(0), to: Account(1)),
        read(0),
      ]
    }
    let exploration = explore(type, programs, stepsLimit: 1, in: memory) { GivenAssetTransfer(given, $0) }
    expectNoViolation(exploration)
    let numbers = Set((1...UInt64(k)).map { AssetTransferObject.Response.balance($0) })
    for process in 0..<k { #expect(exploration.responses[process][1] == numbers) }
  }

  @Test("Every withdrawal can be made, and no two: they sum to 2k + 1 at least, where 2k are there")
  func sums() {
    for k in 1...64 {
      let withdrawals = (0..<k).map { OnObject.withdrawal(Peer($0), among: k) }
      #expect(withdrawals.allSatisfy { $0 <= 2 * k })
      let two = withdrawals.sorted().prefix(2).reduce(0, +)
      if k > 1 { #expect(two == 2 * UInt64(k) + 1) }
    }
  }
}
