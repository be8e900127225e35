import StarlingCore

/// Signs a process's own secure broadcasts and checks everybody's.
///
/// What is signed is (a label, the network, the sender, the sequence number, the digest of the payload): the thesis
/// signs the message alone, which would let one instance's signature count in another.
public protocol SecureAuthenticator: Sendable {
  /// What is broadcast.
  associatedtype Payload: BatchPayload & Sendable
  /// A collision-resistant hash of a payload.
  associatedtype Digest: Hashable & Sendable
  /// The signature.
  associatedtype Signature: Sendable

  /// The bytes a digest takes on the wire.
  static var digestByteCount: Int { get }
  /// The bytes a signature takes on the wire.
  static var signatureByteCount: Int { get }

  /// The digest of a payload.
  static func digest(of payload: Payload) -> Digest
  /// Signs a digest in this process's own name.
  func sign(_ digest: Digest, as identifier: MessageIdentifier) -> Signature
  /// Whether messages of this sender are wanted at all: whether it is a member. Asked before the signature is looked
  /// at.
  func admits(_ sender: Peer) -> Bool
  /// Whether the identifier's origin signed this digest under this identifier.
  func verifies(_ signature: Signature, of digest: Digest, as identifier: MessageIdentifier) -> Bool
  /// Whether an entry is its author's, as far as the batch shows. One that is not is refused before anything is
  /// remembered in the author's name: else a liar could use up the numbers of others.
  ///
  /// By default every entry is.
  func admits(entryAt position: Int, of batch: SignedBatch<Self>) -> Bool
  /// Whether a batch is what its sender signed and may say: asked before anything of it is echoed.
  func verifies(_ batch: SignedBatch<Self>) -> Bool
}

extension SecureAuthenticator {
  /// The digest of a payload.
  @inlinable
  public func digest(of payload: Payload) -> Digest { Self.digest(of: payload) }

  /// Every entry is its author's.
  @inlinable
  public func admits(entryAt position: Int, of batch: SignedBatch<Self>) -> Bool { true }

  /// Whether the sender signed it: everybody may say anything.
  @inlinable
  public func verifies(_ batch: SignedBatch<Self>) -> Bool {
    verifies(batch.signature, of: batch.digest, as: batch.identifier)
  }
}

/// What a secure broadcast carries: a batch of entries that do not depend on each other, such as payments of different
/// accounts. Consistency and totality hold for each entry, so that one entry's fraud delays no other.
public protocol BatchPayload: BroadcastPayload {
  /// Names the owner of an entry.
  associatedtype Author: Hashable & Sendable
  /// Tells the contents of two entries apart.
  associatedtype Contents: Hashable & Sendable

  /// How many entries there are, 0 ... ``BatchLimits/entries``.
  var entryCount: Int { get }
  /// An entry, by its position in 0 ..< `entryCount`.
  func entry(at position: Int) -> BatchEntry<Author, Contents>
  /// An entry's author and number alone, which cost no hash.
  func name(ofEntryAt position: Int) -> (author: Author, sequence: UInt64)
}

extension BatchPayload {
  /// An entry's author and number, out of the entry.
  @inlinable
  public func name(ofEntryAt position: Int) -> (author: Author, sequence: UInt64) {
    let entry = entry(at: position)
    return (entry.author, entry.sequence)
  }
}

/// What identifies an entry of a batch, and what it says.
@frozen
public struct BatchEntry<Author: Hashable & Sendable, Contents: Hashable & Sendable>: Hashable, Sendable {
  /// Whose entry it is.
  public let author: Author
  /// Its number among the author's entries. Two entries of one author and number with different contents conflict.
  public let sequence: UInt64
  /// What it says, or a digest of it.
  public let contents: Contents

  /// An entry.
  @inlinable
  public init(author: Author, sequence: UInt64, contents: Contents) {
    self.author = author
    self.sequence = sequence
    self.contents = contents
  }
}

/// How large batches may be.
public enum BatchLimits {
  /// The most entries of a batch.
  public static let entries = 1_024
}

/// A batch as its sender signed it.
@frozen
public struct SignedBatch<Auth: SecureAuthenticator>: Sendable {
  /// The sender, and the batch's number among the sender's.
  public let identifier: MessageIdentifier
  /// What it carries.
  public let payload: Auth.Payload
  /// The digest of the payload.
  public let digest: Auth.Digest
  /// The sender's signature of the digest under the identifier.
  public let signature: Auth.Signature
  /// How many links this copy has crossed.
  public var hops: UInt16

  /// A batch as received: the digest is computed here, never believed.
  @inlinable
  public init(
    identifier: MessageIdentifier, payload: Auth.Payload, signature: Auth.Signature, hops: UInt16
  ) {
    self.identifier = identifier
    self.payload = payload
    self.signature = signature
    self.hops = hops
    digest = Auth.digest(of: payload)
  }

  /// Whether it is as large as a batch may be, at most.
  @inlinable
  public var isWithinLimits: Bool {
    payload.entryCount <= BatchLimits.entries && payload.byteCount <= Auth.Payload.byteLimit
  }
}

/// The word that a process gives for a batch: an echo, or that it is ready.
@frozen
public struct Vote<Auth: SecureAuthenticator>: Sendable {
  /// The instance.
  public let identifier: MessageIdentifier
  /// Which of the sender's batches of that number is meant.
  public let digest: Auth.Digest
  /// The sender's signature of that digest: nobody votes for what the sender did not sign.
  public let signature: Auth.Signature
  /// The positions of the entries that the word is not given for, ascending.
  public let refused: [UInt16]
  /// How many links the longest chain of messages has that led to this one.
  public let hops: UInt16

  /// A vote.
  @inlinable
  public init(
    identifier: MessageIdentifier, digest: Auth.Digest, signature: Auth.Signature, refused: [UInt16],
    hops: UInt16
  ) {
    self.identifier = identifier
    self.digest = digest
    self.signature = signature
    self.refused = refused
    self.hops = hops
  }

  /// The vote for a batch, one link further on than the batch.
  @inlinable
  public init(for batch: SignedBatch<Auth>, refused: [UInt16]) {
    self.init(
      identifier: batch.identifier, digest: batch.digest, signature: batch.signature, refused: refused,
      hops: batch.hops == .max ? .max : batch.hops + 1)
  }

  /// Whether what it refuses are positions of a batch, ascending, each once.
  @inlinable
  public var isWellFormed: Bool {
    guard let last = refused.last else { return true }
    return last < BatchLimits.entries && zip(refused, refused.dropFirst()).allSatisfy { $0 < $1 }
  }
}
