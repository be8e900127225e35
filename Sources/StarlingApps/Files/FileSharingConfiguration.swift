import StarlingCore

/// The bounds and waits of file sharing. All of them are guesses.
public struct FileSharingConfiguration: Sendable {
  /// How long after its manifest a file's first chunk is sent. The manifest's flood shapes the tree that the
  /// chunks follow: a chunk sent at once would cross every link that the flood has not pruned yet. One
  /// second is several crossings of the network.
  public var shapingPause: Interval = .seconds(1)
  /// How many files may wait to be published at once.
  public var publicationLimit = 64
  /// How many files may be arriving, or complete and waiting to be put together, from all publishers.
  public var downloadLimit = 128
  /// How many of these may be one publisher's.
  public var downloadLimitPerPublisher = 16
  /// For how long a file may get no chunk before it may give way to another one when there is no more room: so long
  /// for each chunk that it has got, since whoever sends much is believed to send more, ...
  public var patiencePerChunk: Interval = .seconds(1)
  /// ... up to so long.
  public var stalledAfter: Interval = .seconds(60)
  /// How many announced files wait for their first chunk, or for room, from all publishers. While others announce
  /// sixty files a second, one has 17 s for its first chunk.
  public var waitingLimit = 1_024
  /// How many of these one publisher may have: as many as it may have to publish.
  public var waitingLimitPerPublisher = 64
  /// How many bytes they may take: nearly a hundred of the longest manifests.
  public var waitingByteLimit = 16 << 20
  /// How often files that wait for room are looked at, if no chunk comes and no place gets free.
  public var lookInterval: Interval = .seconds(1)
  /// A publisher whose file had to wait for its turn for so long announces it once more before its first chunk: others
  /// may have forgotten it.
  public var announcedAgainAfter: Interval = .seconds(2)
  /// How many files are remembered as finished, so that a manifest that comes again is recognised; and of how many
  /// others it is known that chunks came which could not be told from garbage.
  public var finishedLimit = 4_096

  /// The defaults.
  public init() {}
}
