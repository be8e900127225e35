import StarlingCore
import Testing

@testable import StarlingTransport

@Suite struct PacketTests {
  @Test("Variable-length integers are those of RFC 9000, appendix A.1")
  func varints() throws {
    for (digits, value) in [
      ("c2197c5eff14e88c", 151_288_809_941_952_652), ("9d7f3e7d", 494_878_333), ("7bbd", 15_293), ("25", 37),
    ] as [(String, UInt64)] {
      var writer = WireWriter()
      writer.write(varint: value)
      #expect(hexadecimal(writer.bytes) == digits)
      #expect(writer.bytes.count == Varint.byteCount(value))
      var reader = WireReader(writer.bytes)
      #expect(try reader.readVarint() == value)
    }
    var long = WireReader(bytes(hex: "4025"))
    #expect(try long.readVarint() == 37)
    var short = WireReader(bytes(hex: "c219"))
    #expect(throws: WireError.truncated) { try short.readVarint() }
    for value in [0, 63, 64, 16_383, 16_384, 1 << 30 - 1, 1 << 30, Varint.maximum] as [UInt64] {
      var writer = WireWriter()
      writer.write(varint: value)
      var reader = WireReader(writer.bytes)
      #expect(try reader.readVarint() == value && reader.remaining == 0)
    }
  }

  @Test("An acknowledgement says which packets came, newest first, in 50 bytes at most")
  func acknowledgements() throws {
    var random = Xoshiro256(seed: testSeed)
    for _ in 0..<2_000 {
      var ranges: [ClosedRange<UInt64>] = []
      var top = random.oneIn(10) ? Varint.maximum : UInt64(random.uniform(below: 100_000) + 4_000)
      for _ in 0...random.uniform(below: 40) {
        let span = UInt64(random.uniform(below: 50))
        ranges.append((top - span)...top)
        guard top - span > 100 else { break }
        top -= span + UInt64(2 + random.uniform(below: 50))
      }
      var writer = WireWriter()
      let delay = UInt64(random.uniform(below: 1 << 31))
      Acknowledgement.encode(ranges, delayMicroseconds: delay, into: &writer)
      #expect(writer.bytes.count <= Acknowledgement.maximumByteCount)
      var reader = WireReader(writer.bytes)
      guard case .acknowledgement(let decoded) = try Frame.decode(from: &reader) else {
        Issue.record("not an acknowledgement")
        return
      }
      #expect(decoded.delayMicroseconds == delay && reader.remaining == 0)
      #expect(!decoded.ranges.isEmpty && decoded.ranges[...] == ranges.prefix(decoded.ranges.count), replay)
      #expect(
        decoded.ranges.count == ranges.count || writer.bytes.count > 50 - 16 || decoded.ranges.count == 32)
    }
  }

  @Test("The largest frame of a message and the largest acknowledgement fit into one datagram")
  func largestFrame() {
    let frame = Fragment.frameByteCount(message: Varint.maximum, total: 65_536, index: 58)
    #expect(frame + Acknowledgement.maximumByteCount + Packet.overhead <= 1_200)
    #expect(Fragment.count(total: Fragment.maximumMessageBytes) <= 64)
    #expect(Fragment.count(total: 0) == 1 && Fragment.count(total: 1_100) == 1)
    #expect(Fragment.count(total: 1_101) == 2)
  }

  @Test("A part of a message is read as it was written")
  func fragments() throws {
    for total in [0, 1, 1_100, 1_101, 65_536] {
      let content = testMessage(total, byteCount: total)
      var whole: [UInt8] = []
      for index in 0..<Fragment.count(total: total) {
        var writer = WireWriter()
        Fragment.encode(message: 77, index: index, of: content, into: &writer)
        #expect(
          writer.bytes.count == Fragment.frameByteCount(message: 77, total: total, index: index))
        var reader = WireReader(writer.bytes)
        guard case .data(let part) = try Frame.decode(from: &reader) else {
          Issue.record("not a part of a message")
          return
        }
        #expect(part.message == 77 && part.total == total && part.index == index && reader.remaining == 0)
        whole += part.bytes
      }
      #expect(whole == content)
    }
  }
}

@Suite struct ContainerTests {
  @Test("A queue does what an array does")
  func queue() {
    var random = Xoshiro256(seed: testSeed)
    var queue = Queue<Int>()
    var model: [Int] = []
    for round in 0..<5_000 {
      switch random.uniform(below: 5) {
      case 0, 1, 2:
        queue.append(round)
        model.append(round)
      case 3 where !model.isEmpty:
        let count = random.uniform(below: min(model.count, 4) + 1)
        queue.removeFirst(count)
        model.removeFirst(count)
      default:
        let count = random.uniform(below: model.count + 1)
        queue.filterFirst(count) { $0 % 3 != 0 }
        model = model.prefix(count).filter { $0 % 3 != 0 } + model.dropFirst(count)
      }
      #expect((0..<queue.count).map { queue[$0] } == model, replay)
      #expect(queue.first == model.first && queue.isEmpty == model.isEmpty)
    }
  }

  @Test("A table finds its earliest deadline, and the last element fills a gap")
  func table() {
    var table = Table<String>()
    #expect(table.earliest == .distantFuture)
    for (i, name) in ["a", "b", "c"].enumerated() {
      #expect(table.append(name, deadline: .zero + .seconds(3 - i)) == i)
    }
    #expect(table.earliest == .zero + .seconds(1))
    #expect(table.remove(at: 0) == "a")
    #expect(table[0] == "c" && table[1] == "b" && table.count == 2)
    #expect(table.deadlines == [.zero + .seconds(1), .zero + .seconds(2)])
    #expect(table.remove(at: 1) == "b")
    table.setDeadline(.zero + .seconds(9), at: 0)
    #expect(table.earliest == .zero + .seconds(9))
  }
}
