import StarlingCore

/// What an ordered broadcast tells the layer above.
@frozen
public enum OrderedIndication<Auth: SecureAuthenticator>: Sendable {
  /// The next batch of its sender, but for the entries at the positions `refused` (ascending).
  case delivered(SignedBatch<Auth>, refused: [UInt16])
  /// Entries of a batch that was delivered and that had been refused: only those at `refused` still are.
  case completed(SignedBatch<Auth>, refused: [UInt16])
  /// Batches of a sender were missed for good: all have numbers from the first to below the second. This process was
  /// away for so long that nobody repeats what was said about them.
  case missed(Peer, UInt64, UInt64)
  /// Others are so far ahead with a sender that what they say is not heard: they are at this number at least. Told in place of
  /// ``missed(_:_:_:)`` where nothing may be skipped (``OrderedBroadcastConfiguration/skips``), again and again.
  case behind(Peer, UInt64)
  /// An own batch is taken, and will be broadcast under a number. Whoever is to broadcast it after a crash keeps both before
  /// anything is sent, or said of it: under no number may a process ever broadcast two batches.
  case broadcasting(UInt64, Auth.Payload)
  /// What the process's next life must know; see ``SecureIndication/logged(_:)``.
  case logged(LoggedStep<Auth>)
  /// An own batch found no place: too many wait.
  case overloaded
  /// A peer did what no correct peer does. What it sent was dropped.
  case misbehaved(Peer, Misbehaviour)
}

/// The bounds of an ordered broadcast. All are guesses.
@frozen
public struct OrderedBroadcastConfiguration: Sendable {
  /// How many instances of one sender may be under way, 2 or more. A process that falls behind the others by more than
  /// half of it misses votes that nobody repeats.
  public var window = 64
  /// How many delivered instances of one sender are kept, so that late subscribers and whoever lacks a batch are
  /// answered.
  public var kept = 64
  /// How many own batches may wait for room in the window.
  public var waitingLimit = 1_024
  /// How many bytes of own batches may be under way, unless it is one: half of what a connection of this transport queues, so
  /// that none of them is dropped there.
  public var byteWindow = 512 << 10
  /// Whether a process that was away for too long skips what nobody repeats any more. If not, it tells that it is behind, and
  /// waits for the layer above to get it (``OrderedBroadcast/Request/catchUp(_:refused:)``).
  public var skips = true

  /// The defaults.
  @inlinable
  public init() {}
}
