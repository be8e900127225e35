import StarlingCore

#if canImport(Glibc)
  import Glibc
#endif

/// Datagrams on their way in virtual time: delayed by 10 to 30 ms each, so that they overtake each other,
/// and lost now and then.
struct TestNetwork {
  struct Datagram {
    let bytes: [UInt8]
    let source: SocketAddress
    let target: SocketAddress
  }

  private var random: Xoshiro256
  private let loss: Double
  private var queue: [(at: Instant, order: Int, datagram: Datagram)] = []
  private var order = 0
  /// Addresses from and to which nothing passes.
  var cut: [SocketAddress] = []

  init(seed: UInt64, loss: Double) {
    random = Xoshiro256(seed: seed)
    self.loss = loss
  }

  mutating func send(_ datagram: Datagram, at now: Instant) {
    if random.chance(loss) || cut.contains(datagram.source) || cut.contains(datagram.target) { return }
    let delay = Interval.microseconds(10_000 + random.uniform(below: 20_000))
    // Kept sorted; a test has few datagrams on their way at once.
    let at = now + delay
    var position = queue.count
    while position > 0, queue[position - 1].at > at { position -= 1 }
    queue.insert((at, order, datagram), at: position)
    order += 1
  }

  var nextInstant: Instant { queue.first?.at ?? .distantFuture }

  mutating func popDue(at now: Instant) -> Datagram? {
    guard let first = queue.first, first.at <= now else { return nil }
    queue.removeFirst()
    return first.datagram
  }
}

/// The seed of randomised tests: `STARLING_TEST_SEED`, or the given one.
func testSeed(default seed: UInt64) -> UInt64 {
  let seed = getenv("STARLING_TEST_SEED").flatMap { UInt64(String(cString: $0)) } ?? seed
  print("STARLING_TEST_SEED=\(seed)")
  return seed
}

struct TestFailure: Error {
  let what: String
}

/// The address of member number `n`.
func address(_ n: Int) throws -> SocketAddress {
  guard let address = SocketAddress(host: [10, 0, 0, UInt8(n)], port: 4_000) else {
    throw TestFailure(what: "no address")
  }
  return address
}

/// 32 bytes for member number `n`, which follow from the seed.
func seedBytes(_ seed: UInt64, _ n: Int) -> [UInt8] {
  var random = Xoshiro256(seed: seed &* 1_000 &+ UInt64(n))
  return (0..<32).map { _ in UInt8(truncatingIfNeeded: random.next()) }
}
