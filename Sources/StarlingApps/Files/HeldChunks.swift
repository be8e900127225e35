import StarlingCore

/// Chunks that came before their manifest: bounded in number and bytes, and in number for each origin, so
/// that no one origin can take all the room.
struct HeldChunks: Sendable {
  struct Entry: Sendable {
    let file: FileIdentifier
    let index: Int
    let bytes: [UInt8]
    let origin: PublicKey
  }

  private let limit: Int
  private let limitPerOrigin: Int
  private let byteLimit: Int
  /// From the oldest to the newest. Short, so that searching it costs less than an index would.
  private var entries: [Entry] = []
  private var byteCount = 0

  init(_ configuration: FileSharingConfiguration) {
    limit = configuration.heldChunkLimit
    limitPerOrigin = configuration.heldChunkLimitPerPublisher
    byteLimit = configuration.heldByteLimit
  }

  var count: Int { entries.count }

  /// Holds a chunk.
  ///
  /// - Returns: how many chunks were dropped for it: the origin's own oldest, or else the oldest of the
  ///   origin that has the most.
  mutating func hold(_ entry: Entry) -> Int {
    let isKnown = entries.contains {
      $0.file == entry.file && $0.index == entry.index && $0.origin == entry.origin
    }
    guard !isKnown, limit > 0, entry.bytes.count <= byteLimit else { return 1 }
    var dropped = 0
    if entries.count(where: { $0.origin == entry.origin }) >= limitPerOrigin {
      dropOldest(of: entry.origin)
      dropped += 1
    }
    while entries.count >= limit || byteCount + entry.bytes.count > byteLimit {
      dropOldest(of: greediestOrigin())
      dropped += 1
    }
    entries.append(entry)
    byteCount += entry.bytes.count
    return dropped
  }

  /// Takes the chunks of a file out that came from a publisher, oldest first.
  mutating func take(_ file: FileIdentifier, from origin: PublicKey) -> [Entry] {
    let taken = entries.filter { $0.file == file && $0.origin == origin }
    guard !taken.isEmpty else { return [] }
    entries.removeAll { $0.file == file && $0.origin == origin }
    byteCount -= taken.reduce(0) { $0 + $1.bytes.count }
    return taken
  }

  private func greediestOrigin() -> PublicKey {
    var bytes: [PublicKey: Int] = [:]
    var greediest = entries[0].origin
    for entry in entries {
      bytes[entry.origin, default: 0] += entry.bytes.count
      if bytes[entry.origin, default: 0] > bytes[greediest, default: 0] { greediest = entry.origin }
    }
    return greediest
  }

  private mutating func dropOldest(of origin: PublicKey) {
    guard let oldest = entries.firstIndex(where: { $0.origin == origin }) else { return }
    byteCount -= entries[oldest].bytes.count
    entries.remove(at: oldest)
  }
}
