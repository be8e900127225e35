/// A queue in constant amortised time.
struct FirstInFirstOut<Element> {
  private var elements: [Element] = []
  private var head = 0

  var count: Int { elements.count - head }
  var isEmpty: Bool { head == elements.count }
  var first: Element? { head < elements.count ? elements[head] : nil }

  mutating func append(_ element: Element) { elements.append(element) }

  mutating func append(contentsOf others: some Sequence<Element>) { elements.append(contentsOf: others) }

  mutating func popFirst() -> Element? {
    guard let first else { return nil }
    head += 1
    if head > 64, head * 2 > elements.count {
      elements.removeFirst(head)
      head = 0
    }
    return first
  }

  /// The first so many, or all there are.
  func prefix(_ count: Int) -> ArraySlice<Element> { elements[head...].prefix(count) }

  mutating func removeFirst(_ count: Int) { for _ in 0..<count { _ = popFirst() } }

  mutating func removeAll() {
    elements = []
    head = 0
  }
}
