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
    /// Seen before, or too old to tell. Its signature was not looked at.
    case duplicate
    /// Not signed by its origin. It does not count as seen.
    case forged
  }

  /// The peer itself.
  public let identity: Peer
  @usableFromInline let auth: Auth
  @usableFromInline var seen = SeenMessages()
  @usableFromInline var nextSequence: UInt64

  /// - Parameters:
  ///   - identity: the peer's own handle.
  ///   - auth: signs this peer's messages and checks the others'.
  ///   - firstSequence: the number of its first message, above all it used before.
  @inlinable
  public init(identity: Peer, auth: Auth, firstSequence: UInt64) {
    self.identity = identity
    self.auth = auth
    nextSequence = firstSequence
  }

  /// Makes this peer's next message, which then counts as seen.
  @inlinable
  public mutating func originate(_ payload: Auth.Payload) -> Broadcast<Auth> {
    let identifier = MessageIdentifier(origin: identity, sequence: nextSequence)
    nextSequence += 1
    _ = seen.insert(identifier)
    let signature = auth.sign(payload, as: identifier)
    return Broadcast(identifier: identifier, hops: 1, payload: payload, signature: signature)
  }

  /// Judges a message that came. The signature is checked before anything is remembered.
  @inlinable
  public mutating func admit(_ message: Broadcast<Auth>) -> Verdict {
    if seen.contains(message.identifier) { return .duplicate }
    guard message.isAuthentic(to: auth) else { return .forged }
    _ = seen.insert(message.identifier)
    return .new
  }

  /// Whether a message was let in before, or is too old to tell.
  @inlinable
  public func hasSeen(_ identifier: MessageIdentifier) -> Bool { seen.contains(identifier) }
}
