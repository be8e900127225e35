import StarlingCore

/// The bounds and waits of file sharing. All of them are guesses.
public struct FileSharingConfiguration: Sendable {
  /// How long after its manifest a file's first chunk is sent. The manifest's flood shapes the tree that the
  /// chunks follow: a chunk sent at once would cross every link that the flood has not pruned yet. One
  /// second is several crossings of the network.
  public var shapingPause: Interval = .seconds(1)
  /// How many files may wait to be published at once.
  public var publicationLimit = 64
  /// How many files may be arriving at once, from all publishers.
  public var downloadLimit = 128
  /// How many files of one publisher may be arriving at once.
  public var downloadLimitPerPublisher = 16
  /// A file that got no chunk for so long may give way to a new one when there is no more room.
  public var stalledAfter: Interval = .seconds(60)
  /// A file that was announced so long ago and got no chunk at all may give way to one of a publisher that has fewer
  /// places. Several times the ``shapingPause``.
  public var provingTime: Interval = .seconds(10)
  /// How many announcements wait for room, from all publishers.
  public var waitingLimit = 256
  /// How many of these one publisher may have.
  public var waitingLimitPerPublisher = 16
  /// How many bytes the announcements that wait may have.
  public var waitingByteLimit = 4 << 20
  /// How long an announcement waits for room: the chunks come once, and most have been missed by then.
  public var waitingTime: Interval = .seconds(600)
  /// How many chunks are held for manifests that have not come, from all publishers.
  public var heldChunkLimit = 128
  /// How many of these one publisher may have.
  public var heldChunkLimitPerPublisher = 32
  /// How many bytes are held for manifests that have not come, from all publishers.
  public var heldByteLimit = 4 << 20
  /// How many files are remembered as finished, so that a manifest that comes again is recognised.
  public var finishedLimit = 4_096

  /// The defaults.
  public init() {}
}
