import StarlingCore
import StarlingTestSupport
import Testing

@Suite("Codec")
struct WireTests {
  private func written(_ body: (inout WireWriter) -> Void) -> [UInt8] {
    var writer = WireWriter()
    body(&writer)
    return writer.bytes
  }

  @Test("Integers are big-endian and come back, at both ends of every width")
  func integers() throws {
    func roundTrip<Integer: FixedWidthInteger>(_ type: Integer.Type) throws {
      for value in [0, 1, Integer.max, Integer.min, Integer.max / 3] {
        let bytes = written { $0.write(integer: value) }
        #expect(bytes.count == Integer.bitWidth / 8)
        var reader = WireReader(bytes)
        #expect(try reader.read(Integer.self) == value, "\(type)")
        try reader.finish()
      }
    }
    try roundTrip(UInt8.self)
    try roundTrip(Int8.self)
    try roundTrip(UInt16.self)
    try roundTrip(Int16.self)
    try roundTrip(UInt32.self)
    try roundTrip(Int32.self)
    try roundTrip(UInt64.self)
    try roundTrip(Int64.self)
    #expect(written { $0.write(integer: UInt32(0x0102_0304)) } == [1, 2, 3, 4])
  }

  @Test("A message of every kind of field comes back, and every truncation of it throws")
  func truncation() throws {
    let text = "čau, 世界"
    let bytes = written {
      $0.write(UInt8(9))
      $0.write(integer: UInt64.max - 1)
      $0.write(raw: [1, 2, 3])
      $0.write(counted: [4, 5])
      $0.write(text: text)
      $0.write(Peer(77), from: NumberedDirectory())
      $0.write(keyOf: Peer(78), from: NumberedDirectory())
    }
    func read(_ bytes: [UInt8]) throws(WireError) {
      var reader = WireReader(bytes)
      var peers = NumberedDirectory()
      #expect(try reader.readByte() == 9)
      #expect(try reader.read(UInt64.self) == .max - 1)
      #expect(try reader.read(count: 3) == [1, 2, 3])
      #expect(try reader.readCounted(limit: 2) == [4, 5])
      #expect(try reader.readText(limit: 64) == text)
      #expect(try reader.readPeer(into: &peers) == Peer(77))
      #expect(try reader.readPeerKey(into: &peers) == Peer(78))
      try reader.finish()
    }
    try read(bytes)
    for length in 0..<bytes.count {
      #expect(throws: WireError.truncated, "\(length) of \(bytes.count) bytes") {
        try read(Array(bytes[..<length]))
      }
    }
    #expect(throws: WireError.trailing(2)) { try read(bytes + [0, 0]) }
  }

  @Test("Counts are checked against their limit and against what is there, whatever they claim")
  func counts() {
    for claimed in [UInt32(3), 11, 1 << 31, .max] {
      let bytes = written {
        $0.write(integer: claimed)
        $0.write(raw: [1, 2])
      }
      #expect(
        throws: claimed > 10
          ? WireError.invalid("a field of \(claimed) bytes, where 10 are allowed") : .truncated
      ) {
        var reader = WireReader(bytes)
        _ = try reader.readCounted(limit: 10)
      }
    }
    #expect(throws: WireError.truncated) {
      var reader = WireReader([1, 2, 3])
      _ = try reader.read(count: -1)
    }
    #expect(throws: WireError.truncated) {
      var reader = WireReader([1, 2, 3])
      _ = try reader.read(count: .max)
    }
    #expect(throws: WireError.invalid("a text of 5 bytes, where 4 are allowed")) {
      var reader = WireReader(written { $0.write(text: "hello") })
      _ = try reader.readText(limit: 4)
    }
  }

  @Test("A text that is not UTF-8 is refused")
  func badText() {
    for bad: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82]] {
      let bytes = written {
        $0.write(integer: UInt16(bad.count))
        $0.write(raw: bad)
      }
      #expect(throws: WireError.invalid("a text that is not UTF-8")) {
        var reader = WireReader(bytes)
        _ = try reader.readText(limit: 100)
      }
    }
  }

  @Test("A slice is read from its own beginning, and the rest of it can be taken at once")
  func slices() throws {
    var reader = WireReader([9, 9, 1, 2, 3, 9][2..<5])
    #expect(try reader.readByte() == 1)
    #expect(reader.remaining == 2 && reader.readRest() == [2, 3] && reader.remaining == 0)
    try reader.finish()
  }

  @Test("A peer's record has the stated size with IPv4, and keeps an IPv6 address or none")
  func records() throws {
    struct Directory: PeerDirectory {
      var records: [PeerRecord]
      func record(of peer: Peer) -> PeerRecord { records[Int(peer.index)] }
      mutating func intern(_ record: PeerRecord) -> Peer {
        records.append(record)
        return Peer(records.count - 1)
      }
    }
    let key = NumberedDirectory().record(of: Peer(3)).key
    let addresses = ["10.1.2.3:4", "[1:2:3::4]:5", nil].map { $0.flatMap { SocketAddress($0) } }
    for (address, size) in zip(addresses, [PeerRecord.encodedByteCount, 32 + 1 + 16 + 2, 33]) {
      var peers = Directory(records: [PeerRecord(key: key, address: address)])
      let bytes = written { $0.write(Peer(0), from: peers) }
      #expect(bytes.count == size)
      var reader = WireReader(bytes)
      let peer = try reader.readPeer(into: &peers)
      #expect(peers.record(of: peer) == peers.record(of: Peer(0)))
    }
    #expect(throws: WireError.invalid("an address of family 5, where 0, 4 or 6 is known")) {
      var reader = WireReader(key.bytes + [5] + [UInt8](repeating: 0, count: 40))
      var peers = NumberedDirectory()
      _ = try reader.readPeer(into: &peers)
    }
  }
}
