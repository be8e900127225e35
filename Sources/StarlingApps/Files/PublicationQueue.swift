import StarlingCore

/// The files that wait to be published, first come, first served: a file is useful only when it is whole, so
/// taking turns would delay them all.
struct PublicationQueue: Sendable {
  private struct Publication: Sendable {
    let manifest: FileManifest
    let readyAt: Instant
    var nextIndex = 0
  }

  private var publications: [Publication] = []
  /// Whether the first publication's next chunk was asked for.
  private var isAwaitingChunk = false

  var count: Int { publications.count }

  var progress: [FileProgress] {
    publications.map { FileProgress(manifest: $0.manifest, publisher: nil, chunksDone: $0.nextIndex) }
  }

  var nextDeadline: Instant {
    guard !isAwaitingChunk, let first = publications.first else { return .distantFuture }
    return first.readyAt
  }

  func contains(_ file: FileIdentifier) -> Bool {
    publications.contains { $0.manifest.identifier == file }
  }

  /// - Parameter manifest: of a file with at least one chunk.
  mutating func append(_ manifest: FileManifest, readyAt: Instant) {
    publications.append(Publication(manifest: manifest, readyAt: readyAt))
  }

  /// The chunk to ask for now, which then is awaited.
  mutating func requestNext(at now: Instant) -> (FileIdentifier, Int)? {
    guard !isAwaitingChunk, let first = publications.first, first.readyAt <= now else { return nil }
    isAwaitingChunk = true
    return (first.manifest.identifier, first.nextIndex)
  }

  /// Whether the first file could have begun so long ago.
  func isOverdue(at now: Instant, by interval: Interval) -> Bool {
    publications.first.map { $0.readyAt + interval <= now } ?? false
  }

  /// The manifest of a file of which just this chunk is awaited.
  func manifest(awaiting index: Int, of file: FileIdentifier) -> FileManifest? {
    guard isAwaitingChunk, let first = publications.first, first.manifest.identifier == file,
      first.nextIndex == index
    else { return nil }
    return first.manifest
  }

  /// Counts the awaited chunk as sent.
  ///
  /// - Returns: whether it was the file's last; the file is then no longer in the queue.
  mutating func advance() -> Bool {
    isAwaitingChunk = false
    publications[0].nextIndex += 1
    guard publications[0].nextIndex == publications[0].manifest.chunkCount else { return false }
    publications.removeFirst()
    return true
  }

  /// Gives a file up.
  mutating func remove(_ file: FileIdentifier) {
    guard let position = publications.firstIndex(where: { $0.manifest.identifier == file }) else { return }
    publications.remove(at: position)
    if position == 0 { isAwaitingChunk = false }
  }
}
