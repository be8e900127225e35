import StarlingCore

/// Finds a message in the history by its identifier: a hash table with linear probing. It holds the numbers of
/// arrivals, which stay when the ring turns, and not the identifiers, which the messages have.
extension MessageHistory {
  /// Up to how many messages are searched one by one. A guess.
  static var linearLimit: Int { 64 }

  @usableFromInline
  static func next(_ arrival: UInt32, after count: Int) -> UInt32 {
    (arrival &+ UInt32(count)) & 0x7FFF_FFFF
  }

  private static func hash(_ identifier: MessageIdentifier) -> Int {
    Int(truncatingIfNeeded: SplitMix64.mix(identifier.sequence ^ UInt64(identifier.origin.index) << 32) >> 8)
  }

  /// Where in the ring the message is that a slot stands for.
  private func position(inSlot slot: Int) -> Int {
    let age = MessageHistory.next(table[slot] - 1 &- oldestArrival, after: 0)
    return (Int(start) + Int(age)) % ring.count
  }

  @usableFromInline
  func position(of identifier: MessageIdentifier) -> Int? {
    let mask = table.count - 1
    var slot = MessageHistory.hash(identifier) & mask
    while table[slot] != 0 {
      let position = position(inSlot: slot)
      if ring[position].identifier == identifier { return position }
      slot = (slot + 1) & mask
    }
    return nil
  }

  /// Takes the newest message into the table, which is at most half full.
  @usableFromInline
  mutating func indexNewest() {
    if table.isEmpty ? ring.count > MessageHistory.linearLimit : ring.count * 2 > table.count {
      var capacity = 256
      while capacity < ring.count * 3 { capacity *= 2 }
      table = [UInt32](repeating: 0, count: capacity)
      for age in ring.indices { place(age: age) }
    } else if !table.isEmpty {
      place(age: ring.count - 1)
    }
  }

  private mutating func place(age: Int) {
    let identifier = ring[(Int(start) + age) % ring.count].identifier
    var slot = MessageHistory.hash(identifier) & (table.count - 1)
    while table[slot] != 0 { slot = (slot + 1) & (table.count - 1) }
    table[slot] = MessageHistory.next(oldestArrival, after: age) + 1
  }

  /// Takes a message that has left the ring out of the table; what was put further on because its own slot was
  /// taken moves up.
  @usableFromInline
  mutating func unindex(arrival: UInt32, _ identifier: MessageIdentifier) {
    let mask = table.count - 1
    var hole = MessageHistory.hash(identifier) & mask
    while table[hole] != arrival + 1 { hole = (hole + 1) & mask }
    table[hole] = 0
    var slot = (hole + 1) & mask
    while table[slot] != 0 {
      let home = MessageHistory.hash(ring[position(inSlot: slot)].identifier) & mask
      if (slot - home) & mask >= (slot - hole) & mask {
        table[hole] = table[slot]
        table[slot] = 0
        hole = slot
      }
      slot = (slot + 1) & mask
    }
  }
}
