import StarlingCore

/// What every broadcast begins with: a peer's own messages are numbered and signed, and those of others are let
/// in once each, and only with a good signature.
@frozen
public struct MessageGate<Auth: Authenticator>: Sendable {
  /// What a message turned out to be.
  @frozen
  public enum Verdict: Sendable {
    /// New and authentic: it now counts as seen.
    case new
    /// Seen before, or in a gap that had to be given up. Its signature was not looked at.
    case duplicate
    /// Of an origin that may not speak here. Nobody is to blame: peers may differ in whom they admit.
    case unwelcome
    /// Not signed by its origin. It does not count as seen.
    case forged
  }

  /// The peer itself.
  public let identity: Peer
  @usableFromInline let auth: Auth
  @usableFromInline var seen: SeenMessages
  @usableFromInline var nextSequence: UInt64

  /// - Parameters:
  ///   - identity: the peer's own handle.
  ///   - auth: signs this peer's messages and checks the others'.
  ///   - firstSequence: the number of its first message, above all it used before.
  ///   - seen: what it had before it was restarted.
  @inlinable
  public init(identity: Peer, auth: Auth, firstSequence: UInt64, seen: SeenMessages = SeenMessages()) {
    self.identity = identity
    self.auth = auth
    self.seen = seen
    nextSequence = firstSequence
  }

  /// Makes this peer's next message, which then counts as seen.
  @inlinable
  public mutating func originate(_ payload: Auth.Payload) -> Broadcast<Auth> {
    let identifier = MessageIdentifier(origin: identity, sequence: nextSequence)
    nextSequence &+= 1
    seen.insert(identifier)
    let signature = auth.sign(payload, as: identifier)
    return Broadcast(identifier: identifier, hops: 1, payload: payload, signature: signature)
  }

  /// Judges a message that came. The signature is checked before anything is remembered.
  ///
  /// - Parameters:
  ///   - message: what came.
  ///   - catchingUp: whether, if it is the first of its origin, all that the origin sent before is wanted too.
  @inlinable @inline(__always)
  public mutating func admit(_ message: Broadcast<Auth>, catchingUp: Bool = true) -> Verdict {
    let position = seen.origins.position(of: message.identifier.origin)
    if seen.contains(message.identifier, ofOriginAt: position) { return .duplicate }
    guard auth.admits(message.identifier.origin) else { return .unwelcome }
    guard message.isAuthentic(to: auth) else { return .forged }
    _ = seen.insert(message.identifier, ofOriginAt: position, catchingUp: catchingUp)
    return .new
  }

  /// Whether a message was let in before, or its gap was given up.
  @inlinable
  public func hasSeen(_ identifier: MessageIdentifier) -> Bool { seen.contains(identifier) }
}
