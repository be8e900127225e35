import StarlingCore
import StarlingOverlay

/// Signs and checks subscriptions with the Ed25519 keys (RFC 8032) behind the peers' handles, and asks the
/// network's policy about them.
public struct KeyAdmission: Admission {
  /// How subscriptions are signed.
  public typealias Signature = Ed25519Signature

  private let identity: Identity
  private let network: [UInt8]
  private let peers: SharedPeerTable
  private let record: AdmissionRecord
  private var policy: any AdmissionPolicy

  /// The admission of one node.
  ///
  /// - Parameters:
  ///   - identity: signs the node's own subscriptions and introductions.
  ///   - network: the network's name: a signature counts in no other.
  ///   - peers: the node's table, which tells the keys behind the handles.
  ///   - policy: who may join.
  ///   - record: where verdicts are counted and signatures that were checked are remembered.
  public init(
    identity: Identity, network: [UInt8], peers: SharedPeerTable, policy: any AdmissionPolicy = OpenPolicy(),
    record: AdmissionRecord = AdmissionRecord()
  ) {
    self.identity = identity
    self.network = network
    self.peers = peers
    self.policy = policy
    self.record = record
  }

  /// The bytes of an Ed25519 signature.
  public static var signatureByteCount: Int { Ed25519Signature.byteCount }

  /// Signs a statement in the node's own name: as the subscriber if it names no contact, else as the contact.
  public func sign(_ statement: SubscriptionStatement) -> Ed25519Signature {
    let isOwn = statement.contact == nil
    return identity.sign(
      text(
        subscriber: isOwn ? identity.publicKey : key(statement.subscriber), number: statement.number,
        contact: isOwn ? nil : identity.publicKey))
  }

  /// Whether the key behind `signer` signed this statement. Many copies of one subscription come by; its
  /// signatures are checked once.
  public func verifies(
    _ signature: Ed25519Signature, of statement: SubscriptionStatement, by signer: Peer
  ) -> Bool {
    // Nobody signs for another: not as the subscriber, not as the contact.
    guard signer == statement.contact ?? statement.subscriber else { return false }
    let text = text(
      subscriber: key(statement.subscriber), number: statement.number, contact: statement.contact.map(key))
    let digest = SHA256.hash(text + signature.bytes)
    if record.verified.contains(digest) { return true }
    record.checks += 1
    guard key(signer).verifies(signature, of: text) else { return false }
    record.verified.insert(digest)
    return true
  }

  /// Asks the policy: about both keys, since a contact that may not be in the network vouches for nobody, and
  /// then about the introduction.
  public mutating func judge(subscriber: Peer, contact: Peer, at now: Instant) -> Misbehaviour? {
    let introduction = Introduction(
      subscriber: key(subscriber), contact: key(contact), isOwn: contact == PeerTable.own)
    if let refusal = policy.refusal(of: introduction.subscriber) ?? policy.refusal(of: introduction.contact) {
      record.refused(refusal)
      return .inadmissible
    }
    // Many copies of one subscription come by, and count once.
    if record.introductions.contains(introduction) { return nil }
    if let refusal = policy.refusal(of: introduction, at: now) {
      record.refused(refusal)
      return .subscriptionFlood
    }
    record.introductions.insert(introduction)
    record.admitted += 1
    return nil
  }

  /// Whether the policy lets a peer's key in at all.
  public func admits(_ peer: Peer) -> Bool { policy.refusal(of: key(peer)) == nil }

  private func key(_ peer: Peer) -> PublicKey { peers.table.record(of: peer).key }

  /// What is signed. The label and the network keep a signature from meaning anything elsewhere; the marker
  /// keeps what a subscriber signs apart from what a contact does.
  private func text(subscriber: PublicKey, number: UInt64, contact: PublicKey?) -> [UInt8] {
    var writer = WireWriter(capacity: 128)
    writer.write(text: "starling subscription 1")
    writer.write(counted: network)
    writer.write(raw: subscriber.bytes)
    writer.write(integer: number)
    writer.write(UInt8(contact == nil ? 0 : 1))
    if let contact { writer.write(raw: contact.bytes) }
    return writer.bytes
  }
}

/// What a node's admission has seen: shared by reference, because SCAMP owns the admission, and others want to
/// know.
///
/// Confined to the event loop that owns the node, and never locked.
public final class AdmissionRecord: @unchecked Sendable {
  /// Subscriptions that the policy let in.
  public internal(set) var admitted: UInt64 = 0
  /// Subscriptions that it refused.
  public internal(set) var refusals: UInt64 = 0
  /// Why it refused the last one.
  public internal(set) var lastRefusal: AdmissionRefusal?
  /// Signatures that were checked and not found among those checked lately.
  public internal(set) var checks: UInt64 = 0
  /// Statements that were found to be signed.
  var verified = RecentElements<SHA256Digest>(limit: 1_024)
  /// Introductions that counted.
  var introductions = RecentElements<Introduction>(limit: 1_024)

  /// Nothing seen yet.
  public init() {}

  func refused(_ refusal: AdmissionRefusal) {
    refusals += 1
    lastRefusal = refusal
  }
}

/// The elements that were put in last. The oldest is forgotten first.
struct RecentElements<Element: Hashable> {
  private var known: Set<Element> = []
  private var ring: [Element] = []
  private var oldest = 0
  private let limit: Int

  /// - Parameter limit: how many to remember, 1 or more.
  init(limit: Int) { self.limit = limit }

  var count: Int { ring.count }

  func contains(_ element: Element) -> Bool { known.contains(element) }

  mutating func insert(_ element: Element) {
    guard known.insert(element).inserted else { return }
    if ring.count < limit {
      ring.append(element)
    } else {
      known.remove(ring[oldest])
      ring[oldest] = element
      oldest = (oldest + 1) % limit
    }
  }
}
