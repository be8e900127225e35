import StarlingCore

/// What file sharing did so far, in messages.
public struct FileSharingCounters: Hashable, Sendable {
  /// Manifests broadcast.
  public var manifestsPublished: UInt64 = 0
  /// Chunks broadcast.
  public var chunksPublished: UInt64 = 0
  /// Manifests of other peers that were taken in.
  public var manifestsAccepted: UInt64 = 0
  /// Manifests of files that are known already.
  public var manifestsRepeated: UInt64 = 0
  /// Files that were announced and then forgotten, because too many others were.
  public var filesCrowdedOut: UInt64 = 0
  /// Files that got a place.
  public var filesBegun: UInt64 = 0
  /// Chunks that were checked and stored.
  public var chunksStored: UInt64 = 0
  /// Chunks that were stored already, or belong to a finished file.
  public var chunksRepeated: UInt64 = 0
  /// Chunks that are not what the manifest says, or come from somebody who did not announce the file.
  public var chunksRefused: UInt64 = 0
  /// Chunks that came before their manifest, or found no place: the broadcast is asked for them again.
  public var chunksWithoutPlace: UInt64 = 0
  /// Payloads that are no message of file sharing, impossible manifests among them.
  public var malformed: UInt64 = 0
  /// Files that stopped arriving and gave way to others.
  public var filesAbandoned: UInt64 = 0
  /// Files that were arriving, or complete, and could not be kept.
  public var filesGivenUp: UInt64 = 0

  /// Nothing yet.
  public init() {}
}

/// How far a file has come.
public struct FileProgress: Hashable, Sendable {
  /// The file.
  public let manifest: FileManifest
  /// Who announced it first; `nil` for a file that this peer publishes.
  public let publisher: PublicKey?
  /// How many of its chunks were stored, or broadcast.
  public let chunksDone: Int
}
