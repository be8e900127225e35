import StarlingCore

/// What file sharing wants done. The owner of the sink makes the connection to a broadcast and to a disk.
public protocol FileSharingSink: ~Copyable {
  /// Bring this to every peer, in this peer's name.
  mutating func broadcast(_ payload: [UInt8])
  /// Read a chunk of a file that is being published, and hand it to
  /// ``FileSharing/supply(_:index:of:into:)`` after the running call has returned.
  mutating func requestChunk(_ index: Int, of file: FileIdentifier)
  /// Another peer publishes a file, of which a chunk came: the first, or again after the file had given way. An empty
  /// file is complete at once.
  mutating func announced(_ manifest: FileManifest, by publisher: PublicKey)
  /// Keep a chunk. It was checked against the manifest and comes only once; chunks come in any order.
  mutating func store(_ chunk: [UInt8], index: Int, of file: FileIdentifier)
  /// Every chunk of a file was given out for storing: put them together, and call
  /// ``FileSharing/assembled(_:at:into:)`` or ``FileSharing/giveUp(_:)`` after the running call has returned. The file
  /// keeps its place until then.
  mutating func completed(_ file: FileIdentifier)
  /// The last chunk of a published file was handed to the broadcast.
  mutating func published(_ file: FileIdentifier)
  /// A published file could not be read as its manifest describes it; what was sent of it is useless.
  mutating func publicationFailed(_ file: FileIdentifier)
  /// Hand in once more, by ``FileSharing/receive(_:from:at:into:)`` and after the running call has returned, the
  /// chunks of a file that its publisher broadcast and the broadcast still keeps. They came before, and had no place.
  /// Only what is at hand: nobody else is asked.
  mutating func recall(_ file: FileIdentifier, from publisher: PublicKey)
  /// A file that stopped arriving gave way to another. What was stored of it is useless.
  mutating func abandoned(_ file: FileIdentifier)
  /// A file that was announced was forgotten, because too many others were. It does not arrive, unless it is announced
  /// again.
  mutating func crowdedOut(_ file: FileIdentifier)
}
