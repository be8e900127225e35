import StarlingCore
import StarlingTestSupport
import Testing

@testable import StarlingOverlay

@Suite("SCAMP: messages on the wire")
struct ScampMessageTests {
  /// One message of every kind, with fields drawn at random.
  fileprivate func messages(_ random: inout Xoshiro256) -> [ToyScamp.Message] {
    func peer() -> Peer { Peer(UInt32(truncatingIfNeeded: random.next())) }
    func signature() -> ToySignature { ToySignature(value: random.next()) }
    var news = GroupSize.News()
    news.sketch = SizeSketch(drawnFrom: &random)
    news.epoch = UInt16(truncatingIfNeeded: random.next())
    news.settled = UInt8(truncatingIfNeeded: random.next())
    var walks: [ToyScamp.Walk] = []
    for purpose in [ToyScamp.Walk.Purpose.contact(number: random.next(), signature()), .donation] {
      var walk = ToyScamp.Walk(purpose, for: peer(), hopsLeft: UInt8(random.uniform(below: 256)))
      walk.degree = UInt16(random.uniform(below: 65_536))
      walk.isReturned = random.oneIn(2)
      walks.append(walk)
    }
    let subscription = Subscription(
      subscriber: peer(), contact: peer(), number: random.next(), signature: signature(),
      countersignature: signature())
    return walks.map { .walk($0) } + [
      .subscribe(number: random.next(), signature()), .dropped, .donation(peer()), .returned(peer()),
      .welcome(number: random.next(), signature(), news), .refused(number: random.next()), .kept(news),
      .size(news), .heartbeat(news), .alive(news), .probe, .present(news), .release(successor: nil),
      .release(successor: peer()),
      .subscription(subscription, hopsLeft: UInt16(random.uniform(below: 65_536)), news),
    ]
  }

  @Test("Every kind comes back as it went out, in just as many bytes as it says")
  func roundTrip() throws {
    var random = testRandom()
    for _ in 0..<50 {
      for message in messages(&random) {
        let bytes = encoded(message)
        #expect(try decoded(ToyScamp.Message.self, from: bytes) == message, "\(replay)")
        #expect(bytes.count == message.encodedByteCount, "\(message); \(replay)")
      }
    }
  }

  @Test("Every truncation throws, and so does an unknown kind or purpose or a byte too many")
  func malformed() {
    var random = testRandom()
    for message in messages(&random) {
      let bytes = encoded(message)
      for length in 0..<bytes.count {
        #expect(throws: WireError.truncated, "\(message), \(length) bytes; \(replay)") {
          try decoded(ToyScamp.Message.self, from: Array(bytes[..<length]))
        }
      }
      #expect(throws: WireError.trailing(1)) { try decoded(ToyScamp.Message.self, from: bytes + [0]) }
    }
    #expect(throws: WireError.invalid("a SCAMP message of unknown kind 15")) {
      try decoded(ToyScamp.Message.self, from: [15])
    }
    #expect(throws: WireError.invalid("a walk without a known purpose")) {
      try decoded(ToyScamp.Message.self, from: [1, 2] + [UInt8](repeating: 0, count: 50))
    }
  }

  @Test("Random bytes are a message or throw, and a message that they are comes back the same")
  func noise() throws {
    var random = testRandom()
    for _ in 0..<3_000 {
      var bytes = (0..<random.uniform(below: 150)).map { _ in UInt8(random.uniform(below: 256)) }
      if !bytes.isEmpty, random.oneIn(2) { bytes[0] = UInt8(random.uniform(below: 15)) }
      var reader = WireReader(bytes)
      var peers = NumberedDirectory()
      guard let message = try? ToyScamp.Message.decode(from: &reader, peers: &peers) else { continue }
      #expect(try decoded(ToyScamp.Message.self, from: encoded(message)) == message, "\(replay)")
    }
  }
}

/// A door whose signatures are eight bytes, as real ones are 64.
private struct ToyDoor: Admission {
  static var signatureByteCount: Int { 8 }
  func sign(_ statement: SubscriptionStatement) -> ToySignature { ToySignature(value: 0) }
  func verifies(_ signature: ToySignature, of statement: SubscriptionStatement, by signer: Peer) -> Bool {
    true
  }
  mutating func judge(subscriber: Peer, contact: Peer, at now: Instant) -> Misbehaviour? { nil }
}

private struct ToySignature: Sendable, Hashable, WireBytes {
  let value: UInt64
  var bytes: [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) } }
  static var byteCount: Int { 8 }
  init(value: UInt64) { self.value = value }
  init?(_ bytes: [UInt8]) {
    guard bytes.count == 8 else { return nil }
    value = bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}

private typealias ToyScamp = Scamp<ToyDoor>
