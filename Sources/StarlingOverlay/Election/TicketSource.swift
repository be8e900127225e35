import StarlingCore

/// What tickets are drawn for. Everything that a ticket depends on besides its owner's key is in here.
@frozen
public enum Draw<Value: TicketValue>: Hashable, Sendable {
  /// For being a contact of a ring in an epoch, under the beacon's value of that epoch.
  case contact(ring: UInt64, epoch: UInt64, beacon: Value)
  /// For the beacon's value of an epoch, under that of the epoch before.
  case beacon(epoch: UInt64, previous: Value)
}

/// The number on a ticket: uniform, and the lowest wins.
public protocol TicketValue: Comparable, Hashable, Sendable {
  /// Its first 64 bits: uniform, and in the order of the values.
  var prefix: UInt64 { get }
  /// What the beacon's value becomes in an epoch for which nobody revealed a share: a hash of this value and the epoch,
  /// so that the chain goes on. Everybody can foresee it.
  func successor(in epoch: UInt64) -> Self
}

/// Where tickets come from: draws them in one peer's name and checks those of all. A compile-time parameter of elections:
/// ``KeyTickets`` in a node, ``IdealTickets`` in large simulations.
///
/// A source must give each peer exactly one ticket for each draw, which nobody can foresee or make but the peer itself
/// and which everybody can check. Trusted hardware that attests what it drew would be another source; there is none here.
public protocol TicketSource: Sendable {
  /// The number on a ticket.
  associatedtype Value: TicketValue
  /// What shows that the number is the peer's for a draw.
  associatedtype Proof: Sendable, Hashable

  /// The bytes a proof takes on the wire.
  static var proofByteCount: Int { get }

  /// Draws this peer's own ticket.
  func draw(_ draw: Draw<Value>) -> Proof

  /// The number that a proof claims, without checking it, which is dear: what would not win anyway need not be checked.
  /// `nil` if it claims none.
  func claim(of proof: Proof) -> Value?

  /// Whether the number that a proof claims is this peer's for a draw.
  func verifies(_ proof: Proof, of draw: Draw<Value>, by peer: Peer) -> Bool
}

/// How long a key must have been a member before its tickets count.
///
/// Who may choose a key when it knows the value that tickets are drawn under tries keys until one wins: so keys must be
/// older than the value. A peer joins in epoch s, when the value of s + 1 may be out. It can foresee that of s + 2 only
/// if it owns the lowest share of that epoch, and that of s + 3 if it owns the lowest of two epochs in a row: of a share f
/// of colluding peers, f and f². A new key's tickets therefore count under values of s + 3 and later.
public enum Seniority {
  /// How many epochs a member must be older than the value that its ticket is drawn under.
  public static let epochs: UInt64 = 3
  /// The number of a network's first epoch: its founders are members since epoch 0 and count from the start.
  public static let firstEpoch: UInt64 = epochs + 1

  /// Whether a member's tickets count.
  ///
  /// - Parameters:
  ///   - since: the epoch in which the peer became a member.
  ///   - epoch: the epoch of the beacon's value that the ticket is drawn under.
  public static func isReached(since: UInt64, underValueOf epoch: UInt64) -> Bool {
    epoch >= epochs && since <= epoch - epochs
  }
}

/// What comes of a share of the beacon or a ticket that a peer is shown.
public enum TicketVerdict: Hashable, Sendable {
  /// It counts: worth passing on.
  case counts
  /// Nothing new: it was known, or a lower share is.
  case old
  /// It came after the deadline.
  case late
  /// It is for another epoch or ring.
  case elsewhere
  /// It was drawn under another value of the beacon than is known here: one of the two peers missed a share.
  case otherBeacon
  /// Its owner is no member, or not for long enough.
  case ineligible
  /// Its proof proves nothing: the fault of whoever sent it, who should have checked it.
  case forged
}
