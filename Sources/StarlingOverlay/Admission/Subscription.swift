import StarlingCore

/// A peer's subscription, signed by itself and by the contact that introduced it: every peer that it passes
/// can see who let whom in.
@frozen
public struct Subscription<Signature: Sendable & Hashable>: Sendable, Hashable {
  /// Who wants to be known.
  public let subscriber: Peer
  /// Who introduced it.
  public let contact: Peer
  /// Tells the subscriber's subscriptions apart.
  public let number: UInt64
  /// The subscriber's signature: of the statement without a contact.
  public let signature: Signature
  /// The contact's signature: of the statement with itself as the contact.
  public let countersignature: Signature

  /// - Parameters:
  ///   - subscriber: who wants to be known.
  ///   - contact: who introduced it.
  ///   - number: tells the subscriber's subscriptions apart.
  ///   - signature: the subscriber's.
  ///   - countersignature: the contact's.
  @inlinable
  public init(
    subscriber: Peer, contact: Peer, number: UInt64, signature: Signature, countersignature: Signature
  ) {
    self.subscriber = subscriber
    self.contact = contact
    self.number = number
    self.signature = signature
    self.countersignature = countersignature
  }

  /// Whether both signed it, and are not one and the same.
  @inlinable
  public func isAuthentic<Door: Admission>(to door: Door) -> Bool where Door.Signature == Signature {
    let request = SubscriptionStatement(subscriber: subscriber, number: number, contact: nil)
    let introduction = SubscriptionStatement(subscriber: subscriber, number: number, contact: contact)
    return subscriber != contact && door.verifies(signature, of: request, by: subscriber)
      && door.verifies(countersignature, of: introduction, by: contact)
  }
}

extension Subscription where Signature: WireBytes {
  func encode(into writer: inout WireWriter, peers: borrowing some PeerDirectory) {
    writer.write(subscriber, from: peers)
    writer.write(keyOf: contact, from: peers)
    writer.write(integer: number)
    writer.write(raw: signature.bytes)
    writer.write(raw: countersignature.bytes)
  }

  static func decode(
    from reader: inout WireReader, peers: inout some PeerDirectory
  ) throws(WireError) -> Subscription {
    let subscriber = try reader.readPeer(into: &peers)
    let contact = try reader.readPeerKey(into: &peers)
    let number = try reader.read(UInt64.self)
    let signature = try reader.read(Signature.self)
    return Subscription(
      subscriber: subscriber, contact: contact, number: number, signature: signature,
      countersignature: try reader.read())
  }
}
