import StarlingCore
import Testing

@testable import StarlingNode

@Suite struct PeerTableTests {
  private func record(_ n: Int, port: UInt16? = nil) throws -> PeerRecord {
    let key = try #require(PublicKey((0..<32).map { UInt8(truncatingIfNeeded: n >> (8 * ($0 % 4))) }))
    return PeerRecord(key: key, address: port.flatMap { SocketAddress(host: [10, 0, 0, 1], port: $0) })
  }

  private func table(capacity: Int = 16) throws -> PeerTable {
    PeerTable(own: try record(0), capacity: capacity)
  }

  @Test("a key keeps its handle, and handle 0 is the node itself")
  func handles() throws {
    var table = try table()
    let first = try table.intern(try record(1))
    #expect(first != PeerTable.own)
    let found1 = try table.intern(try record(1))
    #expect(found1 == first)
    let found2 = try table.intern(try record(0))
    #expect(found2 == PeerTable.own)
    #expect(table.record(of: first).key == (try record(1)).key)
    #expect(table.peer(with: try record(1).key) == first)
    #expect(table.count == 2)
  }

  @Test("no more peers than the capacity are taken in, and known ones still are when it is full")
  func bound() throws {
    var table = try table()
    for n in 1..<16 { _ = try table.intern(try record(n)) }
    #expect(table.isFull)
    #expect(throws: WireError.self) { _ = try table.intern(try record(16)) }
    let found3 = try table.intern(try record(7))
    #expect(found3 == Peer(UInt32(7)))
  }

  @Test("a sweep frees what is not marked, never the node itself")
  func sweep() throws {
    var table = try table()
    for n in 1..<16 { _ = try table.intern(try record(n)) }
    #expect(table.isSweepDue)
    let freed = table.sweep { mark in
      mark(Peer(UInt32(3)))
      mark(Peer(UInt32(9)))
      mark(Peer(UInt32(1_000)))
    }
    #expect(freed == 13)
    #expect(table.count == 3)
    #expect(!table.isSweepDue)
    #expect(table.peer(with: try record(3).key) == Peer(UInt32(3)))
    #expect(table.peer(with: try record(4).key) == nil)
    #expect(table.peer(with: try record(0).key) == PeerTable.own)
  }

  @Test("a sweep that frees little is not due again at once")
  func sweepAgain() throws {
    var table = try table(capacity: 64)
    for n in 1..<60 { _ = try table.intern(try record(n)) }
    #expect(table.isSweepDue)
    table.sweep { mark in for n in 1..<58 { mark(Peer(UInt32(n))) } }
    #expect(!table.isSweepDue)
    for n in 100..<103 { _ = try table.intern(try record(n)) }
    #expect(table.isSweepDue)
  }

  @Test("freed handles are given out last, the longest-freed first, and keep their record until then")
  func reuse() throws {
    var table = try table()
    for n in 1..<10 { _ = try table.intern(try record(n)) }
    table.sweep { mark in for n in [1, 2, 3, 4, 6, 7, 9] { mark(Peer(UInt32(n))) } }
    table.sweep { mark in for n in [1, 2, 4, 6, 7, 9] { mark(Peer(UInt32(n))) } }
    #expect(table.record(of: Peer(UInt32(5))).key == (try record(5)).key)
    var given: [UInt32] = []
    for n in 20..<29 { given.append(try table.intern(try record(n)).index) }
    #expect(given == [10, 11, 12, 13, 14, 15, 5, 8, 3])
    #expect(table.record(of: Peer(UInt32(5))).key == (try record(26)).key)
  }

  @Test("handles that a malformed message took are given back")
  func undo() throws {
    var table = try table()
    let known = try table.intern(try record(1))
    table.beginDecoding()
    _ = try table.intern(try record(1))
    let new = try table.intern(try record(2))
    table.undoDecoding()
    #expect(table.count == 2)
    #expect(table.peer(with: try record(1).key) == known)
    #expect(table.peer(with: try record(2).key) == nil)
    let found4 = try table.intern(try record(3))
    #expect(found4 != new)
  }

  @Test("hearsay sets an unknown or failed address, never one that works or the node's own")
  func addresses() throws {
    var table = try table()
    let peer = try table.intern(try record(1))
    #expect(table.record(of: peer).address == nil)
    _ = try table.intern(try record(1, port: 1))
    _ = try table.intern(try record(1, port: 2))
    #expect(table.record(of: peer).address?.port == 1)
    table.doubtAddress(of: peer)
    _ = try table.intern(try record(1))
    #expect(table.record(of: peer).address?.port == 1)
    _ = try table.intern(try record(1, port: 3))
    #expect(table.record(of: peer).address?.port == 3)
    _ = try table.intern(try record(1, port: 4))
    #expect(table.record(of: peer).address?.port == 3)
    table.confirm(try #require(try record(1, port: 5).address), of: peer)
    #expect(table.record(of: peer).address?.port == 5)
    _ = try table.intern(try record(0, port: 6))
    #expect(table.record(of: PeerTable.own).address == nil)
  }
}
