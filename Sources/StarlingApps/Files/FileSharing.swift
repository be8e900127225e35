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
  /// In the order in which they got their places, which they keep until their owner has put them together. Few enough
  /// to be searched one by one.
  private var downloads: [FileDownload] = []
  /// Files that were announced and have no place.
  private var waiting: WaitingFiles
  /// When they are looked at again, though nothing happens.
  private var nextLook = Instant.distantFuture
  private var finished: RecentFiles
  /// The files that could not be kept.
  private var refused: RecentFiles
  /// Files of which chunks came from somebody who had not announced them.
  private var strays: RecentFiles

  /// Nothing shared yet.
  public init(configuration: FileSharingConfiguration = FileSharingConfiguration()) {
    self.configuration = configuration
    waiting = WaitingFiles(configuration)
    finished = RecentFiles(limit: configuration.finishedLimit)
    refused = RecentFiles(limit: configuration.finishedLimit)
    strays = RecentFiles(limit: configuration.finishedLimit)
  }

  /// The files being published, then those arriving, each in the order of their announcement.
  public var filesInProgress: [FileProgress] {
    publications.progress
      + downloads.map {
        FileProgress(
          manifest: $0.manifest, publisher: $0.publishers[0],
          chunksDone: $0.storedCount)
      }
  }

  /// Whose files are arriving, wait, or are being put together: what they sent so far is not all kept, and a later run
  /// needs it again.
  public var awaitedPublishers: Set<PublicKey> {
    Set(downloads.flatMap(\.publishers)).union(waiting.entries.map(\.publisher))
  }

  /// Whether a file is wanted and not kept as a whole, as far as is known: not even its manifest may have come.
  public func isWanted(_ file: FileIdentifier) -> Bool { !finished.contains(file) && !refused.contains(file) }
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
    if index == 0, let manifest = publications.manifest(awaiting: index, of: file),
      publications.isOverdue(at: now, by: configuration.announcedAgainAfter)
    {
      sink.broadcast(FileMessage.manifest(manifest).encoded)
    }
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

  /// Says that a file which was reported as complete is kept: it is remembered as finished, and its place is free for
  /// another. Ignored for any other file.
  ///
  /// Until then a complete file counts against the places of all and of its publisher, so that no more files wait to
  /// be put together than there are places, however fast they come.
  public mutating func assembled(
    _ file: FileIdentifier, at now: Instant, into sink: inout some FileSharingSink & ~Copyable
  ) {
    let position = downloads.firstIndex { $0.manifest.identifier == file && $0.isComplete }
    guard let position else { return }
    downloads.remove(at: position)
    finished.insert(file)
    takeUpWaiting(at: now, into: &sink)
  }

  /// Lets go of a file that is arriving, or complete, and cannot be kept. Its further chunks are refused; a manifest
  /// that comes again begins it anew.
  public mutating func giveUp(_ file: FileIdentifier) {
    if let position = downloads.firstIndex(where: { $0.manifest.identifier == file }) {
      downloads.remove(at: position)
      counters.filesGivenUp += 1
    }
    waiting.remove(file)
    if waiting.dueCount > 0 { nextLook = .zero }
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
  }

  /// When ``expire(at:into:)`` is next to be called; ``Instant/distantFuture`` while no file waits for room.
  public var nextExpiry: Instant { nextLook }

  /// Gives places that have become free with time to files that wait for them.
  public mutating func expire(at now: Instant, into sink: inout some FileSharingSink & ~Copyable) {
    if nextLook <= now { takeUpWaiting(at: now, into: &sink) }
  }

  private mutating func receive(
    _ manifest: FileManifest, from origin: PublicKey, at now: Instant,
    into sink: inout some FileSharingSink & ~Copyable
  ) {
    let file = manifest.identifier
    let known = downloads.firstIndex { $0.manifest.identifier == file }
    guard !finished.contains(file), known == nil, waiting.entry(file, from: origin) == nil else {
      counters.manifestsRepeated += 1
      if let known, downloads[known].addPublisher(origin) {
        recallStrays(of: file, from: origin, into: &sink)
      }
      return
    }
    counters.manifestsAccepted += 1
    refused.remove(file)
    // An empty file has no chunk to wait for. It takes a place like any other: it, too, is put on a disk.
    let isEmpty = manifest.chunkCount == 0
    wait(WaitingFiles.Entry(manifest: manifest, publisher: origin, isDue: isEmpty), into: &sink)
    if isEmpty { return takeUpWaiting(at: now, into: &sink) }
    recallStrays(of: file, from: origin, into: &sink)
  }

  private mutating func receiveChunk(
    _ bytes: [UInt8], index: Int, of file: FileIdentifier, from origin: PublicKey, at now: Instant,
    into sink: inout some FileSharingSink & ~Copyable
  ) {
    guard !finished.contains(file) else {
      counters.chunksRepeated += 1
      return
    }
    guard !refused.contains(file) else {
      counters.chunksRefused += 1
      return
    }
    // A chunk that is what the manifest says is right, whoever brings it: a manifest does not name its publisher.
    if let position = downloads.firstIndex(where: { $0.manifest.identifier == file }) {
      return accept(bytes, index: index, at: position, now: now, into: &sink)
    }
    guard let announcement = waiting.entry(file, from: origin) else {
      counters.chunksWithoutPlace += 1
      return strays.insert(file)
    }
    guard announcement.manifest.verifies(bytes, index: index) else {
      counters.chunksRefused += 1
      return
    }
    waiting.markDue(file, from: origin)
    takeUpWaiting(at: now, into: &sink)
    if let position = downloads.firstIndex(where: { $0.manifest.identifier == file }) {
      return accept(bytes, index: index, at: position, now: now, into: &sink)
    }
    counters.chunksWithoutPlace += 1
    waiting.noteMissedChunk(file, from: origin)
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
    tellIfComplete(position, into: &sink)
  }

  private mutating func tellIfComplete(
    _ position: Int, into sink: inout some FileSharingSink & ~Copyable
  ) {
    guard downloads[position].isComplete else { return }
    let file = downloads[position].manifest.identifier
    waiting.remove(file)
    sink.completed(file)
  }

  /// Has the chunks handed in again that came before their manifest.
  private func recallStrays(
    of file: FileIdentifier, from publisher: PublicKey, into sink: inout some FileSharingSink & ~Copyable
  ) {
    if strays.contains(file) { sink.recall(file, from: publisher) }
  }
}

// MARK: - Room

extension FileSharing {
  private mutating func wait(
    _ announcement: WaitingFiles.Entry, into sink: inout some FileSharingSink & ~Copyable
  ) {
    for lost in waiting.add(announcement) {
      counters.filesCrowdedOut += 1
      sink.crowdedOut(lost.manifest.identifier)
    }
  }

  /// Gives places to files of which chunks have come, as far as there is room.
  private mutating func takeUpWaiting(at now: Instant, into sink: inout some FileSharingSink & ~Copyable) {
    nextLook = .distantFuture
    while let next = waiting.next(places: places) {
      let (file, publisher) = (next.manifest.identifier, next.publisher)
      if let known = downloads.firstIndex(where: { $0.manifest.identifier == file }) {
        // Somebody else announced it too, and was first.
        waiting.remove(file, from: publisher)
        guard downloads[known].addPublisher(publisher) else { continue }
      } else {
        guard makeRoom(for: publisher, at: now, into: &sink) else {
          nextLook = now + configuration.lookInterval
          return
        }
        waiting.remove(file, from: publisher)
        counters.filesBegun += 1
        sink.announced(next.manifest, by: publisher)
        downloads.append(FileDownload(next.manifest, publisher: publisher, at: now))
        tellIfComplete(downloads.count - 1, into: &sink)
      }
      if next.chunksMissed > 0 || strays.contains(file) { sink.recall(file, from: publisher) }
    }
  }

  /// How many places each publisher has.
  private var places: [PublicKey: Int] {
    downloads.reduce(into: [:]) { $0[$1.publishers[0], default: 0] += 1 }
  }

  /// Finds room for another file of a publisher, at the expense of one that does not arrive: of the publisher with
  /// the most places, and of its files the one that got nothing for the longest. That one waits again, and loses
  /// nothing that the broadcast still keeps when its next chunk comes. Where a complete file has a place, nothing gives
  /// way: that place comes free as soon as the file is kept, and files that are complete at once must not drive out
  /// those that take their time.
  private mutating func makeRoom(
    for publisher: PublicKey, at now: Instant, into sink: inout some FileSharingSink & ~Copyable
  ) -> Bool {
    let places = places
    let isOwnShareFull = (places[publisher] ?? 0) >= configuration.downloadLimitPerPublisher
    guard isOwnShareFull || downloads.count >= configuration.downloadLimit else { return true }
    func others(_ position: Int) -> Int { places[downloads[position].publishers[0]] ?? 0 }
    let inTheWay = downloads.indices.filter { !isOwnShareFull || downloads[$0].publishers[0] == publisher }
    guard !inTheWay.contains(where: { downloads[$0].isComplete }) else { return false }
    let candidates = inTheWay.filter { position in
      downloads[position].lastProgress + patience(with: downloads[position]) <= now
    }
    let victim = candidates.min { a, b in
      (others(b), downloads[a].lastProgress) < (others(a), downloads[b].lastProgress)
    }
    guard let victim else { return false }
    let download = downloads.remove(at: victim)
    counters.filesAbandoned += 1
    sink.abandoned(download.manifest.identifier)
    for publisher in download.publishers {
      let announcement = WaitingFiles.Entry(
        manifest: download.manifest, publisher: publisher, chunksMissed: download.storedCount)
      wait(announcement, into: &sink)
    }
    return true
  }

  /// For how long a file may get nothing. Somebody who has a crowd of keys send a chunk each must not keep all places
  /// for longer than it takes to send as many chunks.
  private func patience(with download: FileDownload) -> Interval {
    min(configuration.stalledAfter, configuration.patiencePerChunk * max(1, download.storedCount))
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
