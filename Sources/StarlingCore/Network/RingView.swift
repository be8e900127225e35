/// A ring as one of its members sees it: what a broadcast over rings has to know of it.
public struct RingView: Sendable, Equatable {
  /// A member.
  public struct Place: Sendable, Equatable {
    /// Who it is.
    public let peer: Peer
    /// The ring that it is a contact of, a level below; 0 in a leaf ring.
    public let branch: UInt64
    /// Whether it is a contact of this ring, and so a member of the ring above.
    public let isContact: Bool

    /// A member.
    public init(peer: Peer, branch: UInt64, isContact: Bool) {
      (self.peer, self.branch, self.isContact) = (peer, branch, isContact)
    }
  }

  /// Names the ring.
  public let identifier: UInt64
  /// The same at two members that see the same ring.
  public let fingerprint: UInt64
  /// The members in the order of the ring.
  public let places: [Place]

  /// A ring.
  public init(identifier: UInt64, fingerprint: UInt64, places: [Place]) {
    (self.identifier, self.fingerprint, self.places) = (identifier, fingerprint, places)
  }
}
