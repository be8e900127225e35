import StarlingCore

/// What is signed of a subscription: the subscriber signs that it wants to join, its contact signs that it
/// introduced this subscriber.
@frozen
public struct SubscriptionStatement: Sendable, Hashable {
  /// Who wants to join.
  public let subscriber: Peer
  /// Tells a subscriber's subscriptions apart: drawn at random by the subscriber.
  public let number: UInt64
  /// Who introduces the subscriber; `nil` in what the subscriber itself signs.
  public let contact: Peer?

  /// - Parameters:
  ///   - subscriber: who wants to join.
  ///   - number: drawn at random by the subscriber.
  ///   - contact: who introduces it; `nil` in what the subscriber itself signs.
  @inlinable
  public init(subscriber: Peer, number: UInt64, contact: Peer?) {
    self.subscriber = subscriber
    self.number = number
    self.contact = contact
  }
}

/// Who may join: signs and checks subscriptions, and asks the network's policy about them. A compile-time
/// parameter of SCAMP: Ed25519 and the operator's policy in a node, the ideal scheme in large simulations.
public protocol Admission: Sendable {
  /// The signature.
  associatedtype Signature: Sendable, Hashable

  /// The bytes a signature takes on the wire.
  static var signatureByteCount: Int { get }

  /// Signs a statement in this peer's own name.
  func sign(_ statement: SubscriptionStatement) -> Signature

  /// Whether `signer` signed this statement.
  func verifies(_ signature: Signature, of statement: SubscriptionStatement, by signer: Peer) -> Bool

  /// Whether the network's policy lets `subscriber` in, introduced by `contact`. The signatures are good. Asked
  /// once for each subscription (a subscriber and a number) that this peer keeps, passes on or introduces.
  ///
  /// - Returns: `nil` if it does. ``Misbehaviour/inadmissible`` is the fault of the one who sent the subscription
  ///   on: one of the two keys may not be in the network, and every peer can tell. ``Misbehaviour/subscriptionFlood``
  ///   says that the contact signed too many and is nobody's fault: the signatures do not say when, and who passes
  ///   them on cannot know what others have seen. When this peer is itself the contact it is busy, and the subscriber
  ///   may ask again.
  mutating func judge(subscriber: Peer, contact: Peer, at now: Instant) -> Misbehaviour?

  /// Whether a peer may belong to the group at all, whoever introduces it: asked before a peer comes into a
  /// view by another way than its subscription.
  func admits(_ peer: Peer) -> Bool
}

extension Admission {
  /// True: what a door does that tells peers apart by their subscriptions only, or not at all.
  @inlinable
  public func admits(_ peer: Peer) -> Bool { true }
}

/// A door that is always open: no signatures, and everybody may join. For tests and benchmarks of SCAMP alone.
@frozen
public struct OpenDoor: Admission {
  /// No signature at all.
  @frozen
  public struct Nothing: Sendable, Hashable, WireBytes {
    /// No bytes.
    public var bytes: [UInt8] { [] }
    /// 0.
    public static var byteCount: Int { 0 }
    /// - Parameter bytes: no bytes.
    public init?(_ bytes: [UInt8]) { if !bytes.isEmpty { return nil } }
    @inlinable
    init() {}
  }

  /// No signature.
  public typealias Signature = Nothing

  /// An open door.
  @inlinable
  public init() {}

  /// 0.
  @inlinable
  public static var signatureByteCount: Int { 0 }

  /// Signs nothing.
  @inlinable
  public func sign(_ statement: SubscriptionStatement) -> Nothing { Nothing() }

  /// True.
  @inlinable
  public func verifies(_ signature: Nothing, of statement: SubscriptionStatement, by signer: Peer) -> Bool {
    true
  }

  /// Lets everybody in.
  @inlinable
  public mutating func judge(subscriber: Peer, contact: Peer, at now: Instant) -> Misbehaviour? { nil }
}
