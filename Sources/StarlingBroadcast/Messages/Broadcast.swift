import StarlingCore

/// Names a broadcast message: who broadcast it, and its number among that peer's messages.
@frozen
public struct MessageIdentifier: Hashable, Sendable {
  /// The number among the origin's messages. It only ever grows, across restarts too.
  public let sequence: UInt64
  /// Who broadcast the message.
  public let origin: Peer

  /// - Parameters:
  ///   - origin: who broadcast the message.
  ///   - sequence: its number among the origin's messages.
  @inlinable
  public init(origin: Peer, sequence: UInt64) {
    self.origin = origin
    self.sequence = sequence
  }

  /// The bytes an identifier takes on the wire: the origin's key and the sequence number.
  @inlinable
  public static var encodedByteCount: Int { 32 + 8 }
}

/// What a broadcast carries.
public protocol BroadcastPayload {
  /// How many bytes it has on the wire.
  var byteCount: Int { get }
  /// The most bytes that it may have.
  static var byteLimit: Int { get }
}

extension [UInt8]: BroadcastPayload {
  /// A broadcast must fit one transport message.
  @inlinable
  public static var byteLimit: Int { 60_000 }

  /// How many bytes there are.
  @inlinable
  public var byteCount: Int { count }
}

/// A broadcast message as it travels: signed by its origin over everything but the hops, which each peer
/// that passes it on counts up.
@frozen
public struct Broadcast<Auth: Authenticator>: Sendable, SizedMessage {
  /// Who broadcast it, and its number.
  public let identifier: MessageIdentifier
  /// How many links this copy has crossed: 1 at the origin's neighbours.
  public var hops: UInt16
  /// What it carries.
  public let payload: Auth.Payload
  /// The origin's signature.
  public let signature: Auth.Signature

  /// A message as received; see ``Authenticator/sign(_:as:)`` for making one.
  @inlinable
  public init(
    identifier: MessageIdentifier, hops: UInt16, payload: Auth.Payload, signature: Auth.Signature
  ) {
    self.identifier = identifier
    self.hops = hops
    self.payload = payload
    self.signature = signature
  }

  /// Whether the origin signed just this payload under just this identifier.
  @inlinable
  public func isAuthentic(to auth: Auth) -> Bool {
    auth.verifies(signature, of: payload, as: identifier)
  }

  /// The same message, one link further.
  @inlinable
  public var passedOn: Broadcast {
    var copy = self
    copy.hops = hops == .max ? .max : hops + 1
    return copy
  }

  /// The size of the encoded form.
  @inlinable
  public var encodedByteCount: Int {
    MessageIdentifier.encodedByteCount + 2 + Auth.signatureByteCount + 4 + payload.byteCount
  }
}

/// A message that may carry a broadcast with its payload: what relative message redundancy counts.
public protocol PayloadCarrying<Auth> {
  /// How broadcasts are signed.
  associatedtype Auth: Authenticator
  /// The broadcast whose payload this message carries; `nil` for control messages.
  var carriedBroadcast: Broadcast<Auth>? { get }
}

extension Broadcast: PayloadCarrying {
  /// The broadcast itself.
  @inlinable
  public var carriedBroadcast: Broadcast<Auth>? { self }
}
