import StarlingCore

/// Timers that wait for their instant: a binary heap (Williams, "Algorithm 232: Heapsort", 1964), bounded.
/// Timers of one instant come out in the order in which they were set.
struct TimerHeap<Timer> {
  private struct Entry {
    let instant: Instant
    let order: UInt64
    let timer: Timer

    func isBefore(_ other: Entry) -> Bool {
      instant == other.instant ? order < other.order : instant < other.instant
    }
  }

  private let limit: Int
  private var heap: [Entry] = []
  private var nextOrder: UInt64 = 0

  init(limit: Int) { self.limit = limit }

  var count: Int { heap.count }

  /// When the next timer is due; ``Instant/distantFuture`` if none is set.
  var nextInstant: Instant { heap.first?.instant ?? .distantFuture }

  /// Sets a timer; false if there are too many.
  ///
  /// - Parameter isExempt: whether the bound does not count, as for timers whose number is bounded elsewhere.
  mutating func insert(_ timer: Timer, at instant: Instant, isExempt: Bool = false) -> Bool {
    guard isExempt || heap.count < limit else { return false }
    heap.append(Entry(instant: instant, order: nextOrder, timer: timer))
    nextOrder += 1
    var child = heap.count - 1
    while child > 0, heap[child].isBefore(heap[(child - 1) / 2]) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
    return true
  }

  /// Takes the next timer out if it is due.
  mutating func popDue(at now: Instant) -> Timer? {
    guard let first = heap.first, first.instant <= now else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      siftDown()
    }
    return first.timer
  }

  private mutating func siftDown() {
    var parent = 0
    while true {
      var least = parent
      for child in (2 * parent + 1)...(2 * parent + 2) where child < heap.count {
        if heap[child].isBefore(heap[least]) { least = child }
      }
      if least == parent { return }
      heap.swapAt(parent, least)
      parent = least
    }
  }
}
