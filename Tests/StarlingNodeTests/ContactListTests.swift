import StarlingCore
import StarlingTransport
import Testing

@testable import StarlingNode

@Suite struct ContactListTests {
  private func list(_ count: Int) throws -> ContactList {
    ContactList(try (1...count).map(address), at: .zero)
  }

  @Test("every contact is tried at once, and the first that answers is asked")
  func allAtOnce() throws {
    var list = try list(3)
    #expect(list.due(at: .zero).map(\.index) == [0, 1, 2])
    for i in 0..<3 { list.connecting(i, over: ConnectionID(UInt64(i))) }
    #expect(list.due(at: .zero).isEmpty)
    #expect(list.nextDeadline == .distantFuture)
    list.connected(ConnectionID(1), to: Peer(UInt32(11)))
    list.connected(ConnectionID(77), to: Peer(UInt32(77)))
    let asked = [list.contactToAsk(at: .zero), list.contactToAsk(at: .zero)]
    #expect(asked == [Peer(UInt32(11)), nil])
  }

  @Test("a contact that brings no neighbour is followed by another one, but not asked twice in a row")
  func patience() throws {
    var list = try list(2)
    for i in 0..<2 {
      list.connecting(i, over: ConnectionID(UInt64(i)))
      list.connected(ConnectionID(UInt64(i)), to: Peer(UInt32(i + 1)))
    }
    let instants = [0, 9, 10, 20].map { Instant.zero + .seconds($0) }
    let asked = instants.map { list.contactToAsk(at: $0) }
    #expect(asked == [Peer(UInt32(1)), nil, Peer(UInt32(2)), Peer(UInt32(1))])
    #expect(list.nextDeadline == .zero + .seconds(30))
    _ = list.closed(ConnectionID(1), .handshakeTimedOut, at: .zero + .seconds(21))
    let repeated = list.contactToAsk(at: .zero + .seconds(30))
    #expect(repeated == nil)
    list.forgetAsked()
    let afterwards = list.contactToAsk(at: .zero + .seconds(30))
    #expect(afterwards == Peer(UInt32(1)))
  }

  @Test("waits double from 1 s to 10 s and begin anew after an answer")
  func waits() throws {
    var list = try list(1)
    let waits = (0..<7).map { _ in list.failed(0, at: .zero).map { $0.nanoseconds / 1_000_000_000 } }
    #expect(waits == [1, 2, 4, 8, 10, 10, 10])
    list.connecting(0, over: ConnectionID(1))
    list.connected(ConnectionID(1), to: Peer(UInt32(1)))
    let lost = list.closed(ConnectionID(1), .handshakeTimedOut, at: .zero)
    #expect(lost == nil)
    #expect(list.nextDeadline == .zero + .seconds(1))
    list.connecting(0, over: ConnectionID(2))
    let unreachable = list.closed(ConnectionID(2), .handshakeTimedOut, at: .zero)
    #expect(unreachable?.wait == .seconds(1))
    #expect(unreachable?.address == (try address(1)))
  }

  @Test("of the peers that the node knew a few are tried at once, in silence, and more and more seldom")
  func remembered() throws {
    var list = ContactList([try address(1)], remembered: try (1...40).map(address), at: .zero)
    // The contact, and four others; what is both is a contact.
    #expect(list.due(at: .zero).map(\.index) == [0, 1, 2, 3, 4])
    for i in 0...4 { list.connecting(i, over: ConnectionID(UInt64(i))) }
    #expect(list.due(at: .zero).isEmpty && list.nextDeadline == .distantFuture)
    let told = list.closed(ConnectionID(1), .handshakeTimedOut, at: .zero)
    #expect(told == nil)
    #expect(list.due(at: .zero).map(\.index) == [5])
    let waits = (0..<12).map { _ in list.failed(1, at: .zero) }
    #expect(waits.allSatisfy { $0 == nil })
    // One that answers is asked like a contact.
    list.connected(ConnectionID(2), to: Peer(UInt32(9)))
    #expect(list.contactToAsk(at: .zero) == Peer(UInt32(9)))
    // A new list takes the place of those that wait: 32 at most, and 3 that are being tried or connected.
    list.remember(try (100...180).map(address), at: .zero)
    list.forgetAsked()
    #expect(list.contactToAsk(at: .zero) == Peer(UInt32(9)))
    #expect(list.due(at: .zero).count == 2)
  }

  @Test(
    "all have refused when every contact said no for good; one that is silent, full or connected may yet let in"
  )
  func refusals() throws {
    var list = try list(3)
    for i in 0..<3 { list.connecting(i, over: ConnectionID(UInt64(i))) }
    #expect(!list.haveAllRefused)
    _ = list.closed(ConnectionID(0), .notAdmitted, at: .zero)
    #expect(!list.haveAllRefused)
    _ = list.closed(ConnectionID(1), .peerFull, at: .zero)
    _ = list.closed(ConnectionID(2), .ownKey, at: .zero)
    #expect(!list.haveAllRefused, "one is full for now")
    list.connecting(1, over: ConnectionID(4))
    _ = list.closed(ConnectionID(4), .network, at: .zero)
    #expect(
      list.haveAllRefused, "one does not admit the key, one is of another network, one is the node itself")
    list.connecting(1, over: ConnectionID(5))
    #expect(list.haveAllRefused, "asking again changes nothing")
    list.connected(ConnectionID(5), to: Peer(UInt32(1)))
    #expect(!list.haveAllRefused)
    var alone = ContactList([], remembered: [try address(1)], at: .zero)
    alone.connecting(0, over: ConnectionID(1))
    _ = alone.closed(ConnectionID(1), .notAdmitted, at: .zero)
    #expect(!alone.haveAllRefused, "nobody named a contact")
  }

  @Test("the node's own address is not tried again")
  func own() throws {
    var list = try list(1)
    list.connecting(0, over: ConnectionID(1))
    let report = list.closed(ConnectionID(1), .ownKey, at: .zero)
    #expect(report == nil)
    #expect(list.nextDeadline == .distantFuture)
    #expect(list.due(at: .zero + .seconds(100)).isEmpty)
  }
}
