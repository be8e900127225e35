import StarlingApps
import StarlingBroadcast
import StarlingCore
import StarlingLedger

/// What a node brings to its network by a secure broadcast: posts or transfers, each an entry of the batch, or anything
/// else as a batch without entries.
public struct NodeBatch: EncodedBatch, TransferPayload, Sendable {
  /// What it is made of.
  private enum Entries {
    case posts(PostBatch)
    case transfers(TransferBatch)
    case other
  }

  /// The bytes as they travel.
  public let encoded: [UInt8]
  private let contents: Entries

  /// A batch as this node makes it or as it came.
  ///
  /// - Throws: ``WireError`` when it claims to carry posts or transfers and does not.
  public init(encoded: [UInt8]) throws(WireError) {
    self.encoded = encoded
    if PostBatch.isMeant(by: encoded) {
      contents = .posts(try PostBatch(encoded: encoded, entryLimit: BatchLimits.entries))
    } else if TransferBatch.isMeant(by: encoded) {
      contents = .transfers(try TransferBatch(encoded: encoded, entryLimit: BatchLimits.entries))
    } else {
      contents = .other
    }
  }

  /// A batch of transfers.
  public init(transfers: [SignedTransfer]) {
    let batch = TransferBatch(transfers)
    encoded = batch.encoded
    contents = .transfers(batch)
  }

  /// The posts, if it carries posts.
  public var posts: PostBatch? { if case .posts(let posts) = contents { posts } else { nil } }

  /// The transfers, if it carries transfers.
  public var transfers: [SignedTransfer]? {
    if case .transfers(let batch) = contents { batch.entries } else { nil }
  }

  /// The most entries of a batch.
  public static var entryLimit: Int { BatchLimits.entries }

  /// What fits one message of the transport.
  public static var byteLimit: Int { [UInt8].byteLimit }

  /// How many bytes it has.
  public var byteCount: Int { encoded.count }

  /// How many entries.
  public var entryCount: Int {
    switch contents {
    case .posts(let batch): batch.posts.count
    case .transfers(let batch): batch.entries.count
    case .other: 0
    }
  }

  /// A post: its author, its number, and the SHA-256 of its contents; or a transfer: see `TransferBatch`.
  public func entry(at position: Int) -> BatchEntry<PublicKey, SIMD4<UInt64>> {
    switch contents {
    case .posts(let batch):
      let post = batch.posts[position]
      return BatchEntry(
        author: batch.author, sequence: post.number, contents: SHA256.hash(post.contents).numbers)
    case .transfers(let batch): return batch.entry(at: position)
    case .other: preconditionFailure("a batch of something else has no entry \(position)")
    }
  }

  /// An entry's author and number.
  public func name(ofEntryAt position: Int) -> (author: PublicKey, sequence: UInt64) {
    switch contents {
    case .posts(let batch): (batch.author, batch.posts[position].number)
    case .transfers(let batch): batch.name(ofEntryAt: position)
    case .other: preconditionFailure("a batch of something else has no entry \(position)")
    }
  }

  /// The posts at some positions alone, encoded; a batch without posts as it is.
  func encoded(of positions: [Int]) -> [UInt8] {
    guard let posts, positions.count < posts.posts.count else { return encoded }
    return PostBatch(author: posts.author, posts: positions.map { posts.posts[$0] }).encoded
  }
}

/// Signs and checks the batches of a secure broadcast with the Ed25519 keys (RFC 8032) behind the members' handles.
public struct KeySecureAuthenticator: TransferAuthenticator {
  /// What is broadcast.
  public typealias Payload = NodeBatch
  /// SHA-256 (FIPS 180-4).
  public typealias Digest = SHA256Digest
  /// How it is signed.
  public typealias Signature = Ed25519Signature

  private let identity: Identity
  private let network: [UInt8]
  private let peers: SharedPeerTable
  private let members: PeerSet
  private let ledger: SHA256Digest?

  /// The authenticator of one member.
  ///
  /// - Parameters:
  ///   - identity: signs the node's own batches.
  ///   - network: the network's name: a signature counts in no other.
  ///   - peers: the node's table, which tells the keys behind the handles.
  ///   - members: who may speak.
  ///   - ledger: the hash of the genesis whose transfers they may carry; none if `nil`.
  public init(
    identity: Identity, network: [UInt8], peers: SharedPeerTable, members: PeerSet,
    ledger: SHA256Digest? = nil
  ) {
    self.identity = identity
    self.network = network
    self.peers = peers
    self.members = members
    self.ledger = ledger
  }

  /// The bytes of a SHA-256.
  public static var digestByteCount: Int { SHA256Digest.byteCount }
  /// The bytes of an Ed25519 signature.
  public static var signatureByteCount: Int { Ed25519Signature.byteCount }

  /// The SHA-256 of the encoded batch.
  public static func digest(of payload: NodeBatch) -> SHA256Digest { SHA256.hash(payload.encoded) }

  /// Signs in the node's own name, whatever origin the identifier claims.
  public func sign(_ digest: SHA256Digest, as identifier: MessageIdentifier) -> Ed25519Signature {
    identity.sign(statement(digest, origin: identity.publicKey, sequence: identifier.sequence))
  }

  /// Whether the sender is a member.
  public func admits(_ sender: Peer) -> Bool { members.contains(sender) }

  /// Whether the key behind the identifier's origin signed this digest under this number.
  public func verifies(
    _ signature: Ed25519Signature, of digest: SHA256Digest, as identifier: MessageIdentifier
  ) -> Bool {
    let key = peers.table.record(of: identifier.origin).key
    return key.verifies(signature, of: statement(digest, origin: key, sequence: identifier.sequence))
  }

  /// Whether the sender signed the batch, and posts in nobody else's name: whoever could would use up others' numbers.
  public func verifies(_ batch: SignedBatch<KeySecureAuthenticator>) -> Bool {
    guard let author = batch.payload.posts?.author else {
      return verifies(batch.signature, of: batch.digest, as: batch.identifier)
    }
    return author == peers.table.record(of: batch.identifier.origin).key
      && verifies(batch.signature, of: batch.digest, as: batch.identifier)
  }

  /// Whether a transfer is well-formed and its account's owner signed it for this ledger. Of its own batches a node knows.
  public func admits(entryAt position: Int, of batch: SignedBatch<KeySecureAuthenticator>) -> Bool {
    guard let transfer = batch.payload.transfers?[position] else { return true }
    if transfer.transfer.fault != nil { return false }
    return batch.identifier.origin == PeerTable.own && ledger != nil || isSigned(transfer)
  }

  /// Whether a transfer's account's owner signed it for this ledger.
  public func isSigned(_ transfer: SignedTransfer) -> Bool { ledger.map(transfer.isSigned) ?? false }

  /// This node's word that a transfer is final; `nil` without a ledger.
  func confirm(_ transfer: SignedTransfer) -> Ed25519Signature? {
    ledger.map { Certificate.sign(transfer, in: $0, by: identity) }
  }

  /// What is signed. The label keeps it apart from everything else that a key signs.
  private func statement(_ digest: SHA256Digest, origin: PublicKey, sequence: UInt64) -> [UInt8] {
    var writer = WireWriter(capacity: 128)
    writer.write(text: "starling secure broadcast 1")
    writer.write(counted: network)
    writer.write(raw: origin.bytes)
    writer.write(integer: sequence)
    writer.write(raw: digest.bytes)
    return writer.bytes
  }
}
