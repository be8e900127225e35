import StarlingCore

/// File sharing over any broadcast that names the origin of a message and authenticates it: a pure value.
///
/// A publisher broadcasts a manifest, waits while its flood shapes the tree, and then broadcasts the chunks
/// one by one, as fast as the owner says there is room. A receiver checks each chunk against the manifest by
/// itself, so chunks may come in any order, and no byte is stored that the publisher did not announce.
public struct FileSharing {
  /// The bounds that it keeps.
  public let configuration: FileSharingConfiguration
  /// What it did so far.
  public private(set) var counters = FileSharingCounters()
  private var publications = PublicationQueue()
  /// In the order of their announcement. Few enough to be searched one by one.
  private var downloads: [FileDownload] = []
  private var held: HeldChunks
  private var finished: FinishedFiles
  /// Announcements for which there was no room.
  private var waiting: WaitingFiles
  /// When they are looked at again; earlier if a place gets free.
  private var nextLook = Instant.zero
  /// The files that could not be kept.
  private var refused: FinishedFiles

  /// Nothing shared yet.
  public init(configuration: FileSharingConfiguration = FileSharingConfiguration()) {
    self.configuration = configuration
    held = HeldChunks(configuration)
    waiting = WaitingFiles(configuration)
    finished = FinishedFiles(limit: configuration.finishedLimit)
    refused = FinishedFiles(limit: configuration.finishedLimit)
  }

  /// The files being published, then those arriving, each in the order of their announcement.
  public var filesInProgress: [FileProgress] {
    publications.progress
      + downloads.map {
        FileProgress(
          manifest: $0.manifest, publisher: $0.publishers[0],
          chunksDone: $0.manifest.chunkCount - $0.missingCount)
      }
  }
}

// MARK: - Publishing

extension FileSharing {
  /// When ``proceed(at:into:)`` will have something to do; ``Instant/distantFuture`` while it has not, or
  /// waits for a chunk that it asked for. In the past when all it waits for is room.
  public var nextDeadline: Instant { publications.nextDeadline }

  /// Broadcasts a file's manifest; the chunks follow as ``proceed(at:into:)`` is called.
  ///
  /// - Throws: ``PublishError`` when the file is being published already or too many are.
  public mutating func publish(
    _ manifest: FileManifest, at now: Instant, into sink: inout some FileSharingSink & ~Copyable
  ) throws(PublishError) {
    guard !publications.contains(manifest.identifier) else { throw .alreadyPublishing }
    guard publications.count < configuration.publicationLimit else {
      throw .tooManyFiles(limit: configuration.publicationLimit)
    }
    counters.manifestsPublished += 1
    // Whoever repeats this manifest in its own name has nothing that is missing here.
    finished.insert(manifest.identifier)
    sink.broadcast(FileMessage.manifest(manifest).encoded)
    if manifest.chunkCount == 0 { return sink.published(manifest.identifier) }
    publications.append(manifest, readyAt: now + configuration.shapingPause)
  }

  /// Asks for the next chunk, if the pause after the manifest is over and no other chunk was asked for. To
  /// be called when the broadcast has room for another chunk.
  public mutating func proceed(at now: Instant, into sink: inout some FileSharingSink & ~Copyable) {
    guard let (file, index) = publications.requestNext(at: now) else { return }
    sink.requestChunk(index, of: file)
  }

  /// Broadcasts a chunk that was asked for. One that was not is ignored.
  ///
  /// - Parameters:
  ///   - chunk: the bytes read. If they are not what the manifest says, the file has changed since, and its
  ///     publication ends; no bytes at all say that it could not be read.
  ///   - index: the chunk's index.
  ///   - file: the file.
  ///   - sink: takes the broadcast.
  public mutating func supply(
    _ chunk: [UInt8], index: Int, of file: FileIdentifier, into sink: inout some FileSharingSink & ~Copyable
  ) {
    guard let manifest = publications.manifest(awaiting: index, of: file) else { return }
    guard manifest.verifies(chunk, index: index) else {
      publications.remove(file)
      return sink.publicationFailed(file)
    }
    counters.chunksPublished += 1
    sink.broadcast(FileMessage.chunk(file: file, index: index, bytes: chunk).encoded)
    if publications.advance() { sink.published(file) }
  }
}

extension FileSharing {
  /// How many chunks of files that are being published were not broadcast yet.
  public var unsentChunkCount: Int {
    publications.progress.reduce(0) { $0 + $1.manifest.chunkCount - $1.chunksDone }
  }

  /// Ends the publication of a file that cannot go on; what was sent of it is useless.
  public mutating func withdraw(_ file: FileIdentifier) {
    publications.remove(file)
    finished.remove(file)
  }
}

// MARK: - Receiving

extension FileSharing {
  /// Remembers files that were finished in an earlier run, the oldest first.
  public mutating func noteFinished(_ files: [FileIdentifier]) {
    for file in files { finished.insert(file) }
  }

  /// Lets go of a file that is arriving and cannot be kept. Its further chunks are refused; a manifest that comes
  /// again begins it anew.
  public mutating func giveUp(_ file: FileIdentifier) {
    downloads.removeAll { $0.manifest.identifier == file }
    waiting.remove(file)
    nextLook = .zero
    finished.remove(file)
    refused.insert(file)
  }
}

extension FileSharing {
  /// Handles the payload of a broadcast. One that is refused is counted; its sender can do no other harm.
  ///
  /// - Parameters:
  ///   - payload: the encoded ``FileMessage``.
  ///   - origin: whose broadcast it is, by its signature.
  ///   - now: the current instant.
  ///   - sink: takes what is to be done.
  public mutating func receive(
    _ payload: [UInt8], from origin: PublicKey, at now: Instant,
    into sink: inout some FileSharingSink & ~Copyable
  ) {
    do throws(FileManifestError) {
      switch try FileMessage(encoded: payload) {
      case .manifest(let manifest): receive(manifest, from: origin, at: now, into: &sink)
      case .chunk(let file, let index, let bytes):
        receiveChunk(bytes, index: index, of: file, from: origin, at: now, into: &sink)
      }
    } catch {
      counters.malformed += 1
    }
    takeUpWaiting(at: now, into: &sink)
  }

  private mutating func receive(
    _ manifest: FileManifest, from origin: PublicKey, at now: Instant,
    into sink: inout some FileSharingSink & ~Copyable
  ) {
    let file = manifest.identifier
    if let known = downloads.firstIndex(where: { $0.manifest.identifier == file }) {
      counters.manifestsRepeated += 1
      if downloads[known].addPublisher(origin) {
        takeHeldChunks(of: file, from: origin, at: now, into: &sink)
      }
      return
    }
    guard !finished.contains(file) else {
      counters.manifestsRepeated += 1
      return
    }
    guard !waiting.contains(file, from: origin) else {
      counters.manifestsRepeated += 1
      return
    }
    let announcement = WaitingFiles.Entry(manifest: manifest, publisher: origin, announcedAt: now)
    guard makeRoom(for: origin, at: now, into: &sink) else {
      counters.manifestsCrowdedOut += 1
      return waiting.add(announcement)
    }
    begin(announcement, at: now, into: &sink)
  }

  /// Gives a file the place that was made for it.
  private mutating func begin(
    _ announcement: WaitingFiles.Entry, at now: Instant, into sink: inout some FileSharingSink & ~Copyable
  ) {
    let (manifest, publisher) = (announcement.manifest, announcement.publisher)
    refused.remove(manifest.identifier)
    counters.manifestsAccepted += 1
    sink.announced(manifest, by: publisher)
    downloads.append(
      FileDownload(manifest, publisher: publisher, isSecondTry: announcement.isSecondTry, at: now))
    if manifest.chunkCount == 0 { return complete(at: downloads.count - 1, into: &sink) }
    takeHeldChunks(of: manifest.identifier, from: publisher, at: now, into: &sink)
  }

  /// Takes announcements up that wait, as far as there is room: first those of whoever has the fewest places.
  private mutating func takeUpWaiting(at now: Instant, into sink: inout some FileSharingSink & ~Copyable) {
    guard !waiting.isEmpty, now >= nextLook else { return }
    nextLook = now + .seconds(1)
    while !waiting.isEmpty {
      let places = places
      guard let next = waiting.next(at: now, places: places),
        makeRoom(for: next.publisher, at: now, into: &sink)
      else { return }
      waiting.remove(next)
      // It may have come from somebody else meanwhile.
      let file = next.manifest.identifier
      if finished.contains(file) { continue }
      if let known = downloads.firstIndex(where: { $0.manifest.identifier == file }) {
        if downloads[known].addPublisher(next.publisher) {
          takeHeldChunks(of: file, from: next.publisher, at: now, into: &sink)
        }
        continue
      }
      counters.manifestsTakenUp += 1
      begin(next, at: now, into: &sink)
    }
  }

  private mutating func receiveChunk(
    _ bytes: [UInt8], index: Int, of file: FileIdentifier, from origin: PublicKey, at now: Instant,
    into sink: inout some FileSharingSink & ~Copyable
  ) {
    if let position = downloads.firstIndex(where: { $0.manifest.identifier == file }) {
      guard downloads[position].publishers.contains(origin) else {
        counters.chunksRefused += 1
        return
      }
      return accept(bytes, index: index, at: position, now: now, into: &sink)
    }
    guard !finished.contains(file) else {
      counters.chunksRepeated += 1
      return
    }
    guard !refused.contains(file) else {
      counters.chunksRefused += 1
      return
    }
    counters.chunksHeld += 1
    let entry = HeldChunks.Entry(file: file, index: index, bytes: bytes, origin: origin)
    counters.chunksCrowdedOut += UInt64(held.hold(entry))
  }

  /// Stores a chunk of a known file, if it is what the manifest says.
  private mutating func accept(
    _ bytes: [UInt8], index: Int, at position: Int, now: Instant,
    into sink: inout some FileSharingSink & ~Copyable
  ) {
    let manifest = downloads[position].manifest
    guard index < manifest.chunkCount, !downloads[position].hasChunk(index) else {
      if index < manifest.chunkCount { counters.chunksRepeated += 1 } else { counters.chunksRefused += 1 }
      return
    }
    guard manifest.verifies(bytes, index: index) else {
      counters.chunksRefused += 1
      return
    }
    counters.chunksStored += 1
    downloads[position].mark(index, at: now)
    sink.store(bytes, index: index, of: manifest.identifier)
    if downloads[position].isComplete { complete(at: position, into: &sink) }
  }

  private mutating func takeHeldChunks(
    of file: FileIdentifier, from origin: PublicKey, at now: Instant,
    into sink: inout some FileSharingSink & ~Copyable
  ) {
    for entry in held.take(file, from: origin) {
      // The last of them may complete the file, which then is no download any more.
      guard let position = downloads.firstIndex(where: { $0.manifest.identifier == file }) else { return }
      accept(entry.bytes, index: entry.index, at: position, now: now, into: &sink)
    }
  }

  private mutating func complete(at position: Int, into sink: inout some FileSharingSink & ~Copyable) {
    let file = downloads.remove(at: position).manifest.identifier
    nextLook = .zero
    finished.insert(file)
    sink.completed(file)
  }

  /// How many files of each publisher are arriving.
  private var places: [PublicKey: Int] {
    downloads.reduce(into: [:]) { $0[$1.publishers[0], default: 0] += 1 }
  }

  /// Finds room for another file of a publisher, at the expense of one that does not arrive: of the publisher with
  /// the most places, and of its files the one that got nothing for the longest.
  private mutating func makeRoom(
    for publisher: PublicKey, at now: Instant, into sink: inout some FileSharingSink & ~Copyable
  ) -> Bool {
    let places = places
    let own = places[publisher] ?? 0
    let isOwnShareFull = own >= configuration.downloadLimitPerPublisher
    guard isOwnShareFull || downloads.count >= configuration.downloadLimit else { return true }
    func others(_ position: Int) -> Int { places[downloads[position].publishers[0]] ?? 0 }
    let candidates = downloads.indices.filter { position in
      let download = downloads[position]
      if isOwnShareFull, download.publishers[0] != publisher { return false }
      if download.lastProgress + configuration.stalledAfter <= now { return true }
      // A crowd of keys announces much and sends nothing: it need not be borne with for as long.
      return download.isUnproven && download.lastProgress + configuration.provingTime <= now
        && others(position) > own
    }
    let victim = candidates.min { a, b in
      (others(b), downloads[a].lastProgress) < (others(a), downloads[b].lastProgress)
    }
    guard let victim else { return false }
    let download = downloads.remove(at: victim)
    counters.filesAbandoned += 1
    sink.abandoned(download.manifest.identifier)
    if download.isUnproven, !download.isSecondTry {
      waiting.add(
        WaitingFiles.Entry(
          manifest: download.manifest, publisher: download.publishers[0], announcedAt: now, isSecondTry: true)
      )
    }
    return true
  }
}

/// Why a file cannot be published now.
public enum PublishError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file is being published already.
  case alreadyPublishing
  /// Too many files are being published.
  case tooManyFiles(limit: Int)
  /// There are neighbours, and none could be handed the file.
  case undeliverable

  /// One sentence.
  public var description: String {
    switch self {
    case .undeliverable: "no neighbour can be reached or takes more now; try again in a moment"
    case .alreadyPublishing: "the file is being published already"
    case .tooManyFiles(let limit): "\(limit) files are being published already; wait until one is done"
    }
  }
}
