/// A first-in first-out queue in one array. Appending and taking off the front take constant time, amortised.
@frozen
public struct Queue<Element> {
  @usableFromInline var storage: [Element] = []
  @usableFromInline var head = 0

  /// An empty queue.
  @inlinable
  public init() {}

  /// How many elements there are.
  @inlinable
  public var count: Int { storage.count - head }

  /// Whether there is none.
  @inlinable
  public var isEmpty: Bool { head == storage.count }

  /// The oldest.
  @inlinable
  public var first: Element? { isEmpty ? nil : storage[head] }

  /// The element that many places behind the front.
  @inlinable
  public subscript(index: Int) -> Element {
    _read { yield storage[head + index] }
    _modify { yield &storage[head + index] }
  }

  /// Appends an element.
  @inlinable
  public mutating func append(_ element: Element) { storage.append(element) }

  /// Appends elements in their order.
  @inlinable
  public mutating func append(contentsOf elements: some Sequence<Element>) {
    storage.append(contentsOf: elements)
  }

  /// Takes off the oldest; `nil` if there is none.
  @inlinable
  public mutating func popFirst() -> Element? {
    guard let first else { return nil }
    removeFirst()
    return first
  }

  /// The oldest so many, or all there are.
  @inlinable
  public func prefix(_ count: Int) -> ArraySlice<Element> { storage[head...].prefix(count) }

  /// Takes off the oldest so many: no more than there are.
  @inlinable
  public mutating func removeFirst(_ count: Int = 1) {
    precondition(count <= self.count, "a queue of \(self.count) elements cannot lose \(count)")
    head += count
    // The dead front is dropped once it is half of the array, so that each element moves once on average.
    if head == storage.count {
      storage.removeAll(keepingCapacity: storage.count <= 1_024)
      head = 0
    } else if head > 32, head * 2 > storage.count {
      storage.removeSubrange(..<head)
      head = 0
    }
  }

  /// Of the first `count` elements, keeps those that satisfy the predicate, in order. Takes time in
  /// proportion to `count`, amortised.
  @inlinable
  public mutating func filterFirst(_ count: Int, keeping isKept: (Element) -> Bool) {
    var target = head + count
    for i in stride(from: head + count - 1, through: head, by: -1) where isKept(storage[i]) {
      target -= 1
      storage.swapAt(i, target)
    }
    removeFirst(target - head)
  }

  /// Takes off all.
  @inlinable
  public mutating func removeAll() {
    storage = []
    head = 0
  }
}

extension Queue: Sendable where Element: Sendable {}
