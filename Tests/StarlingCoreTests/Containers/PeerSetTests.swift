import StarlingCore
import StarlingTestSupport
import Testing

@Suite("PeerSet and PeerMap")
struct PeerSetTests {
  /// What `PeerMap` promises, by plain search: insertion order, and a removal moves the last into the gap.
  struct Model {
    var keys: [Peer] = []
    var values: [Int] = []

    mutating func insert(_ value: Int, for peer: Peer) -> Bool {
      if keys.contains(peer) { return false }
      keys.append(peer)
      values.append(value)
      return true
    }

    mutating func remove(_ peer: Peer) -> Int? {
      guard let gap = keys.firstIndex(of: peer) else { return nil }
      keys.swapAt(gap, keys.count - 1)
      values.swapAt(gap, values.count - 1)
      keys.removeLast()
      return values.removeLast()
    }
  }

  @Test("Random insertions and removals leave what a plain list would hold, in the same order")
  func model() {
    var random = testRandom()
    for _ in 0..<6 {
      var map = PeerMap<Int>()
      var set = PeerSet()
      var model = Model()
      // Handles like a simulation's, or spread over all 32 bits as hash collisions may want them.
      let stride = random.oneIn(2) ? UInt32(1) : 0x0100_0000 &+ UInt32(random.uniform(below: 1 << 20))
      for step in 0..<900 {
        let peer = Peer(UInt32(random.uniform(below: 200)) &* stride)
        // Grows past the linear limit, then shrinks back to next to nothing.
        if random.chance(step < 450 ? 0.75 : 0.25) {
          let isNew = model.insert(step, for: peer)
          #expect(set.insert(peer) == isNew, "\(replay)")
          #expect(map.insert(step, for: peer).isNew == isNew, "\(replay)")
        } else {
          let position = model.keys.firstIndex(of: peer)
          #expect(set.remove(peer) == position, "\(replay)")
          #expect(map.remove(peer) == model.remove(peer), "\(replay)")
        }
        if step == 449 { #expect(model.keys.count > PeerSet.linearLimit, "the test must cross the limit") }
        #expect(set.contains(peer) == model.keys.contains(peer), "\(replay)")
        #expect(map[peer] == model.keys.firstIndex(of: peer).map { model.values[$0] }, "\(replay)")
        if step % 30 == 0 {
          #expect(set.members == model.keys, "\(replay)")
          #expect(map.keys.members == model.keys, "\(replay)")
          #expect((0..<map.count).map { map[$0] } == model.values, "\(replay)")
          #expect(model.keys.enumerated().allSatisfy { set.position(of: $1) == $0 }, "\(replay)")
        }
      }
      #expect(set.members == model.keys && set.count == map.count, "\(replay)")
    }
  }

  @Test("A value can be changed in its place, and a second insertion changes nothing")
  func mapValues() {
    var map = PeerMap<[Int]>()
    map.insert([1], for: Peer(5))
    let second = map.insert([2], for: Peer(5))
    #expect(second.isNew == false && second.position == 0)
    map[0].append(3)
    #expect(map[Peer(5)] == [1, 3])
    #expect(map[Peer(6)] == nil && map.remove(Peer(6)) == nil)
    #expect(map.remove(Peer(5)) == [1, 3] && map.count == 0)
  }

  @Test("A copy does not see what is done to the original, on either side of the linear limit")
  func valueSemantics() {
    for count in [3, PeerSet.linearLimit + 50] {
      var set = PeerSet()
      for i in 0..<count { set.insert(Peer(i)) }
      let copy = set
      set.remove(Peer(0))
      set.insert(Peer(9_999))
      #expect(copy.count == count && copy.contains(Peer(0)) && !copy.contains(Peer(9_999)))
    }
  }

  @Test("A random member is every member equally often; an empty set has none")
  func randomMember() {
    var random = testRandom()
    var set = PeerSet()
    #expect(set.random(from: &random) == nil)
    for i in 0..<20 { set.insert(Peer(i * 3)) }
    var counts = [Int](repeating: 0, count: 20)
    for _ in 0..<20_000 {
      if let member = set.random(from: &random) { counts[Int(member.index) / 3] += 1 }
    }
    #expect(counts.reduce(0, +) == 20_000)
    #expect(chiSquare(counts) < chiSquareLimit(degreesOfFreedom: 19), "\(replay)")
  }

  @Test("An array that grows tightly is never more than a third larger than its contents")
  func tightGrowth() {
    var array: [UInt32] = []
    var worst = 0
    for i in 0..<5_000 {
      array.appendTightly(UInt32(i))
      // What the allocator rounds up to is its own; 16 elements cover it for short arrays.
      worst = max(worst, array.capacity - array.count - array.count / 3)
    }
    #expect(array == (0..<5_000).map { UInt32($0) })
    #expect(worst <= 16)
  }
}
