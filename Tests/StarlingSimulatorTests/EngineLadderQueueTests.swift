import StarlingCore
import StarlingTestSupport
import Testing

@testable import StarlingSimulator

@Suite("LadderQueue")
struct EngineLadderQueueTests {
  /// A sorted array, searched by halves, that puts equals behind each other: slow, and plainly right.
  struct Model {
    var events: [(time: UInt64, slot: UInt32)] = []
    var head = 0

    mutating func push(_ time: UInt64, _ slot: UInt32) {
      var (low, high) = (head, events.count)
      while low < high {
        let middle = (low + high) / 2
        if events[middle].time <= time { low = middle + 1 } else { high = middle }
      }
      events.insert((time, slot), at: low)
    }

    mutating func pop() -> (time: UInt64, slot: UInt32)? {
      guard head < events.count else { return nil }
      defer { head += 1 }
      return events[head]
    }
  }

  /// A queue and its model, fed alike.
  struct Pair: ~Copyable {
    var queue = LadderQueue()
    var model = Model()
    var pushed: UInt32 = 0
    /// The instant of the last event taken out.
    var now: UInt64 = 0
    var differences = 0

    mutating func push(_ time: UInt64) {
      queue.push(Event(time: time, target: pushed &* 7, slot: pushed))
      model.push(time, pushed)
      pushed += 1
    }

    mutating func pop() {
      let next = queue.nextTime()
      let event = queue.pop()
      let expected = model.pop()
      if event?.time != expected?.time || event?.slot != expected?.slot || next != expected?.time
        || event.map({ $0.target != $0.slot &* 7 }) == true
      {
        differences += 1
      }
      if let event { now = event.time }
    }

    mutating func drain() {
      while queue.count > 0 && differences == 0 { pop() }
      pop()
    }
  }

  /// A way of choosing the next event's time, given the current one.
  enum Mix: String, CaseIterable {
    case uniform, equal, bursts, sparse, sparseThenBurst, past, wide, powers

    func time(after now: UInt64, _ random: inout Xoshiro256) -> UInt64 {
      let ahead: UInt64
      switch self {
      case .uniform: ahead = UInt64(random.uniform(below: 1_000_000))
      case .equal: ahead = UInt64(random.uniform(below: 3)) * 1_000
      case .bursts: ahead = random.oneIn(50) ? 1_000_000_000 : 500 + UInt64(random.uniform(below: 10))
      case .sparse: ahead = UInt64(random.uniform(below: 1 << 50))
      case .sparseThenBurst:
        ahead =
          random.oneIn(100) ? UInt64(random.uniform(below: 1 << 40)) : UInt64(random.uniform(below: 4_000))
      case .past:
        let back = UInt64(random.uniform(below: 50_000))
        if random.oneIn(3) { return now > back ? now - back : 0 }
        ahead = UInt64(random.uniform(below: 50_000))
      case .wide: ahead = random.next() >> 3
      case .powers: ahead = UInt64(1) << UInt64(random.uniform(below: 60))
      }
      let (sum, overflow) = now.addingReportingOverflow(ahead)
      return overflow ? .max : sum
    }
  }

  @Test(
    "Whatever the mix of times, events come out as from a sorted array, equals as they went in",
    arguments: Mix.allCases)
  func model(mix: Mix) {
    var random = testRandom()
    for hold in [40, 3_000] {
      var pair = Pair()
      for _ in 0..<hold { pair.push(mix.time(after: 0, &random)) }
      for _ in 0..<4_000 {
        // Now and then a burst, or a spell of taking out.
        let pushes = random.oneIn(200) ? 300 : random.oneIn(3) ? 0 : 1
        for _ in 0..<pushes { pair.push(mix.time(after: pair.now, &random)) }
        pair.pop()
        if pair.differences > 0 { break }
      }
      pair.drain()
      #expect(pair.differences == 0, "\(mix), holding \(hold); \(replay)")
      #expect(pair.queue.count == 0 && pair.queue.pop() == nil, "\(mix), holding \(hold); \(replay)")
    }
  }

  @Test("Ten thousand events of one instant come out in the order they went in, between others")
  func firstInFirstOut() {
    var pair = Pair()
    for i in 0..<UInt64(10_000) {
      pair.push(77_777)
      if i % 100 == 0 {
        pair.push(77_776)
        pair.push(77_778)
      }
    }
    for _ in 0..<5_000 { pair.pop() }
    // The instant is being taken out: what falls into it now comes last of it.
    for _ in 0..<2_000 { pair.push(77_777) }
    pair.drain()
    #expect(pair.differences == 0)
  }

  @Test("A burst before everything that was sorted is taken out first, and in order")
  func burstIntoSortedStretch() {
    var random = testRandom()
    var pair = Pair()
    for i in 0..<UInt64(300) { pair.push(i * 1_000_000_000) }
    pair.pop()
    pair.pop()
    for _ in 0..<6_000 { pair.push(pair.now + UInt64(random.uniform(below: 900_000_000))) }
    for _ in 0..<3_000 { pair.pop() }
    for _ in 0..<3_000 { pair.push(pair.now) }
    pair.drain()
    #expect(pair.differences == 0, "\(replay)")
  }

  @Test("An emptied queue takes events before and after all it ever held")
  func emptied() {
    var pair = Pair()
    for round in 0..<20 {
      let times: [UInt64] = [1_000, 5, 1_000, 70_000, 0, 1 << 40, 1_001, UInt64(round)]
      for time in times { pair.push(time) }
      for _ in 0..<(round % 3 == 0 ? 8 : 5) { pair.pop() }
    }
    pair.drain()
    #expect(pair.differences == 0)
  }

  @Test("Both ends of time are times like others")
  func extremes() {
    var random = testRandom()
    for count in [1, 2, 3, 70, 2_000] {
      for mask in [UInt64(0), 1, 1 << 20, 1 << 63, .max] {
        var pair = Pair()
        for _ in 0..<count {
          let offset = mask == 0 ? 0 : random.next() & (mask &* 2 &- 1)
          pair.push(random.oneIn(2) ? offset : .max - offset)
        }
        pair.push(.max)
        pair.push(0)
        for _ in 0..<(count / 2) { pair.pop() }
        for _ in 0..<(count / 2) {
          pair.push(random.oneIn(2) ? pair.now : .max - UInt64(random.uniform(below: 3)))
        }
        pair.push(.max)
        pair.drain()
        #expect(pair.differences == 0, "\(count) events, mask \(mask); \(replay)")
      }
    }
  }

  @Test("Chunks are used again: events that pass through take no more room than wait at once")
  func memory() {
    var queue = LadderQueue()
    var random = testRandom()
    for _ in 0..<1_000 {
      queue.push(Event(time: UInt64(random.uniform(below: 1_000_000)), target: 0, slot: 0))
    }
    for _ in 0..<100_000 {
      guard let event = queue.pop() else { break }
      queue.push(Event(time: event.time + UInt64(random.uniform(below: 1_000_000)), target: 0, slot: 0))
    }
    #expect(queue.count == 1_000)
    // 1,000 events need 67 full chunks; each non-empty bucket of some 20 has one that is not.
    #expect(queue.pool.used < 1_000, "\(queue.pool.used) chunks")
  }
}
