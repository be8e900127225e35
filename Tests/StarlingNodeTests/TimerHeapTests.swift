import StarlingCore
import Testing

@testable import StarlingNode

@Suite struct TimerHeapTests {
  @Test("timers come out by instant, those of one instant in the order they were set, none early")
  func order() {
    var random = Xoshiro256(seed: 5)
    var heap = TimerHeap<Int>(limit: 1_000)
    var instants: [UInt64] = []
    for i in 0..<500 {
      instants.append(UInt64(random.uniform(below: 50)))
      let isSet = heap.insert(i, at: Instant(nanoseconds: instants[i]))
      #expect(isSet)
    }
    var out: [Int] = []
    for now: UInt64 in 0..<50 {
      while let timer = heap.popDue(at: Instant(nanoseconds: now)) {
        #expect(instants[timer] == now)
        out.append(timer)
      }
    }
    #expect(out == (0..<500).sorted { (instants[$0], $0) < (instants[$1], $1) })
    #expect(heap.nextInstant == .distantFuture)
  }

  @Test("no more timers than the limit are set")
  func bound() {
    var heap = TimerHeap<Int>(limit: 2)
    let areSet = [
      heap.insert(0, at: .zero), heap.insert(1, at: .zero), heap.insert(2, at: .zero),
      heap.insert(3, at: .zero, isExempt: true),
    ]
    #expect(areSet == [true, true, false, true])
    #expect(heap.count == 3)
  }
}
