/// A small set of peers in a fixed order: that of insertion, except that a removal moves the last member
/// into the gap. Iteration is the same on every run, which `Set` does not promise.
///
/// Up to ``linearLimit`` members are searched one by one, which is faster than hashing and takes four bytes
/// a member; beyond that a table of positions is kept, and a search takes constant time.
@frozen
public struct PeerSet: Sendable {
  @usableFromInline var storage: [Peer]
  /// Positions in `storage` plus one, by hash, with linear probing; empty while the set is small.
  @usableFromInline var table: [UInt32]

  /// Up to how many members are searched one by one.
  @inlinable
  public static var linearLimit: Int { 96 }

  /// An empty set.
  @inlinable
  public init() {
    storage = []
    table = []
  }

  /// The members in their order.
  @inlinable
  public var members: [Peer] { storage }
  /// How many members there are.
  @inlinable
  public var count: Int { storage.count }
  /// Whether there is no member.
  @inlinable
  public var isEmpty: Bool { storage.isEmpty }
  /// The member at a position, 0 ..< `count`.
  @inlinable
  public subscript(position: Int) -> Peer { storage[position] }

  /// Whether `peer` is a member.
  @inlinable
  public func contains(_ peer: Peer) -> Bool { position(of: peer) != nil }

  /// The member's position; `nil` if it is none.
  @inlinable
  public func position(of peer: Peer) -> Int? {
    if table.isEmpty {
      return storage.withUnsafeBufferPointer { members in
        for i in 0..<storage.count where storage[i] == peer { return i }
        return nil
      }
    }
    var slot = PeerSet.hash(peer) & (table.count - 1)
    while table[slot] != 0 {
      let position = Int(table[slot]) - 1
      if storage[position] == peer { return position }
      slot = (slot + 1) & (table.count - 1)
    }
    return nil
  }

  /// Adds a peer at the end; false if it was there.
  @inlinable @discardableResult
  public mutating func insert(_ peer: Peer) -> Bool {
    if contains(peer) { return false }
    storage.appendTightly(peer)
    if !table.isEmpty || storage.count > PeerSet.linearLimit { index(newMemberOf: storage.count) }
    return true
  }

  /// Takes a peer out, moving the last member into its place.
  ///
  /// - Returns: the position that it had; `nil` if it was no member.
  @discardableResult
  public mutating func remove(_ peer: Peer) -> Int? {
    guard let gap = position(of: peer) else { return nil }
    if !table.isEmpty { forget(position: gap) }
    let last = storage.removeLast()
    if gap < storage.count { storage[gap] = last }
    return gap
  }

  /// A member drawn uniformly; `nil` from an empty set.
  @inlinable
  public func random(from source: inout some RandomSource & ~Copyable) -> Peer? {
    storage.isEmpty ? nil : storage[source.uniform(below: storage.count)]
  }

  @usableFromInline
  static func hash(_ peer: Peer) -> Int { Int(truncatingIfNeeded: SplitMix64.mix(UInt64(peer.index)) >> 8) }

  @usableFromInline
  mutating func index(newMemberOf count: Int) {
    if table.count < count * 2 {
      var capacity = 256
      while capacity < count * 4 { capacity *= 2 }
      rebuild(capacity: capacity)
    } else {
      place(position: count - 1)
    }
  }

  private mutating func rebuild(capacity: Int) {
    table = [UInt32](repeating: 0, count: capacity)
    for position in storage.indices { place(position: position) }
  }

  /// Takes a member that is about to go out of the table, and gives the last member, which is to move, its
  /// position. What was put further on because its own slot was taken moves up, so that no search meets a
  /// hole (Knuth, "The Art of Computer Programming", volume 3, section 6.4, algorithm R).
  private mutating func forget(position: Int) {
    let mask = table.count - 1
    var hole = slot(ofMemberAt: position)
    table[slot(ofMemberAt: storage.count - 1)] = UInt32(position) + 1
    table[hole] = 0
    var slot = (hole + 1) & mask
    while table[slot] != 0 {
      let occupant = Int(table[slot]) - 1
      // The last member is still stored at its old position: its slot already says the new one.
      let peer = storage[occupant == position ? storage.count - 1 : occupant]
      let home = PeerSet.hash(peer) & mask
      if (slot - home) & mask >= (slot - hole) & mask {
        table[hole] = table[slot]
        table[slot] = 0
        hole = slot
      }
      slot = (slot + 1) & mask
    }
  }

  private func slot(ofMemberAt position: Int) -> Int {
    var slot = PeerSet.hash(storage[position]) & (table.count - 1)
    while table[slot] != UInt32(position) + 1 { slot = (slot + 1) & (table.count - 1) }
    return slot
  }

  private mutating func place(position: Int) {
    var slot = PeerSet.hash(storage[position]) & (table.count - 1)
    while table[slot] != 0 { slot = (slot + 1) & (table.count - 1) }
    table[slot] = UInt32(position) + 1
  }
}

extension Array {
  /// Appends, growing by a quarter when full: arrays that exist once a peer, a million times over, must not
  /// carry the half-empty buffers that doubling leaves.
  @inlinable
  public mutating func appendTightly(_ element: Element) {
    if count == capacity { reserveCapacity(count + 1 + count / 4) }
    append(element)
  }
}
