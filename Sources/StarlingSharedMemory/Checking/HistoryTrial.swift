import StarlingCore
import StarlingLedger

/// A random concurrent run of real threads, and whether its history is linearizable. `make shared-memory` runs many.
public struct HistoryTrial: Sendable {
  /// What is put to the test.
  public enum Subject: String, CaseIterable, Sendable {
    /// The wait-free atomic snapshot.
    case snapshot
    /// Algorithm 1: accounts with one owner.
    case singleOwner = "Algorithm 1"
    /// Algorithms 3 and 4: accounts with several owners.
    case shared = "Algorithm 3"
    /// Algorithm 2, on top of Algorithm 3. Each thread proposes once.
    case consensus = "Algorithm 2"
  }

  /// What a run came to.
  public struct Result: Sendable {
    /// Operations that returned.
    public internal(set) var completed = 0
    /// Operations whose process stopped in them.
    public internal(set) var stopped = 0
    /// Operations that met another one: neither returned before the other was invoked.
    public internal(set) var overlapping = 0
    /// Why the history is not linearizable; nil if it is.
    public internal(set) var violation: String?
  }

  /// What is put to the test.
  public let subject: Subject
  /// How many threads there are, from 2 on.
  public let threads: Int
  /// How many operations each thread performs, unless it stops; Algorithm 2 has one.
  public let operations: Int
  /// Whether some threads, not all, stop for ever between two random steps.
  public let hasStops: Bool
  /// What the operations, the stops and the delays follow from.
  public let seed: UInt64

  /// A run that has not begun.
  public init(_ subject: Subject, threads: Int, operations: Int = 64, hasStops: Bool, seed: UInt64) {
    precondition(threads >= 2, "one thread makes no concurrent history")
    self.subject = subject
    self.threads = threads
    self.operations = operations
    self.hasStops = hasStops
    self.seed = seed
  }

  /// A run of 2 to 8 threads as its number decides, every third with stops.
  public init(_ subject: Subject, number: Int, seed: UInt64) {
    self.init(
      subject, threads: 2 + number % 7, hasStops: number % 3 == 0,
      seed: SplitMix64.mix(seed &+ UInt64(number) &* 0x9E37_79B9_7F4A_7C15))
  }

  /// Runs the threads and checks what they did.
  public func run() -> Result {
    switch subject {
    case .snapshot:
      let memory = ThreadMemory()
      return run(snapshot: WaitFreeSnapshot(0, processes: threads, in: memory))
    case .singleOwner:
      let snapshot = WaitFreeSnapshot(
        Set<SingleOwnerAssetTransfer.Outgoing>(), processes: threads, in: ThreadMemory())
      return runTransfers(mostOwners: 1) { type, process in
        SingleOwnerAssetTransfer(type, snapshot, process)
      }
    case .shared:
      var random = Xoshiro256(seed: seed)
      guard let type = randomType(mostOwners: threads, &random) else { return Result() }
      let shared = SharedAssetTransfer.Shared(type, processes: threads, in: ThreadMemory())
      return runTransfers(mostOwners: threads) { _, process in SharedAssetTransfer(shared, process) }
    case .consensus:
      return runConsensus()
    }
  }

  /// Runs the threads on that snapshot object, each of whose entries is 0, and checks what they did.
  public func run(snapshot: any SnapshotObject<Int>) -> Result {
    var random = Xoshiro256(seed: seed)
    let programs: [[SnapshotType<Int>.Operation]] = (0..<threads).map { _ in
      (0..<operations).map { number in random.oneIn(2) ? .snapshot : .update(number + 1) }
    }
    return run(SnapshotType(0, processes: threads), programs, &random) {
      SnapshotParticipant(snapshot, $0)
    }
  }

  /// Runs the threads as processes of an asset-transfer object that the seed decides, and checks what they did.
  ///
  /// - Parameters:
  ///   - mostOwners: the most owners that an account has.
  ///   - participant: makes a process.
  public func runTransfers<P: AssetTransferProcess>(
    mostOwners: Int, participant: @escaping @Sendable (AssetTransferObject, SteppingProcess) -> P
  ) -> Result {
    var random = Xoshiro256(seed: seed)
    guard let type = randomType(mostOwners: mostOwners, &random) else { return Result() }
    let programs = (0..<threads).map { process in
      (0..<operations).map { _ in randomOperation(of: Peer(process), type, &random) }
    }
    return run(type, programs, &random) { participant(type, $0) }
  }

  /// Algorithm 2 on Algorithm 3, and what is left on the shared account.
  private func runConsensus() -> Result {
    var random = Xoshiro256(seed: seed)
    typealias Process = ConsensusByTransfer<Int, SharedAssetTransfer>
    guard let type = try? Process.object(among: threads) else { return Result() }
    let memory = ThreadMemory()
    let shared = SharedAssetTransfer.Shared(type, processes: threads, in: memory)
    let proposals = Process.proposals(among: threads, in: memory)
    return run(ConsensusType<Int>(), (0..<threads).map { [100 + $0] }, &random) { process in
      ConsensusByTransfer(proposals, SharedAssetTransfer(shared, process), process)
    }
  }

  private func run<T: SequentialType, P: Participant>(
    _ type: T, _ programs: [[T.Operation]], _ random: inout Xoshiro256,
    participant: @escaping @Sendable (SteppingProcess) -> P
  ) -> Result where P.Operation == T.Operation, P.Response == T.Response {
    var stops = [Int?](repeating: nil, count: threads)
    if hasStops {
      let steps = programs[0].count * 4 * threads
      for process in random.sample(1 + random.uniform(below: threads - 1), below: threads) {
        stops[process] = random.uniform(below: steps)
      }
    }
    let history = recordHistory(of: programs, stops: stops, seed: random.next(), participant: participant)
    var result = Result()
    result.completed = history.calls.count { $0.response != nil }
    result.stopped = history.calls.count - result.completed
    result.overlapping = history.overlappingCalls
    result.violation = LinearizabilityChecker(type).violation(in: history)
    return result
  }

  /// Few accounts with little on them, so that transfers often fail or take the last of it.
  private func randomType(mostOwners: Int, _ random: inout Xoshiro256) -> AssetTransferObject? {
    let accounts = mostOwners == 1 ? threads : 1 + random.uniform(below: 3)
    return try? AssetTransferObject(
      (0..<accounts).map { account in
        let owners =
          mostOwners == 1
          ? [account] : random.sample(2 + random.uniform(below: mostOwners - 1), below: threads).sorted()
        return AssetTransferObject.Opening(
          balance: UInt64(random.uniform(below: 6)), owners: owners.map { Peer($0) })
      })
  }

  private func randomOperation(
    of process: Peer, _ type: AssetTransferObject, _ random: inout Xoshiro256
  ) -> AssetTransferObject.Operation {
    func anyAccount() -> AssetTransferObject.Account {
      AssetTransferObject.Account(random.uniform(below: type.openings.count))
    }
    guard random.oneIn(2) else { return .read(anyAccount()) }
    let owned = type.accounts.filter { type.owns(process, $0) }
    // Now and then from an account that is another's, which must fail.
    let isOthers = owned.isEmpty || random.oneIn(16)
    let source = isOthers ? anyAccount() : owned[random.uniform(below: owned.count)]
    let credits = (0..<(random.oneIn(4) ? 2 : 1)).map { _ in
      AssetTransferObject.Credit(UInt64(random.uniform(below: 4)), to: anyAccount())
    }
    return .transfer(from: source, to: credits)
  }
}

extension ConcurrentHistory {
  /// How many calls met another one.
  var overlappingCalls: Int {
    var pending: Set<Int> = []
    var overlapping: Set<Int> = []
    for event in events {
      if event.isResponse {
        pending.remove(event.call)
      } else {
        if !pending.isEmpty {
          overlapping.formUnion(pending)
          overlapping.insert(event.call)
        }
        // What never returns would meet all that comes after.
        if calls[event.call].response != nil { pending.insert(event.call) }
      }
    }
    return overlapping.count
  }
}
