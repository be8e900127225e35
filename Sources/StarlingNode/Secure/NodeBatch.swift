import StarlingApps
import StarlingBroadcast
import StarlingCore

/// What a node brings to its network by a secure broadcast: posts, each an entry of the batch, or anything else as a
/// batch without entries.
public struct NodeBatch: EncodedBatch, Sendable {
  /// The bytes as they travel.
  public let encoded: [UInt8]
  /// The posts, if it carries posts.
  public let posts: PostBatch?

  /// A batch as this node makes it or as it came.
  ///
  /// - Throws: ``WireError`` when it claims to carry posts and does not.
  public init(encoded: [UInt8]) throws(WireError) {
    self.encoded = encoded
    posts =
      PostBatch.isMeant(by: encoded)
      ? try PostBatch(encoded: encoded, entryLimit: BatchLimits.entries) : nil
  }

  /// The most posts of a batch.
  public static var entryLimit: Int { BatchLimits.entries }

  /// What fits one message of the transport.
  public static var byteLimit: Int { [UInt8].byteLimit }

  /// How many bytes it has.
  public var byteCount: Int { encoded.count }

  /// How many posts.
  public var entryCount: Int { posts?.posts.count ?? 0 }

  /// A post: its author, its number, and the SHA-256 of its contents.
  public func entry(at position: Int) -> BatchEntry<PublicKey, SIMD4<UInt64>> {
    guard let posts else { preconditionFailure("a batch without posts has no entry \(position)") }
    let post = posts.posts[position]
    return BatchEntry(
      author: posts.author, sequence: post.number, contents: SHA256.hash(post.contents).words)
  }

  /// A post's author and number.
  public func name(ofEntryAt position: Int) -> (author: PublicKey, sequence: UInt64) {
    guard let posts else { preconditionFailure("a batch without posts has no entry \(position)") }
    return (posts.author, posts.posts[position].number)
  }

  /// The posts at some positions alone, encoded; a batch without posts as it is.
  func encoded(of positions: [Int]) -> [UInt8] {
    guard let posts, positions.count < posts.posts.count else { return encoded }
    return PostBatch(author: posts.author, posts: positions.map { posts.posts[$0] }).encoded
  }
}

extension SHA256Digest {
  /// The digest without a heap object: thousands are remembered.
  var words: SIMD4<UInt64> {
    var words = SIMD4<UInt64>()
    for (i, byte) in bytes.enumerated() { words[i / 8] = words[i / 8] << 8 | UInt64(byte) }
    return words
  }
}

/// Signs and checks the batches of a secure broadcast with the Ed25519 keys (RFC 8032) behind the members' handles.
public struct KeySecureAuthenticator: SecureAuthenticator {
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

  /// The authenticator of one member.
  ///
  /// - Parameters:
  ///   - identity: signs the node's own batches.
  ///   - network: the network's name: a signature counts in no other.
  ///   - peers: the node's table, which tells the keys behind the handles.
  ///   - members: who may speak.
  public init(identity: Identity, network: [UInt8], peers: SharedPeerTable, members: PeerSet) {
    self.identity = identity
    self.network = network
    self.peers = peers
    self.members = members
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
