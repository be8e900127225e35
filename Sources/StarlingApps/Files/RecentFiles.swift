/// The files that something happened to last, bounded in number: the oldest are forgotten first.
struct RecentFiles: Sendable {
  private let limit: Int
  private var members: Set<FileIdentifier> = []
  /// A ring once it is full: `oldest` is the next to be forgotten.
  private var ring: [FileIdentifier] = []
  private var oldest = 0

  init(limit: Int) { self.limit = max(1, limit) }

  func contains(_ file: FileIdentifier) -> Bool { members.contains(file) }

  /// Forgets a file. Its place in the ring stays taken until its turn comes.
  mutating func remove(_ file: FileIdentifier) { members.remove(file) }

  mutating func insert(_ file: FileIdentifier) {
    guard members.insert(file).inserted else { return }
    // One that was removed and comes again keeps its old place.
    guard !ring.contains(file) else { return }
    if ring.count < limit { return ring.append(file) }
    members.remove(ring[oldest])
    ring[oldest] = file
    oldest = (oldest + 1) % limit
  }
}
