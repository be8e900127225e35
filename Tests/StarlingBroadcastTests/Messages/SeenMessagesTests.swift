import StarlingCore
import StarlingTestSupport
import Testing

@testable import StarlingBroadcast

@Suite("SeenMessages")
struct SeenMessagesTests {
  private func identifier(_ origin: Int, _ sequence: UInt64) -> MessageIdentifier {
    MessageIdentifier(origin: Peer(origin), sequence: sequence)
  }

  @Test("A message is new once, whatever the order of many origins' messages")
  func once() {
    var random = testRandom()
    var seen = SeenMessages()
    var model: Set<MessageIdentifier> = []
    for _ in 0..<4_000 {
      let next = identifier(random.uniform(below: 150), UInt64(random.uniform(below: 180)))
      #expect(seen.contains(next) == model.contains(next), "\(replay)")
      let isNew = seen.insert(next)
      #expect(isNew == model.insert(next).inserted, "\(replay)")
    }
  }

  @Test("The origins remembered are bounded, and the newest among them")
  func bound() {
    var seen = SeenMessages()
    let limit = SeenMessages.originLimit
    for origin in 0..<(limit + 500) { _ = seen.insert(identifier(origin, 7)) }
    let remembered = (0..<(limit + 500)).filter { seen.contains(identifier($0, 7)) }
    #expect(((limit - SeenMessages.forgottenAtOnce)...limit).contains(remembered.count))
    #expect(remembered == Array((limit + 500 - remembered.count)..<(limit + 500)))
  }

  @Test("Keys that are made for one message each displace each other, and nobody of whom two were heard")
  func mintedOrigins() throws {
    var seen = SeenMessages()
    func mint(_ range: Range<Int>) {
      for key in range { _ = seen.insert(identifier(1_000_000 + key, 0)) }
    }
    mint(0..<3_000)
    for origin in 0..<1_000 {
      for sequence in 0..<UInt64(2 + origin % 70) { _ = seen.insert(identifier(origin, sequence)) }
    }
    let limit = SeenMessages.originLimit
    mint(3_000..<(3_000 + limit))
    // A newcomer is heard of once, and then once more before as many new keys as are spared have come.
    _ = seen.insert(identifier(5_000, 0))
    mint(50_000..<(50_000 + SeenMessages.sparedOrigins - 1))
    #expect(seen.contains(identifier(5_000, 0)))
    _ = seen.insert(identifier(5_000, 1))
    mint(60_000..<(60_000 + limit))
    seen = try decoded(SeenMessages.self, from: encoded(seen))
    mint(100_000..<(100_000 + limit))
    #expect(seen.origins.count <= limit)
    for origin in (0..<1_000) + [5_000] {
      #expect(seen.contains(identifier(origin, 0)) && seen.contains(identifier(origin, 1)), "\(origin)")
      let new = seen.insert(identifier(origin, 0))
      #expect(!new)
    }
    // As many as a neighbour may still have are there, whatever they are.
    let last = 100_000 + limit
    #expect(
      ((last - SeenMessages.sparedOrigins)..<last).allSatisfy { seen.contains(identifier(1_000_000 + $0, 0)) }
    )
  }

  @Test(
    "Where everybody has been heard of before, a newcomer is remembered as long as neighbours have its message"
  )
  func newcomers() {
    var seen = SeenMessages()
    let limit = SeenMessages.originLimit
    for origin in 0..<limit {
      for sequence: UInt64 in 0...1 { _ = seen.insert(identifier(origin, sequence)) }
    }
    for newcomer in limit..<(limit + SeenMessages.sparedOrigins + 200) {
      _ = seen.insert(identifier(newcomer, 0))
      let oldest = max(limit, newcomer - SeenMessages.sparedOrigins + 1)
      #expect(seen.contains(identifier(oldest, 0)))
    }
    #expect(seen.origins.count <= limit)
  }

  @Test("The record of an origin is the number of its messages, in whatever order they come, and no more")
  func record() {
    var random = testRandom()
    for _ in 0..<30 {
      var seen = SeenMessages()
      let catchesUp = random.oneIn(2)
      var count = 0
      var number = random.oneIn(2) ? UInt64(random.uniform(below: 300)) : random.next() >> 1
      for _ in 0..<500 {
        number = random.oneIn(5) ? number &- UInt64(random.uniform(below: 700)) : number &+ 1
        if random.oneIn(50) { number &+= UInt64(random.uniform(below: 400)) }
        number &= .max >> 1
        let position = seen.origins.position(of: Peer(1))
        if seen.insert(identifier(1, number), ofOriginAt: position, catchingUp: catchesUp) { count += 1 }
      }
      #expect(seen.origins[0].record == count, "\(replay)")
    }
  }

  @Test(
    "A number is new once, however far it comes behind: those that the window slid over unseen are not taken for seen",
    arguments: [UInt64(0), 300, 1 << 40])
  func gaps(base: UInt64) {
    var random = testRandom()
    for _ in 0..<20 {
      var seen = SeenMessages()
      var model: Set<UInt64> = []
      // Runs that come out of order: a partition's messages after those that followed it.
      var runs = (0..<30).map { UInt64($0) * 100 + base }
      random.shuffle(&runs)
      for run in runs {
        for number in run..<(run + 100) where !random.oneIn(300) {
          #expect(seen.contains(identifier(1, number)) == false, "\(replay)")
          let isNew = seen.insert(identifier(1, number))
          model.insert(number)
          #expect(isNew, "\(replay)")
        }
      }
      for number in base..<(base + 3_000) {
        #expect(seen.contains(identifier(1, number)) == model.contains(number), "\(number); \(replay)")
        let isNew = seen.insert(identifier(1, number))
        #expect(isNew != model.contains(number), "\(number); \(replay)")
      }
      #expect(seen.stored[0].missing == (base == 0 ? [] : [SequenceRange(0, base - 1)]), "\(replay)")
    }
  }

  @Test("The first message of an origin makes no earlier one count as seen")
  func floor() {
    for first: UInt64 in [0, 1, 63, 64, 255, 256, 1_000, .max] {
      var seen = SeenMessages()
      _ = seen.insert(identifier(1, first))
      #expect(seen.contains(identifier(1, first)))
      for earlier in Set([0, first / 2, first &- 65, first &- 1]) where earlier < first {
        let wasSeen = seen.contains(identifier(1, earlier))
        let isNew = [seen.insert(identifier(1, earlier)), seen.insert(identifier(1, earlier))]
        #expect(!wasSeen && isNew == [true, false])
      }
    }
  }

  @Test(
    "An origin with too many gaps loses the oldest, which count as seen from then on, and that is counted")
  func gapLimit() {
    var seen = SeenMessages()
    let limit = UInt64(SeenSequences.gapLimit)
    // Every second number, until the window has slid over as many gaps as are kept and ten more.
    let last = 2 * (limit + 10) + 255
    for number in stride(from: UInt64(0), through: last + 1, by: 2) { _ = seen.insert(identifier(1, number)) }
    let unseen = stride(from: UInt64(1), to: last, by: 2).filter { !seen.contains(identifier(1, $0)) }
    #expect(unseen.count >= SeenSequences.gapLimit && unseen.count <= SeenOrigin.missingLimit)
    #expect(unseen.first ?? 0 > 1 && seen.contains(identifier(1, 1)))
    var tree = LoneTree(neighbours: [1])
    for number in stride(from: UInt64(0), through: last + 1, by: 2) {
      tree.receive(.push(signed(by: 9, number)), from: 1)
    }
    #expect(tree.process.counters.gapsGivenUp >= 10)
    #expect(seen.stored[0].missing.count <= SeenOrigin.missingLimit)
  }

  @Test("What is stored comes back as it was, as values and as bytes")
  func stored() throws {
    var random = testRandom()
    for _ in 0..<30 {
      var seen = SeenMessages()
      for origin in 0..<(1 + random.uniform(below: 8)) {
        var number = random.oneIn(2) ? UInt64(random.uniform(below: 100)) : random.next() >> 1
        for _ in 0..<random.uniform(below: 900) {
          number += random.oneIn(12) ? UInt64(random.uniform(below: 200)) : 1
          _ = seen.insert(identifier(origin, number))
        }
      }
      let again = try SeenMessages(seen.stored)
      #expect(again.stored == seen.stored, "\(replay)")
      let bytes = encoded(seen)
      #expect(bytes.count == seen.encodedByteCount)
      #expect(try decoded(SeenMessages.self, from: bytes).stored == seen.stored, "\(replay)")
      for _ in 0..<200 {
        guard let origin = seen.stored.first else { break }
        let near = origin.newest &- UInt64(random.uniform(below: 1_500))
        let probe = MessageIdentifier(origin: origin.origin, sequence: near)
        #expect(again.contains(probe) == seen.contains(probe), "\(probe); \(replay)")
      }
    }
  }

  @Test("A memory that cannot be is refused with a sentence")
  func invalid() {
    func refusal(_ stored: [SeenOrigin]) -> SeenMessagesError? {
      do throws(SeenMessagesError) {
        _ = try SeenMessages(stored)
        return nil
      } catch { return error }
    }
    let fine = SeenOrigin(
      origin: Peer(1), newest: 900, missing: [SequenceRange(3, 9), SequenceRange(700, 899)])
    #expect(refusal([fine]) == nil)
    #expect(refusal([fine, fine]) == .twice(Peer(1)))
    let wrong: [[SequenceRange]] = [
      [SequenceRange(9, 3)], [SequenceRange(3, 900)], [SequenceRange(5, 9), SequenceRange(9, 12)],
      [SequenceRange(50, 60), SequenceRange(5, 9)],
      (0..<(UInt64(SeenOrigin.missingLimit) + 1)).map { SequenceRange(2 * $0, 2 * $0) },
      (0..<(UInt64(SeenSequences.gapLimit) + 1)).map { SequenceRange(2 * $0, 2 * $0) },
    ]
    for missing in wrong {
      #expect(refusal([SeenOrigin(origin: Peer(1), newest: 900, missing: missing)]) == .ranges(Peer(1)))
    }
    let many = (0...SeenMessages.originLimit).map { SeenOrigin(origin: Peer($0), newest: 1, missing: []) }
    #expect(refusal(many) == .origins(SeenMessages.originLimit + 1))
    #expect(SeenMessagesError.twice(Peer(1)).description.hasSuffix("start without it."))
  }
}
