import StarlingCore

/// Files that were announced and have no place among the downloads: bounded in number and bytes, and in number for
/// each publisher.
///
/// Who announced longest ago gives way first. A rule about publishers would protect nobody where keys are free, and
/// turns against an honest publisher of several files as soon as a crowd announces one under each key. The order of
/// arrival favours nobody: an announcement stays for as long as the others take to come that fill the table, which
/// need only be longer than the way of its first chunk.
struct WaitingFiles: Sendable {
  struct Entry: Sendable {
    let manifest: FileManifest
    let publisher: PublicKey
    /// How many chunks came of it that had no place. The broadcast may still have them.
    var chunksMissed = 0
    /// Whether a chunk came since it was announced, or had a place: the file is more than a name, and wants one. An
    /// empty file, of which no chunk can come, always does.
    var isDue = false

    /// What it takes, nearly: the digests of the chunks are most of a manifest, each with an allocation of its own.
    var byteCount: Int { 512 + 3 * SHA256Digest.byteCount * manifest.chunkCount }
  }

  private let limit: Int
  private let limitPerPublisher: Int
  private let byteLimit: Int
  /// From the oldest to the newest.
  private(set) var entries: [Entry] = []
  private(set) var byteCount = 0
  /// How many are due: mostly none, and then nobody need look.
  private(set) var dueCount = 0

  init(_ configuration: FileSharingConfiguration) {
    limit = configuration.waitingLimit
    limitPerPublisher = configuration.waitingLimitPerPublisher
    byteLimit = configuration.waitingByteLimit
  }

  var count: Int { entries.count }

  func entry(_ file: FileIdentifier, from publisher: PublicKey) -> Entry? {
    position(file, publisher).map { entries[$0] }
  }

  /// Takes an announcement in, in the place of the oldest. One whose publisher has its share is not taken in.
  ///
  /// - Returns: what had to go.
  mutating func add(_ entry: Entry) -> [Entry] {
    guard entries.count(where: { $0.publisher == entry.publisher }) < limitPerPublisher,
      entry.byteCount <= byteLimit, limit > 0
    else { return [entry] }
    var lost: [Entry] = []
    while entries.count >= limit || byteCount + entry.byteCount > byteLimit { lost.append(remove(at: 0)) }
    entries.append(entry)
    byteCount += entry.byteCount
    dueCount += entry.isDue ? 1 : 0
    return lost
  }

  /// A chunk came, which shows that there is more to a file than its name.
  mutating func markDue(_ file: FileIdentifier, from publisher: PublicKey) {
    guard let position = position(file, publisher), !entries[position].isDue else { return }
    entries[position].isDue = true
    dueCount += 1
  }

  /// The chunk found no place.
  mutating func noteMissedChunk(_ file: FileIdentifier, from publisher: PublicKey) {
    if let position = position(file, publisher) { entries[position].chunksMissed += 1 }
  }

  /// Whose turn it is: of whoever has the fewest places the file of which the most has come, and the oldest of these.
  ///
  /// - Parameter places: how many places each publisher has.
  func next(places: [PublicKey: Int]) -> Entry? {
    guard dueCount > 0 else { return nil }
    func rank(_ entry: Entry) -> (Int, Int) { (places[entry.publisher] ?? 0, -entry.chunksMissed) }
    return entries.lazy.filter(\.isDue).min { rank($0) < rank($1) }
  }

  mutating func remove(_ file: FileIdentifier, from publisher: PublicKey) {
    if let position = position(file, publisher) { _ = remove(at: position) }
  }

  /// Lets go of a file, whoever announced it.
  mutating func remove(_ file: FileIdentifier) {
    while let position = entries.firstIndex(where: { $0.manifest.identifier == file }) {
      _ = remove(at: position)
    }
  }

  private func position(_ file: FileIdentifier, _ publisher: PublicKey) -> Int? {
    entries.firstIndex { $0.manifest.identifier == file && $0.publisher == publisher }
  }

  private mutating func remove(at position: Int) -> Entry {
    let entry = entries.remove(at: position)
    byteCount -= entry.byteCount
    dueCount -= entry.isDue ? 1 : 0
    return entry
  }
}
