import StarlingCore
import StarlingLedger

/// Finds on stable storage what happened to an account (`LedgerLog` says how it lies there).
struct AccountTrail {
  /// Where a trail can be taken up.
  struct Mark {
    /// Which transfer, of those that this node applied.
    let number: UInt64
    /// The number of the account's next transfer after it.
    let next: UInt64

    var encoded: [UInt8] {
      var writer = WireWriter(capacity: 16)
      writer.write(integer: number)
      writer.write(integer: next)
      return writer.bytes
    }
  }

  typealias Read = (StableQuery) -> [StableValue]

  private let account: PublicKey
  /// Its state when all was written that had changed it.
  private let state: Ledger.Account

  init(of account: PublicKey, _ state: Ledger.Account) {
    self.account = account
    self.state = state
  }

  /// Every so many events there is a mark (a guess: one that costs little, and few steps from one to the next).
  private static let distance: UInt64 = 32
  static func isMarked(_ position: UInt64) -> Bool { position % distance == distance - 1 }
  /// How many questions lead to a transfer: about two dozen to the mark of an account with a billion events, and from there
  /// back to the one before.
  static let steps = 24 + Int(distance)

  /// What happened to the account before some position, the last first, each with its transfer.
  ///
  /// - Throws: ``WireError`` for what no member wrote.
  func events(
    before position: UInt64, limit: Int, reading read: Read
  ) throws(WireError) -> [(event: AccountEvent, transfer: SignedTransfer)] {
    var found: [(event: AccountEvent, transfer: SignedTransfer)] = []
    guard position > 0, limit > 0 else { return [] }
    let start = try mark(atOrAfter: position - 1, read)?.number ?? state.latest
    try walk(from: start, read) { kept, index in
      let (event, transfer) = (kept.events[index], kept.transfer.transfer)
      guard event.position < position else { return true }
      let credit = index == 0 ? nil : transfer.destinations[index - 1].amount
      found.append((AccountEvent(event, of: transfer, credit: credit), kept.transfer))
      return found.count < limit
    }
    return found
  }

  /// The account's transfer of some number; `nil` if none was applied.
  ///
  /// - Throws: ``WireError`` for what no member wrote.
  func transfer(_ sequence: UInt64, reading read: Read) throws(WireError) -> SignedTransfer? {
    guard sequence < state.next else { return nil }
    var found: SignedTransfer?
    let start = try mark(afterTransfer: sequence, read)?.number ?? state.latest
    try walk(from: start, read) { kept, index in
      if index == 0, kept.transfer.transfer.sequence == sequence { found = kept.transfer }
      return found == nil
    }
    return found
  }

  /// Goes from a transfer back to the first.
  ///
  /// - Parameter body: is given each event of the account, the last first, by the transfer and the place among what it did;
  ///   says whether to go on.
  private func walk(
    from start: UInt64, _ read: Read, _ body: (KeptTransfer, Int) -> Bool
  ) throws(WireError) {
    var number = start
    while number > 0 {
      guard let value = LedgerLog.value(.entry, nil, number, read) else {
        throw .invalid("a history that is torn")
      }
      let kept = try KeptTransfer(value)
      var previous = number
      for index in kept.events.indices.reversed() where kept.events[index].account == account {
        if !body(kept, index) { return }
        previous = kept.events[index].previous
      }
      guard previous < number else { throw .invalid("a history that does not lead back") }
      number = previous
    }
  }

  /// The first mark at a position or after it; `nil` if there is none.
  private func mark(atOrAfter position: UInt64, _ read: Read) throws(WireError) -> Mark? {
    let place = position / AccountTrail.distance
    return place < markCount ? try mark(place, read) : nil
  }

  /// The first mark after the account's transfer of some number; `nil` if there is none.
  private func mark(afterTransfer sequence: UInt64, _ read: Read) throws(WireError) -> Mark? {
    // As many things happened before it as transfers, at least.
    var (low, high) = (min(sequence / AccountTrail.distance, markCount), markCount)
    while low < high {
      let middle = low + (high - low) / 2
      if try mark(middle, read).next > sequence { high = middle } else { low = middle + 1 }
    }
    return low < markCount ? try mark(low, read) : nil
  }

  private var markCount: UInt64 { state.eventCount / AccountTrail.distance }

  private func mark(_ place: UInt64, _ read: Read) throws(WireError) -> Mark {
    let position = place * AccountTrail.distance + AccountTrail.distance - 1
    guard let value = LedgerLog.value(.mark, account, position, read) else {
      throw .invalid("a history that lacks a mark")
    }
    var reader = WireReader(value.value)
    return Mark(number: try reader.read(UInt64.self), next: try reader.read(UInt64.self))
  }
}
