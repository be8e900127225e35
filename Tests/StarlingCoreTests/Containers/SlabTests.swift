import StarlingCore
import StarlingTestSupport
import Testing

@Suite("Slab")
struct SlabTests {
  /// Counts how often it is destroyed; shared by the tokens of one test.
  final class Ledger {
    var destroyed: [Int: Int] = [:]
  }

  struct Token: ~Copyable {
    let number: Int
    let ledger: Ledger

    deinit { ledger.destroyed[number, default: 0] += 1 }
  }

  @Test("Random insertions and removals keep every value in its slot and destroy each exactly once")
  func lifetimes() {
    var random = testRandom()
    let ledger = Ledger()
    var made = 0
    do {
      var slab = Slab<Token>()
      var live: [(slot: UInt32, number: Int)] = []
      for _ in 0..<4_000 {
        if live.isEmpty || random.chance(0.55) {
          let slot = slab.insert(Token(number: made, ledger: ledger))
          #expect(!live.contains { $0.slot == slot }, "a slot was given out twice; \(replay)")
          live.append((slot, made))
          made += 1
        } else {
          let (slot, number) = live.remove(at: random.uniform(below: live.count))
          let token = slab.remove(slot)
          #expect(token.number == number, "\(replay)")
        }
        #expect(slab.count == live.count, "\(replay)")
      }
      for (slot, number) in live { #expect(slab[slot].number == number, "\(replay)") }
      #expect(ledger.destroyed.count == made - live.count, "\(replay)")
    }
    #expect(ledger.destroyed.count == made, "a slab destroys what it still holds; \(replay)")
    #expect(ledger.destroyed.values.allSatisfy { $0 == 1 }, "\(replay)")
  }

  @Test("A value is changed in its place, and released slots are used again before new ones")
  func reuse() {
    var slab = Slab<[Int]>()
    let slots = (0..<40).map { slab.insert([$0]) }
    slab[slots[17]].append(99)
    #expect(slab[slots[17]] == [17, 99])
    slab.remove(slots[3])
    slab.remove(slots[30])
    let reused = [slab.insert([100]), slab.insert([101])]
    #expect(Set(reused) == [slots[3], slots[30]])
    #expect(slab.count == 40 && slab.insert([102]) == 40)
  }
}
