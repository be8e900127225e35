/// One bit for each of a window of consecutive numbers, in a ring: the window's owner clears what leaves it.
struct RingBitmap: Sendable {
  private var words: [UInt64]

  /// - Parameter capacity: the width of the window, a power of two from 64 up.
  init(capacity: Int) {
    precondition(capacity >= 64 && capacity & (capacity - 1) == 0, "a ring's capacity is a power of two")
    words = [UInt64](repeating: 0, count: capacity / 64)
  }

  var capacity: UInt64 { UInt64(words.count) * 64 }

  subscript(number: UInt64) -> Bool {
    get { words[word(number)] >> (number % 64) & 1 == 1 }
    set {
      let mask = UInt64(1) << (number % 64)
      if newValue { words[word(number)] |= mask } else { words[word(number)] &= ~mask }
    }
  }

  mutating func clear() { for i in words.indices { words[i] = 0 } }

  private func word(_ number: UInt64) -> Int { Int(truncatingIfNeeded: number / 64) & (words.count - 1) }
}
