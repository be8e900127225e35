import StarlingCore
import StarlingLedger
import StarlingSharedMemory
import StarlingTestSupport
import Testing

@Suite("The linearizability checker")
struct CheckerTests {
  typealias Snapshots = SnapshotType<Int>
  typealias History = ConcurrentHistory<Snapshots.Operation, Snapshots.Response>

  private let checker = LinearizabilityChecker(Snapshots(0, processes: 3))

  @Test("A snapshot may see a concurrent update or not, and must see one that is over")
  func visibility() {
    for (seen, begun, isRight) in [(0, 1, true), (1, 1, true), (0, 4, false), (1, 4, true), (2, 1, false)] {
      let history = History([
        .init(Peer(0), .update(1), .done, from: 0, to: 3),
        .init(Peer(1), .snapshot, .view([seen, 0, 0]), from: begun, to: 5),
      ])
      #expect((checker.violation(in: history) == nil) == isRight, "\(seen) from \(begun) on")
    }
  }

  @Test("Who saw an update must not unsee it")
  func unseen() {
    let history = History([
      .init(Peer(0), .update(1), .done, from: 0, to: 9),
      .init(Peer(1), .snapshot, .view([1, 0, 0]), from: 1, to: 2),
      .init(Peer(2), .snapshot, .view([0, 0, 0]), from: 3, to: 4),
    ])
    #expect(
      checker.violation(in: history) == """
        Not linearizable: no order of these operations gives the answer of the last one to return.
        The state before them: [0, 0, 0]
          p0  ├────…  update 1
          p1   ├┤     snapshot → [1, 0, 0]
          p2     ├┤   snapshot → [0, 0, 0]
        """)
  }

  @Test("An operation that never returned may have taken effect at any later time, or never")
  func pending() {
    let stopped = History.Call(Peer(0), .update(1), from: 0)
    func history(_ seen: [Int]) -> History {
      History(
        [stopped]
          + seen.enumerated().map {
            .init(Peer(1), .snapshot, .view([$1, 0, 0]), from: 2 * $0 + 1, to: 2 * $0 + 2)
          })
    }
    for seen in [[0, 0, 0], [0, 0, 1], [1, 1, 1], [0, 1, 1]] {
      #expect(checker.violation(in: history(seen)) == nil, "\(seen)")
    }
    for seen in [[1, 0], [0, 1, 0], [2]] { #expect(checker.violation(in: history(seen)) != nil, "\(seen)") }
  }

  @Test("Of two transfers that the balance has enough for once, one may succeed, in either order")
  func overdraft() throws {
    let type = try object((1, [0, 1]), (0, []))
    for (first, second, isRight) in [
      (true, false, true), (false, true, true), (true, true, false), (false, false, false),
    ] {
      let violation = LinearizabilityChecker(type).violation(
        in: .init([
          .init(Peer(0), move(1, 0, 1), .transferred(first), from: 0, to: 2),
          .init(Peer(1), move(1, 0, 1), .transferred(second), from: 1, to: 3),
        ]))
      #expect((violation == nil) == isRight, "\(first), \(second)")
    }
  }

  @Test("An explanation begins at the last quiet moment, without what does not matter")
  func explanation() throws {
    let type = try object((5, [0]), (0, [1]))
    var calls: [ConcurrentHistory<Transfers, AssetTransferObject.Response>.Call] = []
    for number in 0..<50 {
      let balance = AssetTransferObject.Response.balance(number < 25 ? 5 : 4)
      calls.append(.init(Peer(1), read(0), balance, from: 10 * number, to: 10 * number + 1))
    }
    calls.append(.init(Peer(0), move(1, 0, 1), .transferred(true), from: 245, to: 246))
    calls.append(.init(Peer(2), move(1, 0, 1), from: 247))
    calls.append(.init(Peer(0), move(2, 0, 1), .transferred(true), from: 500, to: 505))
    calls.append(.init(Peer(1), read(1), .balance(1), from: 501, to: 504))
    calls.append(.init(Peer(1), read(0), .balance(3), from: 507, to: 508))
    #expect(
      LinearizabilityChecker(type).violation(in: .init(calls)) == """
        Not linearizable: no order of these operations gives the answer of the last one to return.
        The state before them: [2, 3]
        Before them p2 began transfer 1 to 1 from 0, which may or may not have taken effect.
          p1  ├┤  read 0 → 3
        """)
  }

  @Test("Objects that are independent are checked one by one; a transfer joins its accounts")
  func partition() throws {
    // Operations on registers: the entry of a process is its own register, which it writes and reads.
    struct Registers: SequentialType {
      struct Write: Hashable, Sendable {
        let register: Int
        let value: Int?
      }
      let initialState = [Int: Int]()
      func apply(_ operation: Write, by process: Peer, to state: inout [Int: Int]) -> Int {
        if let value = operation.value { state[operation.register] = value }
        return state[operation.register] ?? 0
      }
      func mayChangeState(_ operation: Write, answeredBy response: Int) -> Bool { operation.value != nil }
    }
    typealias Write = Registers.Write
    func history(_ seen: Int) -> ConcurrentHistory<Write, Int> {
      .init([
        .init(Peer(0), Write(register: 0, value: 1), 1, from: 0, to: 3),
        .init(Peer(1), Write(register: 1, value: 2), 2, from: 1, to: 2),
        .init(Peer(1), Write(register: 0, value: nil), seen, from: 4, to: 5),
      ])
    }
    let checker = LinearizabilityChecker(Registers())
    #expect(checker.violation(in: history(1), partitionedBy: \.register) == nil)
    #expect(checker.violation(in: history(0), partitionedBy: \.register)?.hasPrefix("Of 0: Not") == true)

    // What concerns either account can be ordered; what concerns both cannot.
    let type = try object((1, [0]), (0, [1]))
    let transfers = LinearizabilityChecker<AssetTransferObject>.History([
      .init(Peer(0), move(1, 0, 1), .transferred(true), from: 0, to: 9),
      .init(Peer(1), read(1), .balance(1), from: 1, to: 2),
      .init(Peer(1), read(0), .balance(1), from: 3, to: 4),
    ])
    let accounts = LinearizabilityChecker(type)
    for other in [1, 2] {
      let part = [transfers.calls[0], transfers.calls[other]]
      #expect(accounts.violation(in: .init(part)) == nil)
    }
    #expect(accounts.violation(in: transfers) != nil)
  }

  @Test("Search, monitor and the trial of all orders agree on random histories, some with stops")
  func againstAllOrders() {
    var random = testRandom()
    var verdicts = [0, 0]
    let type = Snapshots(0, processes: 3)
    for number in 0..<2_000 {
      let history = randomHistory(&random)
      let isRight = checker.violation(in: history) == nil
      verdicts[isRight ? 1 : 0] += 1
      #expect(isRight == monitored(history, type), "history \(number), \(replay)")
      #expect(isRight == hasOrder(history.calls, type.initialState, type), "history \(number), \(replay)")
    }
    // Otherwise they might agree on anything.
    #expect(verdicts.allSatisfy { $0 > 200 }, "\(verdicts)")
  }

  /// A history of three processes with two operations each, which take effect at random moments within; in every second one
  /// snapshot is answered wrongly, though that may be right again.
  private func randomHistory(_ random: inout Xoshiro256) -> History {
    let type = Snapshots(0, processes: 3)
    var times = Array(0..<18)
    random.shuffle(&times)
    var plan: [(process: Int, begun: Int, effect: Int, ended: Int, operation: Snapshots.Operation)] = []
    for process in 0..<3 {
      let own = times[(6 * process)..<(6 * process + 6)].sorted()
      for number in 0..<2 {
        let operation = random.oneIn(2) ? Snapshots.Operation.update(number + 1) : .snapshot
        plan.append((process, own[3 * number], own[3 * number + 1], own[3 * number + 2], operation))
      }
    }
    var state = type.initialState
    var calls: [History.Call] = []
    var isWrong = random.oneIn(2)
    for (process, begun, _, ended, operation) in plan.sorted(by: { $0.effect < $1.effect }) {
      var answer = type.apply(operation, by: Peer(process), to: &state)
      if isWrong, operation == .snapshot, random.oneIn(2), case .view(var view) = answer {
        view[random.uniform(below: 3)] = random.uniform(below: 3)
        answer = .view(view)
        isWrong = false
      }
      let isLast = plan[2 * process + 1].begun == begun
      calls.append(
        isLast && random.oneIn(4)
          ? .init(Peer(process), operation, from: begun)
          : .init(Peer(process), operation, answer, from: begun, to: ended))
    }
    return History(calls)
  }

  private func monitored(_ history: History, _ type: Snapshots) -> Bool {
    var monitor = LinearizabilityMonitor(type, processes: 3)
    let begun = history.calls.map { ($0.invokedAt, $0, false) }
    let ended = history.calls.compactMap { call in call.respondedAt.map { ($0, call, true) } }
    for (_, call, isResponse) in (begun + ended).sorted(by: { $0.0 < $1.0 }) {
      if isResponse, let response = call.response {
        if !monitor.respond(response, to: Int(call.process.index), of: type) { return false }
      } else {
        monitor.invoke(call.operation, by: Int(call.process.index))
      }
    }
    return true
  }

  /// Whether the calls have an order that is legal and keeps what precedes what; those that never returned may be left out.
  private func hasOrder(_ calls: [History.Call], _ state: [Int], _ type: Snapshots) -> Bool {
    if calls.allSatisfy({ $0.response == nil }) { return true }
    return calls.indices.contains { index in
      let call = calls[index]
      let isFirst = calls.allSatisfy { ($0.respondedAt ?? .max) > call.invokedAt }
      var next = state
      let answer = type.apply(call.operation, by: call.process, to: &next)
      guard isFirst, call.response == nil || call.response == answer else { return false }
      var rest = calls
      rest.remove(at: index)
      return hasOrder(rest, next, type)
    }
  }
}
