import StarlingBroadcast
import StarlingCore
import StarlingTestSupport
import Testing

/// Eight bytes that say who signed what: enough to see that a signature travels.
struct EightBytes: WireBytes, Hashable {
  let bytes: [UInt8]
  static var byteCount: Int { 8 }

  init?(_ bytes: [UInt8]) {
    guard bytes.count == 8 else { return nil }
    self.bytes = bytes
  }
}

struct EightByteAuthenticator: Authenticator {
  static var signatureByteCount: Int { 8 }

  func sign(_ payload: [UInt8], as identifier: MessageIdentifier) -> EightBytes {
    var hash = UInt64(identifier.origin.index) ^ identifier.sequence &* 31
    for byte in payload { hash = SplitMix64.mix(hash ^ UInt64(byte)) }
    let bytes = (0..<8).map { UInt8(truncatingIfNeeded: hash >> UInt64(8 * $0)) }
    guard let signature = EightBytes(bytes) else { preconditionFailure("these are eight bytes") }
    return signature
  }

  func verifies(_ signature: EightBytes, of payload: [UInt8], as identifier: MessageIdentifier) -> Bool {
    signature == sign(payload, as: identifier)
  }
}

@Suite("Broadcasts on the wire")
struct MessageTests {
  typealias Message = BroadcastTree<EightByteAuthenticator>.Message

  private func messages(_ random: inout Xoshiro256, byteCount: Int) -> [Message] {
    let identifier = MessageIdentifier(
      origin: Peer(UInt32(truncatingIfNeeded: random.next())), sequence: random.next())
    let payload = (0..<byteCount).map { _ in UInt8(random.uniform(below: 256)) }
    let broadcast = Broadcast<EightByteAuthenticator>(
      identifier: identifier, hops: UInt16(random.uniform(below: 65_536)), payload: payload,
      signature: EightByteAuthenticator().sign(payload, as: identifier))
    let lower = random.next() >> 1
    let ranges = (0..<random.uniform(below: Digest.rangeLimit + 1)).map {
      SequenceRange(lower + UInt64($0), lower &* 2)
    }
    let digest = Digest(origin: Peer(3), ranges: ranges, wantsAnswer: random.oneIn(2))
    return [
      .push(broadcast), .announce(identifier), .graft(identifier), .prune, .fetch(identifier),
      .supply(broadcast), .gone(identifier), .alive,
      .summary(Summary(count: UInt32(truncatingIfNeeded: random.next()), fingerprint: random.next())),
      .digest(digest),
    ]
  }

  private func isSame(_ a: Message, _ b: Message) -> Bool {
    switch (a, b) {
    case (.push(let a), .push(let b)):
      a.identifier == b.identifier && a.hops == b.hops && a.payload == b.payload && a.signature == b.signature
    case (.announce(let a), .announce(let b)), (.graft(let a), .graft(let b)): a == b
    case (.fetch(let a), .fetch(let b)), (.gone(let a), .gone(let b)): a == b
    case (.supply(let a), .supply(let b)): isSame(.push(a), .push(b))
    case (.summary(let a), .summary(let b)): a == b
    case (.digest(let a), .digest(let b)): a == b
    case (.prune, .prune), (.alive, .alive): true
    default: false
    }
  }

  @Test(
    "Every kind comes back as it went out, in just as many bytes as it says",
    arguments: [0, 1, 1_000, 60_000])
  func roundTrip(byteCount: Int) throws {
    var random = testRandom()
    for message in messages(&random, byteCount: byteCount) {
      let bytes = encoded(message)
      #expect(bytes.count == message.encodedByteCount)
      #expect(isSame(try decoded(Message.self, from: bytes), message), "\(replay)")
    }
  }

  @Test("Every truncation throws, and so does an unknown kind, a byte too many, or a payload over the limit")
  func malformed() {
    var random = testRandom()
    for message in messages(&random, byteCount: 40) {
      let bytes = encoded(message)
      for length in 0..<bytes.count {
        #expect(throws: WireError.truncated) { try decoded(Message.self, from: Array(bytes[..<length])) }
      }
      #expect(throws: WireError.trailing(1)) { try decoded(Message.self, from: bytes + [0]) }
    }
    #expect(throws: WireError.invalid("a tree message of unknown kind 10")) {
      try decoded(Message.self, from: [10])
    }
    let tooLong = encoded(messages(&random, byteCount: 60_001)[0])
    #expect(throws: WireError.invalid("a field of 60001 bytes, where 60000 are allowed")) {
      try decoded(Message.self, from: tooLong)
    }
  }

  @Test("Random bytes are a message or throw")
  func noise() throws {
    var random = testRandom()
    for _ in 0..<2_000 {
      var bytes = (0..<random.uniform(below: 120)).map { _ in UInt8(random.uniform(below: 256)) }
      if !bytes.isEmpty, random.oneIn(2) { bytes[0] = UInt8(random.uniform(below: 10)) }
      var reader = WireReader(bytes)
      var peers = NumberedDirectory()
      guard let message = try? Message.decode(from: &reader, peers: &peers) else { continue }
      #expect(isSame(try decoded(Message.self, from: encoded(message)), message), "\(replay)")
    }
  }

  @Test("A digest with too many ranges, a range turned round or an unknown flag is refused")
  func hugeDigests() {
    func digest(flag: UInt8 = 0, count: UInt8, _ ranges: [SequenceRange]) -> [UInt8] {
      var writer = WireWriter()
      writer.write(UInt8(9))
      writer.write(flag)
      for _ in 0..<32 { writer.write(UInt8(7)) }
      writer.write(count)
      for range in ranges {
        writer.write(integer: range.lower)
        writer.write(integer: range.upper)
      }
      return writer.bytes
    }
    let range = SequenceRange(5, 9)
    for count in 0...Digest.rangeLimit {
      let ranges = [SequenceRange](repeating: range, count: count)
      #expect(throws: Never.self) {
        try decoded(Message.self, from: digest(flag: 1, count: UInt8(count), ranges))
      }
    }
    #expect(throws: WireError.invalid("a digest of 5 ranges, where 4 are allowed")) {
      try decoded(Message.self, from: digest(count: 5, [SequenceRange](repeating: range, count: 5)))
    }
    #expect(throws: WireError.invalid("a range from 9 to 5")) {
      try decoded(Message.self, from: digest(count: 1, [SequenceRange(9, 5)]))
    }
    #expect(throws: WireError.invalid("a digest with the flag 2, where 0 or 1 is known")) {
      try decoded(Message.self, from: digest(flag: 2, count: 0, []))
    }
  }

  @Test("Two digests are the same if they tell the same, and one never holds more ranges than it may")
  func digestEquality() {
    let ranges = (UInt64(0)..<9).map { SequenceRange($0 * 10, $0 * 10 + 5) }
    let digest = Digest(origin: Peer(1), ranges: ranges)
    #expect(digest.ranges == Array(ranges.prefix(Digest.rangeLimit)))
    #expect(digest == Digest(origin: Peer(1), ranges: ranges.prefix(Digest.rangeLimit)))
    #expect(Set([digest, Digest(origin: Peer(1), ranges: ranges)]).count == 1)
    let others = [
      Digest(origin: Peer(2), ranges: ranges), Digest(origin: Peer(1), ranges: ranges.dropFirst()),
      Digest(origin: Peer(1), ranges: ranges.prefix(1)), Digest(origin: Peer(1)),
      Digest(origin: Peer(1), ranges: ranges, wantsAnswer: true),
    ]
    #expect(Set(others + [digest]).count == 6)
  }

  @Test("The simulated tree's messages are plain memory")
  func plainMemory() {
    // A simulation copies and destroys every message several times. One kind that holds a reference makes that a
    // call through run-time type information for all kinds: two thirds more instructions for a run.
    #expect(_isPOD(BroadcastTree<IdealAuthenticator>.Message.self))
    #expect(MemoryLayout<BroadcastTree<IdealAuthenticator>.Message>.size <= 72)
  }

  @Test("An ideal signature counts for its signer, payload, size and number, and for nothing else")
  func idealSignatures() {
    let copy = signed(by: 4, 17)
    let anybody = IdealAuthenticator(owner: Peer(1))
    #expect(copy.isAuthentic(to: anybody) && copy.passedOn.isAuthentic(to: anybody))
    for forgery in forgeries(of: copy) { #expect(!forgery.isAuthentic(to: anybody)) }
  }
}
