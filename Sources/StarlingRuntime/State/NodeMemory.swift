import Dispatch
import Glibc
import StarlingApps
import StarlingCore

/// What a node keeps from run to run, for its driver: read at the start, written on a queue that nobody waits
/// for, so that a slow disk does not hold up the network.
final class NodeMemory {
  /// How many numbers of messages are reserved at once. More are reserved when half are used, and half are more
  /// than all files have that can wait to be published: 64 of 1,801 messages.
  static let block: UInt64 = 1 << 18

  /// What an earlier run left.
  struct Recollection {
    /// The number of the first message of this run.
    var firstSequence: UInt64
    var peers: [RememberedPeer] = []
    var files: [ControlFile] = []
    /// ``Node/memory``
    var seen: [UInt8] = []
  }

  private static let seenName = "seen messages"
  private static let ledgerName = "ledger"

  let recollection: Recollection
  /// Where a damaged store was moved, and what was wrong with it.
  let movedAside: (path: String, reason: String)?
  private let key: PublicKey
  private let store: Confined
  private let queue: DispatchQueue
  /// Numbers below this may be used.
  private(set) var sequenceLimit: UInt64
  private var isReserving = false
  private var savedPeers: [RememberedPeer] = []
  private var savedSeen: [UInt8] = []

  /// The store, on its way to the one queue that uses it from then on.
  private struct Confined: @unchecked Sendable { let store: StateStore }

  /// Opens the store of a data directory and reads what an earlier run left.
  ///
  /// - Parameters:
  ///   - directory: the node's directory.
  ///   - key: the node's key.
  ///   - floor: what the first message's number is not below.
  ///   - ledger: the hash of the genesis of the ledger that the node keeps, if it does.
  ///   - queue: a serial queue on which the store is written from now on.
  init(
    in directory: DataDirectory, for key: PublicKey, sequenceAtLeast floor: UInt64,
    ledger: SHA256Digest? = nil, queue: DispatchQueue
  ) throws(HostError) {
    let store = try StateStore(at: directory.state)
    if let ledger {
      if let known = try store.memory(NodeMemory.ledgerName), known != Array(ledger.bytes) {
        throw HostError(
          "What is kept in \"\(directory.path)\" is of another ledger: start the node with that one's --genesis, or give"
            + " another --data.")
      }
      try store.remember(Array(ledger.bytes), as: NodeMemory.ledgerName)
    }
    let first = try store.reserveSequence(NodeMemory.block, atLeast: floor, for: key)
    recollection = Recollection(
      firstSequence: first, peers: try store.peers(),
      files: try store.files().filter(NodeMemory.isThere),
      seen: try store.memory(NodeMemory.seenName) ?? [])
    sequenceLimit = first + NodeMemory.block
    movedAside = store.movedAside
    self.key = key
    self.store = Confined(store: store)
    self.queue = queue
  }

  /// Whether a file is still what it was when it was finished, as far as its size tells. One that its user took
  /// away may come again.
  static func isThere(_ file: ControlFile) -> Bool {
    guard let path = file.path else { return false }
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && status.st_size == file.bytes
  }

  /// Whether so many more messages can be numbered without ever using a number twice.
  func mayNumber(_ count: Int, from next: UInt64) -> Bool { next + UInt64(count) <= sequenceLimit }

  /// Reserves more numbers when half of the reserved ones are used.
  func reserveIfNeeded(from next: UInt64, for driver: Mailbox<NodeDriver>) {
    guard !isReserving, next + NodeMemory.block / 2 > sequenceLimit else { return }
    isReserving = true
    let (key, limit) = (key, sequenceLimit)
    write(for: driver) { store throws(HostError) in
      try store.reserveSequence(NodeMemory.block, atLeast: limit, for: key)
    } then: { driver, first in
      driver.memory?.isReserving = false
      if let first { driver.memory?.sequenceLimit = first + NodeMemory.block }
    }
  }

  /// Writes on the queue; the driver is told when it is done, or that it failed.
  func write<Result: Sendable>(
    for driver: Mailbox<NodeDriver>,
    _ work: @escaping @Sendable (StateStore) throws(HostError) -> Result,
    then finish: @escaping @Sendable (NodeDriver, Result?) -> Void = { _, _ in }
  ) {
    let store = store
    queue.async {
      var result: Result?
      var failure: HostError?
      do throws(HostError) { result = try work(store.store) } catch { failure = error }
      let (done, error) = (result, failure)
      // Refused work is lost only if the node is stopping: a full mailbox is emptied in a moment.
      let report: Mailbox<NodeDriver>.Work = { driver in
        if let error { driver.diskRefused(error) } else { driver.diskWorked() }
        finish(driver, done)
      }
      while !driver.post(report), !driver.isClosed { usleep(1_000) }
    }
  }

  /// Writes down who is there and what was seen.
  func save(_ peers: [RememberedPeer], _ seen: [UInt8], for driver: Mailbox<NodeDriver>) {
    guard peers != savedPeers || seen != savedSeen else { return }
    (savedPeers, savedSeen) = (peers, seen)
    write(for: driver) { store throws(HostError) in try NodeMemory.save(peers, seen, in: store) }
  }

  /// Writes the last of it, and waits until all is written.
  func close(_ peers: [RememberedPeer], _ seen: [UInt8]) {
    let store = store
    queue.sync { try? NodeMemory.save(peers, seen, in: store.store) }
  }

  private static func save(
    _ peers: [RememberedPeer], _ seen: [UInt8], in store: StateStore
  ) throws(HostError) {
    try store.remember(peers, at: WallClock.milliseconds())
    try store.remember(seen, as: seenName)
  }
}
