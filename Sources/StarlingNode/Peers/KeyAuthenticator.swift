import StarlingBroadcast
import StarlingCore
import StarlingOverlay

/// Authenticates broadcasts with the Ed25519 keys (RFC 8032) behind the peers' handles.
public struct KeyAuthenticator: Authenticator {
  /// What is broadcast.
  public typealias Payload = [UInt8]
  /// How it is signed.
  public typealias Signature = Ed25519Signature

  private let identity: Identity
  private let network: [UInt8]
  private let peers: SharedPeerTable
  private let policy: any AdmissionPolicy

  /// The authenticator of one node.
  ///
  /// - Parameters:
  ///   - identity: signs the node's own broadcasts.
  ///   - network: the network's name: a signature counts in no other.
  ///   - peers: the node's table, which tells the keys behind the handles.
  ///   - policy: who may be in the network, and so speak in it.
  public init(
    identity: Identity, network: [UInt8], peers: SharedPeerTable, policy: any AdmissionPolicy = OpenPolicy()
  ) {
    self.policy = policy
    self.identity = identity
    self.network = network
    self.peers = peers
  }

  /// Whether the network's policy lets the origin's key in.
  public func admits(_ origin: Peer) -> Bool { policy.refusal(of: peers.table.record(of: origin).key) == nil }

  /// The bytes of an Ed25519 signature.
  public static var signatureByteCount: Int { Ed25519Signature.byteCount }

  /// Signs a payload in the node's own name, whatever origin the identifier claims.
  public func sign(_ payload: [UInt8], as identifier: MessageIdentifier) -> Ed25519Signature {
    identity.sign(statement(payload, origin: identity.publicKey, sequence: identifier.sequence))
  }

  /// Whether the key behind the identifier's origin signed this payload under this number.
  public func verifies(
    _ signature: Ed25519Signature, of payload: [UInt8], as identifier: MessageIdentifier
  ) -> Bool {
    let key = peers.table.record(of: identifier.origin).key
    return key.verifies(signature, of: statement(payload, origin: key, sequence: identifier.sequence))
  }

  /// What is signed. The label and the network keep a signature from meaning anything elsewhere; the digest
  /// keeps signing a chunk from hashing it twice, as Ed25519 would.
  private func statement(_ payload: [UInt8], origin: PublicKey, sequence: UInt64) -> [UInt8] {
    var writer = WireWriter(capacity: 128)
    writer.write(text: "starling broadcast 1")
    writer.write(counted: network)
    writer.write(raw: origin.bytes)
    writer.write(integer: sequence)
    writer.write(raw: SHA256.hash(payload).bytes)
    return writer.bytes
  }
}

extension Ed25519Signature: WireBytes {}
