import StarlingCore

/// The node's table of handles: which key and address stand behind each ``Peer`` that the protocols name.
///
/// It is bounded. When it gets full, ``sweep(marking:)`` frees every handle that its owner does not mark as
/// still referenced. A freed handle is given out again as late as possible: only when no handle is left that
/// never was in use, and then the longest-freed first.
public struct PeerTable: PeerDirectory, Sendable {
  /// The handle of the node itself.
  public static let own = Peer(UInt32(0))

  private struct Entry: Sendable {
    var record: PeerRecord
    var isInUse = true
    /// Whether the peer itself was met at the address, so that it is not hearsay.
    var isAddressMet = false
    /// Whether a connection to the address failed since it was last known to be right.
    var isAddressDoubtful = false
  }

  /// The most handles that can be in use.
  public let capacity: Int
  /// How many handles are in use.
  public private(set) var count = 1
  /// Freed entries keep their record until they are given out again, so that a stale handle never traps.
  private var entries: [Entry]
  private var handles: [PublicKey: Peer]
  private var freed = Queue<Peer>()
  /// How many handles in use make a sweep worth while.
  private var sweepCount: Int
  /// Handles given out since ``beginDecoding()``.
  private var recent: [Peer] = []

  /// A table that knows the node itself.
  ///
  /// - Parameters:
  ///   - own: the node's key and, if it is known, address. It gets handle 0.
  ///   - capacity: the most handles that can be in use, 16 or more. The default is a guess: about 10 MB.
  public init(own: PeerRecord, capacity: Int = 65_536) {
    precondition(capacity >= 16, "a table of \(capacity) peers; it needs at least 16")
    self.capacity = capacity
    entries = [Entry(record: own)]
    handles = [own.key: PeerTable.own]
    sweepCount = capacity - capacity / 8
  }

  /// The record of a peer. A freed handle has its last record until it is given out again.
  public func record(of peer: Peer) -> PeerRecord {
    precondition(peer.index < entries.count, "\(peer) was never given out; there are \(entries.count)")
    return entries[Int(peer.index)].record
  }

  /// The handle of the peer with this key, if it has one.
  public func peer(with key: PublicKey) -> Peer? { handles[key] }

  /// The handle of the peer with this key, given out now if it is new. The record's address is kept if none
  /// is known, or if the known one has failed.
  ///
  /// - Throws: ``WireError/invalid(_:)`` when every handle is in use.
  public mutating func intern(_ record: PeerRecord) throws(WireError) -> Peer {
    if let known = handles[record.key] {
      learn(record.address, of: known)
      return known
    }
    let peer: Peer
    if entries.count < capacity {
      peer = Peer(UInt32(entries.count))
      entries.append(Entry(record: record))
    } else if let reused = freed.popFirst() {
      peer = reused
      entries[Int(peer.index)] = Entry(record: record)
    } else {
      throw .invalid("the table of \(capacity) peers is full")
    }
    handles[record.key] = peer
    count += 1
    recent.append(peer)
    return peer
  }

  /// Whether no new peer can be taken in.
  public var isFull: Bool { count >= capacity }

  private mutating func learn(_ address: SocketAddress?, of peer: Peer) {
    let entry = entries[Int(peer.index)]
    guard let address, peer != PeerTable.own, entry.record.address == nil || entry.isAddressDoubtful else {
      return
    }
    confirm(address, of: peer)
    entries[Int(peer.index)].isAddressMet = false
  }
}

// MARK: - Addresses

extension PeerTable {
  /// Replaces a peer's address: the peer itself was met there.
  public mutating func confirm(_ address: SocketAddress, of peer: Peer) {
    let key = record(of: peer).key
    entries[Int(peer.index)].record = PeerRecord(key: key, address: address)
    entries[Int(peer.index)].isAddressMet = true
    entries[Int(peer.index)].isAddressDoubtful = false
  }

  /// Whether the peer itself was met at its address; otherwise the address is hearsay, and may be anybody's.
  public func isAddressMet(of peer: Peer) -> Bool {
    precondition(peer.index < entries.count, "\(peer) was never given out; there are \(entries.count)")
    return entries[Int(peer.index)].isAddressMet
  }

  /// Notes that a peer was not to be found at its address, so that hearsay may replace it.
  public mutating func doubtAddress(of peer: Peer) {
    precondition(peer.index < entries.count, "\(peer) was never given out; there are \(entries.count)")
    entries[Int(peer.index)].isAddressDoubtful = true
  }
}

// MARK: - Freeing

extension PeerTable {
  /// Whether the table has filled up so far that a sweep is worth while. After a sweep this is false until
  /// half of what it left free is taken, so the cost of sweeping stays small against that of filling.
  public var isSweepDue: Bool { count >= sweepCount }

  /// Frees all handles but the node's own and those that are marked.
  ///
  /// - Parameter marking: calls the function that it is given with every handle that is referenced.
  /// - Returns: how many handles were freed.
  @discardableResult
  public mutating func sweep(marking: (_ mark: (Peer) -> Void) -> Void) -> Int {
    var isMarked = [Bool](repeating: false, count: entries.count)
    isMarked[0] = true
    marking { peer in
      if peer.index < isMarked.count { isMarked[Int(peer.index)] = true }
    }
    let before = count
    for i in entries.indices where entries[i].isInUse && !isMarked[i] { free(Peer(UInt32(i))) }
    recent.removeAll(keepingCapacity: true)
    sweepCount = max(capacity - capacity / 8, count + (capacity - count) / 2)
    return before - count
  }

  /// Begins to take a message apart.
  public mutating func beginDecoding() { recent.removeAll(keepingCapacity: true) }

  /// Frees the handles given out since ``beginDecoding()``: what came was no message after all.
  public mutating func undoDecoding() {
    for peer in recent { free(peer) }
    recent.removeAll(keepingCapacity: true)
  }

  private mutating func free(_ peer: Peer) {
    entries[Int(peer.index)].isInUse = false
    handles[entries[Int(peer.index)].record.key] = nil
    freed.append(peer)
    count -= 1
  }
}

/// A ``PeerTable`` that the process host and the authenticator of one node share: the codec interns keys in
/// it, and the authenticator looks them up.
///
/// Confined to the event loop that owns the node, and never locked.
public final class SharedPeerTable: @unchecked Sendable {
  /// The table.
  public var table: PeerTable

  /// Shares a table.
  public init(_ table: PeerTable) { self.table = table }
}
