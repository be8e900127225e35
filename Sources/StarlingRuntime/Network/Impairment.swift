import StarlingCore

/// A bad network made on purpose: every outgoing datagram is lost with a given probability and otherwise
/// held back as long as a delay model says, so that a real node can be tried under the conditions that were
/// simulated.
public struct Impairment {
  /// The most datagrams that may be under way at once; further ones are lost, as in a full router.
  static let queueLimit = 16_384

  private struct Entry {
    let due: Instant
    let number: UInt64
    let datagram: Datagram
  }

  private let loss: Double
  private let sampler: DelaySampler?
  private let matrix: LatencyMatrix?
  private let localRow: Int
  private var random: Xoshiro256
  /// A binary heap, the earliest first; equal instants leave in the order of sending.
  private var heap: [Entry] = []
  private var sent: UInt64 = 0

  /// How many datagrams were lost on purpose, or because too many were under way.
  public private(set) var lost: UInt64 = 0

  /// - Parameters:
  ///   - delay: how long a datagram is held back; not at all if `nil`.
  ///   - loss: the probability that it is lost instead, 0 ... 1.
  ///   - local: the node's own address, which decides its row of a latency matrix.
  ///   - seed: what the draws follow from.
  public init(delay: DelayModel?, loss: Double, local: SocketAddress, seed: UInt64) {
    self.loss = loss
    var random = Xoshiro256(seed: seed)
    sampler = delay.map { DelaySampler($0, peers: 1, random: &random) }
    self.random = random
    if case .matrix(let matrix, _) = delay { self.matrix = matrix } else { matrix = nil }
    localRow = matrix.map { Impairment.row(of: local, among: $0.rows) } ?? 0
  }

  /// Whether there is nothing to do: no delay and no loss.
  var isNone: Bool { sampler == nil && loss == 0 }

  /// When the next datagram leaves; ``Instant/distantFuture`` if none is held back.
  var nextDeadline: Instant { heap.first?.due ?? .distantFuture }

  /// Takes a datagram on its way.
  mutating func accept(_ datagram: Datagram, at now: Instant) {
    if random.chance(loss) || heap.count >= Impairment.queueLimit {
      lost &+= 1
      return
    }
    heap.append(Entry(due: now + delay(to: datagram.address), number: sent, datagram: datagram))
    sent &+= 1
    siftUp(heap.count - 1)
  }

  /// Takes out the next datagram whose delay is over; `nil` if there is none.
  mutating func release(at now: Instant) -> Datagram? {
    guard let first = heap.first, first.due <= now else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      siftDown(0)
    }
    return first.datagram
  }

  private mutating func delay(to address: SocketAddress) -> Interval {
    if let matrix { return matrix.delay(from: localRow, to: Impairment.row(of: address, among: matrix.rows)) }
    return sampler?.sample(from: Peer(0), to: Peer(0), random: &random) ?? .zero
  }

  /// A row that both ends of a connection agree on without talking: it follows from the address alone.
  static func row(of address: SocketAddress, among rows: Int) -> Int {
    var hash = UInt64(address.port)
    for byte in address.host { hash = SplitMix64.mix(hash ^ UInt64(byte)) }
    return Int(SplitMix64.mix(hash) % UInt64(rows))
  }

  private static func precedes(_ a: Entry, _ b: Entry) -> Bool {
    a.due == b.due ? a.number < b.number : a.due < b.due
  }

  private mutating func siftUp(_ start: Int) {
    var child = start
    while child > 0 {
      let parent = (child - 1) / 2
      guard Impairment.precedes(heap[child], heap[parent]) else { return }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  private mutating func siftDown(_ start: Int) {
    var parent = start
    while true {
      var first = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
        if Impairment.precedes(heap[child], heap[first]) { first = child }
      }
      if first == parent { return }
      heap.swapAt(parent, first)
      parent = first
    }
  }
}
