import StarlingCore

/// Announcements for which there was no room: bounded in number and bytes, and in number for each publisher.
struct WaitingFiles: Sendable {
  struct Entry: Sendable {
    let manifest: FileManifest
    let publisher: PublicKey
    let announcedAt: Instant
    /// Whether it had a place before, and gave way.
    var isSecondTry = false

    /// What it takes, nearly: the digests of the chunks are most of a manifest.
    var byteCount: Int { 256 + SHA256Digest.byteCount * manifest.chunkCount }
  }

  private let limit: Int
  private let limitPerPublisher: Int
  private let byteLimit: Int
  private let time: Interval
  /// From the oldest to the newest.
  private var entries: [Entry] = []
  private var byteCount = 0

  init(_ configuration: FileSharingConfiguration) {
    limit = configuration.waitingLimit
    limitPerPublisher = configuration.waitingLimitPerPublisher
    byteLimit = configuration.waitingByteLimit
    time = configuration.waitingTime
  }

  var isEmpty: Bool { entries.isEmpty }
  var count: Int { entries.count }

  func contains(_ file: FileIdentifier, from publisher: PublicKey) -> Bool {
    entries.contains { $0.manifest.identifier == file && $0.publisher == publisher }
  }

  /// Takes an announcement in, in the place of the newest of whoever has the most that wait. One whose publisher would
  /// itself have the most is not taken in: it comes last, and those before it are not to wait in vain.
  mutating func add(_ entry: Entry) {
    let counts = counts
    let own = counts[entry.publisher] ?? 0
    guard own < limitPerPublisher, entry.byteCount <= byteLimit else { return }
    while entries.count >= limit || byteCount + entry.byteCount > byteLimit {
      let counts = self.counts
      let most = counts.values.max() ?? 0
      guard most > own + 1,
        let newest = entries.lastIndex(where: { counts[$0.publisher] == most })
      else { return }
      drop(at: newest)
    }
    entries.append(entry)
    byteCount += entry.byteCount
  }

  /// Whose turn it is: the oldest of whoever has the fewest places. Those that waited too long are let go of.
  ///
  /// - Parameters:
  ///   - now: the current instant.
  ///   - places: how many files of each publisher are arriving.
  mutating func next(at now: Instant, places: [PublicKey: Int]) -> Entry? {
    while let first = entries.first, first.announcedAt + time <= now { drop(at: 0) }
    return entries.min { (places[$0.publisher] ?? 0) < (places[$1.publisher] ?? 0) }
  }

  mutating func remove(_ entry: Entry) {
    let file = entry.manifest.identifier
    let position = entries.firstIndex { $0.manifest.identifier == file && $0.publisher == entry.publisher }
    if let position { drop(at: position) }
  }

  /// Lets go of a file, whoever announced it.
  mutating func remove(_ file: FileIdentifier) {
    while let position = entries.firstIndex(where: { $0.manifest.identifier == file }) { drop(at: position) }
  }

  private var counts: [PublicKey: Int] { entries.reduce(into: [:]) { $0[$1.publisher, default: 0] += 1 } }

  private mutating func drop(at position: Int) { byteCount -= entries.remove(at: position).byteCount }
}
