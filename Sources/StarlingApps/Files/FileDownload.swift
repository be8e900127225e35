import StarlingCore

/// A file that is arriving, or has arrived and is being put together.
struct FileDownload: Sendable {
  let manifest: FileManifest
  /// Who announced this manifest, the first first: chunks of theirs that came before are had again. There can be more
  /// than one: a manifest does not name its publisher, and whoever repeats a stranger's manifest in its own name must
  /// not be able to shut the stranger out.
  private(set) var publishers: [PublicKey]
  private(set) var missingCount: Int
  /// When the last chunk was stored; at first, when the file got its place.
  private(set) var lastProgress: Instant
  /// One bit a chunk, set when it was stored.
  private var bitmap: [UInt64]

  /// How many publishers of one manifest are told apart. A guess.
  static let publisherLimit = 8

  init(_ manifest: FileManifest, publisher: PublicKey, at now: Instant) {
    self.manifest = manifest
    publishers = [publisher]
    missingCount = manifest.chunkCount
    lastProgress = now
    bitmap = [UInt64](repeating: 0, count: (manifest.chunkCount + 63) / 64)
  }

  var isComplete: Bool { missingCount == 0 }
  var storedCount: Int { manifest.chunkCount - missingCount }

  /// Takes another publisher of the same manifest in; false if it is known or there are too many.
  mutating func addPublisher(_ publisher: PublicKey) -> Bool {
    guard !publishers.contains(publisher), publishers.count < FileDownload.publisherLimit else {
      return false
    }
    publishers.append(publisher)
    return true
  }

  func hasChunk(_ index: Int) -> Bool { bitmap[index / 64] & (1 << UInt64(index % 64)) != 0 }

  mutating func mark(_ index: Int, at now: Instant) {
    guard !hasChunk(index) else { return }
    bitmap[index / 64] |= 1 << UInt64(index % 64)
    missingCount -= 1
    lastProgress = now
  }
}
