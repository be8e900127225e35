import StarlingCore
import StarlingTestSupport
import Testing

@Suite("SequenceWindow")
struct SequenceWindowTests {
  /// All numbers ever seen; too old is what lies four or more blocks of 64 below the highest.
  struct Model {
    var seen: Set<UInt64>
    var highest: UInt64

    func contains(_ number: UInt64) -> Bool {
      if number > highest { return false }
      return highest / 64 - number / 64 >= 4 || seen.contains(number)
    }

    mutating func insert(_ number: UInt64) -> Bool {
      if contains(number) { return false }
      seen.insert(number)
      highest = max(highest, number)
      return true
    }
  }

  @Test(
    "Random numbers around, far behind and far ahead of the window count as seen just once",
    arguments: [0, 1, 63, 64, 1 << 40, UInt64.max - 5_000, UInt64.max - 300, UInt64.max])
  func model(first: UInt64) {
    var random = testRandom()
    var window = SequenceWindow(first: first)
    var model = Model(seen: [first], highest: first)
    for _ in 0..<3_000 {
      let distance = UInt64(random.uniform(below: [4, 300, 1_000][random.uniform(below: 3)]))
      var number = model.highest
      if random.chance(0.6) {
        number = number < distance ? 0 : number - distance
      } else {
        let (sum, overflow) = number.addingReportingOverflow(distance)
        number = overflow ? .max : sum
      }
      #expect(window.contains(number) == model.contains(number), "\(number); \(replay)")
      if random.chance(0.7) {
        #expect(window.insert(number) == model.insert(number), "\(number); \(replay)")
      }
    }
  }

  @Test("The newest 193 numbers are told apart wherever the highest is, and 256 back counts as seen")
  func reach() {
    for highest in UInt64(1_000)..<1_064 {
      var window = SequenceWindow(first: highest)
      #expect((1...192).allSatisfy { !window.contains(highest - $0) }, "\(highest)")
      #expect(window.contains(highest - 256), "\(highest)")
      #expect(window.insert(highest - 192) && window.contains(highest - 192), "\(highest)")
      #expect(!window.insert(highest - 192) && !window.insert(highest - 256), "\(highest)")
    }
  }

  @Test("A jump forgets what lies behind it and marks nothing ahead of it")
  func jumps() {
    for jump in [UInt64(1), 63, 64, 65, 128, 192, 255, 256, 257, 320, 1_000, 1 << 50] {
      var window = SequenceWindow(first: 0)
      for number in UInt64(1)..<256 { _ = window.insert(number) }
      let isNew = window.insert(255 + jump)
      #expect(isNew)
      let between = max(256, (255 + jump) / 64 * 64 - 192)..<(255 + jump)
      #expect(between.allSatisfy { !window.contains($0) }, "a jump of \(jump)")
      #expect(window.contains(255 + jump) && !window.contains(256 + jump), "a jump of \(jump)")
      #expect((UInt64(0)..<256).allSatisfy { window.contains($0) }, "a jump of \(jump)")
    }
  }
}
