import StarlingCore
import StarlingSharedMemory
import Testing

@Suite("The wait-free atomic snapshot, in every schedule")
struct SnapshotTests {
  typealias Programs = [[SnapshotType<Int>.Operation]]

  @Test(
    "It is linearizable, and no operation takes more steps than promised, whoever stops",
    arguments: [
      [[.update(1), .snapshot], [.update(2), .snapshot]],
      [[.update(1), .update(2), .update(3)], [.snapshot, .update(4), .snapshot]],
      [[.update(1)], [.update(2)], [.snapshot]],
      [[.update(1), .snapshot], [.update(2)], [.snapshot]],
    ] as [Programs])
  func everySchedule(programs: Programs) {
    expectNoViolation(explore(programs) { WaitFreeSnapshot(0, processes: programs.count, in: $0) })
  }

  @Test("The promised steps are reached, so they are no larger than need be")
  func steps() {
    let programs: Programs = [[.snapshot], [.update(1)], [.update(2)]]
    let exploration = explore(programs) { WaitFreeSnapshot(0, processes: 3, in: $0) }
    #expect(exploration.longestOperations[0] == [WaitFreeSnapshot<Int>.snapshotStepsLimit(processes: 3)])
    #expect(exploration.violation == nil)
  }

  @Test("A limit of one step less is found to be broken, and said so")
  func brokenLimit() {
    let programs: Programs = [[.snapshot], [.update(1), .update(2)]]
    let exploration = explore(programs, stepsLimit: 5) { WaitFreeSnapshot(0, processes: 2, in: $0) }
    #expect(exploration.violation?.contains("takes more than 5 steps") == true)
  }

  @Test("A snapshot that reads once is caught")
  func singleCollect() {
    let programs: Programs = [[.snapshot], [.update(1)], [.update(2)]]
    let exploration = explore(programs) { SingleCollect(processes: 3, in: $0) }
    #expect(
      exploration.violation == """
        Not linearizable: no order of these operations gives the answer of the last one to return.
        The state before them: [0, 0, 0]
          p0  ├────┤  snapshot → [0, 0, 2]
          p1   ├┤     update 1 → done
          p2     ├┤   update 2 → done
        Whose steps, in order: p0 p0 p1 p2 p0
        """)
  }

  @Test("A snapshot that takes the view of an update which it saw once is caught")
  func movedOnce() {
    let programs: Programs = [[.snapshot], [.update(1)], [.update(2)]]
    let exploration = explore(programs) { MovedOnce(processes: 3, in: $0) }
    #expect(exploration.violation?.contains("Not linearizable") == true)
  }
}

@Suite("The explorer")
struct ExplorerTests {
  @Test("It counts as many schedules as there are", arguments: [(2, 1), (2, 2), (3, 2), (3, 4)])
  func schedules(processes: Int, updates: Int) {
    let programs = (0..<processes).map { _ in (0..<updates).map { SnapshotType<Int>.Operation.update($0) } }
    let exploration = explore(programs) { $0.makeSnapshot(0, processes: processes) }
    // (processes · updates)! / updates!^processes
    func factorial(_ n: Int) -> UInt128 { n == 0 ? 1 : UInt128(n) * factorial(n - 1) }
    let orders = (0..<processes).reduce(factorial(processes * updates)) { orders, _ in
      orders / factorial(updates)
    }
    #expect(exploration.schedules == orders)
    #expect(exploration.violation == nil)
  }

  @Test("It meets every answer that there may be")
  func answers() {
    let exploration = explore([[.snapshot], [.update(1), .update(2)]]) {
      WaitFreeSnapshot(0, processes: 2, in: $0)
    }
    #expect(exploration.responses[0] == [[.view([0, 0]), .view([0, 1]), .view([0, 2])]])
  }
}
