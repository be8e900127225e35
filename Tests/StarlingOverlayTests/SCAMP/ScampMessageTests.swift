import StarlingCore
import StarlingTestSupport
import Testing

@testable import StarlingOverlay

@Suite("SCAMP: messages on the wire")
struct ScampMessageTests {
  /// One message of every kind, with fields drawn at random.
  private func messages(_ random: inout Xoshiro256) -> [OpenScamp.Message] {
    func peer() -> Peer { Peer(UInt32(truncatingIfNeeded: random.next())) }
    let sketch = SizeSketch(drawnFrom: &random)
    var walks: [OpenScamp.Walk] = []
    for purpose in [OpenScamp.Walk.Purpose.contact, .donation] {
      var walk = OpenScamp.Walk(purpose, for: peer(), hopsLeft: UInt8(random.uniform(below: 256)))
      walk.degree = UInt16(random.uniform(below: 65_536))
      walk.isReturned = random.oneIn(2)
      walks.append(walk)
    }
    return walks.map { .walk($0) } + [
      .subscribe, .dropped, .donation(peer()), .returned(peer()), .welcome(sketch), .kept(sketch),
      .size(sketch),
      .subscription(subscriber: peer(), hopsLeft: UInt16(random.uniform(below: 65_536)), sketch),
    ]
  }

  @Test("Every kind comes back as it went out, in just as many bytes as it says")
  func roundTrip() throws {
    var random = testRandom()
    for _ in 0..<50 {
      for message in messages(&random) {
        let bytes = encoded(message)
        #expect(try decoded(OpenScamp.Message.self, from: bytes) == message, "\(replay)")
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
          try decoded(OpenScamp.Message.self, from: Array(bytes[..<length]))
        }
      }
      #expect(throws: WireError.trailing(1)) { try decoded(OpenScamp.Message.self, from: bytes + [0]) }
    }
    #expect(throws: WireError.invalid("a SCAMP message of unknown kind 9")) {
      try decoded(OpenScamp.Message.self, from: [9])
    }
    #expect(throws: WireError.invalid("a walk without a known purpose")) {
      try decoded(OpenScamp.Message.self, from: [1, 2] + [UInt8](repeating: 0, count: 50))
    }
  }

  @Test("Random bytes are a message or throw, and a message that they are comes back the same")
  func noise() throws {
    var random = testRandom()
    for _ in 0..<3_000 {
      var bytes = (0..<random.uniform(below: 80)).map { _ in UInt8(random.uniform(below: 256)) }
      if !bytes.isEmpty, random.oneIn(2) { bytes[0] = UInt8(random.uniform(below: 9)) }
      var reader = WireReader(bytes)
      var peers = NumberedDirectory()
      guard let message = try? OpenScamp.Message.decode(from: &reader, peers: &peers) else { continue }
      #expect(try decoded(OpenScamp.Message.self, from: encoded(message)) == message, "\(replay)")
    }
  }
}
