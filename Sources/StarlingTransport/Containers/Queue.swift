/// A first-in first-out queue in one array. Appending and taking off the front take constant time, amortised.
struct Queue<Element> {
  private var storage: [Element] = []
  private var head = 0

  var count: Int { storage.count - head }
  var isEmpty: Bool { head == storage.count }
  var first: Element? { isEmpty ? nil : storage[head] }

  /// The element that many places behind the front.
  subscript(index: Int) -> Element {
    _read { yield storage[head + index] }
    _modify { yield &storage[head + index] }
  }

  mutating func append(_ element: Element) { storage.append(element) }

  mutating func removeFirst(_ count: Int = 1) {
    precondition(count <= self.count, "a queue of \(self.count) elements cannot lose \(count)")
    head += count
    // The dead front is dropped once it is half of the array, so that each element moves once on average.
    if head == storage.count {
      storage.removeAll(keepingCapacity: storage.count <= 256)
      head = 0
    } else if head > 32, head * 2 > storage.count {
      storage.removeSubrange(..<head)
      head = 0
    }
  }

  /// Of the first `count` elements, keeps those that satisfy the predicate, in order. Takes time in
  /// proportion to `count`, amortised.
  mutating func filterFirst(_ count: Int, keeping isKept: (Element) -> Bool) {
    var target = head + count
    for i in stride(from: head + count - 1, through: head, by: -1) where isKept(storage[i]) {
      target -= 1
      storage.swapAt(i, target)
    }
    removeFirst(target - head)
  }

  mutating func removeAll() {
    storage = []
    head = 0
  }
}
