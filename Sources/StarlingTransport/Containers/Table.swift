import StarlingCore

/// Values side by side, each with the instant at which it next wants attention, in a column of its own so
/// that the earliest is found without touching the values.
struct Table<Element> {
  private var elements: [Element] = []
  private(set) var deadlines: [Instant] = []

  var count: Int { elements.count }
  var isEmpty: Bool { elements.isEmpty }
  /// The earliest of all deadlines. Takes time in proportion to their number.
  var earliest: Instant { deadlines.min() ?? .distantFuture }

  subscript(index: Int) -> Element {
    _read { yield elements[index] }
    _modify { yield &elements[index] }
  }

  /// - Returns: where the element is now.
  mutating func append(_ element: Element, deadline: Instant) -> Int {
    elements.append(element)
    deadlines.append(deadline)
    return elements.count - 1
  }

  mutating func setDeadline(_ deadline: Instant, at index: Int) { deadlines[index] = deadline }

  /// Takes an element out; the last one moves to its place.
  mutating func remove(at index: Int) -> Element {
    elements.swapAt(index, elements.count - 1)
    deadlines.swapAt(index, deadlines.count - 1)
    deadlines.removeLast()
    return elements.removeLast()
  }
}
