import StarlingCore

/// The baseline: flooding as one would write it for one purpose, without a process contract. A 4-ary heap, flat
/// arrays, and for each peer a bitmap of the last 64 messages of the one sender.
struct HandWrittenFlood {
  struct Event {
    let time: UInt64
    let receiver: UInt32
    let sender: UInt32
    let sequence: UInt32
    let hops: UInt32
  }

  let offsets: [Int]
  let neighbours: [UInt32]
  let delays: DelaySampler
  var random: Xoshiro256
  var seen: [UInt64]
  var heap: [Event] = []
  var deliveries = 0
  var firstDeliveries = 0
  /// Folded over all events, so that no work can be left out.
  var hash: UInt64 = 0

  init(graph: FloodGraph, delays: DelaySampler, seed: UInt64) {
    offsets = graph.offsets
    neighbours = graph.neighbours
    self.delays = delays
    random = Xoshiro256(seed: seed)
    seen = [UInt64](repeating: 0, count: graph.peers)
  }

  /// Floods one message to the end.
  mutating func flood(_ sequence: UInt32, from root: Int, at start: UInt64) -> UInt64 {
    var now = start
    seen[root] |= 1 << UInt64(sequence & 63)
    forward(Event(time: start, receiver: UInt32(root), sender: .max, sequence: sequence, hops: 0))
    while let event = pop() {
      now = event.time
      deliveries += 1
      hash = (hash ^ event.time ^ UInt64(event.receiver) << 32) &* 0x9E37_79B9_7F4A_7C15
      let bit = UInt64(1) << UInt64(event.sequence & 63)
      if seen[Int(event.receiver)] & bit != 0 { continue }
      seen[Int(event.receiver)] |= bit
      firstDeliveries += 1
      forward(event)
    }
    return now
  }

  private mutating func forward(_ event: Event) {
    for i in offsets[Int(event.receiver)]..<offsets[Int(event.receiver) + 1] {
      let next = neighbours[i]
      if next == event.sender { continue }
      let delay = delays.sample(from: Peer(event.receiver), to: Peer(next), random: &random)
      push(
        Event(
          time: event.time + UInt64(delay.nanoseconds), receiver: next, sender: event.receiver,
          sequence: event.sequence, hops: event.hops + 1))
    }
  }

  private mutating func push(_ event: Event) {
    heap.append(event)
    var i = heap.count - 1
    while i > 0 {
      let parent = (i - 1) / 4
      if heap[parent].time <= event.time { break }
      heap[i] = heap[parent]
      i = parent
    }
    heap[i] = event
  }

  private mutating func pop() -> Event? {
    guard let first = heap.first, let last = heap.popLast() else { return nil }
    if heap.isEmpty { return first }
    var i = 0
    while true {
      let child = 4 * i + 1
      if child >= heap.count { break }
      var least = child
      for j in (child + 1)..<max(child + 1, min(child + 4, heap.count))
      where heap[j].time < heap[least].time {
        least = j
      }
      if last.time <= heap[least].time { break }
      heap[i] = heap[least]
      i = least
    }
    heap[i] = last
    return first
  }
}
